/** `runWorker`: what a worker of a start method of somebody's own runs. */

import { processChannel } from './internal/protocol/checked.js';
import { isCloneableByProcess } from './internal/protocol/cloneable.js';
import { encodeThrown } from './internal/protocol/errorCodec.js';
import { FromWorker, type MessageToWorker, type WorkerIdentity } from './internal/protocol/messages.js';
import { becomeWorker } from './internal/worker/identity.js';
import { TaskLoop } from './internal/worker/TaskLoop.js';
import type { WorkerChannel } from './StartMethod.js';

/**
 * Makes this process or thread a worker: it does what the pool at the other end of the channel asks for.
 *
 * @param identity What the start method's `start` was given, as it has arrived here.
 * @param channel The way to the pool.
 * @example
 * ```ts
 * const socket = connect(process.env.POOL_SOCKET);
 * runWorker(identity, {
 *   send: (message) => socket.write(frame(message)),
 *   onMessage: (listener) => onFrame(socket, listener),
 *   close: () => socket.end(() => process.exit(0)),
 * });
 * ```
 */
export function runWorker(identity: WorkerIdentity, channel: WorkerChannel): void {
  becomeWorker(identity, (message) => channel.send(message));
  const loop = new TaskLoop({
    workerId: identity.workerId,
    memory: identity.insights ? () => process.memoryUsage.rss() : undefined,
    claims: undefined,
    post: (message, transfer) => channel.send(message, transfer),
    channel: processChannel,
    isCloneable: isCloneableByProcess,
    leave: () => channel.close(),
  });
  channel.onMessage((message) => loop.receive(message as MessageToWorker));
  process.on('exit', () => loop.flush());
  process.on('uncaughtExceptionMonitor', (error) => {
    if (process.listenerCount('uncaughtException') > 0) return; // the program's own handler keeps the worker alive
    channel.send([FromWorker.Fatal, encodeThrown(error, isCloneableByProcess)]);
  });
  channel.send([FromWorker.Ready]);
}
