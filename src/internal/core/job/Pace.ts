/**
 * How many values go into a chunk.
 *
 * A message costs 20 to 50 µs even if it is small, so values travel together. But a chunk must not keep a worker so long
 * that another worker idles meanwhile, nor the main thread so long that it stutters. So one value travels at a time until
 * the function's pace is known, and then as many as run in a few milliseconds.
 *
 * A worker that already has its next chunk does not wait for a message. That pays only for short chunks: behind a long one it gains
 * less than 1%, and its values wait while another worker idles.
 */

import {
  WORKER_TIME,
  SEND_TIME,
  LARGEST_CHUNK,
  GROWTH,
  LONGEST_CHUNK_AHEAD,
  TIME_AHEAD,
  MOST_CHUNKS_AHEAD,
} from '../../protocol/tuning.js';

export class Pace {
  /** Milliseconds per value in the worker; undefined until the first results arrive. */
  #working: number | undefined;
  /** Milliseconds per value to send. */
  #sending = 0;
  #size = 1;

  /** Learns from results: `count` values took `elapsed` milliseconds. A slower pace counts fully, a faster one by half. */
  learnWorking(count: number, elapsed: number): void {
    const sample = elapsed / count;
    this.#working = this.#working === undefined || sample > this.#working ? sample : (this.#working + sample) / 2;
    this.#resize(count);
  }

  /** Learns from sending: `count` values took `elapsed` milliseconds to clone. */
  learnSending(count: number, elapsed: number): void {
    const sample = elapsed / count;
    this.#sending = this.#sending === 0 ? sample : (this.#sending + sample) / 2;
  }

  /** The number of values that a chunk should have. */
  get size(): number {
    return this.#size;
  }

  /** How many chunks may wait on a worker that has one of `count` values. None if a chunk takes much longer than a message. */
  chunksAhead(count: number): number {
    if (this.#working === undefined) return 0;
    const time = this.#working * count;
    if (time >= LONGEST_CHUNK_AHEAD) return 0;
    return Math.max(1, Math.floor(Math.min(TIME_AHEAD / time, MOST_CHUNKS_AHEAD, LARGEST_CHUNK / count)));
  }

  #resize(count: number): void {
    const byWork = WORKER_TIME / Math.max(this.#working as number, 1e-6);
    const bySending = SEND_TIME / Math.max(this.#sending, 1e-6);
    const wanted = Math.min(byWork, bySending, LARGEST_CHUNK);
    // Growth is measured against what really ran, so that a short last chunk does not count as experience.
    const grown = Math.max(this.#size, count * GROWTH);
    this.#size = Math.max(1, Math.floor(Math.min(wanted, grown)));
  }
}
