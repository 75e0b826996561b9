/** What functions get to know of where they run: the second argument of a task function, and the only one of init and exit. */

/** As it was when this was loaded: see `globals.ts`, which has none, for Node loads it when it is looked at. */
const { AbortController } = globalThis;

/** What all calls of the same hooks have in common in a worker: the argument of its init and exit functions. */
export interface WorkerScope {
  readonly workerId: number;
  readonly shared: unknown;
  readonly state: object;
}

export class TaskContext implements WorkerScope {
  readonly index: number;
  // Copied rather than looked up, so that they show when the properties are listed.
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

  /** Reports have no listener. */
  get progress(): (value: unknown) => void {
    return ignore;
  }

  /** The result is no longer wanted. */
  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
}

/** The context of a call whose reports are listened to: a class of its own, so that it costs other calls nothing. */
export class ReportingContext extends TaskContext {
  #send: ((value: unknown) => void) | undefined;
  // Bound, because tasks take it from the context: `(value, { progress }) => …`.
  readonly #progress = (value: unknown): void => this.#send?.(value);

  constructor(index: number, scope: WorkerScope, send: (value: unknown) => void) {
    super(index, scope);
    this.#send = send;
  }

  override get progress(): (value: unknown) => void {
    return this.#progress;
  }

  override abort(): void {
    this.finish();
    super.abort();
  }

  /** The call is done, or its result is not wanted: later reports are ignored. */
  finish(): void {
    this.#send = undefined;
  }
}

function ignore(): void {}
