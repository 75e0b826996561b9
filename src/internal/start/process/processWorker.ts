/** What every worker process does, however it was started: it runs a task loop on its own channel. `process.send` stays the user's. */

import type { Socket } from 'node:net';
import { encodeThrown } from '../../protocol/errorCodec.js';
import { processChannel } from '../../protocol/checked.js';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { Claims } from '../../protocol/claims.js';
import { encodeFrame, FrameReader } from '../../protocol/frames.js';
import {
  FromWorker,
  ToWorker,
  type MessageFromWorker,
  type MessageToWorker,
  type WorkerIdentity,
} from '../../protocol/messages.js';
import { packFromWorker, unpackToWorker } from '../../protocol/wire.js';
import { ChannelWriter } from './ChannelWriter.js';
import { leaveSignalsToProgram } from './leaveSignals.js';
import { writeOutputAtOnce } from './output.js';
import type { Host } from '../../worker/Host.js';
import { pin } from '../../posix/cpus.js';
import { mapShared } from '../../posix/sharedMemory.js';
import { becomeWorker } from '../../worker/identity.js';
import type { TemplateState } from '../../worker/TemplateState.js';
import { TaskLoop } from '../../worker/TaskLoop.js';

/** Makes this process a worker. @param prepared What it has from the process of which it is a copy. */
export function runProcessWorker(identity: WorkerIdentity, channel: Socket, prepared?: TemplateState): void {
  const { exit } = process; // user code may replace globals
  becomeWorker(identity, (message) => post(message));
  if (identity.name !== undefined) process.title = identity.name;
  leaveSignalsToProgram();
  if (prepared === undefined) writeOutputAtOnce(); // its original has done so

  const reader = new FrameReader();
  const writer = new ChannelWriter(channel);
  const send = (message: readonly unknown[]): void => writer.write(encodeFrame(message)); // which throws before anything is sent
  const post = (message: MessageFromWorker): void => send(packFromWorker(message));

  let claims: Claims | undefined;
  const host: Host = {
    workerId: identity.workerId,
    memory: identity.insights ? () => process.memoryUsage.rss() : undefined,
    get claims() {
      return claims;
    },
    send,
    channel: processChannel,
    isCloneable: isCloneableByProcess,
    leave: () => writer.end(() => exit.call(process, 0)),
  };
  const loop = new TaskLoop(host, prepared);

  const receive = (message: MessageToWorker): void => {
    if (message.type !== ToWorker.Claim) {
      loop.receive(message);
      return;
    }
    try {
      claims = new Claims(mapShared(message.place));
    } catch {
      post({ type: FromWorker.ClaimFailed }); // then values are asked back by messages
    }
  };
  channel.on('data', (bytes) => reader.read(bytes, (message) => receive(unpackToWorker(message as unknown[]))));
  channel.on('error', () => exit.call(process, 1));
  channel.on('close', () => exit.call(process, 0));
  process.on('exit', () => {
    loop.flush();
    writer.drain();
  });
  process.on('uncaughtExceptionMonitor', (error) => {
    if (process.listenerCount('uncaughtException') > 0) return; // the user's own handler keeps the worker alive
    post({ type: FromWorker.Fatal, thrown: encodeThrown(error, isCloneableByProcess) });
  });
  if (identity.cpuIds !== undefined) pin(identity.cpuIds, 'process');
  post({ type: FromWorker.Ready });
  loop.tellPrepared();
}
