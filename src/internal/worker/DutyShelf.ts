/**
 * The duties of a worker: for each, the state that its calls share, between its init function and its exit function.
 *
 * A worker also has a state for calls that have neither; it lasts as long as the worker.
 */

import { NO_DUTY } from '../protocol/messages.js';
import type { Task } from '../closures/rebuild.js';
import { isThenable } from './isThenable.js';
import type { WorkerScope } from './TaskContext.js';

/** How an init or exit function has ended. */
export type DutyOutcome = { readonly result: unknown } | { readonly error: unknown };

export class DutyShelf {
  readonly #workerId: number;
  readonly #scopes = new Map<number, WorkerScope>();
  #shared: unknown;

  constructor(workerId: number) {
    this.#workerId = workerId;
    this.add(NO_DUTY);
  }

  /** What all duties share from here on: called before the first of them. */
  share(shared: unknown): void {
    this.#shared = shared;
    this.add(NO_DUTY);
  }

  /** What a duty's calls get; `undefined` for one that the worker does not have. */
  get(duty: number): WorkerScope | undefined {
    return this.#scopes.get(duty);
  }

  add(duty: number): void {
    this.#scopes.set(duty, { workerId: this.#workerId, shared: this.#shared, state: {} });
  }

  drop(duty: number): void {
    this.#scopes.delete(duty);
  }

  /** Calls the init or exit function of a duty, and calls back with the outcome, at once where that is no promise. */
  call(duty: number, fn: Task, tell: (outcome: DutyOutcome) => void): void {
    let result: unknown;
    let pending: boolean;
    try {
      result = fn(this.#scopes.get(duty));
      pending = isThenable(result);
    } catch (error) {
      tell({ error });
      return;
    }
    if (!pending) tell({ result });
    else
      Promise.resolve(result).then(
        (settled) => tell({ result: settled }),
        (error: unknown) => tell({ error }),
      );
  }
}
