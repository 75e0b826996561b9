/** The results of exit functions, until other calls begin. */

import type { WorkerHooks } from './WorkerHooks.js';

/** Not the hooks themselves, for their functions may hold a lot of memory. */
interface ExitResult {
  readonly hooksId: number;
  readonly areKept: boolean;
  readonly workerId: number;
  readonly value: unknown;
}

export class ExitResults {
  #results: ExitResult[] = [];

  /** Forgets those of other hooks. @param areKept Whether the hooks are kept. */
  keep(isWanted: (hooksId: number, areKept: boolean) => boolean): void {
    this.#results = this.#results.filter(({ hooksId, areKept }) => isWanted(hooksId, areKept));
  }

  add({ id, isKept }: WorkerHooks, workerId: number, value: unknown): void {
    this.#results.push({ hooksId: id, areKept: isKept, workerId, value });
  }

  /** All results, or those of some hooks. In the order in which the hooks were made, then by worker, then by time. */
  list(hooks?: WorkerHooks): unknown[] {
    return this.#results
      .filter(({ hooksId }) => hooks === undefined || hooksId === hooks.id)
      .sort((a, b) => a.hooksId - b.hooksId || a.workerId - b.workerId)
      .map(({ value }) => value);
  }
}
