/**
 * The warm-up: a process that is copied does once what every worker does first. What is compiled and loaded for that, the copies have, which
 * halves the time that a worker needs to start.
 */

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { processChannel } from '../../protocol/checked.js';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { NO_PLACE } from '../../protocol/claims.js';
import { encodeFrame, FrameReader } from '../../protocol/frames.js';
import { CallMode, FromWorker, NO_HOOKS, ToWorker, type MessageToWorker } from '../../protocol/messages.js';
import { packToWorker, unpackFromWorker, unpackToWorker } from '../../protocol/wire.js';
import type { Host } from '../../worker/Host.js';
import type { TemplateState } from '../../worker/TemplateState.js';
import { TaskLoop } from '../../worker/TaskLoop.js';
import { FunctionTable, type Load } from '../../worker/FunctionTable.js';

const TASK = 0;

const run: MessageToWorker = {
  type: ToWorker.Run,
  chunk: 0,
  task: TASK,
  mode: CallMode.Map,
  hooks: NO_HOOKS,
  indexes: 0,
  values: [1, 2],
  place: NO_PLACE,
  flags: undefined,
};

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
 * The same in a spare copy. It has what is compiled; but each page of its memory that is written to is copied then, and
 * threads that read files begin to exist.
 */
export async function warmUpCopy(): Promise<void> {
  await Promise.all([connectInVain(), work(`warmUpModule.mjs?${process.pid}`)]);
}

/** An address without a listener. The process knows how to read and write from its channel to the program. */
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
      send: (message) => reader.read(encodeFrame(message), (answer) => hear(answer as unknown[])),
    };
    const prepared = { functions: new Loaded(), tasks: new Map([[TASK, undefined]]), shared: undefined };
    const loop = new TaskLoop(host, module === undefined ? (prepared as unknown as TemplateState) : undefined);
    const say = (message: MessageToWorker): void => {
      new FrameReader().read(encodeFrame(packToWorker(message)), (heard) =>
        loop.receive(unpackToWorker(heard as unknown[])),
      );
    };
    const hear = (packed: unknown[]): void => {
      if (unpackFromWorker(packed).type === FromWorker.Defined) say(run);
      else say({ type: ToWorker.Leave });
    };
    if (module === undefined) {
      loop.tellPrepared();
      return;
    }
    const url = new URL(`./${module}`, import.meta.url).href;
    say({
      type: ToWorker.Define,
      task: TASK,
      portable: { kind: 'module', name: 'default', url, exportName: 'default', imports: true },
    });
  });
}
