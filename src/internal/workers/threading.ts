/** `threading`: a worker is a thread of this process, with a heap and an event loop of its own. */

import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { runtimeUrl } from '../../runtimeUrl.js';
import { isCloneableByThread } from '../channel/cloneable.js';
import type { MessageFromWorker } from '../channel/messages.js';
import { threadExecArgv } from './execArgv.js';
import type { StartMethodStrategy, WorkerLink } from './StartMethod.js';

/** So many milliseconds at most go by taking message after message before the event loop turns. */
const DRAIN_TIME = 4;

export const threading: StartMethodStrategy = {
  name: 'threading',
  isCloneable: isCloneableByThread,

  start(identity, events): WorkerLink {
    const { port1: port, port2: workerPort } = new MessageChannel();
    const worker = new Worker(runtimeUrl('thread'), {
      workerData: { port: workerPort, identity },
      transferList: [workerPort],
      execArgv: threadExecArgv(process.execArgv),
    });
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
          const next = receiveMessageOnPort(port) as { message: MessageFromWorker } | undefined;
          if (next === undefined) return;
          events.message(next.message);
        } while (performance.now() < until);
      } catch (reason) {
        giveUp(reason);
      }
    };

    port.on('message', (message: MessageFromWorker) => {
      events.message(message);
      drain(performance.now() + DRAIN_TIME);
    });
    port.on('messageerror', giveUp);
    worker.on('error', (reason) => {
      error ??= reason;
    });
    worker.on('exit', (exitCode) => {
      drain(Infinity); // what it has said before its end counts, and may still be under way
      port.close();
      events.exit({ exitCode, signal: null, error });
    });
    worker.unref();
    port.unref();

    return {
      send: (message, transfer) => port.postMessage(message, transfer as never),
      kill: () => void worker.terminate(),
    };
  },
};
