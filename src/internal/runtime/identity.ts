/** How a worker knows that it is one: a mark on `globalThis`, which every copy of this package in it can see. */

import type { WorkerIdentity } from '../channel/messages.js';

const mark = Symbol.for('rxjs-parallel-map.worker');

/** Marks this thread or process as a worker. */
export function becomeWorker(identity: WorkerIdentity): void {
  Object.defineProperty(globalThis, mark, { value: Object.freeze({ ...identity }), configurable: true });
}

/** The worker that this code runs in, or `undefined` in the program itself. */
export function currentWorker(): WorkerIdentity | undefined {
  return (globalThis as { [mark]?: WorkerIdentity })[mark];
}
