/** The error classes of this package, for failures other than an error thrown by a task. */

import { whyNoProcesses } from './internal/platform/singleExecutable.js';

/**
 * The name of the class, on the prototype of each class. It identifies errors of other copies of this package and errors
 * that come from another thread or process, where `instanceof` fails.
 */
export const errorBrand: unique symbol = Symbol.for('rxjs-parallel-map.error') as never;

/** The fields that an error class adds to `Error`. Its constructor takes them as one object. */
type FieldsOf<E extends WorkerPoolError> = Omit<E, keyof Error>;

/**
 * The base class of all errors of this package. An error that a task throws is not one of these: it arrives as it was
 * thrown.
 *
 * @example
 * ```ts
 * source$.pipe(parallelMap(resize)).subscribe({
 *   error: (error) => {
 *     if (error instanceof WorkerPoolError) console.error('the pool failed:', error.message);
 *     else console.error('resize failed:', error);
 *   },
 * });
 * ```
 */
export class WorkerPoolError extends Error {
  static {
    nameClass(this, 'WorkerPoolError');
  }

  /** @hidden */
  constructor(fields: { readonly message: string; readonly cause?: unknown }) {
    // A cause that is not given leaves no property, as with `new Error()`.
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
  }
}

/**
 * A task took longer than `taskTimeout`, the init function of a worker took longer than `workerInitTimeout`, or its exit function took
 * longer than `workerExitTimeout`. `terminate` also rejects with it, with the `stage` `'exit'`, when it cannot end a thread because that is
 * inside native code.
 *
 * @example
 * ```ts
 * await pool.apply(parse, [text], { taskTimeout: 1000 }).catch((error) => {
 *   if (!(error instanceof WorkerTimeoutError)) throw error;
 *   console.error(`given up after ${error.timeout} ms`);
 * });
 * ```
 */
export class WorkerTimeoutError extends WorkerPoolError {
  static {
    nameClass(this, 'WorkerTimeoutError');
  }

  /** What took too long: a task, the init function of a worker, or its exit function or end. */
  declare readonly stage: 'task' | 'init' | 'exit';
  /** How long it was allowed to take, in milliseconds. */
  declare readonly timeout: number;
  /** The worker, counted from 0. */
  declare readonly workerId: number;
  /** The index of the task's value, counted from 0; `undefined` for an init or exit function. */
  declare readonly index?: number | undefined;

  /** @hidden */
  constructor(fields: FieldsOf<WorkerTimeoutError> & { readonly isExitFunction?: boolean }) {
    const { stage, timeout, workerId, index, isExitFunction = false } = fields;
    const value = index === undefined ? '' : ` for the value with index ${index}`;
    const message = {
      task: `The task${value} on worker ${workerId} took longer than its taskTimeout of ${timeout} ms, so the worker was killed.`,
      init: `The init function of worker ${workerId} took longer than its workerInitTimeout of ${timeout} ms, so the worker was killed.`,
      exit: isExitFunction
        ? `The exit function of worker ${workerId} took longer than its workerExitTimeout of ${timeout} ms, so the worker was killed.`
        : `Worker ${workerId} has not ended within ${timeout} ms. A thread that is inside native code, such as execSync, cannot ` +
          `be ended before that returns. A process can: use startMethod 'spawn'.`,
    }[stage];
    super({ message });
    assignFields(this, { stage, timeout, workerId, index });
  }
}

/** Details for the message of a {@link WorkerDiedError}. */
interface DeathDetails {
  readonly cause?: unknown;
  /** Why the pool has killed the worker, as the end of a sentence. */
  readonly killedFor?: string | undefined;
  /** Why its values are not tried again, as a sentence; absent if "workerDeathRetries" would help. */
  readonly whyNotAgain?: string | undefined;
}

/**
 * A worker ended unexpectedly: it was killed, ran out of memory, crashed, called `process.exit`, or had an uncaught error (the
 * `cause`). `workerDeathRetries` tries its values again.
 *
 * @example
 * ```ts
 * source$.pipe(parallelMap(parse, { workerDeathRetries: 1 })).subscribe({
 *   error: (error) => {
 *     if (error instanceof WorkerDiedError) console.error(`lost the values ${error.indexes}: ${error.signal ?? error.exitCode}`);
 *   },
 * });
 * ```
 */
export class WorkerDiedError extends WorkerPoolError {
  static {
    nameClass(this, 'WorkerDiedError');
  }

  /** The worker that died, counted from 0. */
  declare readonly workerId: number;
  /** The exit code; `null` if a signal ended the worker. */
  declare readonly exitCode: number | null;
  /** The signal that ended the worker, such as `'SIGKILL'`; `null` if none did. */
  declare readonly signal: string | null;
  /** The indexes, counted from 0, of the values that were lost with the worker. */
  declare readonly indexes: readonly number[];
  /** `'workerInit'` or `'workerExit'` if it died in that function; `undefined` if it died in a task, or idle. */
  declare readonly option?: 'workerInit' | 'workerExit' | undefined;

  /** @hidden */
  constructor(fields: FieldsOf<WorkerDiedError> & DeathDetails) {
    const { workerId, exitCode, signal, indexes, option, cause, killedFor, whyNotAgain } = fields;
    const ends = [
      signal === null ? '' : `with signal ${signal}`,
      exitCode === null ? '' : `with exit code ${exitCode}`,
    ];
    const died = `died ${ends.filter((end) => end !== '').join(' ') || 'for an unknown reason'}`;
    const place = option === undefined ? '' : ` in its ${option}`;
    const idle = option === undefined && killedFor === undefined ? ' while it was idle' : '';
    const values = indexes.length === 0 ? idle : ` while it had ${listValues(indexes)}`;
    const reason = killedFor === undefined ? '' : `, ${killedFor}`;
    const sentences = [
      `Worker ${workerId} ${killedFor === undefined ? died : 'was killed'}${place}${values}${reason}.`,
    ];
    if (cause !== undefined) sentences.push(`The cause: ${describeThrown(cause)}.`);
    if (killedFor === undefined) sentences.push(...memoryHint(fields));
    if (whyNotAgain !== undefined) sentences.push(whyNotAgain);
    else if (indexes.length > 0) {
      sentences.push('To try such values again on another worker, set "workerDeathRetries".');
    }
    super({ message: sentences.join(' '), cause });
    assignFields(this, { workerId, exitCode, signal, indexes: [...indexes], option });
  }
}

/**
 * A worker could not start: the module of its function is missing, throws, or has no such export, or the system could not create a
 * thread or process. The `cause` says which. The pool does not try again.
 *
 * @example
 * ```ts
 * source$.pipe(parallelMap(moduleTask(new URL('./missing.js', import.meta.url)))).subscribe({
 *   error: (error) => console.error(error.message, error.cause), // WorkerStartError, ERR_MODULE_NOT_FOUND
 * });
 * ```
 */
export class WorkerStartError extends WorkerPoolError {
  static {
    nameClass(this, 'WorkerStartError');
  }

  /** The worker that could not start, counted from 0. */
  declare readonly workerId: number;
  /** `'workerInit'` or `'workerExit'` if that function could not be loaded. */
  declare readonly option?: 'workerInit' | 'workerExit' | undefined;

  /** @hidden */
  constructor(fields: FieldsOf<WorkerStartError> & { readonly cause: unknown }) {
    const { workerId, option, cause } = fields;
    const place = option === undefined ? '' : `${option} could not be loaded: `;
    super({ message: `Worker ${workerId} could not start: ${place}${describeThrown(cause)}.${hintOf(cause)}`, cause });
    assignFields(this, { workerId, option });
  }
}

/**
 * A value cannot be sent to a worker, or a result cannot be sent back: something in it cannot be cloned, such as a
 * function, a promise or a socket. The worker goes on.
 *
 * @example
 * ```ts
 * of({ user: { socket } }).pipe(parallelMap(greet)).subscribe({
 *   error: (error) => console.error(error.path, error.kind), // 'value.user.socket', 'Socket'
 * });
 * ```
 */
export class UnserializableError extends WorkerPoolError {
  static {
    nameClass(this, 'UnserializableError');
  }

  /** The path to what cannot be cloned, such as `value.user.socket` or `value.items[3]`. */
  declare readonly path: string;
  /** The index of the value, counted from 0; `undefined` if no value is concerned, as for shared objects. */
  declare readonly index?: number | undefined;
  /** Whether it was sent to the worker, sent back, or passed to `context.progress`, which then throws this error. */
  declare readonly direction: 'input' | 'result' | 'progress';
  /** What is at that path, such as `Socket` or `function resize`, if known. */
  declare readonly kind?: string | undefined;
  /** `'workerExit'` if that function returned it. */
  declare readonly option?: 'workerInit' | 'workerExit' | undefined;
  /** The worker of that function, counted from 0. */
  declare readonly workerId?: number | undefined;

  /** @hidden */
  constructor(fields: FieldsOf<UnserializableError> & { readonly cause?: unknown }) {
    const { path, index, direction, kind, option, workerId, cause } = fields;
    const [noun, way, task] = {
      input: ['value', 'to a worker', 'create in the task'],
      result: ['result', 'back from the worker', `use in ${option ?? 'the task'}`],
      progress: ['progress of the value', 'back from the worker', 'use in the task'],
    }[direction];
    const what = kind === undefined ? path : `${path} (${kind})`;
    const ofFunction = `The ${noun} of ${option} on worker ${workerId}`;
    const ofNone = option === undefined ? `A ${noun}` : ofFunction;
    const place = index === undefined ? ofNone : `The ${noun} with index ${index}`;
    const reason = cause === undefined ? '' : ` The cause: ${describeThrown(cause)}.`;
    super({
      message:
        `${place} cannot be sent ${way}: ${what} cannot be cloned.${reason} ` +
        wayOut(`${kind} ${reason}`, `Send plain data instead, and ${task} what cannot be sent.`),
      cause,
    });
    assignFields(this, { path, index, direction, kind, option, workerId });
  }
}

/**
 * A function cannot be sent to a worker: it uses a variable that cannot travel, or it has no source,
 * like a native or bound function.
 *
 * @example
 * ```ts
 * const salt = readSalt();
 * const hash = (text: string) => digest(salt + text); // if "salt" or "digest" cannot travel
 * const hash = moduleTask(new URL('./hash.js', import.meta.url), 'hash'); // the worker imports the module, which has them
 * ```
 */
export class UnportableFunctionError extends WorkerPoolError {
  static {
    nameClass(this, 'UnportableFunctionError');
  }

  /** The function's name; empty or `'anonymous'` if it has none. */
  declare readonly functionName: string;
  /** The variable that cannot travel; `undefined` if the reason is not a variable. */
  declare readonly variable?: string | undefined;
  /** Where the function is written, as `file:line:column`, if known. */
  declare readonly location?: string | undefined;
  /** Why the function or the variable cannot travel. */
  declare readonly reason?: string | undefined;

  /** @hidden */
  constructor(
    fields: FieldsOf<UnportableFunctionError> & { readonly cause?: unknown; readonly way?: readonly Step[] },
  ) {
    const { functionName, variable, location, reason, cause, way = [] } = fields;
    const [first] = way;
    // It begins at the variable of the user's function.
    const [subject, own] =
      way.length < 2 || first === undefined
        ? [describeFunction(fields), variable]
        : [describeFunction(first), /^[^.[]*/.exec(first.path)?.[0]];
    const steps = way.map(({ path }) => path);
    const shown = steps.length > MOST_STEPS ? [...steps.slice(0, 3), '…', ...steps.slice(-3)] : steps;
    const onTheWay =
      way.length < 2 ? '' : `${shown.join(' → ')}, in ${describeFunction({ functionName, location }, false)}: `;
    const because = reason ?? (cause === undefined ? 'it cannot be rebuilt there' : describeThrown(cause));
    super({
      message:
        variable === undefined
          ? `${subject} cannot travel to a worker: ${because}. Wrap it in an arrow function, or use moduleTask(url, exportName).`
          : `${subject} captures "${own}", which cannot travel to a worker: ${onTheWay}${because}. ${waysOut(own ?? variable)}`,
      cause,
    });
    assignFields(this, { functionName, variable, location, reason });
  }
}

/**
 * A source emitted faster than the workers could follow: a value arrived while `bufferSize` others waited, and `overflow`
 * is `'error'`.
 *
 * @example
 * ```ts
 * ticks$.pipe(parallelMap(measure, { bufferSize: 100 })).subscribe({
 *   error: (error) => console.error(error instanceof BufferOverflowError, error.bufferSize), // true, 100
 * });
 * ```
 */
export class BufferOverflowError extends WorkerPoolError {
  static {
    nameClass(this, 'BufferOverflowError');
  }

  /** How many values were allowed to wait. */
  declare readonly bufferSize: number;

  /** @hidden */
  constructor(fields: FieldsOf<BufferOverflowError>) {
    const { bufferSize } = fields;
    super({
      message:
        `A value arrived while ${bufferSize} others were waiting (bufferSize). Raise "bufferSize", set "overflow" to ` +
        `'drop-oldest' or 'drop-newest', or read the input with parallelFrom, which pulls no more than the workers can take.`,
    });
    assignFields(this, { bufferSize });
  }
}

/**
 * A daemon worker tried to make a pool. Workers with `daemon: false` can.
 *
 * @example
 * ```ts
 * source$.pipe(parallelMap(usesAPoolItself, { daemon: false }));
 * ```
 */
export class NestedPoolError extends WorkerPoolError {
  static {
    nameClass(this, 'NestedPoolError');
  }

  /** @hidden */
  constructor(_fields: object = {}) {
    super({
      message:
        'A daemon worker cannot make a pool. Set "daemon" to false on the pool or operator that this worker belongs to.',
    });
  }
}

/**
 * The pool was terminated or disposed of before or during this call.
 *
 * @example
 * ```ts
 * const results = pool.map(resize, images);
 * await pool.terminate();
 * await results; // throws PoolTerminatedError
 * ```
 */
export class PoolTerminatedError extends WorkerPoolError {
  static {
    nameClass(this, 'PoolTerminatedError');
  }

  /** @hidden */
  constructor(_fields: object = {}) {
    super({
      message: 'The pool was terminated. To finish pending calls and use the pool again, call stopAndJoin() instead.',
    });
  }
}

/**
 * The chosen start method does not work here. The pool does not fall back to another one. `'threading'` and `'spawn'` work
 * wherever Node does. An unknown name is a `RangeError` instead.
 *
 * @example
 * ```ts
 * if (error instanceof StartMethodUnavailableError) console.error(`${error.startMethod}: ${error.reason}`);
 * ```
 */
export class StartMethodUnavailableError extends WorkerPoolError {
  static {
    nameClass(this, 'StartMethodUnavailableError');
  }

  /** The chosen start method, such as `'fork'`. */
  declare readonly startMethod: string;
  /** Why it is not available. */
  declare readonly reason: string;

  /** @hidden */
  constructor(fields: FieldsOf<StartMethodUnavailableError>) {
    const { startMethod, reason } = fields;
    const others = whyNoProcesses() === undefined ? ["'threading'", "'spawn'"] : ["'threading'"];
    super({
      message: `The start method '${startMethod}' is not available: ${describeThrown(reason)}. Use ${others.filter((other) => other !== `'${startMethod}'`).join(' or ')} instead.`,
    });
    assignFields(this, { startMethod, reason });
  }
}

/** Every class by its name, to rebuild errors from workers. The package does not export it. */
export const errorClasses: Readonly<Record<string, new (fields: never) => WorkerPoolError>> = {
  __proto__: null as never,
  WorkerPoolError,
  WorkerTimeoutError,
  WorkerDiedError,
  WorkerStartError,
  UnserializableError,
  UnportableFunctionError,
  BufferOverflowError,
  NestedPoolError,
  PoolTerminatedError,
  StartMethodUnavailableError,
};

/** How many steps of a way are shown. */
const MOST_STEPS = 7;

/** A variable of a function on the way to what cannot travel, and the path from there to the next function. */
interface Step {
  readonly functionName: string;
  readonly location?: string | undefined;
  readonly path: string;
}

function describeFunction({ functionName, location }: Omit<Step, 'path'>, begins = true): string {
  const isNamed = functionName !== '' && functionName !== 'anonymous';
  const place = location === undefined ? '' : ` (${location})`;
  return (
    (isNamed ? `${begins ? 'The' : 'the'} function "${functionName}"` : `${begins ? 'An' : 'an'} anonymous function`) +
    place
  );
}

/** What to do about a variable that cannot travel, to be pasted; what fits most comes first. */
function waysOut(variable: string): string {
  const byModule =
    "moduleTask(new URL('./task.js', import.meta.url), 'name') runs a function of a module, with all that it has.";
  switch (variable) {
    case 'this':
      return `Give it by hand, captures: { this: this }, or put what the function needs into a constant. ${byModule}`;
    case 'super':
    case 'new.target':
    case 'arguments':
      return `Put what the function needs into a constant. ${byModule}`;
  }
  if (variable.startsWith('#')) return `Capture an object of that class instead. ${byModule}`;
  return (
    `Make it in each worker, at its first use: const ${variable} = perWorker(() => …), then ${variable}(); or before the first task: ` +
    `workerInit: ({ state }) => { state.${variable} = … }. Or give another value: captures: { ${variable}: … }. ${byModule}`
  );
}

/** If a module is not found, or Node does not know its format, the worker may lack hooks that the program has. */
function hintOf(cause: unknown): string {
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  const isAboutLoading = code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_UNKNOWN_FILE_EXTENSION';
  if (!isAboutLoading) return '';
  return (
    ' Hooks that the program registers with module.register() do not reach workers. ' +
    'Register them in a module that is preloaded with --import, which workers load, too.'
  );
}

/** Puts the name where built-in errors have it, so neither loops nor logs show it as a property. */
function nameClass(errorClass: { readonly prototype: Error }, name: string): void {
  const hidden = { value: name, writable: true, configurable: true };
  Object.defineProperties(errorClass.prototype, { name: hidden, [errorBrand]: { value: name } });
}

/** A field that is not given leaves no property. */
function assignFields(error: Error, fields: object): void {
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) Object.assign(error, { [name]: value });
}

/** Describes what was thrown, without its last full stop. Never throws. */
function describeThrown(thrown: unknown): string {
  let text: string;
  try {
    text = typeof thrown === 'string' ? thrown : String(thrown);
  } catch {
    text = 'a value that cannot be shown';
  }
  return text.replace(/[.\s]+$/, '');
}

function listValues(indexes: readonly number[]): string {
  const limit = 20; // a chunk may hold thousands; all of them are in `indexes`
  const shown = indexes.slice(0, limit).join(', ');
  const more = indexes.length > limit ? ` and ${indexes.length - limit} more` : '';
  return indexes.length === 1 ? `the value with index ${shown}` : `the values with indexes ${shown}${more}`;
}

/** Advice about a part of a value that cannot be sent. @param usual The advice if nothing special applies. */
function wayOut(what: string, usual: string): string {
  if (what.startsWith('transfer('))
    return 'Call transfer for the whole value, and list the objects to move in its second argument.';
  if (!/\bdetached\b/.test(what)) return usual;
  return 'A transferred buffer is empty here: send each buffer once, or transfer a copy of it.';
}

const remedy =
  'raise the limits of its heap ("resourceLimits", or --max-old-space-size of the program, which workers inherit), ' +
  'or give it smaller values.';

/** Running out of memory looks different in a thread and in a process, and neither says that it was memory. */
function memoryHint({ exitCode, signal, cause }: Pick<WorkerDiedError, 'exitCode' | 'signal' | 'cause'>): string[] {
  if (codeOf(cause) === 'ERR_WORKER_OUT_OF_MEMORY') {
    return [`It ran out of memory: ${remedy}`];
  }
  if (signal === 'SIGABRT' || exitCode === 134) {
    return [`Node.js ends a process like this when it runs out of memory: ${remedy}`];
  }
  if (signal === 'SIGKILL' || exitCode === 137) {
    return ['It was killed from outside. The system does that when the machine or container runs out of memory.'];
  }
  return [];
}

function codeOf(thrown: unknown): unknown {
  try {
    return (thrown as { code?: unknown } | null | undefined)?.code;
  } catch {
    return undefined;
  }
}
