/**
 * The order in which results go out. Each job has one delivery. `seq` is the sequence number of a value.
 *
 * - plain results: as they come, or put in order by the `ReorderBuffer`
 * - results of `merge` calls, where each value yields several batches: as they come, or value by value
 */

import { ReorderBuffer } from './ReorderBuffer.js';

/** Where results go. */
export interface DeliveryTarget {
  /** The next results. False if no more are wanted. */
  emit(values: unknown[]): boolean;
  /** `count` values are through: all their results are out. */
  through(count: number): void;
  /** A batch of value number `seq` is out: its worker may send another. */
  credit(seq: number): void;
}

export interface Delivery {
  /** Results of the values from `seq` on, one each. */
  results(seq: number, values: unknown[]): void;
  /** The next batch of value number `seq`. */
  yields(seq: number, values: unknown[]): void;
  /** Whether all results before value number `seq` are out. */
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
    if (this.#merge || this.#target.emit(values)) this.#target.through(values.length);
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
      this.#target.through(next.length);
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

/** The batches of a value that wait for an earlier value. */
interface Early {
  readonly batches: unknown[][];
  done: boolean;
}

class OrderedMerge implements Delivery {
  readonly #target: DeliveryTarget;
  readonly #kept = new Map<number, Early>();
  #expected = 0;

  constructor(target: DeliveryTarget) {
    this.#target = target;
  }

  results(seq: number): void {
    if (seq !== this.#expected) {
      this.#early(seq).done = true;
      return;
    }
    this.#target.through(1);
    // Later values may have yielded already, and may even be done.
    for (;;) {
      const next = this.#kept.get(++this.#expected);
      if (next === undefined) return;
      for (const batch of next.batches.splice(0)) {
        if (!this.#target.emit(batch)) return;
        this.#target.credit(this.#expected);
      }
      this.#kept.delete(this.#expected);
      if (!next.done) return;
      this.#target.through(1);
    }
  }

  yields(seq: number, values: unknown[]): void {
    if (seq !== this.#expected) this.#early(seq).batches.push(values);
    else if (this.#target.emit(values)) this.#target.credit(seq);
  }

  hasReached(seq: number): boolean {
    return this.#expected === seq;
  }

  clear(): void {
    this.#kept.clear();
  }

  #early(seq: number): Early {
    let early = this.#kept.get(seq);
    if (early === undefined) this.#kept.set(seq, (early = { batches: [], done: false }));
    return early;
  }
}
