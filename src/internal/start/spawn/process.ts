/** The entry of a `spawn` worker. */

import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { WorkerIdentity } from '../../protocol/messages.js';
import { runProcessWorker } from '../process/processWorker.js';
import { CHANNEL, LIFELINE } from './descriptors.js';
import { tellStartErrors } from './startErrors.js';

/** What `spawn` passes as the first argument, in JSON. */
export interface ProcessData {
  readonly identity: WorkerIdentity;
  /** Whether the worker itself has to watch that its program lives, because there is no guard. */
  readonly watch: boolean;
  /** How many of the first and the last flags are of this worker alone, so that pools inside of it do not inherit them. */
  readonly ownFlags: readonly [first: number, last: number];
  /** What is to be found in its environment, where it was started with less. */
  readonly nodeOptions: string | undefined;
}

tellStartErrors(CHANNEL);
const { identity, watch, ownFlags, nodeOptions } = JSON.parse(process.argv.splice(2, 1)[0] as string) as ProcessData;
process.execArgv = process.execArgv.slice(ownFlags[0], process.execArgv.length - ownFlags[1]);
if (nodeOptions !== undefined) process.env['NODE_OPTIONS'] = nodeOptions;
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
