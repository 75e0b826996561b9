/**
 * Puts batches of results back into the order of their values.
 *
 * A batch is a run of results with consecutive sequence numbers, so what is kept is one entry per batch, not per value.
 */

export class ReorderBuffer<R> {
  #expected = 0;
  #held = new Map<number, R[]>();

  /** The sequence number of the next result to hand out. */
  get expected(): number {
    return this.#expected;
  }

  /** Keeps `values`, the results number `first` and following, until all before them are out. */
  add(first: number, values: R[]): void {
    this.#held.set(first, values);
  }

  /** The next batch in order, or `undefined` while an earlier result is missing. */
  next(): R[] | undefined {
    const values = this.#held.get(this.#expected);
    if (values === undefined) return undefined;
    this.#held.delete(this.#expected);
    this.#expected += values.length;
    return values;
  }

  clear(): void {
    this.#held.clear();
  }
}
