/** What every worker process does, however it was started: a task loop on a channel of its own; `process.send` stays the user's. */

import type { Socket } from 'node:net';
import { encodeThrown } from '../../protocol/errorCodec.js';
import { processChannel } from '../../protocol/checked.js';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { Claims } from '../../protocol/claims.js';
import { encodeFrame, FrameReader } from '../../protocol/frames.js';
import { FromWorker, ToWorker, type MessageToWorker, type WorkerIdentity } from '../../protocol/messages.js';
import { ChannelWriter } from './ChannelWriter.js';
import type { Host } from '../../worker/Host.js';
import { pin } from '../../posix/cpus.js';
import { mapShared } from '../../posix/sharedMemory.js';
import { becomeWorker } from '../../worker/identity.js';
import { Output } from '../../worker/Output.js';
import type { TemplateState } from '../../worker/TemplateState.js';
import { TaskLoop } from '../../worker/TaskLoop.js';

/** Makes this process a worker. @param prepared What it has from the process of which it is a copy. */
export function runProcessWorker(identity: WorkerIdentity, channel: Socket, prepared?: TemplateState): void {
  const { exit } = process; // user code may replace globals
  becomeWorker(identity, (message) => send(message));
  if (identity.name !== undefined) process.title = identity.name;
  // Ctrl-C reaches the whole process group. The program decides what it means; its end is the worker's end.
  process.on('SIGINT', () => undefined);

  const reader = new FrameReader();
  const output = prepared?.output ?? new Output();
  const writer = new ChannelWriter(channel);
  const write = (frame: Buffer): void => writer.write(frame);
  /** Frames that wait for the output before them. */
  const waiting: Buffer[] = [];
  const send = (message: unknown): void => {
    const frame = encodeFrame(message); // which throws before anything is sent
    if (waiting.length === 0 && !output.isPending) {
      write(frame);
      return;
    }
    // What was printed before a result is to be out before it: whoever gets the result may end this worker.
    if (waiting.push(frame) === 1) output.whenOut(() => waiting.splice(0).forEach(write));
  };

  let claims: Claims | undefined;
  const host: Host = {
    workerId: identity.workerId,
    memory: identity.insights ? () => process.memoryUsage.rss() : undefined,
    get claims() {
      return claims;
    },
    post: send,
    channel: processChannel,
    isCloneable: isCloneableByProcess,
    leave: () => output.whenOut(() => writer.end(() => exit.call(process, 0))),
  };
  const loop = new TaskLoop(host, prepared);

  const receive = (message: MessageToWorker): void => {
    if (message[0] !== ToWorker.Claim) {
      loop.receive(message);
      return;
    }
    try {
      claims = new Claims(mapShared(message[1]));
    } catch {
      send([FromWorker.ClaimFailed]); // then values are asked back by messages
    }
  };
  channel.on('data', (bytes) => reader.read(bytes, (message) => receive(message as MessageToWorker)));
  channel.on('error', () => exit.call(process, 1));
  channel.on('close', () => exit.call(process, 0));
  process.on('exit', () => {
    loop.flush();
    waiting.splice(0).forEach(write);
    writer.drain();
  });
  process.on('uncaughtExceptionMonitor', (error) => {
    if (process.listenerCount('uncaughtException') > 0) return; // the user's own handler keeps the worker alive
    send([FromWorker.Fatal, encodeThrown(error, isCloneableByProcess)]);
  });
  if (identity.cpuIds !== undefined) pin(identity.cpuIds, 'process');
  send([FromWorker.Ready]);
  loop.tellPrepared();
}
