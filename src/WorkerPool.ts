/** The pool of workers behind the operators, for those who call it themselves. */

import { bindContext } from './internal/platform/asyncContext.js';
import { describeValue } from './internal/options/describeValue.js';
import { CallMode } from './internal/protocol/callMode.js';
import type { Insights } from './insights.js';
import { checkTask } from './internal/closures/checkTask.js';
import { formatInsights } from './internal/observe/insightsTable.js';
import { createIterator } from './internal/core/job/JobIterator.js';
import type { Job, JobSink, JobSpec } from './internal/core/job/Job.js';
import type { Measurements } from './internal/observe/Measurements.js';
import { createScheduler, type Scheduler } from './internal/core/pool/Scheduler.js';
import { factsOf, openInput, type InputFacts, type OpenInput, type Pull } from './internal/core/job/pull.js';
import {
  resolveApplyOptions,
  resolveCallOptions,
  resolveMapOptions,
  resolvePoolOptions,
  type ApplyOptions,
  type CallOptions,
  type CallSettings,
  type MapOptions,
  type WorkerPoolOptions,
} from './options.js';
import { poolBrand } from './internal/options/poolBrand.js';
import { concatenated, isTypedArray } from './internal/core/job/typedArrays.js';
import { openEnvelopes, transfer } from './transfer.js';
import type { ApplyFunction, MapResult, Outcome, Task, TaskInput, TypedArray } from './taskTypes.js';
import type { ModuleTask } from './moduleTask.js';

/**
 * A pool of workers, each a thread or a process, that functions are run on. What Python's MPIRE has as `WorkerPool`.
 *
 * Workers start as work arrives, up to `nJobs`. Several calls may run at once; they are served in turns. Without `keepAlive`
 * the workers leave when no call is running, before the last of them resolves. A call that fails leaves the pool usable.
 *
 * @example
 * ```ts
 * await using pool = new WorkerPool({ nJobs: 4 });
 * const squares = await pool.map((n: number) => n * n, [1, 2, 3]);
 * ```
 */
export class WorkerPool implements AsyncDisposable {
  /** @internal */
  readonly [poolBrand]: Scheduler;

  /**
   * Makes a pool. It starts nothing yet.
   *
   * @param options See {@link WorkerPoolOptions}.
   * @throws TypeError or RangeError on a bad option, which it names.
   * @throws NestedPoolError inside a worker that is a daemon.
   */
  constructor(options?: WorkerPoolOptions) {
    this[poolBrand] = createScheduler(resolvePoolOptions(options, 'WorkerPool'));
  }

  /**
   * With a typed array as input: it is cut into pieces of `chunkSize` elements each, or into `nSplits`, by default 64 for each worker.
   * The function gets those, as typed arrays. Results that are typed arrays too are put together to one, unless `concatenate` is `false`.
   *
   * @param fn The function, as below.
   * @param input The typed array.
   * @param options As below.
   * @returns As below.
   * @example
   * ```ts
   * const roots = await pool.map((part: Float64Array) => part.map(Math.sqrt), new Float64Array([1, 4, 9]));
   * ```
   */
  map<A extends TypedArray, R, Settle extends boolean = false, Concatenate extends boolean = true>(
    fn: Task<A, R>,
    input: A,
    options?: MapOptions<Settle, Concatenate>,
  ): Promise<MapResult<Awaited<R>, Settle, Concatenate>>;
  /**
   * Runs a function over all values and gives all results, in the order of the values.
   *
   * @param fn The function: gets a value and a {@link TaskContext}. Or a {@link moduleTask}, or a `URL`.
   * @param input The values: an iterable, an async iterable or a stream, read as fast as the workers follow.
   * @param options See {@link CallOptions}.
   * @returns A promise of the results. It rejects with the error of the first value that fails, and otherwise as
   *   {@link parallelMap} does, with `PoolTerminatedError` when the pool is terminated, and with a TypeError or RangeError on
   *   a bad argument.
   * @example
   * ```ts
   * const sizes = await pool.map(async (path: string) => (await import('node:fs')).statSync(path).size, paths);
   * ```
   */
  map<T, R, Settle extends boolean = false>(
    fn: Task<T, R>,
    input: TaskInput<T>,
    options?: MapOptions<Settle, boolean>,
  ): Promise<Outcome<Awaited<R>, Settle>[]>;
  map(fn: Task<never, unknown>, input: unknown, options?: unknown): Promise<any> {
    return this.#collect('map', true, fn, input, options);
  }

  /**
   * With a typed array as input: it is cut into pieces of `chunkSize` elements each, or into `nSplits`, by default 64 for each worker.
   * The function gets those, as typed arrays.
   *
   * @param fn The function, as below.
   * @param input The typed array.
   * @param options As below.
   * @returns As below.
   * @example
   * ```ts
   * const sums = await pool.mapUnordered((part: Float64Array) => part.reduce((a, b) => a + b), samples);
   * ```
   */
  mapUnordered<A extends TypedArray, R, Settle extends boolean = false>(
    fn: Task<A, R>,
    input: A,
    options?: CallOptions<Settle>,
  ): Promise<Outcome<Awaited<R>, Settle>[]>;
  /**
   * Like {@link WorkerPool.map}, with the results in the order in which they finish.
   *
   * @param fn The function.
   * @param input The values.
   * @param options See {@link CallOptions}.
   * @returns A promise of the results. It rejects with the first error, at once.
   * @example
   * ```ts
   * const [fastest] = await pool.mapUnordered(probe, servers);
   * ```
   */
  mapUnordered<T, R, Settle extends boolean = false>(
    fn: Task<T, R>,
    input: TaskInput<T>,
    options?: CallOptions<Settle>,
  ): Promise<Outcome<Awaited<R>, Settle>[]>;
  mapUnordered(fn: Task<never, unknown>, input: unknown, options?: unknown): Promise<any> {
    return this.#collect('mapUnordered', false, fn, input, options);
  }

  /**
   * With a typed array as input: it is cut into pieces of `chunkSize` elements each, or into `nSplits`, by default 64 for each worker.
   * The function gets those, as typed arrays.
   *
   * @param fn The function, as below.
   * @param input The typed array.
   * @param options As below.
   * @returns As below.
   * @example
   * ```ts
   * for await (const part of pool.imap(smooth, new Float32Array(samples), { chunkSize: 4096 })) play(part);
   * ```
   */
  imap<A extends TypedArray, R, Settle extends boolean = false>(
    fn: Task<A, R>,
    input: A,
    options?: CallOptions<Settle>,
  ): AsyncIterableIterator<Outcome<Awaited<R>, Settle>>;
  /**
   * Runs a function over values and gives each result as soon as it and all before it are there.
   *
   * Nothing starts before the first `next`. Input is read only as fast as results are taken: see `maxTasksActive`. Leaving a
   * `for await` loop early cancels the rest.
   *
   * @param fn The function.
   * @param input The values.
   * @param options See {@link CallOptions}.
   * @returns An async iterator of the results, which can be iterated once. Its `next` rejects where {@link WorkerPool.map}
   *   would.
   * @throws TypeError or RangeError on a bad argument, at once.
   * @example
   * ```ts
   * for await (const page of pool.imap(render, documents)) await upload(page);
   * ```
   */
  imap<T, R, Settle extends boolean = false>(
    fn: Task<T, R>,
    input: TaskInput<T>,
    options?: CallOptions<Settle>,
  ): AsyncIterableIterator<Outcome<Awaited<R>, Settle>>;
  imap(fn: Task<never, unknown>, input: unknown, options?: unknown): AsyncIterableIterator<any> {
    return this.#iterate('imap', true, fn, input, options);
  }

  /**
   * With a typed array as input: it is cut into pieces of `chunkSize` elements each, or into `nSplits`, by default 64 for each worker.
   * The function gets those, as typed arrays.
   *
   * @param fn The function, as below.
   * @param input The typed array.
   * @param options As below.
   * @returns As below.
   * @example
   * ```ts
   * for await (const peak of pool.imapUnordered((part: Int16Array) => Math.max(...part), samples)) show(peak);
   * ```
   */
  imapUnordered<A extends TypedArray, R, Settle extends boolean = false>(
    fn: Task<A, R>,
    input: A,
    options?: CallOptions<Settle>,
  ): AsyncIterableIterator<Outcome<Awaited<R>, Settle>>;
  /**
   * Like {@link WorkerPool.imap}, with each result as soon as it is there.
   *
   * @param fn The function.
   * @param input The values.
   * @param options See {@link CallOptions}.
   * @returns An async iterator of the results.
   * @throws TypeError or RangeError on a bad argument, at once.
   * @example
   * ```ts
   * for await (const thumbnail of pool.imapUnordered(shrink, images)) show(thumbnail);
   * ```
   */
  imapUnordered<T, R, Settle extends boolean = false>(
    fn: Task<T, R>,
    input: TaskInput<T>,
    options?: CallOptions<Settle>,
  ): AsyncIterableIterator<Outcome<Awaited<R>, Settle>>;
  imapUnordered(fn: Task<never, unknown>, input: unknown, options?: unknown): AsyncIterableIterator<any> {
    return this.#iterate('imapUnordered', false, fn, input, options);
  }

  /**
   * Runs a function once.
   *
   * @param fn The function: gets the arguments, and after them a {@link TaskContext}. Or a {@link moduleTask}, or a `URL`.
   * @param args The arguments; default: none.
   * @param options See {@link ApplyOptions}.
   * @returns A promise of the result. It rejects as that of {@link WorkerPool.map} does.
   * @example
   * ```ts
   * const sum = await pool.apply((a: number, b: number) => a + b, [1, 2]);
   * ```
   */
  apply<A extends readonly unknown[] = [], R = unknown, Settle extends boolean = false>(
    fn: ApplyFunction<Fixed<A>, R> | ModuleTask<ApplyFunction<Fixed<A>, R>> | URL,
    args?: readonly [...A],
    options?: ApplyOptions<Settle>,
  ): Promise<Outcome<Awaited<R>, Settle>>;
  /**
   * The same, for a function that takes no context, whose own parameters say what the arguments are.
   *
   * @param fn The function, as above.
   * @param args The arguments, as above.
   * @param options See {@link ApplyOptions}.
   * @returns A promise, as above.
   * @example
   * ```ts
   * const sum = await pool.apply(([a, b]: [number, number]) => a + b, [[1, 2]]);
   * ```
   */
  apply<A extends readonly unknown[], R, Settle extends boolean = false>(
    fn: (...args: A) => R,
    args: readonly [...A],
    options?: ApplyOptions<Settle>,
  ): Promise<Outcome<Awaited<R>, Settle>>;
  apply<R>(fn: unknown, args?: readonly unknown[], options?: ApplyOptions): Promise<Awaited<R>> {
    return new Promise((resolve, reject) => {
      const call = resolveApplyOptions(options, 'apply');
      checkTask(fn, 'apply');
      if (args !== undefined && !Array.isArray(args)) {
        throw new TypeError(`apply: "args" must be an array of arguments, got ${describeValue(args)}.`);
      }
      throwIfAborted(call);
      let result: unknown;
      const job = this[poolBrand].open(
        fn,
        jobSpec(CallMode.Apply, false, call, false, undefined, {
          next: ([value]) => (result = value),
          error: reject,
          complete: () => resolve(result as Awaited<R>),
        }),
      );
      job.push(asOneValue([...(args ?? [])]));
      job.end();
    });
  }

  /**
   * What the `workerExit` functions of the latest calls have returned: of the last call that had one, and of those that ran when
   * it began. On a pool with `keepAlive` they run when the workers leave, so ask after {@link WorkerPool.stopAndJoin}: it is all
   * that they have returned since the last time that no worker was there.
   *
   * @returns An array with a result for each worker that had a task of the call, in the order of the worker ids; empty where no
   *   exit function has run. A new array each time, so that changing it does no harm.
   * @example
   * ```ts
   * await pool.map(countWords, texts, { workerExit: ({ state }) => state.counts });
   * const counts = pool.getExitResults();
   * ```
   */
  getExitResults(): any[] {
    return this[poolBrand].exitResults();
  }

  /**
   * What was measured of the workers since the pool was made or {@link WorkerPool.resetInsights} was called; also while calls run.
   *
   * @returns The figures as of now, in an object that does not change.
   * @throws Error when the pool was made without the option `insights`.
   * @example
   * ```ts
   * const pool = new WorkerPool({ insights: true });
   * await pool.map(parse, files);
   * const { workingRatio, waitingRatio } = pool.getInsights();
   * ```
   */
  getInsights(): Insights {
    return this.#measurements('getInsights').insights();
  }

  /**
   * Begins anew with what is measured. Calls that run go on; what they do from here on counts.
   *
   * @throws Error when the pool was made without the option `insights`.
   * @example
   * ```ts
   * await pool.map(parse, firstFiles); // starts the workers
   * pool.resetInsights();
   * ```
   */
  resetInsights(): void {
    this.#measurements('resetInsights').reset();
  }

  /**
   * Prints what {@link WorkerPool.getInsights} gives, as tables for people to read.
   *
   * @param stream Where to; default: `console.log`.
   * @throws Error when the pool was made without the option `insights`.
   * @example
   * ```ts
   * pool.printInsights(process.stderr);
   * ```
   */
  printInsights(stream?: { write(text: string): unknown }): void {
    const text = formatInsights(this.#measurements('printInsights').insights());
    if (stream === undefined) console.log(text);
    else stream.write(`${text}\n`);
  }

  /**
   * Finishes what is pending, and lets the workers leave. The pool can be used again, with new workers; calls that are made
   * meanwhile wait for those. It does not wait for whoever takes the results of `imap`: its input is read to the end, and the results
   * are kept.
   *
   * @returns A promise that resolves when the last worker has left; the same one while that is under way. After
   *   {@link WorkerPool.terminate} it resolves when that is done.
   * @example
   * ```ts
   * const pool = new WorkerPool({ keepAlive: true });
   * await pool.map(parse, files);
   * await pool.stopAndJoin();
   * ```
   */
  stopAndJoin(): Promise<void> {
    return this[poolBrand].stopAndJoin();
  }

  /**
   * The same as {@link WorkerPool.stopAndJoin}.
   *
   * @returns The same promise.
   * @example
   * ```ts
   * await pool.join();
   * ```
   */
  join(): Promise<void> {
    return this.stopAndJoin();
  }

  /**
   * Ends all workers at once, whatever they are doing. What is pending rejects with `PoolTerminatedError`, and so does every
   * later call.
   *
   * @returns A promise that resolves when the last worker has ended; always the same one. It rejects with a
   *   `WorkerTimeoutError` when a thread cannot be ended within 5 seconds, because it is inside native code.
   * @example
   * ```ts
   * process.once('SIGTERM', () => pool.terminate());
   * ```
   */
  terminate(): Promise<void> {
    return this[poolBrand].terminate();
  }

  /**
   * The same as {@link WorkerPool.terminate}: what `await using` calls.
   *
   * @returns The same promise.
   * @example
   * ```ts
   * await using pool = new WorkerPool();
   * ```
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.terminate();
  }

  #measurements(caller: string): Measurements {
    const { measurements } = this[poolBrand];
    if (measurements !== undefined) return measurements;
    throw new Error(`${caller}: this pool measures nothing. Make it with new WorkerPool({ insights: true }).`);
  }

  #collect(caller: string, ordered: boolean, fn: unknown, input: unknown, options: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { call, task, open, facts, concatenate } = checkCall(caller, fn, input, options);
      throwIfAborted(call);
      const results: unknown[] = [];
      const joins = concatenate && !call.settle && isTypedArray(input);
      let pull: Pull | undefined;
      const job = this[poolBrand].open(
        task,
        jobSpec(CallMode.Map, ordered, call, false, facts, {
          next: (values) => {
            for (const value of values) results.push(value);
          },
          error: reject,
          complete: () => {
            try {
              resolve(joins ? concatenated(results, input) : results);
            } catch (error) {
              reject(error); // they are longer than an array can be, or than there is memory
            }
          },
          room: () => pull?.advance(),
          close: () => pull?.stop(),
        }),
      );
      pull = openOrCancel(open, job, facts);
      pull.advance();
    });
  }

  #iterate<R>(
    caller: string,
    ordered: boolean,
    fn: unknown,
    input: unknown,
    options: unknown,
  ): AsyncIterableIterator<R> {
    const { call, task, open, facts } = checkCall(caller, fn, input, options);
    return createIterator<R>((sink) => {
      throwIfAborted(call);
      let pull: Pull | undefined;
      const job = this[poolBrand].open(
        task,
        jobSpec(CallMode.Map, ordered, call, true, facts, {
          ...sink,
          room: () => pull?.advance(),
          close: () => pull?.stop(),
        }),
      );
      pull = openOrCancel(open, job, facts);
      pull.advance();
      return job;
    });
  }
}

/** `A`, to be inferred from elsewhere: a function that ignores the context must not pass for one with fewer arguments. */
type Fixed<A> = [A][A extends unknown ? 0 : never];

function checkCall(caller: string, fn: unknown, input: unknown, options: unknown) {
  const settings =
    caller === 'map'
      ? resolveMapOptions(options, caller)
      : { call: resolveCallOptions(options, caller), concatenate: false };
  checkTask(fn, caller);
  return { ...settings, task: fn, open: openInput(input, caller), facts: factsOf(input) };
}

/** A signal that has fired already starts nothing. */
function throwIfAborted({ signal }: CallSettings): void {
  if (signal?.aborted === true) throw signal.reason;
}

/** Begins to read an input. Where that is refused, by a locked stream say, there is no job. */
function openOrCancel(open: OpenInput, job: Job, { length, isCut }: InputFacts): Pull {
  try {
    const pull = open(job);
    // What is no collection is code of the user's.
    return job.call.transferInput === undefined && (length !== undefined || isCut) ? pull : inContext(pull);
  } catch (error) {
    job.cancel();
    throw error;
  }
}

/** Reads in the async context of whoever has made the call, not in that of whoever has started the worker. */
function inContext(pull: Pull): Pull {
  return { advance: bindContext(() => pull.advance()), stop: bindContext(() => pull.stop()) };
}

function jobSpec(
  mode: CallMode,
  ordered: boolean,
  call: CallSettings,
  manualRelease: boolean,
  input: InputFacts | undefined,
  sink: JobSink,
): JobSpec {
  const unbounded = { bufferSize: Infinity, overflow: 'error' } as const;
  const total = mode === CallMode.Apply ? 1 : input?.length;
  return { mode, ordered, call, ...unbounded, total, manualRelease, wantsExitResults: false, input, sink };
}

/** The arguments as the one value that travels; what moves among them moves with it. */
function asOneValue(args: unknown[]): unknown {
  const moving = openEnvelopes(args);
  return moving === undefined ? args : transfer(args, moving);
}
