/** Channels of `node:diagnostics_channel` that tell of workers and tasks. Without a subscriber they cost nothing. */

import { channel } from 'node:diagnostics_channel';
import type { WorkerEnd } from '../../StartMethod.js';

const started = channel('rxjs-parallel-map:worker:start');
const ended = channel('rxjs-parallel-map:worker:exit');
const failed = channel('rxjs-parallel-map:task:error');

/** What the channels say of a worker. */
export interface WorkerMessage {
  /** Its number in its pool, from 0; a worker that takes the place of another one has the same. */
  readonly workerId: number;
  readonly startMethod: string;
  /** Unique in the program, and the same at the start and at the exit. */
  readonly serial: number;
}

let serials = 0;

/** A worker is being started. @returns The argument for {@link publishExit}. */
export function publishStart(workerId: number, startMethod: string): WorkerMessage {
  const message: WorkerMessage = { workerId, startMethod, serial: serials++ };
  if (started.hasSubscribers) started.publish(message);
  return message;
}

/** A worker has ended. */
export function publishExit(message: WorkerMessage, { exitCode, signal }: WorkerEnd): void {
  if (ended.hasSubscribers) ended.publish({ ...message, exitCode, signal });
}

/** A task has failed in a worker. @param index That of its value; of the first one where a chunk was lost. */
export function publishTaskError(message: WorkerMessage, index: number, error: unknown): void {
  if (failed.hasSubscribers) failed.publish({ ...message, index, error });
}
