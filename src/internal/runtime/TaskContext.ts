/** What functions get to know of where they run: the second argument of a task function, and the only one of init and exit. */

import { AbortController } from '../globals.js';

/** What all calls of one duty have in common in a worker: the argument of its init and exit functions. */
export interface WorkerScope {
  readonly workerId: number;
  readonly shared: unknown;
  readonly state: object;
}

export class TaskContext implements WorkerScope {
  readonly index: number;
  // Copied rather than looked up, so that they are there for whoever lists the properties.
  readonly workerId: number;
  readonly shared: unknown;
  readonly state: object;
  #controller: AbortController | undefined;
  #aborted = false;

  constructor(index: number, scope: WorkerScope) {
    this.index = index;
    this.workerId = scope.workerId;
    this.shared = scope.shared;
    this.state = scope.state;
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
