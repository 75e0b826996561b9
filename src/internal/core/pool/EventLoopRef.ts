/**
 * Holds the program open while it waits for workers.
 *
 * Workers themselves never do: one timer that never fires does it for all of them, and is switched with every piece of
 * work, for a fraction of the cost of switching each worker's handles.
 */

import { clearInterval, setInterval } from '../../platform/globals.js';

const NEVER = 2 ** 31 - 1;

export class EventLoopRef {
  #timer: NodeJS.Timeout | undefined;
  #held = false;

  set(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    if (!held) this.#timer?.unref();
    else if (this.#timer === undefined) this.#timer = setInterval(() => undefined, NEVER);
    else this.#timer.ref();
  }

  /** Gives the timer back, for there are no workers. */
  release(): void {
    this.#held = false;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
