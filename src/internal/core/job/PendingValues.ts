/** The values of a job that wait for a worker: pushed values, and chunks that workers gave back. */

import type { Overflow } from '../../../options.js';
import { isTransferred, transfersAreUsed } from '../../../transfer.js';
import { RingBuffer } from './RingBuffer.js';
import { createChunk, headOf, restOf, singlesOf, type Chunk } from './Chunk.js';

export class PendingValues {
  readonly #bufferSize: number;
  readonly #overflow: Overflow;
  readonly #waiting = new RingBuffer<unknown>();
  /** The indexes of the waiting values, if some may be dropped. Otherwise they are consecutive. */
  readonly #indexes: RingBuffer<number> | undefined;
  /** Chunks that were given back, lowest sequence number first. They come before the waiting values. */
  #returned: Chunk[] = [];
  #returnedValues = 0;
  /** How many values were pushed: the index of the next one. */
  #pushed = 0;
  #dropped = 0;
  /** With `orderTasks`, the worker whose turn it is. */
  #nextSlot = 0;
  /** How many values were cut: the sequence number of the next one. */
  #cut = 0;

  constructor(bufferSize: number, overflow: Overflow) {
    this.#bufferSize = bufferSize;
    this.#overflow = overflow;
    this.#indexes = overflow === 'error' ? undefined : new RingBuffer();
  }

  /** How many values were pushed and not dropped. */
  get taken(): number {
    return this.#pushed - this.#dropped;
  }

  /** How many values were cut into chunks. */
  get cutCount(): number {
    return this.#cut;
  }

  /** How many pushed values wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#returned.length === 0;
  }

  /** How many chunks were given back. */
  get returned(): number {
    return this.#returned.length;
  }

  /** How many values are in them. */
  get returnedValues(): number {
    return this.#returnedValues;
  }

  /**
   * Takes a value.
   *
   * @param free How many workers are about to take a value. Those values do not count as waiting.
   * @returns False if the buffer is full and that is an error.
   */
  push(value: unknown, free: number): boolean {
    const index = this.#pushed++;
    if (this.#waiting.length >= this.#bufferSize + free) {
      if (this.#overflow === 'error') return false;
      this.#dropped++;
      if (this.#overflow === 'drop-newest' || this.#waiting.length === 0) return true;
      this.#waiting.take(1);
      this.#indexes?.take(1);
    }
    this.#waiting.push(value);
    this.#indexes?.push(index);
    return true;
  }

  /**
   * The next chunk: one that was given back, or `size` waiting values. Only if there is one.
   *
   * @param limit The maximum number of values.
   * @param share The maximum for a chunk that was given back.
   */
  cut(size: number, limit: number, share: number): Chunk {
    if (this.#returned.length === 0) return this.#cutWaiting(Math.min(size, limit), -1);
    return this.#limited(this.#takeReturned(0), Math.min(limit, share));
  }

  /**
   * The next chunk for a worker, with `orderTasks`. Earlier chunks for other workers wait for these.
   *
   * @param size How many waiting values the next chunk should have; 0 if there is none.
   */
  cutFor(slot: number, slots: number, size: () => number, limit: number): Chunk | undefined {
    for (;;) {
      const at = this.#returned.findIndex((chunk) => chunk.slot === slot);
      if (at >= 0) return this.#limited(this.#takeReturned(at), limit);
      const count = size();
      if (count === 0) return undefined;
      this.giveBack([this.#cutWaiting(count, this.#nextSlot)]);
      this.#nextSlot = (this.#nextSlot + 1) % slots;
    }
  }

  #cutWaiting(size: number, slot: number): Chunk {
    const values = this.#waiting.take(size);
    const indexes = this.#indexes?.take(values.length) ?? this.#pushed - this.#waiting.length - values.length;
    const chunk = createChunk(this.#cut, indexes, values, 0, slot);
    this.#cut += values.length;
    if (values.length === 1 || !transfersAreUsed() || !values.some(isTransferred)) return chunk;
    // A value that moves travels alone: it can neither wait behind another value nor be sent twice.
    const [first, ...others] = singlesOf(chunk, 0);
    this.giveBack(others);
    return first as Chunk;
  }

  /** The chunk, or its first `limit` values if it has more. */
  #limited(chunk: Chunk, limit: number): Chunk {
    if (chunk.values.length <= limit) return chunk;
    this.giveBack([restOf(chunk, limit)]);
    return headOf(chunk, limit);
  }

  /** Whether the chunk that `cut(size)` would return contains something to move. */
  movesNext(size: number): boolean {
    if (!transfersAreUsed()) return false;
    return (this.#returned[0]?.values ?? this.#waiting.peek(size)).some(isTransferred);
  }

  /** How many workers have died of the next chunk. @param slot With `orderTasks`: of the next one for this worker. */
  nextDeaths(slot?: number): number {
    const next = slot === undefined ? this.#returned[0] : this.#returned.find((chunk) => chunk.slot === slot);
    return next?.deaths ?? 0;
  }

  #takeReturned(at: number): Chunk {
    const [chunk] = this.#returned.splice(at, 1) as [Chunk];
    this.#returnedValues -= chunk.values.length;
    return chunk;
  }

  giveBack(chunks: readonly Chunk[]): void {
    this.#setReturned([...this.#returned, ...chunks].sort((a, b) => a.seq - b.seq));
  }

  #setReturned(chunks: Chunk[]): void {
    this.#returned = chunks;
    this.#returnedValues = chunks.reduce((count, { values }) => count + values.length, 0);
  }

  /** Drops all values after `seq`: they will not be started. */
  dropAfter(seq: number): void {
    this.#waiting.clear();
    this.#indexes?.clear();
    this.#setReturned(this.#returned.filter((chunk) => chunk.seq < seq));
  }

  clear(): void {
    this.dropAfter(-1);
  }
}
