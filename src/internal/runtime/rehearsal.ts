/**
 * A process that is copied does once what every worker does first: what is compiled and loaded for that, the copies have. It halves the
 * time that a worker needs to start.
 */

import { connect } from 'node:net';
import { isCloneableByProcess } from '../channel/cloneable.js';
import { NO_PLACE } from '../channel/claims.js';
import { encodeFrame, FrameReader } from '../channel/frames.js';
import {
  CallMode,
  FromWorker,
  NO_DUTY,
  ToWorker,
  type MessageFromWorker,
  type MessageToWorker,
} from '../channel/messages.js';
import { prepareRandom, reseed } from '../posix/randomness.js';
import { TaskLoop } from './TaskLoop.js';

const TASK = 0;

/** Plays a worker with one task. @param address Where workers connect to: whoever listens there hangs up on a stranger. */
export async function rehearse(address: string): Promise<void> {
  reseed(prepareRandom());
  await Promise.all([connectOnce(address), workOnce()]);
}

function connectOnce(address: string): Promise<void> {
  return new Promise((resolve) => {
    const channel = connect(address);
    channel
      .on('data', () => undefined)
      .on('error', () => undefined)
      .on('close', () => resolve());
    channel.end(Buffer.alloc(1));
  });
}

function workOnce(): Promise<void> {
  return new Promise((resolve) => {
    const reader = new FrameReader();
    const loop = new TaskLoop({
      workerId: 0,
      memory: undefined,
      claims: undefined,
      isCloneable: isCloneableByProcess,
      leave: resolve,
      post: (message) => reader.read(encodeFrame(message), (answer) => hear(answer as MessageFromWorker)),
    });
    const say = (message: MessageToWorker): void => {
      new FrameReader().read(encodeFrame(message), (heard) => loop.receive(heard as MessageToWorker));
    };
    const hear = ([type]: MessageFromWorker): void => {
      if (type === FromWorker.Defined) say([ToWorker.Run, 0, TASK, CallMode.Map, NO_DUTY, 0, [1, 2], NO_PLACE]);
      else say([ToWorker.Leave]);
    };
    const url = new URL('./rehearsed.cjs', import.meta.url).href;
    say([ToWorker.Define, TASK, { kind: 'module', name: 'default', url, exportName: 'default', imports: true }]);
  });
}
