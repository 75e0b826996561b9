/** The creation function `parallelFrom`. */

import type { Observable } from 'rxjs';
import { CallMode } from './internal/protocol/callMode.js';
import { checkTask } from './internal/closures/checkTask.js';
import { factsOf, openInput } from './internal/core/job/pull.js';
import { observeJob } from './internal/rxjs/subscribeJob.js';
import { resolveFromOptions, type FromOptions } from './options.js';
import type { Outcome, Task, TaskInput, TypedArray } from './taskTypes.js';

/**
 * With a typed array as input. It is cut into pieces of `chunkSize` elements each, or into `nSplits` pieces (default: 64 for each
 * worker), and the function gets the pieces as typed arrays.
 *
 * @param input The typed array.
 * @param fn The function, as below.
 * @param options See {@link FromOptions}.
 * @returns An Observable of the results, one for each piece.
 * @example
 * ```ts
 * parallelFrom(new Float32Array(samples), (part) => Math.max(...part), { nSplits: 8 }).subscribe(console.log);
 * ```
 */
export function parallelFrom<A extends TypedArray, R, Settle extends boolean = false>(
  input: A,
  fn: Task<A, R>,
  options?: FromOptions<Settle>,
): Observable<Outcome<Awaited<R>, Settle>>;
/**
 * Maps an input that can wait on a pool of workers. It reads the input only as fast as results come out, so a
 * generator of a billion values, or a file larger than memory, takes constant memory, in order or not. `maxTasksActive` limits how many
 * values are under way. A value is under way until its result is out.
 *
 * Each subscription has its own pool, as with {@link parallelMap}, and reads the input from its start, if that is possible:
 * a generator object or a stream can be read only once. Unsubscribing, or an error, ends the reading (`return` of the
 * iterator), which destroys a Node stream and cancels a web stream.
 *
 * @param input An iterable, an async iterable, a Node stream or a web `ReadableStream`.
 * @param fn The function, in one of the ways that {@link parallelMap} takes.
 * @param options See {@link FromOptions}.
 * @returns An Observable of the results. It fails like {@link parallelMap}, and with an error thrown while reading the input.
 * @throws TypeError or RangeError on a bad argument or option, which it names.
 * @example
 * ```ts
 * import { createReadStream } from 'node:fs';
 * import { createInterface } from 'node:readline';
 *
 * const lines = createInterface({ input: createReadStream('access.log') });
 * parallelFrom(lines, (line) => JSON.parse(line).status).subscribe(console.log);
 * ```
 */
export function parallelFrom<T, R, Settle extends boolean = false>(
  input: TaskInput<T>,
  fn: Task<T, R>,
  options?: FromOptions<Settle>,
): Observable<Outcome<Awaited<R>, Settle>>;
export function parallelFrom<R>(input: unknown, fn: unknown, options?: unknown): Observable<R> {
  const caller = 'parallelFrom';
  const settings = resolveFromOptions(options, caller);
  const open = openInput(input, caller);
  checkTask(fn, caller);
  return observeJob({ fn, mode: CallMode.Map, settings }, (job) => open(job), factsOf(input));
}
