/** What exit functions have returned, until other calls begin. */

import type { WorkerHooks } from './WorkerHooks.js';

interface ExitResult {
  readonly hooks: WorkerHooks;
  readonly workerId: number;
  readonly value: unknown;
}

export class ExitResults {
  #results: ExitResult[] = [];

  /** Forgets those of other hooks. */
  keep(isWanted: (hooks: WorkerHooks) => boolean): void {
    this.#results = this.#results.filter(({ hooks }) => isWanted(hooks));
  }

  add(hooks: WorkerHooks, workerId: number, value: unknown): void {
    this.#results.push({ hooks, workerId, value });
  }

  /** All of them, or those of some hooks: hooks in the order in which they were made, then by worker, then by time. */
  list(hooks?: WorkerHooks): unknown[] {
    return this.#results
      .filter((result) => hooks === undefined || result.hooks === hooks)
      .sort((a, b) => a.hooks.id - b.hooks.id || a.workerId - b.workerId)
      .map(({ value }) => value);
  }
}
