/**
 * A process that is copied does once what every worker does first: what is compiled and loaded for that, the copies have. It halves the
 * time that a worker needs to start.
 */

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { processChannel } from '../../protocol/checked.js';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { NO_PLACE } from '../../protocol/claims.js';
import { encodeFrame, FrameReader } from '../../protocol/frames.js';
import {
  CallMode,
  FromWorker,
  NO_HOOKS,
  ToWorker,
  type MessageFromWorker,
  type MessageToWorker,
} from '../../protocol/messages.js';
import type { Host } from '../../worker/Host.js';
import type { TemplateState } from '../../worker/TemplateState.js';
import { TaskLoop } from '../../worker/TaskLoop.js';
import { FunctionTable, type Load } from '../../worker/FunctionTable.js';

const TASK = 0;

/** Modules of both kinds: Node has code of its own for each, of which much is compiled when it is first needed. */
const modules = ['warmUpModule.cjs', 'warmUpModule.mjs'];

/** Plays a worker with a task. */
export async function warmUp(): Promise<void> {
  await Promise.all([connectInVain(), ...modules.map(work)]);
}

/** The same where what workers need is loaded anyway: 7 ms instead of 23. */
export async function warmUpWithoutModules(): Promise<void> {
  await Promise.all([connectInVain(), work()]);
}

/** A function that is there from the start. */
class Loaded extends FunctionTable {
  override get(): Load {
    return { state: 'loaded', task: (value) => value };
  }
}

/**
 * The same in a copy that nobody wants yet. It has what is compiled; but each page of its memory that is written to is copied then, and
 * threads that read files begin to exist.
 */
export async function warmUpCopy(): Promise<void> {
  await Promise.all([connectInVain(), work(`warmUpModule.mjs?${process.pid}`)]);
}

/** To where nobody listens: how to read and write it knows from the channel to the program. */
function connectInVain(): Promise<void> {
  const address = `\0rxjs-parallel-map-${process.pid}-warm-up-${randomBytes(8).toString('hex')}`; // of bytes nothing is kept in store
  return new Promise((resolve) => {
    const channel = connect(address);
    channel
      .on('data', () => undefined)
      .on('error', () => undefined)
      .on('close', () => resolve());
    channel.write('');
  });
}

/** @param module What the task is in; without one, nothing is loaded. */
function work(module?: string): Promise<void> {
  return new Promise((resolve) => {
    const reader = new FrameReader();
    const host: Host = {
      workerId: 0,
      memory: undefined,
      claims: undefined,
      channel: processChannel,
      isCloneable: isCloneableByProcess,
      leave: resolve,
      post: (message) => reader.read(encodeFrame(message), (answer) => hear(answer as MessageFromWorker)),
    };
    const prepared = { functions: new Loaded(), tasks: new Map([[TASK, undefined]]), shared: undefined };
    const loop = new TaskLoop(host, module === undefined ? (prepared as unknown as TemplateState) : undefined);
    const say = (message: MessageToWorker): void => {
      new FrameReader().read(encodeFrame(message), (heard) => loop.receive(heard as MessageToWorker));
    };
    const hear = ([type]: MessageFromWorker): void => {
      if (type === FromWorker.Defined) say([ToWorker.Run, 0, TASK, CallMode.Map, NO_HOOKS, 0, [1, 2], NO_PLACE]);
      else say([ToWorker.Leave]);
    };
    if (module === undefined) {
      loop.tellPrepared();
      return;
    }
    const url = new URL(`./${module}`, import.meta.url).href;
    say([ToWorker.Define, TASK, { kind: 'module', name: 'default', url, exportName: 'default', imports: true }]);
  });
}
