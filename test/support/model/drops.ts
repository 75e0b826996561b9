/**
 * What a bound drops, or fails with.
 *
 * A value overflows when `bufferSize` others wait, beside those that free workers are about to take. The model sees when
 * values are pushed and when their results are out. Between the two a value waits, or keeps a worker busy; so at least
 * `bufferSize` values, and as many as there are workers, have to be on their way when one overflows.
 */

import type { Overflow } from 'rxjs-parallel-map';
import type { Script } from './script.js';

export class Drops {
  /** `undefined`: nothing is dropped. */
  readonly overflow: Overflow | undefined;
  /**
   * The values that are taken, where that is certain: what comes in one go, while no worker is busy, meets a pool that takes
   * just as many values as may wait and workers are free.
   */
  readonly taken: ReadonlySet<number> | undefined;
  readonly #capacity: number;
  /** When each value was pushed, and when its result was out: in steps. */
  readonly #pushedAt: number[] = [];
  readonly #outAt: number[] = [];
  #step = 0;

  /** @param nJobs How many workers there are for this script alone. */
  constructor(script: Script, nJobs: number) {
    const { bound, asynchronous } = script;
    this.overflow = bound?.overflow;
    // A merge call may keep its worker busy when all that it gives is out.
    const workers = script.api === 'parallelMap' ? nJobs : 0;
    this.#capacity = (bound?.bufferSize ?? Infinity) + workers;
    if (bound !== undefined && workers > 0 && (bound.calm || !asynchronous)) this.taken = this.#predict(script);
  }

  /** How many of the values before `end` are certainly taken. */
  takenBefore(end: number): number {
    let count = 0;
    for (const id of this.taken ?? []) if (id < end) count++;
    return count;
  }

  pushed(id: number): void {
    this.#pushedAt[id] = this.#step++;
  }

  out(id: number): void {
    this.#outAt[id] = this.#step++;
  }

  /** Whether a value may have been dropped. `isTaken` says of which values it is known, or possible, that they were not. */
  mayDrop(id: number, isTaken: (id: number) => boolean): boolean {
    if (this.overflow === undefined || this.overflow === 'error') return false;
    if (this.taken !== undefined) return !this.taken.has(id);
    if (this.overflow === 'drop-newest') return this.#onTheWay(id, id, isTaken) >= this.#capacity;
    // A value that waits longest: those after it wait too.
    for (let at = id; at < this.#pushedAt.length && at - id <= this.#capacity; at++) {
      if (at - id + this.#onTheWay(id, at, isTaken) >= this.#capacity) return true;
    }
    return false;
  }

  /** Whether the last value that was pushed may have been one too many. */
  mayFail(): boolean {
    if (this.overflow !== 'error') return false;
    const last = this.#pushedAt.length - 1;
    return last >= 0 && this.#onTheWay(last, last, () => true) >= this.#capacity;
  }

  /** How many of the values before `end` were on their way when value `at` was pushed. */
  #onTheWay(end: number, at: number, isTaken: (id: number) => boolean): number {
    const step = this.#pushedAt[at] as number;
    let count = 0;
    for (let id = 0; id < end; id++) if (isTaken(id) && !((this.#outAt[id] as number) < step)) count++;
    return count;
  }

  #predict(script: Script): Set<number> {
    const taken = new Set<number>();
    let from = 0;
    for (const to of burstEnds(script)) {
      const overflows = to - from > this.#capacity;
      if (overflows && this.overflow === 'error') break;
      const first = overflows && this.overflow === 'drop-oldest' ? to - this.#capacity : from;
      for (let id = first; id < Math.min(to, first + this.#capacity); id++) taken.add(id);
      from = to;
    }
    return taken;
  }
}

/** Where what a source pushes in one go ends. */
function burstEnds({ items, asynchronous }: Script): number[] {
  const ends: number[] = [];
  let next = 0;
  for (const { gap, count } of items) {
    if (next > 0 && asynchronous && gap > 0) ends.push(next);
    next += count;
  }
  return [...ends, next];
}
