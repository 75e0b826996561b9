/** The second argument of a task function. */

import { AbortController } from '../globals.js';

export class TaskContext {
  readonly index: number;
  readonly workerId: number;
  #controller: AbortController | undefined;
  #aborted = false;

  constructor(index: number, workerId: number) {
    this.index = index;
    this.workerId = workerId;
  }

  // Made on demand: a controller costs more than many a task.
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** The result is no longer wanted. */
  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
}
