/** The types of task functions. */

import type { ModuleTask } from './moduleTask.js';

/**
 * What a function has of its worker: the argument of `workerInit` and `workerExit`, and part of that of every task.
 *
 * @typeParam State What is kept in `state`.
 * @typeParam Shared What was given as `sharedObjects`.
 */
export interface WorkerContext<State = any, Shared = any> {
  /** The worker that this runs on, from 0 to `nJobs - 1`. A worker that replaces another one has the same number. */
  readonly workerId: number;
  /** The worker's copy of the option `sharedObjects`; `undefined` where none were given. */
  readonly shared: Shared;
  /** An object of this worker, empty at first: what `workerInit` or a task puts there, later tasks and `workerExit` find. */
  readonly state: State;
}

/**
 * The second argument of a task function.
 *
 * @typeParam State What is kept in `state`.
 * @typeParam Shared What was given as `sharedObjects`.
 */
export interface TaskContext<State = any, Shared = any> extends WorkerContext<State, Shared> {
  /** The index of the value in its source, counted from 0. */
  readonly index: number;
  /**
   * Fires when the result is no longer wanted: the subscriber has gone, or another value has failed. On a pool that goes on, a
   * task that has not ended `cancelTimeout` after that is killed together with its worker.
   */
  readonly signal: AbortSignal;
  /**
   * Reports something of a task that runs, such as how far it is: the option `onProgress` hears of it, before the result and in the
   * order of the calls. Each one is a message of its own, so not for every turn of a loop. Where nobody listens it does nothing,
   * and neither does it when the task is done or its result no longer wanted. Works without its object: `(n, { progress }) => …`.
   *
   * @throws UnserializableError when the value cannot be cloned.
   */
  readonly progress: (value: unknown) => void;
}

/** What `onProgress` hears: something that a task has reported by `context.progress`. */
export interface TaskProgress<V = any> {
  /** The index of the task's value, counted from 0. */
  readonly index: number;
  /** The worker that the task runs on. */
  readonly workerId: number;
  /** What was reported. */
  readonly value: V;
}

/** A function that runs in a worker, once for each value. What it returns is awaited where it is a promise. */
export type TaskFunction<T, R> = (value: T, context: TaskContext) => R;

/**
 * A task, in one of the ways in which it can be given: as a function, by its module and name (`moduleTask`), or as the `URL`
 * of a module whose default export it is.
 */
export type Task<T, R> = TaskFunction<T, R> | ModuleTask<TaskFunction<T, R>> | URL;

/** A function that `apply` calls: with the arguments, and then the context. */
export type ApplyFunction<A extends readonly unknown[], R> = (...args: [...A, TaskContext]) => R;

/** A function that runs once in each worker, before its first task or after its last. A promise is awaited. */
export type WorkerFunction = (context: WorkerContext) => unknown;

/** A {@link WorkerFunction}, in one of the ways in which a {@link Task} can be given. */
export type WorkerTask = WorkerFunction | ModuleTask<WorkerFunction> | URL;

/** Whatever a user may give where a task function is asked for. */
export type AnyTask = ((...args: never[]) => unknown) | ModuleTask | URL;

/** What comes of a value: the result, or with `settle: true` a record of how it has settled. */
export type Outcome<R, Settle extends boolean> = Settle extends true ? PromiseSettledResult<R> : R;

/** Values to map: anything iterable, at once or over time, and streams. A {@link TypedArray} is cut into pieces instead. */
export type TaskInput<T> =
  | (Iterable<T> & {
      /** What typed arrays have: their elements are no values. */
      readonly BYTES_PER_ELEMENT?: never;
    })
  | AsyncIterable<T>
  | ReadableStreamLike;

/** An array of numbers in one piece of memory. As an input it is cut into arrays of the same kind, and the function gets those. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** What `map` resolves with: all results, or where they are typed arrays made from one, one typed array. */
export type MapResult<R, Settle extends boolean, Concatenate extends boolean> = Settle extends true
  ? PromiseSettledResult<R>[]
  : Concatenate extends false
    ? R[]
    : [R] extends [TypedArray]
      ? R
      : R[];

/** A web `ReadableStream`, also where it is no async iterable; then the type of its values is not inferred. */
export interface ReadableStreamLike {
  /** Locks the stream, and gives what it is read with. */
  getReader(): {
    /** Reads the next value. */
    read(): Promise<{
      /** Whether the stream has ended. */
      done: boolean;
      /** The value; none at the end. */
      value?: unknown;
    }>;
    /** Ends the stream. */
    cancel(reason?: unknown): Promise<void>;
    /** Lets others read. */
    releaseLock(): void;
  };
}
