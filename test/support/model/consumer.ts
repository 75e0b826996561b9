/** Who takes what an iterator gives: one result after the other or several at once, slowly, and not to the end. */

import type { Pulling } from './script.js';
import { sleep, turn } from './time.js';

type Manner = Pick<Pulling, 'leaving' | 'readers' | 'pause'>;

export class Consumer<T> {
  left = false;
  readonly #results: AsyncIterableIterator<T>;
  readonly #manner: Manner;
  readonly #take: (result: T) => void;

  constructor(results: AsyncIterableIterator<T>, manner: Manner, take: (result: T) => void) {
    this.#results = results;
    this.#manner = manner;
    this.#take = take;
  }

  /** Takes no more. */
  leave(): void {
    if (this.left) return;
    this.left = true;
    const { leaving } = this.#manner;
    if (leaving === 'return') void this.#results.return?.();
    // It is thrown back, as by a generator.
    if (leaving === 'throw') this.#results.throw?.(new Error('the consumer has failed')).catch(() => undefined);
  }

  /** Takes results until there are no more, or it leaves. */
  async run(): Promise<void> {
    const { leaving, readers } = this.#manner;
    if (leaving === 'break') await this.#loop();
    else await Promise.all(Array.from({ length: readers }, () => this.#read()));
  }

  async #loop(): Promise<void> {
    for await (const result of this.#results) {
      if (this.left) break;
      this.#take(result);
      if (this.left) break;
      await this.#pause();
    }
  }

  async #read(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#results.next();
      if (done === true) return;
      // Of several readers one may have had its result already when another one left.
      if (this.left && this.#manner.readers > 1) return;
      if (this.left) throw new Error('A result after the consumer left');
      this.#take(value);
      await this.#pause();
    }
  }

  #pause(): Promise<void> | undefined {
    const { pause } = this.#manner;
    if (pause === 0) return undefined;
    return pause === 1 ? turn() : sleep(pause);
  }
}
