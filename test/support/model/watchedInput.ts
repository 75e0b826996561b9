/** An iterator written by hand, which watches how it is read: one value after the other, no further than allowed, closed once. */

import { SOURCE_ERROR, type Pulling, type SourceEnd } from './script.js';

export interface Watch<T> {
  readonly values: readonly T[];
  readonly end: SourceEnd;
  readonly closing: Pulling['closing'];
  /** How many values may have been read now. */
  readonly room: () => number;
  /** Passes before value number `at`. */
  readonly pause: (at: number) => Promise<void> | undefined;
}

export class WatchedInput<T> {
  /** What was done that must not be. */
  readonly mistakes: string[] = [];
  readonly #watch: Watch<T>;
  #state: 'unread' | 'open' | 'ended' | 'closed' = 'unread';
  #reads = 0;
  #reading = false;
  /** Ends the read that waits for ever. */
  #wake: (() => void) | undefined;

  constructor(watch: Watch<T>) {
    this.#watch = watch;
  }

  /** Whether it is begun and neither at its end nor closed. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  iterable(): Iterable<T> {
    const next = (): IteratorResult<T, undefined> => this.#give(this.#begin());
    const iterator = { next, return: () => this.#close() };
    return { [Symbol.iterator]: () => iterator };
  }

  asyncIterable(): AsyncIterable<T> {
    const close = async (): Promise<IteratorResult<T, undefined>> => {
      const result = this.#close();
      return this.#watch.closing === 'hangs' ? new Promise(() => undefined) : result;
    };
    const iterator = { next: () => this.#next(), return: close };
    return { [Symbol.asyncIterator]: () => iterator };
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    const { values, end, pause } = this.#watch;
    if (this.#reading) this.mistakes.push('read while it is being read');
    this.#reading = true;
    const at = this.#begin();
    await pause(at);
    if (at === values.length && end === 'never') await this.#closed();
    this.#reading = false;
    return this.#state === 'closed' ? { done: true, value: undefined } : this.#give(at);
  }

  /** A read begins. @returns Of which value. */
  #begin(): number {
    if (this.#state === 'ended' || this.#state === 'closed') this.mistakes.push(`read although it is ${this.#state}`);
    else this.#state = 'open';
    const at = this.#reads++;
    const room = this.#watch.room();
    if (at >= room) this.mistakes.push(`value ${at} is read where ${room} are allowed`);
    return at;
  }

  #give(at: number): IteratorResult<T, undefined> {
    const { values, end } = this.#watch;
    if (at < values.length) return { done: false, value: values[at] as T };
    this.#state = 'ended';
    if (end === 'error') throw SOURCE_ERROR;
    return { done: true, value: undefined };
  }

  #closed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #close(): IteratorResult<T, undefined> {
    if (this.#state === 'ended' || this.#state === 'closed') this.mistakes.push(`closed although it is ${this.#state}`);
    this.#state = 'closed';
    this.#wake?.();
    if (this.#watch.closing === 'throws') throw new Error('the input cannot be closed');
    return { done: true, value: undefined };
  }
}
