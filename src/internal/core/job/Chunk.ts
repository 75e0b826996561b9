/** A chunk: values of one job that travel to a worker in one message. */

import type { ChunkIndexes } from '../../protocol/messages.js';

export interface Chunk {
  /** Unique in its pool; given when it is sent. */
  id: number;
  /** The sequence number of its first value; the others follow. Results are put in order by it. */
  readonly seq: number;
  /** The indexes of the values in the source. */
  readonly indexes: ChunkIndexes;
  /** Kept until the results are in, in case the worker dies. Only {@link shorten} removes some. */
  readonly values: unknown[];
  /** How many results are in: counted by its job. */
  done: number;
  /** How many workers have died while they had it. */
  readonly deaths: number;
  /** With `orderTasks`, the worker that it is for; otherwise -1. */
  readonly slot: number;
  /** Whether something in it was moved to the worker, so that it cannot be sent again. */
  moved: boolean;
  /** Whether its call has already yielded something. */
  yielded: boolean;
}

export function createChunk(seq: number, indexes: ChunkIndexes, values: unknown[], deaths = 0, slot = -1): Chunk {
  return { id: -1, seq, indexes, values, done: 0, deaths, slot, moved: false, yielded: false };
}

/** The values from `from` on as a chunk of its own. */
export function restOf(chunk: Chunk, from: number, deaths = chunk.deaths): Chunk {
  return createChunk(chunk.seq + from, indexesFrom(chunk, from), chunk.values.slice(from), deaths, chunk.slot);
}

/** The first values as a chunk of their own. */
export function headOf({ seq, indexes, values, deaths, slot }: Chunk, count: number): Chunk {
  const first = typeof indexes === 'number' ? indexes : indexes.slice(0, count);
  return createChunk(seq, first, values.slice(0, count), deaths, slot);
}

/** The values from `from` on as chunks of one value each. */
export function singlesOf(chunk: Chunk, from: number, deaths = chunk.deaths): Chunk[] {
  return chunk.values
    .slice(from)
    .map((value, i) => createChunk(chunk.seq + from + i, indexAt(chunk, from + i), [value], deaths, chunk.slot));
}

/** Takes away all but the first `count` values. */
export function shorten({ values }: Chunk, count: number): void {
  if (count < values.length) values.length = count;
}

/** Whether all results are in. */
export function isDone({ done, values }: Chunk): boolean {
  return done === values.length;
}

/** The index of the value at a place in the chunk. */
export function indexAt({ indexes }: Chunk, at: number): number {
  return typeof indexes === 'number' ? indexes + at : (indexes[at] as number);
}

/** The index of the next value without a result. */
export function indexOfNext(chunk: Chunk): number {
  return indexAt(chunk, chunk.done);
}

function indexesFrom({ indexes }: Chunk, from: number): ChunkIndexes {
  return typeof indexes === 'number' ? indexes + from : indexes.slice(from);
}
