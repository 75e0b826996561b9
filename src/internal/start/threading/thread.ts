/** The entry of a `threading` worker: a task loop on a message port of its own; `parentPort` stays the user's. */

import { DRAIN_TIME } from '../../protocol/tuning.js';
import { now, setImmediate } from '../../platform/globals.js';
import { receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { encodeThrown } from '../../protocol/errorCodec.js';
import { threadChannel } from '../../protocol/checked.js';
import { isCloneableByThread } from '../../protocol/cloneable.js';
import { Claims } from '../../protocol/claims.js';
import { FromWorker, type MessageFromWorker, type WorkerIdentity } from '../../protocol/messages.js';
import { packFromWorker, unpackToWorker } from '../../protocol/wire.js';
import { refuseUsedUp } from '../../protocol/usedUp.js';
import { pin } from '../../posix/cpus.js';
import { becomeWorker } from '../../worker/identity.js';
import { TaskLoop } from '../../worker/TaskLoop.js';
import { sendOutputAtOnce, type PassedOn } from './output.js';

/** What `threading` passes as `workerData`. */
export interface ThreadData {
  readonly port: MessagePort;
  readonly identity: WorkerIdentity;
  /** Memory for claims. */
  readonly claims: Int32Array;
  /** How much of its output the program has passed on. */
  readonly passedOn: PassedOn;
}

const { port, identity, claims, passedOn } = workerData as ThreadData;
const { exit } = process; // user code may replace globals

const send = (message: readonly unknown[], transfer?: readonly object[]): void => {
  if (transfer !== undefined) refuseUsedUp(transfer);
  port.postMessage(message, transfer as never);
};
const post = (message: MessageFromWorker): void => send(packFromWorker(message));

becomeWorker(identity, post);
sendOutputAtOnce(passedOn);

const loop = new TaskLoop({
  workerId: identity.workerId,
  memory: identity.insights ? memoryOfThread : undefined,
  claims: new Claims(claims),
  send,
  channel: threadChannel,
  isCloneable: isCloneableByThread,
  // What the last task has queued comes first, as in a process.
  leave: () => setImmediate(() => exit.call(process, 0)),
});

port.on('message', (message: unknown[]) => {
  loop.receive(unpackToWorker(message));
  // Taking what else has arrived spares an event per message, which is what a message mostly costs.
  const start = now();
  do {
    const next = receiveMessageOnPort(port) as { message: unknown[] } | undefined;
    if (next === undefined) return;
    loop.receive(unpackToWorker(next.message));
  } while (now() - start < DRAIN_TIME);
});
port.on('messageerror', (error) => {
  throw error; // a lost message cannot be answered: the pool has to hear of the worker's end
});
process.on('exit', () => loop.flush());
process.on('uncaughtExceptionMonitor', (error) => {
  if (process.listenerCount('uncaughtException') > 0) return; // the user's own handler keeps the worker alive
  post({ type: FromWorker.Fatal, thrown: encodeThrown(error, isCloneableByThread) });
});
if (identity.cpuIds !== undefined) pin(identity.cpuIds, 'thread');
post({ type: FromWorker.Ready });

/** What is of this thread alone, unlike the size of the process. */
function memoryOfThread(): number {
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + external;
}
