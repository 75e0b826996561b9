/** How a worker knows that it is one: a mark on `globalThis`, which every copy of this package in it can see. */

import { FromWorker, type MessageFromWorker, type RemoteBar, type WorkerIdentity } from '../protocol/messages.js';

const mark = Symbol.for('rxjs-parallel-map.worker');

const outputMark = Symbol.for('rxjs-parallel-map.output');

/** What a worker has its program show. */
export interface WorkerOutput {
  /** Prints a line. */
  print(this: void, text: string): void;
  /** Shows how far a call is. */
  bar(this: void, bar: RemoteBar): void;
}

/**
 * Marks this thread or process as a worker.
 *
 * @param post Sends a message to the program.
 */
export function becomeWorker(identity: WorkerIdentity, post: (message: MessageFromWorker) => void): void {
  const output: WorkerOutput = {
    print: (text) => post({ type: FromWorker.Print, text }),
    bar: (bar) => post({ type: FromWorker.Bar, bar }),
  };
  Object.defineProperty(globalThis, mark, { value: Object.freeze({ ...identity }), configurable: true });
  Object.defineProperty(globalThis, outputMark, { value: output, configurable: true });
}

/** What the program shows for this worker; `undefined` in the program itself. */
export function workerOutput(): WorkerOutput | undefined {
  return (globalThis as { [outputMark]?: WorkerOutput })[outputMark];
}

/** The worker that this code runs in, or `undefined` in the program itself. */
export function currentWorker(): WorkerIdentity | undefined {
  return (globalThis as { [mark]?: WorkerIdentity })[mark];
}
