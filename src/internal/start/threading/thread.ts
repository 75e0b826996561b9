/** The entry of a `threading` worker: a task loop on a message port of its own; `parentPort` stays the user's. */

import { DRAIN_TIME } from '../../protocol/tuning.js';
import { now, setImmediate } from '../../platform/globals.js';
import { receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { encodeThrown } from '../../protocol/errorCodec.js';
import { threadChannel } from '../../protocol/checked.js';
import { isCloneableByThread } from '../../protocol/cloneable.js';
import { Claims } from '../../protocol/claims.js';
import { FromWorker, type MessageToWorker, type WorkerIdentity } from '../../protocol/messages.js';
import { refuseUsedUp } from '../../protocol/usedUp.js';
import { pin } from '../../posix/cpus.js';
import { becomeWorker } from '../../worker/identity.js';
import { TaskLoop } from '../../worker/TaskLoop.js';

/** What `threading` passes as `workerData`. */
export interface ThreadData {
  readonly port: MessagePort;
  readonly identity: WorkerIdentity;
  /** Memory for claims. */
  readonly claims: Int32Array;
}

const { port, identity, claims } = workerData as ThreadData;
const { exit } = process; // user code may replace globals

becomeWorker(identity, (message) => port.postMessage(message));
unqueueOutput(process.stdout);
unqueueOutput(process.stderr);

const loop = new TaskLoop({
  workerId: identity.workerId,
  memory: identity.insights ? memoryOfThread : undefined,
  claims: new Claims(claims),
  post: (message, transfer) => {
    if (transfer !== undefined) refuseUsedUp(transfer);
    port.postMessage(message, transfer as never);
  },
  channel: threadChannel,
  isCloneable: isCloneableByThread,
  // What the last task has queued comes first, as in a process.
  leave: () => setImmediate(() => exit.call(process, 0)),
});

port.on('message', (message: MessageToWorker) => {
  loop.receive(message);
  // Taking what else has arrived spares an event per message, which is what a message mostly costs.
  const start = now();
  do {
    const next = receiveMessageOnPort(port) as { message: MessageToWorker } | undefined;
    if (next === undefined) return;
    loop.receive(next.message);
  } while (now() - start < DRAIN_TIME);
});
port.on('messageerror', (error) => {
  throw error; // a lost message cannot be answered: whoever waits for that has to hear of the worker's end
});
process.on('exit', () => loop.flush());
process.on('uncaughtExceptionMonitor', (error) => {
  if (process.listenerCount('uncaughtException') > 0) return; // the user's own handler keeps the worker alive
  port.postMessage([FromWorker.Fatal, encodeThrown(error, isCloneableByThread)]);
});
if (identity.cpuIds !== undefined) pin(identity.cpuIds, 'thread');
port.postMessage([FromWorker.Ready]);

/** What is of this thread alone, unlike the size of the process. */
function memoryOfThread(): number {
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + external;
}

/**
 * A thread's output waits for the main thread to take each piece before it sends the next, and what waits is lost when
 * the thread is ended. Sent at once, it arrives before the result that follows it.
 */
function unqueueOutput(stream: NodeJS.WriteStream): void {
  type Write = (chunks: unknown, callback: () => void) => void;
  const queued = stream as unknown as { _writev?: Write };
  const { _writev: send } = queued;
  if (send === undefined) return;
  queued._writev = (chunks, callback) => {
    send.call(stream, chunks, () => undefined);
    callback();
  };
}
