/**
 * The values that wait for a worker: a first-in, first-out queue in one array, without an object or a move per value.
 *
 *     head ──▼          ▼── tail            shift: read at head, head + 1
 *     [ · · · a b c d e · · · ]             push:  write at tail, tail + 1
 *     indexes are masked by a capacity that is a power of two, so both wrap around for free
 *
 * `Array.prototype.shift` moves the whole array beyond some 50,000 elements; this never moves any.
 */

const SMALLEST_CAPACITY = 16;
/** An emptied queue above this capacity gives its memory back. */
const LARGEST_IDLE_CAPACITY = 4096;

export class RingBuffer<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(SMALLEST_CAPACITY);
  #mask = SMALLEST_CAPACITY - 1;
  #head = 0;
  #length = 0;

  /** How many values wait. */
  get length(): number {
    return this.#length;
  }

  push(value: T): void {
    if (this.#length > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#length) & this.#mask] = value;
    this.#length++;
  }

  /** Takes the oldest `count` values (fewer where there are fewer). */
  take(count: number): T[] {
    const taken = Math.min(count, this.#length);
    const values = new Array<T>(taken);
    const slots = this.#slots;
    const mask = this.#mask;
    let at = this.#head;
    for (let i = 0; i < taken; i++) {
      values[i] = slots[at] as T;
      slots[at] = undefined; // the queue must not keep alive what it has handed on
      at = (at + 1) & mask;
    }
    this.#head = at;
    this.#length -= taken;
    if (this.#length === 0 && mask >= LARGEST_IDLE_CAPACITY) this.clear();
    return values;
  }

  /** The oldest `count` values (fewer where there are fewer), which stay. */
  peek(count: number): T[] {
    return Array.from(
      { length: Math.min(count, this.#length) },
      (_, i) => this.#slots[(this.#head + i) & this.#mask] as T,
    );
  }

  clear(): void {
    this.#slots = new Array<T | undefined>(SMALLEST_CAPACITY);
    this.#mask = SMALLEST_CAPACITY - 1;
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const old = this.#slots;
    const capacity = old.length * 2;
    const slots = new Array<T | undefined>(capacity);
    for (let i = 0; i < this.#length; i++) slots[i] = old[(this.#head + i) & this.#mask];
    this.#slots = slots;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}
