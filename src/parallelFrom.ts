/** The creation function `parallelFrom`. */

import type { Observable } from 'rxjs';
import { CallMode } from './internal/protocol/callMode.js';
import { checkTask } from './internal/closures/checkTask.js';
import { factsOf, openInput } from './internal/core/job/pull.js';
import { observeJob } from './internal/rxjs/subscribeJob.js';
import { resolveFromOptions, type FromOptions } from './options.js';
import type { Outcome, Task, TaskInput, TypedArray } from './taskTypes.js';

/**
 * With a typed array as input: it is cut into pieces of `chunkSize` elements each, or into `nSplits`, by default 64 for each worker.
 * The function gets those, as typed arrays.
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
 * Maps an input that can be made to wait on a pool of workers: it is read only as fast as results come out, so that a
 * generator of a billion values, or a file larger than memory, takes constant memory, in order or not. A value counts as on its
 * way until its result is out; `maxTasksActive` bounds how many are.
 *
 * Each subscription has a pool of its own, as with {@link parallelMap}, and reads the input from its start, where it has one:
 * a generator object or a stream can be read only once. Unsubscribing, or an error, ends the reading (`return` of the
 * iterator), and with that destroys a Node stream and cancels a web stream.
 *
 * @param input An iterable, an async iterable, a Node stream or a web `ReadableStream`.
 * @param fn The function, in one of the ways that {@link parallelMap} takes.
 * @param options See {@link FromOptions}.
 * @returns An Observable of the results. It fails as {@link parallelMap} does, and with what reading the input throws.
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
  const facts = factsOf(input);
  const request = {
    fn,
    mode: CallMode.Map,
    settings,
    bufferSize: Infinity,
    overflow: 'error',
    total: facts.length,
  } as const;
  return observeJob(request, (job) => open(job), facts);
}
