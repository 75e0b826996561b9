/**
 * Which values of a chunk a worker has begun, in memory that it has in common with its pool.
 *
 * A worker inside a call that blocks its thread hears no message. So before each call it claims the value, by one atomic addition
 * of some 10 ns, and the pool can take back what is not claimed at any moment, without asking: a limit that it has set holds for
 * all claims from there on. Nothing is ever run twice, and nothing waits for the call's end.
 *
 *     bits  30 ……… 15   14 ……… 0
 *          limit + 1     claims       0: no limit
 */

/** How many chunks can have a place at once: those that a worker has, and those taken back that it has not looked at. */
export const CLAIM_PLACES = 32;

/** The place of a chunk whose values are not claimed. */
export const NO_PLACE = -1;

const LIMIT_SHIFT = 15;
const COUNT_MASK = (1 << LIMIT_SHIFT) - 1;

/** A chunk of more values than these has no place. */
export const MOST_CLAIMS = COUNT_MASK - 1;

export class Claims {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** The worker begins the next value of a chunk. False where the pool has taken it back. */
  claim(place: number): boolean {
    const before = Atomics.add(this.#words, place, 1);
    return before <= COUNT_MASK || (before & COUNT_MASK) < (before >> LIMIT_SHIFT) - 1;
  }

  /** A chunk gets the place: nothing of it is claimed. */
  open(place: number): void {
    Atomics.store(this.#words, place, 0);
  }

  /** How many values the worker has tried to begin. */
  count(place: number): number {
    return Atomics.load(this.#words, place) & COUNT_MASK;
  }

  /** Limits a chunk to what is claimed, or to the first `least` values. @returns To how many. */
  limit(place: number, least: number): number {
    for (;;) {
      const word = Atomics.load(this.#words, place);
      if (word > COUNT_MASK) return (word >> LIMIT_SHIFT) - 1;
      const limit = Math.max(word, least);
      if (Atomics.compareExchange(this.#words, place, word, word | ((limit + 1) << LIMIT_SHIFT)) === word) return limit;
    }
  }
}
