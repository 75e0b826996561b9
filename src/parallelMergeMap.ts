/** The operator `parallelMergeMap`. */

import type { ObservableInput, ObservedValueOf, OperatorFunction, Subscribable } from 'rxjs';
import { CallMode } from './internal/protocol/callMode.js';
import { createOperator } from './internal/rxjs/operator.js';
import type { MapOperatorOptions } from './options.js';
import type { Outcome, Task } from './taskTypes.js';

/** What a function for {@link parallelMergeMap} can return: several values, at once or over time. */
export type MergeOutput<V = unknown> = Iterable<V> | AsyncIterable<V> | Subscribable<V>;

/** The values in a {@link MergeOutput}, or in a promise of one. */
export type YieldOf<O> =
  Awaited<O> extends Iterable<infer V> | AsyncIterable<infer V>
    ? V
    : Awaited<O> extends ObservableInput<unknown>
      ? ObservedValueOf<Awaited<O>>
      : Awaited<O> extends Subscribable<infer V>
        ? V
        : never;

/**
 * Like {@link parallelMap}, for functions with several results per value: an iterable, an async iterable, a generator, a stream,
 * an Observable, or a promise of one. Each result is emitted while the function goes on.
 *
 * With `ordered: true`, the default, the results of one call come after all results of earlier calls, as in `concatMap`,
 * while later calls run ahead. With `ordered: false` they come as they are produced, as in `mergeMap`. A call that runs far ahead of its
 * consumer has to wait, so an endless generator does not fill the memory. An Observable cannot be made to wait.
 *
 * @param fn The function, in one of the ways that {@link parallelMap} takes.
 * @param options See {@link MapOperatorOptions}; `chunkSize` has no effect, because each call has its own message.
 * @returns An operator that fails like {@link parallelMap}. The results that a failed call gave before its error are still emitted.
 * @throws TypeError or RangeError on a bad argument or option, which it names.
 * @example
 * ```ts
 * function* divisors(n: number) {
 *   for (let divisor = 1; divisor <= n; divisor++) if (n % divisor === 0) yield divisor;
 * }
 *
 * of(28, 496).pipe(parallelMergeMap(divisors)).subscribe(console.log); // 1, 2, 4, 7, 14, 28, 1, 2, 4, …
 * ```
 */
export function parallelMergeMap<T, O extends MergeOutput | PromiseLike<MergeOutput>, Settle extends boolean = false>(
  fn: Task<T, O>,
  options?: MapOperatorOptions<Settle>,
): OperatorFunction<T, Outcome<YieldOf<O>, Settle>>;
export function parallelMergeMap<T, O>(fn: Task<T, O>, ...args: unknown[]): OperatorFunction<T, YieldOf<O>> {
  return createOperator('parallelMergeMap', CallMode.Merge, fn, args);
}
