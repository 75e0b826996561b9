/**
 * The hooks of a worker: for each, the state that its calls share, between its init function and its exit function.
 *
 * A worker also has a state for calls that have neither; it lasts as long as the worker.
 */

import { NO_HOOKS } from '../protocol/messages.js';
import type { Task } from '../closures/rebuild.js';
import { isThenable } from './isThenable.js';
import type { WorkerScope } from './TaskContext.js';

/** How an init or exit function has ended. */
export type HookOutcome = { readonly result: unknown } | { readonly error: unknown };

export class WorkerStates {
  readonly #workerId: number;
  readonly #scopes = new Map<number, WorkerScope>();
  #shared: unknown;

  constructor(workerId: number) {
    this.#workerId = workerId;
    this.add(NO_HOOKS);
  }

  /** What all hooks share from here on: called before the first of them. */
  share(shared: unknown): void {
    this.#shared = shared;
    this.add(NO_HOOKS);
  }

  /** What the calls with these hooks get; `undefined` for one that the worker does not have. */
  get(hooks: number): WorkerScope | undefined {
    return this.#scopes.get(hooks);
  }

  add(hooks: number): void {
    this.#scopes.set(hooks, { workerId: this.#workerId, shared: this.#shared, state: {} });
  }

  drop(hooks: number): void {
    this.#scopes.delete(hooks);
  }

  /** Calls the init or exit function of the hooks, and calls back with the outcome, at once where that is no promise. */
  call(hooks: number, fn: Task, tell: (outcome: HookOutcome) => void): void {
    let result: unknown;
    let pending: boolean;
    try {
      result = fn(this.#scopes.get(hooks));
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
