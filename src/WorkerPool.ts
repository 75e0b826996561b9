/** The public pool class. */

import { bindContext } from './internal/platform/asyncContext.js';
import { describeValue } from './internal/options/describeValue.js';
import { CallMode } from './internal/protocol/callMode.js';
import type { Insights } from './insights.js';
import { checkTask } from './internal/closures/checkTask.js';
import { formatInsights } from './internal/observe/insightsTable.js';
import { createIterator, type JobIterator } from './internal/core/job/JobIterator.js';
import type { Job } from './internal/core/job/Job.js';
import { jobSpec } from './internal/core/job/JobSpec.js';
import type { PoolObserver } from './internal/core/PoolObserver.js';
import { createScheduler } from './internal/node/createScheduler.js';
import type { Scheduler } from './internal/core/pool/Scheduler.js';
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
import { poolBrand, version, type PoolBrand } from './internal/options/poolBrand.js';
import { concatenated, isTypedArray } from './internal/core/job/typedArrays.js';
import { openEnvelopes, transfer } from './transfer.js';
import type { ApplyFunction, MapResult, Outcome, Task, TaskInput, TypedArray } from './taskTypes.js';
import type { ModuleTask } from './moduleTask.js';

/**
 * A pool of workers, each a thread or a process, that run functions. The counterpart of MPIRE's `WorkerPool` in Python.
 *
 * Workers start as work arrives, up to `nJobs`. Several calls may run at once, and the workers serve them in turn. Without `keepAlive`
 * the workers leave when no call is running, before the last call resolves. A call that fails leaves the pool usable.
 *
 * @example
 * ```ts
 * await using pool = new WorkerPool({ nJobs: 4 });
 * const squares = await pool.map((n: number) => n * n, [1, 2, 3]);
 * ```
 */
export class WorkerPool implements AsyncDisposable {
  /** @internal */
  readonly [poolBrand]: PoolBrand<Scheduler>;

  /**
   * Creates a pool. No worker starts yet.
   *
   * @param options See {@link WorkerPoolOptions}.
   * @throws TypeError or RangeError on a bad option, which it names.
   * @throws NestedPoolError inside a worker that is a daemon.
   */
  constructor(options?: WorkerPoolOptions) {
    this[poolBrand] = { version, runner: createScheduler(resolvePoolOptions(options, 'WorkerPool')) };
  }

  /**
   * With a typed array as input. It is cut into pieces of `chunkSize` elements each, or into `nSplits` pieces (default: 64 for each
   * worker), and the function gets the pieces as typed arrays. Results that are typed arrays are joined, unless `concatenate` is `false`.
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
   * Runs a function over all values and returns all results, in the order of the values.
   *
   * @param fn The function. It gets a value and a {@link TaskContext}. Or a {@link moduleTask}, or a `URL`.
   * @param input The values: an iterable, an async iterable or a stream. It is read only as fast as the workers follow.
   * @param options See {@link CallOptions}.
   * @returns A promise of the results. It rejects with the error of the first value that fails, with the errors of
   *   {@link parallelMap}, with `PoolTerminatedError` when the pool is terminated, and with a TypeError or RangeError on a bad argument.
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
   * With a typed array as input. It is cut into pieces of `chunkSize` elements each, or into `nSplits` pieces (default: 64 for each
   * worker), and the function gets the pieces as typed arrays.
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
   * With a typed array as input. It is cut into pieces of `chunkSize` elements each, or into `nSplits` pieces (default: 64 for each
   * worker), and the function gets the pieces as typed arrays.
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
  ): AsyncIterableIterator<Outcome<Awaited<R>, Settle>> & AsyncDisposable;
  /**
   * Runs a function over values and returns each result as soon as it and all earlier ones have arrived.
   *
   * Nothing starts before the first `next`. The input is read only as fast as results are taken: see `maxTasksActive`. Leaving a
   * `for await` loop early cancels the rest.
   *
   * @param fn The function.
   * @param input The values.
   * @param options See {@link CallOptions}.
   * @returns An async iterator of the results, which can be iterated once. Its `next` rejects with the errors of {@link WorkerPool.map}.
   *   Leaving a loop over it, `return` and the end of an `await using` cancel the rest.
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
  ): AsyncIterableIterator<Outcome<Awaited<R>, Settle>> & AsyncDisposable;
  imap(fn: Task<never, unknown>, input: unknown, options?: unknown): AsyncIterableIterator<any> & AsyncDisposable {
    return this.#iterate('imap', true, fn, input, options);
  }

  /**
   * With a typed array as input. It is cut into pieces of `chunkSize` elements each, or into `nSplits` pieces (default: 64 for each
   * worker), and the function gets the pieces as typed arrays.
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
  ): AsyncIterableIterator<Outcome<Awaited<R>, Settle>> & AsyncDisposable;
  /**
   * Like {@link WorkerPool.imap}, with each result as soon as it arrives.
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
  ): AsyncIterableIterator<Outcome<Awaited<R>, Settle>> & AsyncDisposable;
  imapUnordered(
    fn: Task<never, unknown>,
    input: unknown,
    options?: unknown,
  ): AsyncIterableIterator<any> & AsyncDisposable {
    return this.#iterate('imapUnordered', false, fn, input, options);
  }

  /**
   * Runs a function once.
   *
   * @param fn The function. It gets the arguments, followed by a {@link TaskContext}. Or a {@link moduleTask}, or a `URL`.
   * @param args The arguments. Default: none.
   * @param options See {@link ApplyOptions}.
   * @returns A promise of the result. It rejects like that of {@link WorkerPool.map}.
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
   * The same for a function without context. Its parameters determine the types of the arguments.
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
      const job = this.#scheduler.open(
        fn,
        jobSpec({
          mode: CallMode.Apply,
          ordered: false,
          call,
          total: 1,
          sink: {
            next: ([value]) => (result = value),
            error: reject,
            complete: () => resolve(result as Awaited<R>),
          },
        }),
      );
      job.push(asOneValue([...(args ?? [])]));
      job.end();
    });
  }

  /**
   * The results of the `workerExit` functions of the last call that had one, and of calls that were running when it began. On a pool with
   * `keepAlive` exit functions run when the workers leave, so ask after {@link WorkerPool.stopAndJoin}. You then get all results since the
   * pool last had no workers.
   *
   * @returns An array with a result for each worker that had a task of the call, in the order of the worker ids. It is empty if no
   *   exit function has run, and new on each call, so you may change it.
   * @example
   * ```ts
   * await pool.map(countWords, texts, { workerExit: ({ state }) => state.counts });
   * const counts = pool.getExitResults();
   * ```
   */
  getExitResults(): any[] {
    return this.#scheduler.exitResults();
  }

  /**
   * The measurements of the workers since the pool was made or {@link WorkerPool.resetInsights} was called. You can call it while calls
   * run.
   *
   * @returns The current figures, in an object that does not change later.
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
   * Resets the measurements. Running calls go on, and what they do from now on counts.
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
   * Prints the measurements of {@link WorkerPool.getInsights} as tables.
   *
   * @param stream Where to print. Default: `console.log`.
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
   * Finishes pending calls, and lets the workers leave. You can use the pool again afterwards, with new workers; calls made
   * meanwhile wait for these. It does not wait for the consumer of `imap`: it reads the input to its end and keeps the
   * results.
   *
   * @returns A promise that resolves when the last worker has left. Calls in the meantime return the same promise. After
   *   {@link WorkerPool.terminate} it resolves when that is done.
   * @example
   * ```ts
   * const pool = new WorkerPool({ keepAlive: true });
   * await pool.map(parse, files);
   * await pool.stopAndJoin();
   * ```
   */
  stopAndJoin(): Promise<void> {
    return this.#scheduler.stopAndJoin();
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
   * Kills all workers at once, even inside a loop. Pending calls reject with `PoolTerminatedError`, and so do all
   * later ones.
   *
   * @returns A promise that resolves when the last worker has ended, always the same one. It rejects with a
   *   `WorkerTimeoutError` when a thread cannot be ended within 5 seconds because it is inside native code.
   * @example
   * ```ts
   * process.once('SIGTERM', () => pool.terminate());
   * ```
   */
  terminate(): Promise<void> {
    return this.#scheduler.terminate();
  }

  /**
   * The same as {@link WorkerPool.terminate}. `await using` calls it.
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

  get #scheduler(): Scheduler {
    return this[poolBrand].runner;
  }

  #measurements(caller: string): NonNullable<PoolObserver['measurements']> {
    const { measurements } = this.#scheduler;
    if (measurements !== undefined) return measurements;
    throw new Error(`${caller}: this pool measures nothing. Create it with new WorkerPool({ insights: true }).`);
  }

  #collect(caller: string, ordered: boolean, fn: unknown, input: unknown, options: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { call, task, open, facts, concatenate } = checkCall(caller, fn, input, options);
      throwIfAborted(call);
      const results: unknown[] = [];
      const joins = concatenate && !call.settle && isTypedArray(input);
      let pull: Pull | undefined;
      const job = this.#scheduler.open(
        task,
        jobSpec({
          mode: CallMode.Map,
          ordered,
          call,
          input: facts,
          sink: {
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
          },
        }),
      );
      pull = openOrCancel(open, job, facts);
      pull.advance();
    });
  }

  #iterate<R>(caller: string, ordered: boolean, fn: unknown, input: unknown, options: unknown): JobIterator<R> {
    const { call, task, open, facts } = checkCall(caller, fn, input, options);
    return createIterator<R>((sink) => {
      throwIfAborted(call);
      let pull: Pull | undefined;
      const job = this.#scheduler.open(
        task,
        jobSpec({
          mode: CallMode.Map,
          ordered,
          call,
          manualConsume: true,
          input: facts,
          sink: {
            ...sink,
            room: () => pull?.advance(),
            close: () => pull?.stop(),
          },
        }),
      );
      pull = openOrCancel(open, job, facts);
      pull.advance();
      return job;
    });
  }
}

/** `A`, but not inferred from here: a function that ignores the context must not count as one with fewer arguments. */
type Fixed<A> = [A][A extends unknown ? 0 : never];

function checkCall(caller: string, fn: unknown, input: unknown, options: unknown) {
  const settings =
    caller === 'map'
      ? resolveMapOptions(options, caller)
      : { call: resolveCallOptions(options, caller), concatenate: false };
  checkTask(fn, caller);
  return { ...settings, task: fn, open: openInput(input, caller), facts: factsOf(input) };
}

/** If the signal has fired already, nothing starts. */
function throwIfAborted({ signal }: CallSettings): void {
  if (signal?.aborted === true) throw signal.reason;
}

/** Begins to read an input. If that fails, for instance because a stream is locked, it cancels the job. */
function openOrCancel(open: OpenInput, job: Job, { length, isCut }: InputFacts): Pull {
  try {
    const pull = open(job);
    // Reading anything but a collection runs user code.
    return job.call.transferInput === undefined && (length !== undefined || isCut) ? pull : inContext(pull);
  } catch (error) {
    job.cancel();
    throw error;
  }
}

/** Reads in the async context of this call, not in that of the call that started the worker. */
function inContext(pull: Pull): Pull {
  return { advance: bindContext(() => pull.advance()), stop: bindContext(() => pull.stop()) };
}

/** The arguments as one value. Objects to move among them move with it. */
function asOneValue(args: unknown[]): unknown {
  const moving = openEnvelopes(args);
  return moving === undefined ? args : transfer(args, moving);
}
