/** What exit functions have returned, until other calls begin. */

import type { Duty } from './Duty.js';

interface ExitResult {
  readonly duty: Duty;
  readonly workerId: number;
  readonly value: unknown;
}

export class ExitResults {
  #results: ExitResult[] = [];

  /** Forgets those of other duties. */
  keep(isWanted: (duty: Duty) => boolean): void {
    this.#results = this.#results.filter(({ duty }) => isWanted(duty));
  }

  add(duty: Duty, workerId: number, value: unknown): void {
    this.#results.push({ duty, workerId, value });
  }

  /** All of them, or those of one duty: duty by duty in the order in which they were made, then by worker, then by time. */
  list(duty?: Duty): unknown[] {
    return this.#results
      .filter((result) => duty === undefined || result.duty === duty)
      .sort((a, b) => a.duty.id - b.duty.id || a.workerId - b.workerId)
      .map(({ value }) => value);
  }
}
