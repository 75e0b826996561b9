/** The options that concern one call on a pool: documentation, names, checks and defaults. */

import {
  boolean,
  callback,
  classList,
  countFromZero,
  milliseconds,
  isPlainObject,
  objectThat,
  operators,
  positiveInteger,
  positiveIntegerOrInfinity,
  positiveMilliseconds,
  row,
  timerOrInfinity,
  workerFunction,
  type OptionGroup,
  type Rows,
} from './rows.js';
import { progressBarRow, type ProgressBarOptions, type ProgressBarSettings } from './progressBarOptions.js';
import type { AnyTask, TaskProgress, WorkerTask } from '../../taskTypes.js';
import type { Transferable } from '../../transfer.js';

/**
 * What concerns one `apply`. Each option may be left out or `undefined`, which both mean its default.
 *
 * @typeParam Settle Whether `settle` is given: it decides over the type of the results.
 */
export interface ApplyOptions<Settle extends boolean = false> {
  /**
   * Ends the call when it fires: nothing more is started, tasks that run see it in their `context.signal`, and the call
   * fails with `signal.reason`. A signal that has fired already starts nothing.
   *
   * Default: none.
   *
   * @throws TypeError when it is no `AbortSignal`. One of another realm, or of a polyfill, is fine.
   */
  signal?: AbortSignal | undefined;

  /**
   * How many milliseconds a task may take: a positive number, or `Infinity`. One that takes longer is killed together with its
   * worker, also inside an endless loop, and the call fails with a `WorkerTimeoutError`; on a pool that goes on, another worker
   * takes the place of that one, and other calls do not notice. It is not started again, whatever `workerDeathRetries` says.
   *
   * Each task has a clock of its own, which starts with the task: neither the start of a worker counts, nor the loading of the
   * function and its module, nor the time in which the value waits. So that this is exact, values travel one at a time, and
   * `chunkSize` has no effect: thousands of very short tasks take longer than without a timeout. For `parallelMergeMap` the
   * time is that of the whole call, from its start until all that it gives is there, without the time in which it may have to
   * wait until what it has given is consumed.
   *
   * Default: none.
   *
   * @throws TypeError when it is no number, RangeError when it is 0, negative or NaN.
   */
  taskTimeout?: number | undefined;

  /**
   * A function that each worker calls before its first task of the call, to make what its tasks need: it gets a
   * {@link WorkerContext}, and what it puts into `context.state` is there for tasks and for `workerExit`. A promise is awaited.
   * It travels as a task function does: with the variables that it uses, as a {@link moduleTask}, or as a `URL`.
   *
   * It runs once in each worker that gets a task, and again in a worker that takes the place of one that died. What it throws
   * ends the call as what a task throws does. On a pool with `keepAlive` the workers stay as they are for later calls with the
   * same `workerInit` and `workerExit`: functions of the same source that capture equal values. Where others are given, the
   * workers are replaced by new ones, each when it is free. Calls that give neither run on any worker.
   *
   * Default: none.
   *
   * @throws TypeError when it is no function, `moduleTask` or `URL`, or a class.
   */
  workerInit?: WorkerTask | undefined;

  /**
   * A function that each worker calls when its last task of the call is done, with the same {@link WorkerContext} as
   * `workerInit`. A promise is awaited. It travels as `workerInit` does. The call completes when all have run, and fails with
   * what one of them throws; what they return is in `getExitResults()`, and goes to `onExitResults`.
   *
   * It runs in each worker that had a task of the call and lives. It does not run when the call fails or is cancelled. On a
   * pool with `keepAlive` it runs when the worker leaves, and then `stopAndJoin` rejects with what it throws.
   *
   * Default: none.
   *
   * @throws TypeError when it is no function, `moduleTask` or `URL`, or a class.
   */
  workerExit?: WorkerTask | undefined;

  /**
   * How many milliseconds `workerInit` may take in a worker: a positive number, or `Infinity`. A worker in which it takes
   * longer is killed, and the call fails with a `WorkerTimeoutError`, whose `stage` is `'init'`. Neither the start of the worker
   * counts nor the loading of the function.
   *
   * Default: none.
   *
   * @throws TypeError when it is no number, RangeError when it is 0, negative or NaN.
   */
  workerInitTimeout?: number | undefined;

  /**
   * How many milliseconds `workerExit` may take in a worker: a positive number, or `Infinity`. A worker in which it takes
   * longer is killed, and the call fails with a `WorkerTimeoutError`, whose `stage` is `'exit'`.
   *
   * Default: none.
   *
   * @throws TypeError when it is no number, RangeError when it is 0, negative or NaN.
   */
  workerExitTimeout?: number | undefined;

  /**
   * How many tasks a worker does before another one takes its place, with the same `workerId`: a positive integer, or `Infinity`.
   * For functions that leak memory, or whose state is to begin anew. A worker does exactly so many, and then runs its `workerExit`
   * and leaves; the next one begins with `workerInit`. Tasks that failed count; so do those of other calls, on a pool with
   * `keepAlive` also of earlier ones: a worker that has done too many is replaced before the first task.
   *
   * Default: `Infinity`.
   *
   * @throws TypeError when it is no number, RangeError when it is no positive integer or Infinity.
   */
  workerLifespan?: number | undefined;

  /**
   * How often a value is started again, on another worker, after the worker that had it died: killed, out of memory, left by
   * `process.exit`. An integer of at least 0. After that, the call fails with a `WorkerDiedError`. A task that throws is never
   * started again.
   *
   * Default: 0.
   *
   * @throws TypeError when it is no number, RangeError when it is negative or no integer.
   */
  workerDeathRetries?: number | undefined;

  /**
   * Whether a value that fails is a result like any other: with `true` there is `{ status: 'fulfilled', value }` for a value whose
   * task has succeeded, and `{ status: 'rejected', reason }` for one that has failed, as of `Promise.allSettled`, and the call
   * goes on. The reason is what the call would else fail with: what the task has thrown, an `UnserializableError` of the value
   * or its result, a `WorkerTimeoutError`, or a `WorkerDiedError` for the values that a dead worker had begun.
   * For `parallelMergeMap` a call that fails has a rejection after all that it has given.
   *
   * What is no value's fault still ends the call: an error of the source, of `workerInit` or `workerExit`, a worker that cannot
   * start, a `signal`, the end of the pool.
   *
   * Default: `false`, the first error ends the call.
   *
   * @throws TypeError when it is no boolean.
   */
  settle?: Settle | undefined;

  /**
   * How many milliseconds a running task gets to notice that its result is no longer wanted (`context.signal`) and to come
   * to an end, when the pool goes on after the call. A worker that is still busy then is killed and replaced. 0 kills at
   * once; `Infinity` waits for as long as it takes.
   *
   * Default: 100.
   *
   * @throws TypeError when it is no number, RangeError when it is negative or NaN.
   */
  cancelTimeout?: number | undefined;

  /**
   * Values of variables that the function uses, by name. They come before what is found, in the function and in those of the
   * same file that come along with it. Needed where nothing can be found: in a Node without inspector.
   *
   * Default: none; the variables have the values that they have when the call begins.
   *
   * @throws TypeError when it is no object.
   */
  captures?: Readonly<Record<string, unknown>> | undefined;

  /**
   * Classes whose instances keep their class on their way to workers and back: as values, results, errors, progress and what exit
   * functions return, and inside of those. Needed for classes that the function does not capture: those that it captures are known
   * anyway. For a {@link moduleTask}, its module has to export them. Instances of other classes arrive as plain objects, as structured
   * clone makes them.
   *
   * An instance arrives without a constructor having run, with its own properties that can be enumerated. One of a class with private
   * members (`#name`) is refused with an `UnserializableError`: they cannot be copied.
   *
   * Default: none.
   *
   * @throws TypeError when it is no array of classes.
   * @example
   * ```ts
   * await pool.map(moduleTask<typeof rate>(url, 'rate'), users, { classes: [User] });
   * ```
   */
  classes?: readonly (abstract new (...args: any[]) => object)[] | undefined;

  /**
   * Called with what a running task reports by `context.progress(value)`: `{ index, workerId, value }`, before the result of that
   * task. What it throws ends the call with that error.
   *
   * Default: none; then nothing is sent.
   *
   * @throws TypeError when it is no function.
   * @example
   * ```ts
   * await pool.apply(convert, [film], { onProgress: ({ value }) => console.log(`${value} %`) });
   * ```
   */
  onProgress?: ((progress: TaskProgress) => void) | undefined;
}

/**
 * What concerns one call on a pool. Each option may be left out or `undefined`, which both mean its default.
 *
 * @typeParam Settle As of {@link ApplyOptions}.
 */
export interface CallOptions<Settle extends boolean = false> extends ApplyOptions<Settle> {
  /**
   * How many values travel to a worker in one message: a positive integer. Of a typed array, how many elements each piece has.
   * Large chunks make small tasks cheaper, small ones share work out more evenly and deliver the first results sooner.
   *
   * An input that is read at once, an array or a generator say, is cut into chunks of exactly this size, except for the last one, or
   * of `maxTasksActive` values where that is less. Values that come over time do not wait for each other: a chunk of them has at
   * most so many.
   *
   * Default: adaptive, one value at a time until the pace of the tasks is known, then as many as run in a few
   * milliseconds. With a `taskTimeout`, always one.
   *
   * @throws TypeError when it is no number, RangeError when it is no positive integer.
   */
  chunkSize?: number | undefined;

  /**
   * Into how many chunks the input is cut: a positive integer. Their sizes differ by one at most; an input of fewer values is cut into
   * chunks of one. It needs an input whose length is known: an array, a typed array, a `Set` or a `Map`. For others, and for
   * `parallelMap`, whose source pushes its values, it has no effect. Nor has it together with `chunkSize` or `taskTimeout`.
   *
   * Default: none; see `chunkSize`.
   *
   * @throws TypeError when it is no number, RangeError when it is no positive integer.
   */
  nSplits?: number | undefined;

  /**
   * How many values may be on their way at once: a positive integer. A value counts from when it is taken until its result
   * is out, so with ordered results it bounds those too that wait for an earlier one. Input that is pulled is read only
   * that fast.
   *
   * Default: twice what the workers can hold.
   *
   * @throws TypeError when it is no number, RangeError when it is no positive integer.
   */
  maxTasksActive?: number | undefined;

  /**
   * How many tasks of the call may be under way at once in one worker: a positive integer. For tasks that wait, for a network or a disk
   * say, while the worker could begin others; a task that computes keeps the others of its worker waiting. Values go to workers
   * that have none first. Calls of a pool never share a worker, so `apply` does not take this option.
   *
   * When a worker is killed because of one task, by `taskTimeout` say, those beside it are started again on another worker; but a task that
   * keeps the thread busy holds them up while their own clocks go on. When a worker dies by itself, all that were under way in it
   * count as lost.
   *
   * Default: 1.
   *
   * @throws TypeError when it is no number, RangeError when it is no positive integer.
   */
  tasksPerWorker?: number | undefined;

  /**
   * Called with each value when it is taken, says which objects in it move to the worker instead of being copied: an array of
   * `ArrayBuffer`s, `MessagePort`s and so on, empty where all is to be copied. As {@link transfer} around each value: with
   * `threading` they really move, and are empty here as soon as the value is sent; with the other start methods they are copied, and
   * stay. A value that moves travels alone, and is not started again by `workerDeathRetries`. One that comes from
   * `transfer` already stays as it is. What this throws ends the call.
   *
   * Default: none, everything is copied.
   *
   * @throws TypeError when it is no function; the call fails with a TypeError when it returns anything else than such an array.
   * @example
   * ```ts
   * images$.pipe(parallelMap(blur, { transferInput: (pixels: Uint8Array) => [pixels.buffer] }));
   * ```
   */
  transferInput?: ((value: any) => readonly Transferable[]) | undefined;

  /**
   * Whether to show how far the call is: how many values are done, of how many, how fast, and how long it will take. On a terminal it is
   * a bar below what the program prints, drawn by the optional package `log-update`; elsewhere, and of calls inside workers, a line
   * now and then. {@link ProgressBarOptions} say more.
   *
   * Default: `false`.
   *
   * @throws TypeError when it is neither a boolean nor an object of these options, RangeError when one of them is out of range.
   */
  progressBar?: boolean | ProgressBarOptions | undefined;
}

/**
 * What concerns one `map` on a pool. Each option may be left out or `undefined`, which both mean its default.
 *
 * @typeParam Settle As of {@link ApplyOptions}.
 * @typeParam Concatenate Whether `concatenate` is as it is by default: it decides over the type of the result.
 */
export interface MapOptions<
  Settle extends boolean = false,
  Concatenate extends boolean = true,
> extends CallOptions<Settle> {
  /**
   * Whether the results are put together to one typed array, where the input is a typed array, and they are typed arrays of one
   * class. With `settle` they are not.
   *
   * Default: `true`.
   *
   * @throws TypeError when it is no boolean.
   */
  concatenate?: Concatenate | undefined;
}

/** {@link CallOptions}, checked and complete. */
export interface CallSettings extends ApplySettings, ShareSettings {}

interface ApplySettings {
  readonly signal: AbortSignal | undefined;
  /** At most what a timer can wait, or Infinity: none. */
  readonly taskTimeout: number;
  readonly workerInit: AnyTask | undefined;
  readonly workerExit: AnyTask | undefined;
  /** As `taskTimeout`. */
  readonly workerInitTimeout: number;
  /** As `taskTimeout`. */
  readonly workerExitTimeout: number;
  readonly workerLifespan: number;
  readonly workerDeathRetries: number;
  readonly settle: boolean;
  /** At most what a timer can wait, or Infinity. */
  readonly cancelTimeout: number;
  readonly captures: Readonly<Record<string, unknown>> | undefined;
  readonly classes: readonly Function[] | undefined;
  readonly onProgress: ((progress: TaskProgress) => void) | undefined;
}

interface ShareSettings {
  /** `undefined`: adaptive. */
  readonly chunkSize: number | undefined;
  /** `undefined`: as `chunkSize` says. */
  readonly nSplits: number | undefined;
  /** `undefined`: derived from the number of workers and the size of the chunks. */
  readonly maxTasksActive: number | undefined;
  readonly tasksPerWorker: number;
  readonly transferInput: ((value: unknown) => readonly Transferable[]) | undefined;
  readonly progressBar: ProgressBarSettings | undefined;
}

const applyRows: Rows<ApplySettings> = {
  signal: row<AbortSignal | undefined>({
    ...objectThat('an AbortSignal', isAbortSignal, (value) =>
      'signal' in value ? 'Give the signal property of the AbortController.' : '',
    ),
    default: () => undefined,
    aliases: ['abort', 'abortController', 'abortSignal', 'cancelToken'],
  }),
  taskTimeout: row({
    ...positiveMilliseconds,
    default: () => Infinity,
    aliases: ['executionTimeout', 'jobTimeout', 'maxTime', 'timeLimit', 'timeout', 'timeoutMs'],
    normalise: timerOrInfinity,
  }),
  workerInit: row<AnyTask | undefined>({
    ...workerFunction,
    default: () => undefined,
    aliases: ['init', 'initialize', 'initializer', 'onWorkerStart', 'setup', 'workerInitializer', 'workerSetup'],
  }),
  workerExit: row<AnyTask | undefined>({
    ...workerFunction,
    default: () => undefined,
    aliases: ['cleanup', 'dispose', 'exit', 'finalizer', 'teardown', 'workerTeardown'],
  }),
  workerInitTimeout: row({
    ...positiveMilliseconds,
    default: () => Infinity,
    aliases: ['initTimeout', 'setupTimeout', 'startTimeout'],
    normalise: timerOrInfinity,
  }),
  workerExitTimeout: row({
    ...positiveMilliseconds,
    default: () => Infinity,
    aliases: ['exitTimeout', 'teardownTimeout'],
    normalise: timerOrInfinity,
  }),
  workerLifespan: row({
    ...positiveIntegerOrInfinity,
    default: () => Infinity,
    aliases: ['lifespan', 'maxTasksPerChild', 'maxTasksPerWorker', 'workerLife', 'workerLifetime'],
  }),
  workerDeathRetries: row({
    ...countFromZero,
    default: () => 0,
    aliases: ['deathRetries', 'workerDeathRetry', 'workerRetries'],
  }),
  settle: row({
    ...boolean,
    default: () => false,
    aliases: ['allSettled', 'settled', 'stopOnError', 'throwOnError'],
  }),
  cancelTimeout: row({
    ...milliseconds,
    default: () => 100,
    aliases: ['abortTimeout', 'gracePeriod', 'killTimeout', 'terminateTimeout', 'workerTerminateTimeout'],
    normalise: timerOrInfinity,
  }),
  captures: row<Readonly<Record<string, unknown>> | undefined>({
    ...objectThat('an object of values by the names of variables', isPlainObject),
    default: () => undefined,
    aliases: ['closure', 'context', 'globals', 'locals', 'scope', 'variables'],
  }),
  classes: row<readonly Function[] | undefined>({
    ...classList,
    default: () => undefined,
    aliases: ['class', 'constructors', 'prototypes', 'types'],
    normalise: (given) => (given?.length === 0 ? undefined : given),
  }),
  onProgress: row<((progress: TaskProgress) => void) | undefined>({
    ...callback,
    default: () => undefined,
    aliases: ['onReport', 'onUpdate', 'progress', 'progressCallback'],
  }),
};

const shareRows: Rows<ShareSettings> = {
  chunkSize: row<number | undefined>({
    ...positiveInteger,
    default: () => undefined,
    aliases: ['batch', 'batchSize', 'chunk', 'chunks'],
  }),
  nSplits: row<number | undefined>({
    ...positiveInteger,
    default: () => undefined,
    aliases: ['nChunks', 'numChunks', 'numSplits', 'splits'],
  }),
  maxTasksActive: row<number | undefined>({
    ...positiveInteger,
    default: () => undefined,
    aliases: ['activeTasks', 'maxActive', 'maxInFlight', 'prefetch', 'readAhead'],
  }),
  tasksPerWorker: row({
    ...positiveInteger,
    default: () => 1,
    aliases: ['concurrentTasks', 'concurrentTasksPerWorker', 'tasksConcurrency', 'tasksInWorker'],
  }),
  transferInput: row<((value: unknown) => readonly Transferable[]) | undefined>({
    ...callback,
    default: () => undefined,
    aliases: ['transfer', 'transferList', 'transferables'],
  }),
  progressBar: progressBarRow,
};

/** What every call takes, `apply` too. */
export const applyGroup: OptionGroup<ApplySettings> = {
  rows: applyRows,
  where: `each call on a pool, and to ${operators}`,
  why: 'it concerns one call',
};

/** What a call on many values takes in addition. */
export const shareGroup: OptionGroup<ShareSettings> = {
  rows: shareRows,
  where: `map, mapUnordered, imap and imapUnordered of a pool, and to ${operators}`,
  why: 'it says how the values of one call are given out',
};

interface MapSettings {
  readonly concatenate: boolean;
}

/** What only `map` takes: the others do not give all results as one. */
export const mapGroup: OptionGroup<MapSettings> = {
  rows: {
    concatenate: row({
      ...boolean,
      default: () => true,
      aliases: ['concat', 'concatenateNumpyOutput', 'join'],
    }),
  },
  where: 'map of a pool',
  why: 'only there all results come as one',
};

/** All rows of a call, in the order in which {@link CallSettings} has them. */
export const callRows: Rows<CallSettings> = { ...applyRows, ...shareRows };

/** By what it can do rather than by class: a signal may come from another realm or from a polyfill. */
function isAbortSignal(value: object): boolean {
  const { aborted, addEventListener } = value as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}
