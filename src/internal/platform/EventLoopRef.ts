/**
 * Keeps the program running while a pool waits for workers.
 *
 * Workers never do so themselves. One timer that never fires does it for all of them: switching it with every piece of work costs a
 * fraction of what switching each worker's handles does.
 */

import { clearInterval, setInterval } from './globals.js';

const NEVER = 2 ** 31 - 1;

export class EventLoopRef {
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;

  /** Whether to keep the program running. */
  set(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (!isHeld) this.#timer?.unref();
    else if (this.#timer === undefined) this.#timer = setInterval(() => undefined, NEVER);
    else this.#timer.ref();
  }

  /** Gives the timer back: there are no workers. */
  close(): void {
    this.#isHeld = false;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
