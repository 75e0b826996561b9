/** The table of start methods that the suite runs over: a new start method is a new row. */

import type { StartMethod } from 'rxjs-parallel-map';

export interface StartMethodRow {
  readonly name: StartMethod;
  /** Whether a worker is a process of its own, with a pid that can be killed. */
  readonly isProcess: boolean;
  /** Whether a worker is a copy of a process that is up already. */
  readonly isCopy: boolean;
  /** Whether a `SharedArrayBuffer` can be sent, and `transfer` really moves. */
  readonly sharesMemory: boolean;
}

const all: readonly StartMethodRow[] = [
  { name: 'threading', isProcess: false, isCopy: false, sharesMemory: true },
  { name: 'spawn', isProcess: true, isCopy: false, sharesMemory: false },
  { name: 'forkserver', isProcess: true, isCopy: true, sharesMemory: false },
  { name: 'fork', isProcess: true, isCopy: true, sharesMemory: false },
];

/** Those that the environment variable `START_METHODS` names, separated by commas; else all. */
export const startMethods = all.filter(({ name }) => (process.env['START_METHODS'] ?? name).split(',').includes(name));

/** Describes the same behaviour for each start method. */
export function describeEach(title: string, body: (row: StartMethodRow) => void): void {
  for (const row of startMethods) {
    describe(`${title} (${row.name})`, () => {
      body(row);
    });
  }
}
