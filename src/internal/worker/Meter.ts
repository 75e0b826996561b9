/**
 * The clock of a lane of a worker whose pool has the option `insights`: how long it worked and waited, since it last told.
 *
 * Time is cut into laps. A lap ends with one call or, where calls are quick, with a few: a look at the clock costs as much as a
 * small call. So nothing is done for a single value, and nothing is allocated before a batch leaves.
 */

import { now } from '../platform/globals.js';
import { bucketOf, BUCKETS } from '../protocol/histogram.js';
import { LONGEST_TASKS, type Figures } from '../protocol/messages.js';
import { MEMORY_TIME, SLOW_LAP } from '../protocol/tuning.js';

export class Meter {
  readonly #memory: () => number;
  readonly #counts = new Uint32Array(BUCKETS);
  /** The buckets that have a count. */
  readonly #touched = new Uint16Array(BUCKETS);
  #touchedCount = 0;
  /** The longest calls of the batch: how long, where in the chunk, and how many calls it may have been. */
  readonly #longest = new Float64Array(LONGEST_TASKS);
  readonly #places = new Uint32Array(LONGEST_TASKS);
  readonly #sizes = new Uint32Array(LONGEST_TASKS);
  #longestCount = 0;
  /** What a call has to be longer than to be one of the longest. */
  #least = -1;
  /** Which of them is the shortest. */
  #leastAt = 0;
  #working = 0;
  #waiting = 0;
  #waits: number[] = [];
  /** When what is under way began. */
  #last = now();
  /** What a quick call took, when there last were some. */
  #quick = 0;
  /** Whether a call waits for something outside the worker. */
  #pending = false;
  #memoryAt = -Infinity;

  readonly #countsWaiting: boolean;

  /** @param memory What the worker uses, in bytes. @param countsWaiting Whether what passes between calls is measured here. */
  constructor(memory: () => number, countsWaiting: boolean) {
    this.#memory = memory;
    this.#countsWaiting = countsWaiting;
  }

  /** A chunk begins: the worker has waited for it. */
  begin(time: number): void {
    this.#pending = false;
    if (this.#countsWaiting) this.#waits.push(time - this.#last);
    this.resume(time);
  }

  /** The next call begins. */
  resume(time: number): void {
    if (this.#pending) return;
    if (this.#countsWaiting) this.#waiting += time - this.#last;
    this.#last = time;
  }

  /** The call that began last waits for the outside. */
  suspend(): void {
    this.#pending = true;
  }

  /** It has settled. */
  settle(): void {
    this.#pending = false;
  }

  /** Calls have ended: `count` of them, the first one at `place` in the chunk. */
  lap(time: number, count: number, place: number): void {
    const elapsed = time - this.#last;
    this.work(time);
    if (count === 1) {
      this.#count(elapsed, 1);
      this.#keepLongest(elapsed, place, 1);
      return;
    }
    const slow = elapsed - this.#quick * (count - 1);
    if (slow > SLOW_LAP && slow > this.#quick * count) {
      // One call was not as quick as the others; which one is not known.
      this.#count(this.#quick, count - 1);
      this.#count(slow, 1);
      this.#keepLongest(slow, place, count);
      return;
    }
    this.#quick = elapsed / count;
    this.#count(this.#quick, count);
    this.#keepLongest(this.#quick, place, count);
  }

  /** A call has ended without a result. */
  work(time: number): void {
    this.#working += time - this.#last;
    this.#last = time;
  }

  /** An init or exit function begins. */
  beginHook(): void {
    this.resume(now());
  }

  /** It has ended. @returns How long it took. */
  endHook(): number {
    const start = this.#last;
    this.#last = now();
    return this.#last - start;
  }

  /** The results of the chunk are not wanted. */
  discard(): void {
    for (let i = 0; i < this.#touchedCount; i++) this.#counts[this.#touched[i] as number] = 0;
    this.#touchedCount = 0;
    this.#longestCount = 0;
    this.#least = -1;
  }

  /** What was measured, which begins anew. */
  take(time: number): Figures {
    const counts: number[] = [];
    for (let i = 0; i < this.#touchedCount; i++) {
      const bucket = this.#touched[i] as number;
      counts.push(bucket, this.#counts[bucket] as number);
    }
    const longest: number[] = [];
    for (let i = 0; i < this.#longestCount; i++) {
      longest.push(this.#longest[i] as number, this.#places[i] as number, this.#sizes[i] as number);
    }
    let memory: number | undefined;
    if (time - this.#memoryAt >= MEMORY_TIME) {
      this.#memoryAt = time;
      memory = this.#memory();
    }
    const figures: Figures = [this.#working, this.#waiting, this.#waits, counts, longest, memory];
    this.discard();
    this.#working = 0;
    this.#waiting = 0;
    this.#waits = [];
    return figures;
  }

  #count(duration: number, count: number): void {
    const bucket = bucketOf(duration);
    if (this.#counts[bucket] === 0) this.#touched[this.#touchedCount++] = bucket;
    (this.#counts[bucket] as number) += count;
  }

  #keepLongest(duration: number, place: number, size: number): void {
    if (duration <= this.#least) return;
    const at = this.#longestCount < LONGEST_TASKS ? this.#longestCount++ : this.#leastAt;
    this.#longest[at] = duration;
    this.#places[at] = place;
    this.#sizes[at] = size;
    if (this.#longestCount === LONGEST_TASKS) this.#findLeast();
  }

  /** Most batches of quick calls come here several times: a loop takes a tenth of what `indexOf` and `Math.min(...)` do. */
  #findLeast(): void {
    const durations = this.#longest;
    let at = 0;
    for (let i = 1; i < LONGEST_TASKS; i++) {
      if ((durations[i] as number) < (durations[at] as number)) at = i;
    }
    this.#leastAt = at;
    this.#least = durations[at] as number;
  }
}
