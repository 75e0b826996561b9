/** The types of task functions. */

import type { ModuleTask } from './moduleTask.js';

/**
 * What a worker gives its functions: the argument of `workerInit` and `workerExit`, and part of the context of every task.
 *
 * @typeParam State What is kept in `state`.
 * @typeParam Shared What was given as `sharedObjects`.
 */
export interface WorkerContext<State = any, Shared = any> {
  /** The number of the worker, from 0 to `nJobs - 1`. A worker that replaces another one has the same number. */
  readonly workerId: number;
  /** The worker's copy of the option `sharedObjects`; `undefined` if none were given. */
  readonly shared: Shared;
  /** An object of this worker, empty at first. Later tasks and `workerExit` find what `workerInit` or a task puts there. */
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
   * Fires when the result is no longer wanted: the subscriber has gone, or another value has failed. On a pool that stays in use, a
   * task that is still running `cancelTimeout` milliseconds later is killed with its worker.
   */
  readonly signal: AbortSignal;
  /**
   * Reports something from a running task, such as its progress. The option `onProgress` receives it, before the result and in the
   * order of the calls. Each report is a message, so do not send one for every turn of a loop. It does nothing without `onProgress`, or when
   * the task is done or its result no longer wanted. It is bound, so it works when destructured: `(n, { progress }) => …`.
   *
   * @throws UnserializableError when the value cannot be cloned.
   */
  readonly progress: (value: unknown) => void;
}

/** What `onProgress` receives: a report by `context.progress`. */
export interface TaskProgress<V = any> {
  /** The index of the task's value, counted from 0. */
  readonly index: number;
  /** The worker that the task runs on. */
  readonly workerId: number;
  /** What was reported. */
  readonly value: V;
}

/** A function that runs in a worker, once for each value. A returned promise is awaited. */
export type TaskFunction<T, R> = (value: T, context: TaskContext) => R;

/**
 * A task: a function, its module and name (`moduleTask`), or the `URL` of a module whose default export it is.
 */
export type Task<T, R> = TaskFunction<T, R> | ModuleTask<TaskFunction<T, R>> | URL;

/** A function that `apply` calls: with the arguments, and then the context. */
export type ApplyFunction<A extends readonly unknown[], R> = (...args: [...A, TaskContext]) => R;

/** A function that runs once in each worker, before its first task or after its last. A promise is awaited. */
export type WorkerFunction = (context: WorkerContext) => unknown;

/** A {@link WorkerFunction}, given like a {@link Task}. */
export type WorkerTask = WorkerFunction | ModuleTask<WorkerFunction> | URL;

/** Everything that can be passed as a task function. */
export type AnyTask = ((...args: never[]) => unknown) | ModuleTask | URL;

/**
 * The result for a value, or with `settle: true` a record of how it has settled; either of them if the type of `settle` is `boolean`.
 *
 * It is not distributive: in a generic function, TypeScript would infer `boolean` for a `settle` that is not there.
 */
export type Outcome<R, Settle extends boolean> = [Settle] extends [true]
  ? PromiseSettledResult<R>
  : [Settle] extends [false]
    ? R
    : R | PromiseSettledResult<R>;

/** Values to map: an iterable, an async iterable or a stream. A {@link TypedArray} is cut into pieces instead. */
export type TaskInput<T> =
  | (Iterable<T> & {
      /** Excludes typed arrays: their elements are not the values. */
      readonly BYTES_PER_ELEMENT?: never;
    })
  | AsyncIterable<T>
  | ReadableStreamLike;

/** An array of numbers in one piece of memory. As an input it is cut into typed arrays of the same class, one for each task. */
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

/** What `map` resolves with: all results, or one typed array if input and results are typed arrays. */
export type MapResult<R, Settle extends boolean, Concatenate extends boolean> = Settle extends true
  ? PromiseSettledResult<R>[]
  : Concatenate extends false
    ? R[]
    : [R] extends [TypedArray]
      ? R
      : R[];

/** A web `ReadableStream`, even if it is not an async iterable. Then the type of its values is not inferred. */
export interface ReadableStreamLike {
  /** Locks the stream and returns its reader. */
  getReader(): {
    /** Reads the next value. */
    read(): Promise<{
      /** Whether the stream has ended. */
      done: boolean;
      /** The value; absent at the end. */
      value?: unknown;
    }>;
    /** Ends the stream. */
    cancel(reason?: unknown): Promise<void>;
    /** Unlocks the stream. */
    releaseLock(): void;
  };
}
