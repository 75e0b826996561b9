/** The entry of a `spawn` worker. */

import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { WorkerIdentity } from '../../protocol/messages.js';
import { runProcessWorker } from '../process/processWorker.js';

/** What `spawn` passes as the first argument, in JSON. */
export interface ProcessData {
  readonly identity: WorkerIdentity;
  /** Whether the worker itself has to watch that its program lives, because there is no guard. */
  readonly watch: boolean;
  /** How many of the last flags are limits of this worker, which pools inside it do not inherit. */
  readonly ownFlags: number;
}

/** The file descriptor of the channel. */
const CHANNEL = 3;
/** The file descriptor of a pipe that says nothing, and closes when the program ends. */
const LIFELINE = 4;

const { identity, watch, ownFlags } = JSON.parse(process.argv.splice(2, 1)[0] as string) as ProcessData;
if (ownFlags > 0) process.execArgv.splice(-ownFlags);
if (watch) watchProgram();
runProcessWorker(identity, new Socket({ fd: CHANNEL }));

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
