/** A chunk: the values of one job that travel to a worker in one message. */

import type { ChunkIndexes } from '../../protocol/messages.js';
import type { Job } from './Job.js';
import type { WorkerHandle } from '../pool/WorkerHandle.js';

export interface Chunk {
  /** Unique in its pool; given when it is sent. */
  id: number;
  readonly job: Job;
  /** The sequence number of its first value; the others follow. Results are put in order by it. */
  readonly seq: number;
  /** What the user knows the values by. */
  readonly indexes: ChunkIndexes;
  /** Kept until the results are in, to be started again should the worker die. */
  readonly values: unknown[];
  /** How many results are in. */
  done: number;
  /** How many workers have died of it. */
  readonly deaths: number;
  /** With `orderTasks`, the worker that it is for; else -1. */
  slot: number;
  /** The worker that has it. */
  worker: WorkerHandle | undefined;
  /** Whether something in it was moved to the worker, so that it cannot be started again. */
  moved: boolean;
  /** Whether some of what its call yields has come. */
  yielded: boolean;
  /** Whether the worker was told that its results are not wanted. */
  cancelled: boolean;
  /** Whether the worker was asked to give back what it has not started, or that was taken from it. */
  reclaimed: boolean;
  /** When it was sent, or last heard of, in milliseconds. */
  heardAt: number;
}

export function createChunk(job: Job, seq: number, indexes: ChunkIndexes, values: unknown[], deaths = 0): Chunk {
  return {
    id: -1,
    job,
    seq,
    indexes,
    values,
    done: 0,
    deaths,
    slot: -1,
    worker: undefined,
    moved: false,
    yielded: false,
    cancelled: false,
    reclaimed: false,
    heardAt: 0,
  };
}

/** The values from `from` on as a chunk of its own. */
export function restOf(chunk: Chunk, from: number, deaths = chunk.deaths): Chunk {
  return partOf(chunk, from, indexesFrom(chunk, from), chunk.values.slice(from), deaths);
}

/** The first so many values as a chunk of their own. */
export function headOf(chunk: Chunk, count: number): Chunk {
  const { indexes, values, deaths } = chunk;
  const first = typeof indexes === 'number' ? indexes : indexes.slice(0, count);
  return partOf(chunk, 0, first, values.slice(0, count), deaths);
}

/** The values from `from` on as chunks of one value each. */
export function singlesOf(chunk: Chunk, from: number, deaths = chunk.deaths): Chunk[] {
  return chunk.values.slice(from).map((value, i) => partOf(chunk, from + i, indexAt(chunk, from + i), [value], deaths));
}

function partOf(chunk: Chunk, from: number, indexes: ChunkIndexes, values: unknown[], deaths: number): Chunk {
  const part = createChunk(chunk.job, chunk.seq + from, indexes, values, deaths);
  part.slot = chunk.slot;
  return part;
}

/** The index of the value at a place in the chunk. */
export function indexAt({ indexes }: Chunk, at: number): number {
  return typeof indexes === 'number' ? indexes + at : (indexes[at] as number);
}

/** The index of the next value that is to have a result. */
export function indexOfNext(chunk: Chunk): number {
  return indexAt(chunk, chunk.done);
}

function indexesFrom({ indexes }: Chunk, from: number): ChunkIndexes {
  return typeof indexes === 'number' ? indexes + from : indexes.slice(from);
}
