/** `threading`: a worker is a thread of this process, with a heap and an event loop of its own. */

import { DRAIN_TIME } from '../../protocol/tuning.js';
import { clearTimeout, now, setTimeout } from '../../platform/globals.js';
import { bringHome } from '../../platform/realm.js';
import type { Readable } from 'node:stream';
import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type ResourceLimits as NodeResourceLimits,
  type WorkerOptions,
} from 'node:worker_threads';
import { runtimeUrl } from '../../runtimeUrl.js';
import { workerOptions } from '../../options/poolOptions.js';
import { threadChannel } from '../../protocol/checked.js';
import { isCloneableByThread } from '../../protocol/cloneable.js';
import { CLAIM_PLACES, Claims } from '../../protocol/claims.js';
import { refuseUsedUp } from '../../protocol/usedUp.js';
import { createPassedOn, passOn } from './output.js';
import type { ThreadData } from './thread.js';
import { threadExecArgv } from '../process/execArgv.js';
import { refusalOfThread } from '../process/refusedFlags.js';
import type { PoolStartMethod, PoolLink } from '../../core/StartMethod.js';

/** How long the last output of a worker may take, in milliseconds. */
const OUTPUT_TIME = 1000;

export const threading: PoolStartMethod = {
  name: 'threading',
  options: workerOptions,
  isCloneable: isCloneableByThread,
  channel: threadChannel,

  start(identity, { env, argv, execArgv, resourceLimits, name }, events): PoolLink {
    const { port1: port, port2: workerPort } = new MessageChannel();
    const words = new Int32Array(new SharedArrayBuffer(CLAIM_PLACES * Int32Array.BYTES_PER_ELEMENT));
    const claims = new Claims(words);
    const passedOn = createPassedOn();
    const data: ThreadData = { port: workerPort, identity, claims: words, passedOn };
    const worker = startThread(execArgv, {
      workerData: data,
      transferList: [workerPort],
      execArgv: execArgv === undefined ? threadExecArgv(process.execArgv) : [...execArgv],
      argv: [...argv],
      ...(env === undefined ? {} : { env }),
      ...(resourceLimits === undefined ? {} : { resourceLimits: resourceLimits as NodeResourceLimits }),
      ...(name === undefined ? {} : { name }),
    });
    passOn(worker, passedOn);
    let error: unknown;

    /** A message that cannot be read is lost, and with it the worker: who waits for it has to hear so. */
    const giveUp = (reason: unknown): void => {
      error = reason;
      void worker.terminate();
    };
    /** Takes what has arrived, for a bounded time. */
    const drain = (until: number): void => {
      try {
        do {
          const next = receiveMessageOnPort(port) as { message: unknown[] } | undefined;
          if (next === undefined) return;
          events.message(bringHome(next.message));
        } while (now() < until);
      } catch (reason) {
        giveUp(reason);
      }
    };

    port.on('message', (message: unknown[]) => {
      events.message(bringHome(message));
      drain(now() + DRAIN_TIME);
    });
    port.on('messageerror', giveUp);
    worker.on('error', (reason) => {
      error ??= reason;
    });
    worker.on('exit', (exitCode) => {
      drain(Infinity); // what it has said before its end counts, and may still be under way
      port.close();
      // What it has printed is on its way through this thread.
      whenRead([worker.stdout, worker.stderr], () => events.exit({ exitCode, signal: null, error }));
    });
    worker.unref();
    port.unref();

    return {
      send: (message, transfer) => {
        if (transfer !== undefined) refuseUsedUp(transfer);
        port.postMessage(message, transfer as never);
      },
      kill: () => void worker.terminate(),
      claims: () => claims,
    };
  },
};

function startThread(execArgv: readonly string[] | undefined, options: WorkerOptions): Worker {
  try {
    return new Worker(runtimeUrl('threading/thread'), options);
  } catch (error) {
    throw refusalOfThread(error, execArgv);
  }
}

/** Calls back when streams are read to their end; after a second at the latest, for the program's output may stall. */
function whenRead(streams: readonly Readable[], callback: () => void): void {
  let open = 0;
  const timer = setTimeout(() => done(), OUTPUT_TIME);
  const done = (): void => {
    if (open < 0) return;
    open = -1;
    clearTimeout(timer);
    callback();
  };
  for (const stream of streams) {
    if (stream.readableEnded || stream.destroyed) continue;
    open++;
    stream.once('close', () => {
      if (--open === 0) done();
    });
  }
  if (open === 0) done();
}
