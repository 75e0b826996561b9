/** The operator `parallelMap`. */

import type { OperatorFunction } from 'rxjs';
import { CallMode } from './internal/protocol/callMode.js';
import { createOperator } from './internal/rxjs/operator.js';
import type { StartMethod } from './StartMethod.js';
import type { MapOperatorOptions, StartMethodName } from './options.js';
import type { Outcome, Task } from './taskTypes.js';

/**
 * Runs a function over the values of the source on a pool of workers, with the most common options by position.
 *
 * @param fn The function, as below.
 * @param nJobs The maximum number of workers. Default, also for `null`: the number of CPUs.
 * @param startMethod How workers are started. Default: `'threading'`.
 * @param daemon Whether workers are daemons, which cannot make pools of their own. Default: `true`.
 * @example
 * ```ts
 * source$.pipe(parallelMap(resize, 4, 'spawn', true));
 * ```
 */
export function parallelMap<T, R>(
  fn: Task<T, R>,
  nJobs: number | null | undefined,
  startMethod?: StartMethodName | StartMethod,
  daemon?: boolean,
): OperatorFunction<T, Awaited<R>>;
/**
 * Runs a function over the values of the source on a pool of workers, and emits the results: in the order of the values, or,
 * with `ordered: false`, as they finish.
 *
 * Subscribing creates the pool. Workers start as values arrive, up to `nJobs`. When the source has completed and all results
 * are out, the workers leave, and then the Observable completes. Unsubscribing, an error of the source or of a task, or a `signal` that
 * fires ends the workers at once, even inside an endless loop. Each subscription has its own pool, unless you pass `pool`.
 *
 * The function runs in another thread or process. It takes along what it captures: copies of the variables that it uses, other
 * functions and classes, and its imports, which are imported again there. Its values and results are cloned, so they must be data;
 * instances of classes that it captures, or that `classes` lists, keep their class.
 *
 * The counterpart of MPIRE's `WorkerPool.imap` for Observables, and of RxJS's `mergeMap` for CPU-bound work. Sending functions with
 * their closures follows `dill`, which does so for MPIRE.
 *
 * @param fn The function. It gets a value and a {@link TaskContext}, and returns a result or a promise of one. Or a
 *   {@link moduleTask}, or the `URL` of a module whose default export is the function.
 * @param options See {@link MapOperatorOptions}. Default: as many threads as there are CPUs.
 * @returns An operator. It emits the results, and fails with
 *   - what the function throws, with `workerId` and `index` added,
 *   - `WorkerDiedError` when a worker dies, `WorkerStartError` when one cannot start,
 *   - `UnserializableError` when a value or a result cannot be cloned,
 *   - `UnportableFunctionError`, before anything starts, when the function uses a variable that cannot travel,
 *   - `BufferOverflowError` when `bufferSize` is exceeded,
 *   - `signal.reason` when the signal fires, and the source's own error.
 * @throws TypeError or RangeError on a bad argument or option, which it names.
 * @example
 * ```ts
 * import { range } from 'rxjs';
 * import { parallelMap } from 'rxjs-parallel-map';
 *
 * const isPrime = (n: number) => {
 *   for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
 *   return n > 1;
 * };
 *
 * range(1, 100_000).pipe(parallelMap(isPrime, { nJobs: 4 })).subscribe(console.log);
 * ```
 */
export function parallelMap<T, R, Settle extends boolean = false>(
  fn: Task<T, R>,
  options?: MapOperatorOptions<Settle>,
): OperatorFunction<T, Outcome<Awaited<R>, Settle>>;
// The options come last: a compiler reports what is wrong with the last of several signatures.
export function parallelMap<T, R>(fn: Task<T, R>, ...args: unknown[]): OperatorFunction<T, Awaited<R>> {
  return createOperator('parallelMap', CallMode.Map, fn, args);
}
