/** `runWorker`: runs a worker of a custom start method. */

import { processChannel } from './internal/protocol/checked.js';
import { isCloneableByProcess } from './internal/protocol/cloneable.js';
import { encodeThrown } from './internal/protocol/errorCodec.js';
import { FromWorker, type MessageFromWorker, type WorkerIdentity } from './internal/protocol/messages.js';
import { packFromWorker, unpackToWorker } from './internal/protocol/wire.js';
import { becomeWorker } from './internal/worker/identity.js';
import { TaskLoop } from './internal/worker/TaskLoop.js';
import type { WorkerChannel } from './StartMethod.js';

/**
 * Turns this process or thread into a worker of the pool at the other end of the channel.
 *
 * @param identity The `identity` that the start method's `start` got.
 * @param channel The channel to the pool.
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
  const send = (message: readonly unknown[], transfer?: readonly object[]): void => channel.send(message, transfer);
  const post = (message: MessageFromWorker): void => send(packFromWorker(message));
  becomeWorker(identity, post);
  const loop = new TaskLoop({
    workerId: identity.workerId,
    memory: identity.insights ? () => process.memoryUsage.rss() : undefined,
    claims: undefined,
    send,
    channel: processChannel,
    isCloneable: isCloneableByProcess,
    leave: () => channel.close(),
  });
  channel.onMessage((message) => loop.receive(unpackToWorker(message as unknown[])));
  process.on('exit', () => loop.flush());
  process.on('uncaughtExceptionMonitor', (error) => {
    if (process.listenerCount('uncaughtException') > 0) return; // the program's own handler keeps the worker alive
    post({ type: FromWorker.Fatal, thrown: encodeThrown(error, isCloneableByProcess) });
  });
  post({ type: FromWorker.Ready });
}
