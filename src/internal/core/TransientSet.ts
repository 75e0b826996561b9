/**
 * A set whose members come and go by the thousands, each call's job for instance.
 *
 * V8 links each table that a set has outgrown, or cleaned up, to the next one. Once such a table has become old, all later ones live on
 * until the next full garbage collection, with all that was ever in them. So the set is replaced every now and then: without
 * that, the collector took a third of the time of small calls of `apply`.
 */

/** After how many deletions, or as many as there are members. */
const RENEWAL = 32;

export class TransientSet<T> implements Iterable<T> {
  #members = new Set<T>();
  #deletions = 0;

  get size(): number {
    return this.#members.size;
  }

  has(member: T): boolean {
    return this.#members.has(member);
  }

  add(member: T): void {
    this.#members.add(member);
  }

  /** Whether it was there. */
  delete(member: T): boolean {
    if (!this.#members.delete(member)) return false;
    if (++this.#deletions > Math.max(RENEWAL, this.#members.size)) {
      this.#members = new Set(this.#members);
      this.#deletions = 0;
    }
    return true;
  }

  /** The members as they are now, oldest first: what comes and goes meanwhile may not show. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#members.values();
  }
}
