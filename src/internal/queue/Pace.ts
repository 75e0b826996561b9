/**
 * How many values go into a chunk.
 *
 * A message costs 20 to 50 µs whatever is in it, so values travel together; but a chunk must not keep a worker so long
 * that another worker idles meanwhile, nor the main thread so long that it stutters. So one value travels at a time until
 * the function's pace is known, and then as many as run in a few milliseconds.
 */

/** A chunk should keep a worker about this long, in milliseconds: a hundred times a message's cost. */
const WORKER_TIME = 4;
/** Cloning a chunk should keep the sender no longer than this, in milliseconds. */
const SEND_TIME = 1;
/** Beyond this a chunk gains no speed and costs memory: see `bench`. */
const LARGEST_CHUNK = 4096;
/** A chunk grows by at most this factor over the last one, for the first values may be the quick ones. */
const GROWTH = 4;
/** A chunk that takes longer than this, in milliseconds, is followed by a message's wait of 1% at most. */
const LONGEST_CHUNK_AHEAD = 8;
/**
 * Chunks that are much shorter than the wait for a message queue up for this long, in milliseconds, and are this many at
 * most: a worker then takes several per turn of its event loop. With `chunkSize: 1` eight are twice as fast as one, and
 * more are no faster.
 */
const TIME_AHEAD = 0.5;
const MOST_CHUNKS_AHEAD = 8;

export class Pace {
  /** Milliseconds per value in the worker; undefined until the first results are in. */
  #working: number | undefined;
  /** Milliseconds per value to send. */
  #sending = 0;
  #size = 1;

  /** Learns from results: `count` values took `elapsed` milliseconds. A slower pace counts at once, a faster by half. */
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

  /** The number of values that a chunk should have, as far as the work is concerned. */
  get size(): number {
    return this.#size;
  }

  /** How many chunks may wait on a worker that has one of `count` values: none where the wait for a message is nothing. */
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
