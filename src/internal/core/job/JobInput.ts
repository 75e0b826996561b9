/** The input of a job: the waiting values, how they are cut into chunks, and how many more may come. */

import { SPLITS_PER_WORKER } from '../../protocol/tuning.js';
import { CallMode } from '../../protocol/messages.js';
import { transfersAreUsed } from '../../../transfer.js';
import type { TypedArray } from '../../../taskTypes.js';
import type { Chunk } from './Chunk.js';
import type { JobSpec } from './JobSpec.js';
import type { Pace } from './Pace.js';
import { PendingValues } from './PendingValues.js';
import { Sizing, type PoolFacts } from './Sizing.js';
import { countPieces, cutTypedArray, type PieceSize } from './typedArrays.js';

export class JobInput {
  readonly #spec: JobSpec;
  readonly #pool: PoolFacts;
  readonly #pending: PendingValues;
  readonly #sizing: Sizing;

  constructor(spec: JobSpec, pace: Pace, pool: PoolFacts) {
    this.#spec = spec;
    this.#pool = pool;
    this.#pending = new PendingValues(spec.bufferSize, spec.overflow);
    this.#sizing = new Sizing(spec, pace, pool, this.#pending);
  }

  /** How many values there will be, if known in advance. */
  get expectedCount(): number | undefined {
    const elements = this.#spec.input?.elements;
    return elements === undefined ? this.#spec.total : countPieces(elements, this.#pieceSize);
  }

  /** How many values there are, once all have come. */
  get totalCount(): number | undefined {
    return this.#sizing.isInputComplete ? this.#pending.taken : undefined;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#pending.isEmpty;
  }

  /** How many workers the waiting values could keep busy. */
  get waitingCount(): number {
    return this.#sizing.waitingCount;
  }

  /** Whether we choose the size of chunks. */
  get isAdaptive(): boolean {
    return this.#sizing.isAdaptive;
  }

  /** Whether a chunk waits until it is whole. */
  get areWhole(): boolean {
    return this.#sizing.areWhole;
  }

  /** Whether another value of a pulled input may be taken. */
  get hasRoom(): boolean {
    return this.#sizing.hasRoom;
  }

  /** Whether chunks can be cut before the source pauses. Not with a `bufferSize`, where that would change what is dropped. */
  get hasPlenty(): boolean {
    return this.#spec.bufferSize === Infinity && this.#sizing.hasPlenty;
  }

  /**
   * Takes a value.
   *
   * @param free How many workers are about to take one.
   * @returns False if the buffer is full and that is an error.
   */
  push(value: unknown, free: number): boolean {
    return this.#pending.push(value, free);
  }

  /** Whether the last pushed value is the only one that waits. */
  get isFirst(): boolean {
    return this.#pending.waiting === 1;
  }

  /** No more values will come. */
  complete(): void {
    this.#sizing.completeInput();
  }

  /** `count` values are done, and their results consumed. */
  consume(count: number): void {
    this.#sizing.consume(count);
  }

  /**
   * Whether the next chunk may wait on a worker behind another one. Not values that move, which could not be given back, and not
   * values with a timeout, whose clock starts when they are sent.
   */
  get mayGoAhead(): boolean {
    if (this.#spec.mode === CallMode.Merge || this.#sizing.isTimed) return false;
    return this.#pool.orderTasks ? !transfersAreUsed() : !this.#pending.movesNext(this.#sizing.next);
  }

  /** Whether the next chunk for a worker must run alone: a worker has died of it, and we look for the culprit. */
  isNextAlone(workerId: number): boolean {
    return this.#pending.nextDeaths(this.#pool.orderTasks ? workerId : undefined) > 0;
  }

  /**
   * Cuts the next chunk for a worker.
   *
   * @param limit The maximum number of values.
   * @param free How many workers could take a value now.
   * @returns `undefined` if all chunks are for other workers, with `orderTasks`.
   */
  cut(workerId: number, limit: number, free: number): Chunk | undefined {
    const { nJobs, orderTasks } = this.#pool;
    if (orderTasks) return this.#pending.cutFor(workerId, nJobs, () => this.#sizing.next, limit);
    return this.#pending.cut(this.#sizing.next, limit, this.#sizing.shareOfReturned(free));
  }

  giveBack(chunks: readonly Chunk[]): void {
    this.#pending.giveBack(chunks);
  }

  /** Drops all values after `seq`: they will not be started. */
  dropAfter(seq: number): void {
    this.#pending.dropAfter(seq);
  }

  clear(): void {
    this.#pending.clear();
  }

  /** Cuts an input that is a typed array into its values. */
  piecesOf(array: TypedArray): Iterable<TypedArray> {
    return cutTypedArray(array, this.#pieceSize, this.#pool.sharesMemory);
  }

  get #pieceSize(): PieceSize {
    const { chunkSize, nSplits = SPLITS_PER_WORKER * this.#pool.nJobs } = this.#spec.call;
    return chunkSize === undefined ? { splits: nSplits } : { size: chunkSize };
  }
}
