/**
 * How many values of a job are given out at a time, and how many may be on their way.
 *
 * The size of chunks is the user's choice, by `chunkSize` and `nSplits`, or ours: adaptive, by the pace of the function.
 */

import { WINDOW } from '../../protocol/tuning.js';
import { CallMode } from '../../protocol/messages.js';
import type { JobSpec } from './JobSpec.js';
import type { Pace } from './Pace.js';
import type { PendingValues } from './PendingValues.js';

/** What is the same for all jobs of a pool. */
export interface PoolFacts {
  readonly nJobs: number;
  /** Whether chunks go to the workers in turns. */
  readonly orderTasks: boolean;
  /** Whether workers can have memory in common with the program. */
  readonly sharesMemory: boolean;
}

export class Sizing {
  /** Whether each task has a timeout: it travels alone, so that it is known when it starts. */
  readonly isTimed: boolean;
  /** Whether a chunk waits until it is whole: it has a fixed size, and the input gives values whenever it is asked. */
  readonly areWhole: boolean;
  /** Whether the size of the chunks is ours to choose. */
  readonly isAdaptive: boolean;
  readonly #mode: CallMode;
  readonly #pace: Pace;
  readonly #pending: PendingValues;
  /** The size of the chunks, where that is fixed. */
  readonly #chunkSize: number | undefined;
  readonly #nSplits: number | undefined;
  readonly #maxTasksActive: number | undefined;
  readonly #inputLength: number | undefined;
  /** How many chunks can be worked on at once. */
  readonly #takers: number;
  /** How many values are through, with their results consumed. */
  #released = 0;
  #isInputComplete = false;

  constructor({ call, input, mode }: JobSpec, pace: Pace, pool: PoolFacts, pending: PendingValues) {
    const { chunkSize, nSplits, maxTasksActive, taskTimeout, tasksPerWorker } = call;
    this.#mode = mode;
    this.#pace = pace;
    this.#pending = pending;
    this.isTimed = taskTimeout !== Infinity;
    // A piece of a typed array is a chunk by itself, where its size is given.
    const isPiece = input?.isCut === true && (chunkSize ?? nSplits) !== undefined;
    this.#chunkSize = this.isTimed || isPiece ? 1 : chunkSize;
    this.#nSplits = nSplits;
    this.#maxTasksActive = maxTasksActive;
    this.#inputLength = input?.length;
    this.#takers = pool.nJobs * tasksPerWorker;
    this.isAdaptive = this.#chunkSize === undefined && nSplits === undefined && !pool.orderTasks;
    const isFixed = this.#chunkSize === undefined ? nSplits !== undefined : this.#chunkSize > 1;
    this.areWhole = isFixed && input?.isReadAtOnce === true;
  }

  get isInputComplete(): boolean {
    return this.#isInputComplete;
  }

  /** `count` values are through, with their results consumed. */
  release(count: number): void {
    this.#released += count;
  }

  /** No more values will come: the last chunk may be smaller than the others. */
  completeInput(): void {
    this.#isInputComplete = true;
  }

  /** How many workers the job could keep busy now. */
  get waitingCount(): number {
    const cuttable = this.#cuttable;
    if (this.isAdaptive) return this.#pending.returnedValues + cuttable;
    const size = this.#mode === CallMode.Merge ? 1 : (this.#fixed ?? 1);
    return this.#pending.returned + Math.ceil(cuttable / size);
  }

  /** How many values the next chunk should have; 0 where none may be given out. */
  get next(): number {
    const waiting = this.#cuttable;
    if (waiting === 0) return 0;
    if (this.#mode === CallMode.Merge) return 1;
    const fixed = this.#fixed;
    if (fixed !== undefined) return Math.min(fixed, waiting);
    // Half a worker's share, for each has a chunk and one ahead.
    const fairShare = Math.ceil(waiting / (2 * this.#takers));
    return Math.max(1, Math.min(this.#pace.size, fairShare));
  }

  /** Whether more waiting values would not make the next chunk larger. */
  get hasPlenty(): boolean {
    return this.isAdaptive && this.#pending.waiting >= 2 * this.#takers * this.#pace.size;
  }

  /** How many values a chunk that was given back should have at most: it is for all `free` workers. */
  shareOfReturned(free: number): number {
    if (!this.isAdaptive) return Infinity;
    return Math.ceil(this.#pending.returnedValues / Math.max(1, free));
  }

  /** Whether another value of an input that is pulled may be taken. */
  get hasRoom(): boolean {
    return this.#pending.taken - this.#released < this.#window;
  }

  /** How many of the waiting values may be handed out now. */
  get #cuttable(): number {
    const most = this.#maxTasksActive ?? Infinity;
    const { waiting, cutCount } = this.#pending;
    const count = Math.min(waiting, most - (cutCount - this.#released));
    // An input that has more at once has it as soon as there is room: then the chunk is whole.
    if (!this.areWhole || this.#isInputComplete || count === 0) return count;
    return count < Math.min(this.#fixed ?? 1, most) ? 0 : count;
  }

  /** The size of the next chunk, where that is not ours to choose. */
  get #fixed(): number | undefined {
    if (this.#chunkSize !== undefined || this.#nSplits === undefined) return this.#chunkSize;
    const length = this.#inputLength ?? 0;
    const begin = this.#pending.cutCount;
    if (begin >= length) return undefined; // of an unknown length, or one that has grown
    const splits = Math.min(this.#nSplits, length);
    // Chunk number k ends before value number floor(k * length / splits): so their sizes differ by one at most.
    return Math.floor((Math.ceil(((begin + 1) * splits) / length) * length) / splits) - begin;
  }

  /** How many values may be on their way: twice what the workers hold, which is a chunk each and at least one ahead. */
  get #window(): number {
    if (this.#maxTasksActive !== undefined) return this.#maxTasksActive;
    const size = this.#fixed ?? this.#pace.size;
    return WINDOW * this.#takers * size * (1 + Math.max(1, this.#pace.chunksAhead(size)));
  }
}
