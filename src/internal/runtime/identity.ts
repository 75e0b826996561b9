/** How a worker knows that it is one: a mark on `globalThis`, which every copy of this package in it can see. */

import type { WorkerIdentity } from '../channel/messages.js';

const mark = Symbol.for('rxjs-parallel-map.worker');

const printMark = Symbol.for('rxjs-parallel-map.print');

/**
 * Marks this thread or process as a worker.
 *
 * @param print Has the program print a line.
 */
export function becomeWorker(identity: WorkerIdentity, print: (text: string) => void): void {
  Object.defineProperty(globalThis, mark, { value: Object.freeze({ ...identity }), configurable: true });
  Object.defineProperty(globalThis, printMark, { value: print, configurable: true });
}

/** Has the program print a line; `undefined` in the program itself. */
export function workerPrint(): ((text: string) => void) | undefined {
  return (globalThis as { [printMark]?: (text: string) => void })[printMark];
}

/** The worker that this code runs in, or `undefined` in the program itself. */
export function currentWorker(): WorkerIdentity | undefined {
  return (globalThis as { [mark]?: WorkerIdentity })[mark];
}
