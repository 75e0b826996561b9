/** The options of one call on a pool: documentation, names, checks and defaults. */

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
 * The options of `apply`. An option that is `undefined` has its default.
 *
 * @typeParam Settle The option `settle`, which determines the type of the results.
 */
export interface ApplyOptions<Settle extends boolean = false> {
  /**
   * Ends the call when it fires: no more values start, running tasks see it in their `context.signal`, and the call
   * fails with `signal.reason`. If it has fired already, nothing starts.
   *
   * Default: none.
   *
   * @throws TypeError when it is not an `AbortSignal`. Signals of another realm or a polyfill are accepted.
   */
  signal?: AbortSignal | undefined;

  /**
   * How many milliseconds a task may take: a positive number, or `Infinity`. A task that takes longer is killed with its
   * worker, even inside an endless loop, and the call fails with a `WorkerTimeoutError`. On a pool that stays in use, another worker
   * replaces the killed one, and other calls do not notice. The task is not tried again, regardless of `workerDeathRetries`.
   *
   * Each task has its own clock, which starts with the task. The start of a worker, loading the function and its module, and waiting
   * values do not count. To make this exact, values travel one at a time, and `chunkSize` has no effect: thousands of very short tasks
   * take longer than without a timeout. In `parallelMergeMap` it limits the whole call, from its start to its last result, except for
   * time in which the call may have to wait for its consumer.
   *
   * Default: none.
   *
   * @throws TypeError when it is not a number, RangeError when it is 0, negative or NaN.
   */
  taskTimeout?: number | undefined;

  /**
   * A function that each worker calls before its first task of the call, to create what its tasks need. It gets a
   * {@link WorkerContext}. Tasks and `workerExit` find what it puts into `context.state`. A promise is awaited.
   * It travels like a task function: with the variables that it uses, as a {@link moduleTask}, or as a `URL`.
   *
   * It runs once in each worker that gets a task, and again in a worker that replaces a dead one. An error in it
   * ends the call like an error in a task. On a pool with `keepAlive` the workers stay for later calls with the
   * same `workerInit` and `workerExit`: functions of the same source that capture equal values. A call with other functions replaces the
   * workers, each when it is free. Calls with neither function run on any worker.
   *
   * Default: none.
   *
   * @throws TypeError when it is not a function, `moduleTask` or `URL`, or a class.
   */
  workerInit?: WorkerTask | undefined;

  /**
   * A function that each worker calls when its last task of the call is done, with the same {@link WorkerContext} as
   * `workerInit`. A promise is awaited. It travels like `workerInit`. The call completes when all have run, and fails if
   * one of them throws. `getExitResults()` returns their results, and `onExitResults` receives them.
   *
   * It runs in each living worker that had a task of the call. It does not run if the call fails or is cancelled. On a
   * pool with `keepAlive` it runs when the worker leaves. If it throws then, `stopAndJoin` rejects with the error.
   *
   * Default: none.
   *
   * @throws TypeError when it is not a function, `moduleTask` or `URL`, or a class.
   */
  workerExit?: WorkerTask | undefined;

  /**
   * How many milliseconds `workerInit` may take in a worker: a positive number, or `Infinity`. If it takes longer, the worker
   * is killed, and the call fails with a `WorkerTimeoutError` whose `stage` is `'init'`. The start of the worker and
   * loading the function do not count.
   *
   * Default: none.
   *
   * @throws TypeError when it is not a number, RangeError when it is 0, negative or NaN.
   */
  workerInitTimeout?: number | undefined;

  /**
   * How many milliseconds `workerExit` may take in a worker: a positive number, or `Infinity`. If it takes longer, the worker
   * is killed, and the call fails with a `WorkerTimeoutError` whose `stage` is `'exit'`.
   *
   * Default: none.
   *
   * @throws TypeError when it is not a number, RangeError when it is 0, negative or NaN.
   */
  workerExitTimeout?: number | undefined;

  /**
   * How many tasks a worker runs before another one with the same `workerId` replaces it: a positive integer, or `Infinity`.
   * Use it for functions that leak memory, or whose state should start anew. A worker runs exactly this many, then runs its `workerExit`
   * and leaves. The next one starts with `workerInit`. Failed tasks count, and so do tasks of other calls; on a pool with
   * `keepAlive` also those of earlier calls: a worker that has run too many is replaced before the first task.
   *
   * Default: `Infinity`.
   *
   * @throws TypeError when it is not a number, RangeError when it is neither a positive integer nor Infinity.
   */
  workerLifespan?: number | undefined;

  /**
   * How often a value is tried again, on another worker, after its worker died: it was killed, ran out of memory, or called
   * `process.exit`. An integer of at least 0. After that, the call fails with a `WorkerDiedError`. A task that throws is never
   * tried again.
   *
   * Default: 0.
   *
   * @throws TypeError when it is not a number, RangeError when it is negative or not an integer.
   */
  workerDeathRetries?: number | undefined;

  /**
   * Whether failed values are results, so that the call goes on. With `true` the result is `{ status: 'fulfilled', value }` or
   * `{ status: 'rejected', reason }`, like in `Promise.allSettled`. The reason is the error that the call would fail with otherwise: what
   * the task has thrown, an `UnserializableError` of the value or its result, a `WorkerTimeoutError`, or a `WorkerDiedError` for the values
   * that a dead worker had begun. In `parallelMergeMap` a failed call adds a rejection after its results.
   *
   * Errors that no value caused still end the call: an error of the source, of `workerInit` or `workerExit`, a worker that cannot
   * start, a `signal`, the end of the pool.
   *
   * Default: `false`, the first error ends the call.
   *
   * @throws TypeError when it is not a boolean.
   */
  settle?: Settle | undefined;

  /**
   * How many milliseconds a running task has to stop after its result is no longer wanted (`context.signal`), if the pool
   * stays in use after the call. A worker that is still busy then is killed and replaced. 0 kills at
   * once; `Infinity` waits as long as it takes.
   *
   * Default: 100.
   *
   * @throws TypeError when it is not a number, RangeError when it is negative or NaN.
   */
  cancelTimeout?: number | undefined;

  /**
   * Values for variables of the function, by name, in place of their own. They apply to the function and to functions of the
   * same file that come along with it. A Node without inspector needs them, because it cannot read the variables.
   *
   * Default: none; variables have the values of the moment when the call begins.
   *
   * @throws TypeError when it is not an object. The call fails with a TypeError if no function of it uses one of the names.
   */
  captures?: Readonly<Record<string, unknown>> | undefined;

  /**
   * Whether set-up runs again in each worker, before its first task: what the files of the functions import for its effects alone
   * (`import 'reflect-metadata'`), their statements that configure an import (`Decimal.set({ … })`), and the declarations of
   * variables whose values cannot be copied. The guide to functions says which statements these are.
   *
   * Default: `true`.
   *
   * @throws TypeError when it is not a boolean.
   */
  setup?: boolean | undefined;

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
   * task. If it throws, the call ends with that error.
   *
   * Default: none; then tasks send nothing.
   *
   * @throws TypeError when it is not a function.
   * @example
   * ```ts
   * await pool.apply(convert, [film], { onProgress: ({ value }) => console.log(`${value} %`) });
   * ```
   */
  onProgress?: ((progress: TaskProgress) => void) | undefined;
}

/**
 * The options of one call on a pool. An option that is `undefined` has its default.
 *
 * @typeParam Settle As in {@link ApplyOptions}.
 */
export interface CallOptions<Settle extends boolean = false> extends ApplyOptions<Settle> {
  /**
   * How many values travel to a worker in one message: a positive integer. For a typed array, the number of elements in each piece.
   * Large chunks make small tasks cheaper. Small chunks spread the work more evenly and deliver the first results sooner.
   *
   * An input that is read at once, such as an array or a generator, is cut into chunks of exactly this size, except for the last one, or
   * of `maxTasksActive` values if that is less. Values that arrive over time do not wait for each other, so their chunks may be smaller.
   *
   * Default: adaptive, one value at a time until the speed of the tasks is known, then as many as run in a few
   * milliseconds. With a `taskTimeout`, always one.
   *
   * @throws TypeError when it is not a number, RangeError when it is not a positive integer.
   */
  chunkSize?: number | undefined;

  /**
   * The number of chunks: a positive integer. Their sizes differ by one at most; an input of fewer values is cut into
   * chunks of one. It needs an input whose length is known: an array, a typed array, a `Set` or a `Map`. It has no effect on others, on
   * `parallelMap`, whose source pushes its values, or together with `chunkSize` or `taskTimeout`.
   *
   * Default: none; see `chunkSize`.
   *
   * @throws TypeError when it is not a number, RangeError when it is not a positive integer.
   */
  nSplits?: number | undefined;

  /**
   * How many values may be under way at once: a positive integer. A value counts from when it is taken until its result
   * is out. With ordered results, that includes results that wait for an earlier one. Pulled input is read only
   * that fast.
   *
   * Default: twice what the workers can hold.
   *
   * @throws TypeError when it is not a number, RangeError when it is not a positive integer.
   */
  maxTasksActive?: number | undefined;

  /**
   * How many tasks of the call one worker may run at once: a positive integer. Use it for tasks that wait, for instance for a network or a
   * disk. A task that computes keeps the others of its worker waiting. Values go to idle workers first.
   * Calls of a pool never share a worker, so `apply` does not take this option.
   *
   * If a worker is killed because of one task, for instance by `taskTimeout`, the others are started again on another worker. But a task that
   * keeps the thread busy delays them while their own clocks go on. If a worker dies for another reason, all its running tasks
   * count as lost.
   *
   * Default: 1.
   *
   * @throws TypeError when it is not a number, RangeError when it is not a positive integer.
   */
  tasksPerWorker?: number | undefined;

  /**
   * Called with each value when it is taken. Returns the objects in it to move to the worker instead of copying: an array of
   * `ArrayBuffer`s, `MessagePort`s and so on, empty to copy everything. It works like {@link transfer} around each value. With
   * `threading` the objects really move, and are empty here as soon as the value is sent; with other start methods they are copied
   * and stay usable. A value that moves travels alone, and `workerDeathRetries` does not try it again. Values that come from
   * `transfer` stay as they are. If the function throws, the call ends with that error.
   *
   * Default: none, everything is copied.
   *
   * @throws TypeError when it is not a function. The call fails with a TypeError when it does not return such an array.
   * @example
   * ```ts
   * images$.pipe(parallelMap(blur, { transferInput: (pixels: Uint8Array) => [pixels.buffer] }));
   * ```
   */
  transferInput?: ((value: any) => readonly Transferable[]) | undefined;

  /**
   * Whether to show the progress of the call: how many values are done, of how many, how fast, and the time left. On a terminal it is
   * a bar below what the program prints, drawn by the optional package `log-update`. Elsewhere, and for calls inside workers, it is a line
   * every few seconds. See {@link ProgressBarOptions}.
   *
   * Default: `false`.
   *
   * @throws TypeError when it is neither a boolean nor an object of these options, RangeError when one of the options is out of range.
   */
  progressBar?: boolean | ProgressBarOptions | undefined;
}

/**
 * The options of `map` on a pool. An option that is `undefined` has its default.
 *
 * @typeParam Settle As in {@link ApplyOptions}.
 * @typeParam Concatenate The option `concatenate`, which determines the type of the result.
 */
export interface MapOptions<
  Settle extends boolean = false,
  Concatenate extends boolean = true,
> extends CallOptions<Settle> {
  /**
   * Whether to join the results to one typed array, if the input is a typed array and all results are typed arrays of one
   * class. It has no effect with `settle`.
   *
   * Default: `true`.
   *
   * @throws TypeError when it is not a boolean.
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
  readonly setup: boolean;
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
    aliases: ['init', 'initialize', 'initializer', 'onWorkerStart', 'workerInitializer', 'workerSetup'],
  }),
  workerExit: row<AnyTask | undefined>({
    ...workerFunction,
    default: () => undefined,
    aliases: ['cleanup', 'dispose', 'exit', 'finalizer', 'teardown', 'workerTeardown'],
  }),
  workerInitTimeout: row({
    ...positiveMilliseconds,
    default: () => Infinity,
    aliases: ['initTimeout', 'setupTimeout'],
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
  setup: row({
    ...boolean,
    default: () => true,
    aliases: ['configure', 'setUp', 'sideEffects', 'topLevel'],
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

/** The options of every call, including `apply`. */
export const applyGroup: OptionGroup<ApplySettings> = {
  rows: applyRows,
  where: `each call on a pool, and by ${operators}`,
  why: 'it concerns one call',
};

/** The additional options of calls on many values. */
export const shareGroup: OptionGroup<ShareSettings> = {
  rows: shareRows,
  where: `map, mapUnordered, imap and imapUnordered of a pool, and by ${operators}`,
  why: 'it concerns a call on many values',
};

interface MapSettings {
  readonly concatenate: boolean;
}

/** The option of `map` only: no other method returns all results as one. */
export const mapGroup: OptionGroup<MapSettings> = {
  rows: {
    concatenate: row({
      ...boolean,
      default: () => true,
      aliases: ['concat', 'concatenateNumpyOutput', 'join'],
    }),
  },
  where: 'map of a pool',
  why: 'only map returns all results as one',
};

/** All rows of a call, in the order in which {@link CallSettings} has them. */
export const callRows: Rows<CallSettings> = { ...applyRows, ...shareRows };

/** Checks what it can do, not its class: a signal may come from another realm or a polyfill. */
function isAbortSignal(value: object): boolean {
  const { aborted, addEventListener } = value as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}
