/**
 * How many values go into a chunk, and how many may be under way.
 *
 * The user chooses the size of chunks, by `chunkSize` or `nSplits`. Otherwise it adapts to the pace of the function.
 */

import { WINDOW } from '../../protocol/tuning.js';
import { CallMode } from '../../protocol/messages.js';
import type { JobSpec } from './JobSpec.js';
import type { Pace } from './Pace.js';
import type { PendingValues } from './PendingValues.js';

/** Facts about the pool. */
export interface PoolFacts {
  readonly nJobs: number;
  /** The option of that name. */
  readonly orderTasks: boolean;
  /** Whether workers can share memory with the program. */
  readonly sharesMemory: boolean;
}

export class Sizing {
  /** Whether each task has a timeout. Then it travels alone, so that we know when it starts. */
  readonly isTimed: boolean;
  /** Whether a chunk waits until it is complete: it has a fixed size, and the input always has a value or has ended. */
  readonly areWhole: boolean;
  /** Whether we choose the size of the chunks. */
  readonly isAdaptive: boolean;
  readonly #mode: CallMode;
  readonly #pace: Pace;
  readonly #pending: PendingValues;
  /** The size of the chunks, if fixed. */
  readonly #chunkSize: number | undefined;
  readonly #nSplits: number | undefined;
  readonly #maxTasksActive: number | undefined;
  readonly #inputLength: number | undefined;
  /** How many chunks can run at once. */
  readonly #takers: number;
  /** How many values are done, and their results consumed. */
  #consumed = 0;
  #isInputComplete = false;

  constructor({ call, input, mode }: JobSpec, pace: Pace, pool: PoolFacts, pending: PendingValues) {
    const { chunkSize, nSplits, maxTasksActive, taskTimeout, tasksPerWorker } = call;
    this.#mode = mode;
    this.#pace = pace;
    this.#pending = pending;
    this.isTimed = taskTimeout !== Infinity;
    // If the size of its pieces is given, each piece of a typed array is a chunk.
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

  /** `count` values are done, and their results consumed. */
  consume(count: number): void {
    this.#consumed += count;
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

  /** How many values the next chunk should have; 0 if there may be none. */
  get next(): number {
    const waiting = this.#cuttable;
    if (waiting === 0) return 0;
    if (this.#mode === CallMode.Merge) return 1;
    const fixed = this.#fixed;
    if (fixed !== undefined) return Math.min(fixed, waiting);
    // Half a worker's share, because each has a chunk and one ahead.
    const fairShare = Math.ceil(waiting / (2 * this.#takers));
    return Math.max(1, Math.min(this.#pace.size, fairShare));
  }

  /** Whether enough values wait for the next chunk to have its full size. */
  get hasPlenty(): boolean {
    return this.isAdaptive && this.#pending.waiting >= 2 * this.#takers * this.#pace.size;
  }

  /** The maximum number of values in a chunk that was given back: all `free` workers share it. */
  shareOfReturned(free: number): number {
    if (!this.isAdaptive) return Infinity;
    return Math.ceil(this.#pending.returnedValues / Math.max(1, free));
  }

  /** Whether another value of a pulled input may be taken. */
  get hasRoom(): boolean {
    return this.#pending.taken - this.#consumed < this.#window;
  }

  /** How many of the waiting values may go to workers now. */
  get #cuttable(): number {
    const most = this.#maxTasksActive ?? Infinity;
    const { waiting, cutCount } = this.#pending;
    const count = Math.min(waiting, most - (cutCount - this.#consumed));
    // An input that always has a value fills the chunk as soon as there is room.
    if (!this.areWhole || this.#isInputComplete || count === 0) return count;
    return count < Math.min(this.#fixed ?? 1, most) ? 0 : count;
  }

  /** The size of the next chunk, if fixed. */
  get #fixed(): number | undefined {
    if (this.#chunkSize !== undefined || this.#nSplits === undefined) return this.#chunkSize;
    const length = this.#inputLength ?? 0;
    const begin = this.#pending.cutCount;
    if (begin >= length) return undefined; // an unknown length, or an input that has grown
    const splits = Math.min(this.#nSplits, length);
    // Chunk number k ends before value number floor(k * length / splits), so their sizes differ by one at most.
    return Math.floor((Math.ceil(((begin + 1) * splits) / length) * length) / splits) - begin;
  }

  /** How many values may be under way: twice what the workers hold, which is a chunk each and at least one ahead. */
  get #window(): number {
    if (this.#maxTasksActive !== undefined) return this.#maxTasksActive;
    const size = this.#fixed ?? this.#pace.size;
    return WINDOW * this.#takers * size * (1 + Math.max(1, this.#pace.chunksAhead(size)));
  }
}
