/**
 * The hooks of one worker, and their states. For each of them:
 *
 *     begin ─▶ initializing ─▶ initialized ─▶ exit due ─▶ exiting ─▶ gone
 *
 * Hooks without an init function are initialized at once. Hooks without an exit function go at once.
 */

import type { WorkerHooks } from './WorkerHooks.js';

export class HookState {
  readonly #hooks = new Map<WorkerHooks, 'initializing' | 'initialized'>();
  /** Hooks whose exit function runs as soon as the worker has no chunk. */
  readonly #due: WorkerHooks[] = [];
  #exiting: WorkerHooks | undefined;

  /** All hooks of the worker. */
  get all(): WorkerHooks[] {
    return [...this.#hooks.keys()];
  }

  /** Hooks whose exit function runs. It keeps the worker busy. */
  get exiting(): WorkerHooks | undefined {
    return this.#exiting;
  }

  /** Hooks whose init function runs. */
  get initializing(): WorkerHooks | undefined {
    for (const [hooks, state] of this.#hooks) if (state === 'initializing') return hooks;
    return undefined;
  }

  /** Hooks whose exit function runs next. */
  get nextExit(): WorkerHooks | undefined {
    return this.#due[0];
  }

  has(hooks: WorkerHooks): boolean {
    return this.#hooks.has(hooks);
  }

  isInitializing(hooks: WorkerHooks): boolean {
    return this.#hooks.get(hooks) === 'initializing';
  }

  isInitialized(hooks: WorkerHooks): boolean {
    return this.#hooks.get(hooks) === 'initialized';
  }

  begin(hooks: WorkerHooks): void {
    this.#hooks.set(hooks, hooks.init === undefined ? 'initialized' : 'initializing');
  }

  initDone(hooks: WorkerHooks): void {
    this.#hooks.set(hooks, 'initialized');
  }

  /** The exit function has to run. */
  oweExit(hooks: WorkerHooks): void {
    if (this.#exiting !== hooks && !this.#due.includes(hooks)) this.#due.push(hooks);
  }

  /** It does not have to run after all. */
  cancelExit(hooks: WorkerHooks): void {
    const at = this.#due.indexOf(hooks);
    if (at >= 0) this.#due.splice(at, 1);
  }

  /** It runs. */
  startExit(hooks: WorkerHooks): void {
    this.cancelExit(hooks);
    this.#exiting = hooks;
  }

  /** It has ended. */
  exitDone(): void {
    this.#exiting = undefined;
  }

  /** No exit function can run any more: the worker has ended. */
  cancelExits(): void {
    this.#due.length = 0;
  }

  /** The worker no longer has them. @returns Whether it had them. */
  forget(hooks: WorkerHooks): boolean {
    return this.#hooks.delete(hooks);
  }
}
