/**
 * In which order results go out. Each job has one delivery; `seq` numbers are those of its values.
 *
 * - plain results: as they come, or put in order by the `ReorderBuffer`;
 * - results of `merge` calls, where each value yields several batches: as they come, or one value after the other.
 */

import { ReorderBuffer } from './ReorderBuffer.js';

/** Where results go. */
export interface DeliveryTarget {
  /** Emits the next results. False if no more are wanted. */
  emit(values: unknown[]): boolean;
  /** `count` values are done: all their results are out. */
  release(count: number): void;
  /** A batch that value number `seq` had yielded is out: the worker may send another. */
  credit(seq: number): void;
}

export interface Delivery {
  /** Results of the values from `seq` on, one each. */
  results(seq: number, values: unknown[]): void;
  /** What value number `seq` has yielded so far. */
  yields(seq: number, values: unknown[]): void;
  /** Whether all that comes before value number `seq` is out. */
  hasReached(seq: number): boolean;
  clear(): void;
}

export function createDelivery(merge: boolean, ordered: boolean, target: DeliveryTarget): Delivery {
  if (!ordered) return new Unordered(merge, target);
  return merge ? new OrderedMerge(target) : new Ordered(target);
}

class Unordered implements Delivery {
  readonly #merge: boolean;
  readonly #target: DeliveryTarget;

  constructor(merge: boolean, target: DeliveryTarget) {
    this.#merge = merge;
    this.#target = target;
  }

  results(_seq: number, values: unknown[]): void {
    // A merge call's one result only says that it has yielded everything.
    if (this.#merge || this.#target.emit(values)) this.#target.release(values.length);
  }

  yields(seq: number, values: unknown[]): void {
    if (this.#target.emit(values)) this.#target.credit(seq);
  }

  hasReached(): boolean {
    return true;
  }

  clear(): void {}
}

class Ordered implements Delivery {
  readonly #buffer = new ReorderBuffer<unknown>();
  readonly #target: DeliveryTarget;

  constructor(target: DeliveryTarget) {
    this.#target = target;
  }

  results(seq: number, values: unknown[]): void {
    this.#buffer.add(seq, values);
    for (let next = this.#buffer.next(); next !== undefined; next = this.#buffer.next()) {
      if (!this.#target.emit(next)) return;
      this.#target.release(next.length);
    }
  }

  yields(): void {
    throw new Error('Only merge calls yield.');
  }

  hasReached(seq: number): boolean {
    return this.#buffer.expected === seq;
  }

  clear(): void {
    this.#buffer.clear();
  }
}

/** What a value has yielded while an earlier one was not through. */
interface Held {
  readonly batches: unknown[][];
  done: boolean;
}

class OrderedMerge implements Delivery {
  readonly #target: DeliveryTarget;
  readonly #held = new Map<number, Held>();
  #expected = 0;

  constructor(target: DeliveryTarget) {
    this.#target = target;
  }

  results(seq: number): void {
    if (seq !== this.#expected) {
      this.#hold(seq).done = true;
      return;
    }
    this.#target.release(1);
    // The next ones may have yielded, and even be through, already.
    for (;;) {
      const next = this.#held.get(++this.#expected);
      if (next === undefined) return;
      for (const batch of next.batches.splice(0)) {
        if (!this.#target.emit(batch)) return;
        this.#target.credit(this.#expected);
      }
      this.#held.delete(this.#expected);
      if (!next.done) return;
      this.#target.release(1);
    }
  }

  yields(seq: number, values: unknown[]): void {
    if (seq !== this.#expected) this.#hold(seq).batches.push(values);
    else if (this.#target.emit(values)) this.#target.credit(seq);
  }

  hasReached(seq: number): boolean {
    return this.#expected === seq;
  }

  clear(): void {
    this.#held.clear();
  }

  #hold(seq: number): Held {
    let held = this.#held.get(seq);
    if (held === undefined) this.#held.set(seq, (held = { batches: [], done: false }));
    return held;
  }
}
