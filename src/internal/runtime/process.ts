/** The entry of a `spawn` worker: a task loop on a pipe of its own; `process.send` stays the user's. */

import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { encodeThrown } from '../channel/errorCodec.js';
import { isCloneableByProcess } from '../channel/cloneable.js';
import { encodeFrame, FrameReader } from '../channel/frames.js';
import { FromWorker, type MessageToWorker, type WorkerIdentity } from '../channel/messages.js';
import { becomeWorker } from './identity.js';
import { Output } from './Output.js';
import { TaskLoop } from './TaskLoop.js';

/** What `spawn` passes as the first argument, in JSON. */
export interface ProcessData {
  readonly identity: WorkerIdentity;
  /** Whether the worker has to watch by itself that its program lives: where no guard does. */
  readonly watch: boolean;
}

/** The file descriptor of the channel. */
const CHANNEL = 3;
/** The file descriptor of a pipe that says nothing, and closes when the program ends. */
const LIFELINE = 4;

const { identity, watch } = JSON.parse(process.argv.splice(2, 1)[0] as string) as ProcessData;
const { exit } = process; // user code may replace globals

becomeWorker(identity);
if (watch) watchProgram();
// Ctrl-C reaches the whole process group. The program decides what it means; its end is the worker's end.
process.on('SIGINT', () => undefined);

const channel = new Socket({ fd: CHANNEL });
const reader = new FrameReader();
const output = new Output();
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

function write(frame: Buffer): void {
  if (channel.writable) channel.write(frame);
}

const loop = new TaskLoop({
  workerId: identity.workerId,
  post: send,
  isCloneable: isCloneableByProcess,
  leave: () => output.whenOut(() => channel.end(() => exit.call(process, 0))),
});

channel.on('data', (bytes) => reader.read(bytes, (message) => loop.receive(message as MessageToWorker)));
channel.on('error', () => exit.call(process, 1));
channel.on('close', () => exit.call(process, 0));
process.on('exit', () => {
  loop.flush();
  waiting.splice(0).forEach(write);
});
process.on('uncaughtExceptionMonitor', (error) => {
  if (process.listenerCount('uncaughtException') > 0) return; // the user's own handler keeps the worker alive
  send([FromWorker.Fatal, encodeThrown(error, isCloneableByProcess)]);
});
send([FromWorker.Ready]);

/** Ends this process when the lifeline closes, also while its main thread is in an endless loop: hence a thread. */
function watchProgram(): void {
  const watcher = new Worker(
    `const { Socket } = require('node:net');
     const end = () => process.kill(process.pid, 'SIGKILL');
     new Socket({ fd: ${LIFELINE}, readable: true, writable: false }).on('close', end).on('error', end).resume();`,
    { eval: true, env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 } },
  );
  watcher.unref();
}
