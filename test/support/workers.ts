/**
 * Sees the workers that the tests of a suite start: threads and processes by what Node itself says of them, and those of which
 * Node knows nothing by what the package says.
 */

import type { ChildProcess } from 'node:child_process';
import { once, type EventEmitter } from 'node:events';
import { subscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';

interface Started {
  /** Whether it is a worker: a program's child may be something else. Known only once it has been started. */
  isWorker(): boolean;
  alive: boolean;
  readonly ended: Promise<unknown>;
}

const all: Started[] = [];

subscribe('worker_threads', (message) => {
  const { worker } = message as { worker: Worker };
  add(worker, () => true);
});
subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess };
  add(child, () => child.spawnargs.some((arg) => arg.includes('"workerId"')));
});

const copies = new Map<number, () => void>();
subscribe('rxjs-parallel-map:worker:start', (message) => {
  const { serial, startMethod } = message as { serial: number; startMethod: string };
  if (!startMethod.startsWith('fork') && startMethod !== 'inline') return;
  const started: Started = {
    isWorker: () => true,
    alive: true,
    ended: new Promise<void>((resolve) => {
      copies.set(serial, () => {
        started.alive = false;
        resolve();
      });
    }),
  };
  all.push(started);
});
subscribe('rxjs-parallel-map:worker:exit', (message) => {
  const { serial } = message as { serial: number };
  copies.get(serial)?.();
  copies.delete(serial);
});

function add(worker: Worker | ChildProcess, isWorker: () => boolean): void {
  const ended = once(worker, 'exit');
  const started: Started = { isWorker, alive: true, ended };
  // First of all listeners, so that it holds for whoever hears of the end.
  (worker as EventEmitter).prependListener('exit', () => {
    started.alive = false;
  });
  all.push(started);
}

export interface Workers {
  /** How many workers were started in this test. */
  readonly started: number;
  /** How many of them live. */
  readonly alive: number;
  /** Resolves when all of them have ended, with the milliseconds that it took. */
  ended(): Promise<number>;
}

/** A worker that was told to end is gone after so many milliseconds, on a busy machine too. */
const END_LIMIT = 3000;

/** For a suite: counts the workers of each test, and fails a test that leaves one behind. */
export function trackWorkers(): Workers {
  let first = 0;
  const mine = (): Started[] => all.slice(first).filter((worker) => worker.isWorker());
  const alive = (): number => mine().filter((worker) => worker.alive).length;
  beforeEach(() => {
    first = all.length;
  });
  const ended = async (): Promise<number> => {
    const start = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${alive()} workers live on`)), END_LIMIT);
    });
    await Promise.race([Promise.all(mine().map((worker) => worker.ended)), late]).finally(() => clearTimeout(timer));
    return performance.now() - start;
  };
  afterEach('no worker is left', async () => {
    await ended();
  });
  return {
    get started() {
      return mine().length;
    },
    get alive() {
      return alive();
    },
    ended,
  };
}
