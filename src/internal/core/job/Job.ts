/**
 * A job: one map call. It has the function, the values that wait, the results that wait for earlier ones, and its outcome;
 * it knows nothing of workers but that somebody takes its chunks and brings results.
 *
 *     push ─▶ waiting ─▶ cut ─▶ (a worker) ─▶ results ─▶ delivery ─▶ sink.next
 *                 ▲                  │
 *                 └── given back ◀───┘  reclaimed, or the worker died
 *
 * It ends once, in one of three ways: completed, failed or cancelled. After that nothing reaches the sink. Before it is
 * completed its exit functions run, where it has some: it can still fail or be cancelled then.
 */

import { SPLITS_PER_WORKER } from '../../protocol/tuning.js';
import { BufferOverflowError } from '../../../errors.js';
import type { CallSettings, Overflow } from '../../../options.js';
import type { TaskProgress, TypedArray } from '../../../taskTypes.js';
import { linkAbort, unlinkAbort } from './abortLinks.js';
import { bindContext } from '../../platform/asyncContext.js';
import { CallMode, type RunFlags } from '../../protocol/messages.js';
import { transferredBy, transfersAreUsed } from '../../../transfer.js';
import type { InputFacts } from './pull.js';
import { createReport, type ProgressReport } from '../../observe/progress/ProgressReport.js';
import type { ProgressEnd } from '../../observe/progress/text.js';
import { countPieces, cutTypedArray, type PieceSize } from './typedArrays.js';
import { createDelivery, type Delivery } from './Delivery.js';
import { indexAt, restOf, singlesOf, type Chunk } from './Chunk.js';
import type { WorkerHooks } from '../pool/WorkerHooks.js';
import { PendingValues } from './PendingValues.js';
import { Sizing } from './Sizing.js';
import type { TaskRecord } from '../pool/TaskRegistry.js';

/** Where a job's results and its end go. None of these is called after the job was cancelled, or after its end. */
export interface JobSink {
  next(values: unknown[]): void;
  error(error: unknown): void;
  complete(): void;
  /** Pulled input: there may be room for more values. */
  room?(): void;
  /** No more values are wanted; the end may follow later. */
  close?(): void;
}

/** What a job is made from. */
export interface JobSpec {
  readonly mode: CallMode;
  readonly ordered: boolean;
  readonly call: CallSettings;
  readonly bufferSize: number;
  readonly overflow: Overflow;
  /** Whether the sink tells by `release` when results are consumed; else they are as soon as it has them. */
  readonly manualRelease: boolean;
  /** Whether its exit functions run at its end in any case, also where workers are kept. */
  readonly wantsExitResults: boolean;
  /** What is known of an input that is pulled. */
  readonly input?: InputFacts | undefined;
  /** How many values there will be, where that is known. */
  readonly total?: number | undefined;
  readonly sink: JobSink;
}

export type JobOutcome = 'completed' | 'failed' | 'cancelled';

/** What a job needs from the pool. */
export interface JobOwner {
  readonly nJobs: number;
  /** Whether workers can have memory in common with the program. */
  readonly sharesMemory: boolean;
  /** Whether chunks go to the workers in turns. */
  readonly orderTasks: boolean;
  /** How many values of a job workers could take at once, counting workers that were not started yet. */
  freeFor(job: Job): number;
  /** The job has values to give, or none any more. */
  onWorkChanged(job: Job): void;
  /** The job has ended; `deliver` tells the sink, and is to be called when the job's workers are where they should be. */
  onJobEnded(job: Job, outcome: JobOutcome, deliver: () => void): void;
  /** All values are done: `done` is to be called when the exit functions of the job are, too. */
  runExits(job: Job, done: () => void): void;
  /** The worker with a chunk may send another batch of what it yields. */
  credit(chunk: Chunk): void;
  /** Nobody wants what the worker makes of a chunk. */
  cancelChunk(chunk: Chunk): void;
}

export class Job {
  readonly task: TaskRecord;
  readonly mode: CallMode;
  readonly call: CallSettings;
  /** What its init and exit functions make of workers; `undefined` where it has none. */
  readonly hooks: WorkerHooks | undefined;
  /** What its chunks have that is unusual; `undefined` where that is nothing. */
  readonly flags: RunFlags | undefined;
  /** What its exit functions have returned, once they have. */
  exitResults: unknown[] = [];
  /** The chunks that workers have. */
  readonly inFlight = new Set<Chunk>();

  readonly #owner: JobOwner;
  readonly #sink: JobSink;
  readonly #delivery: Delivery;
  readonly #ordered: boolean;
  /** Whether the sink tells when results are consumed, until the pool waits for the job. */
  #manualRelease: boolean;
  /** How many results the sink has and was not yet told to be consumed. */
  #unconsumed = 0;
  readonly #bufferSize: number;
  readonly #pending: PendingValues;
  readonly #sizing: Sizing;
  readonly #tellProgress: ((progress: TaskProgress) => void) | undefined;

  readonly #report: ProgressReport | undefined;
  /** How many values have a result. */
  #done = 0;
  #sourceEnded = false;
  #ended = false;
  /** All values are through, and the exit functions run. */
  #finishing = false;
  /** Ordered: the smallest value that failed, awaiting the results of those before it. */
  #failure: { readonly seq: number; readonly error: unknown } | undefined;

  readonly #onAbort = (): void => this.#fail(this.call.signal?.reason, 'cancelled');

  constructor(task: TaskRecord, spec: JobSpec, owner: JobOwner, hooks?: WorkerHooks) {
    this.task = task;
    this.hooks = hooks;
    this.mode = spec.mode;
    this.call = spec.call;
    this.flags = flagsOf(spec.call);
    this.#owner = owner;
    this.#sink = spec.sink;
    this.#ordered = spec.ordered;
    this.#manualRelease = spec.manualRelease;
    this.#bufferSize = spec.bufferSize;
    // It runs in the context of whoever has made the call, not in that of whoever started the worker.
    this.#tellProgress = this.call.onProgress && bindContext(this.call.onProgress);
    this.#pending = new PendingValues(this, spec.bufferSize, spec.overflow);
    this.#sizing = new Sizing(this, spec, owner, this.#pending);
    const { progressBar } = this.call;
    if (progressBar !== undefined) {
      const elements = spec.input?.elements;
      const total = elements === undefined ? spec.total : countPieces(elements, this.#pieceSize);
      this.#report = createReport(progressBar, this, total, (error) => this.fail(error));
    }
    if (this.call.signal !== undefined) linkAbort(this.call.signal, this.#onAbort);
    this.#delivery = createDelivery(spec.mode === CallMode.Merge, spec.ordered, {
      emit: (values) => this.#emit(values),
      release: (count) => {
        if (this.#manualRelease) this.#unconsumed += count;
        else this.#sizing.release(count);
      },
      credit: (seq) => {
        for (const chunk of this.inFlight) if (chunk.seq === seq) this.#owner.credit(chunk);
      },
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  get doneCount(): number {
    return this.#done;
  }

  get totalCount(): number | undefined {
    return this.#sourceEnded ? this.#pending.taken : undefined;
  }

  // --- the source's side

  /** Takes the source's next value. */
  push(value: unknown): void {
    if (this.#ended || this.#sourceEnded) return;
    if (this.#failure !== undefined) return; // it has a larger index than what failed
    let sent = value;
    const { transferInput } = this.call;
    if (transferInput !== undefined) {
      try {
        sent = transferredBy(transferInput, value);
      } catch (error) {
        this.fail(error);
      }
      if (this.#ended) return;
    }
    const free = this.#owner.freeFor(this);
    if (!this.#pending.push(sent, free)) this.fail(new BufferOverflowError({ bufferSize: this.#bufferSize }));
    else if (free > 0 || this.#pending.waiting === 1 || this.#sizing.areWhole) this.#owner.onWorkChanged(this);
  }

  /** The source has no more values. */
  end(): void {
    if (this.#ended || this.#sourceEnded) return;
    this.#sourceEnded = true;
    this.#sizing.completeInput();
    if (this.#sizing.areWhole) this.#owner.onWorkChanged(this); // the last chunk may be smaller
    this.#completeIfDone();
  }

  /** Ends the job with an error that has no place in the order: of the source, of a signal, of the pool. */
  fail(error: unknown): void {
    this.#fail(error, 'failed');
  }

  /** Ends the job without a word. */
  cancel(): void {
    this.#finish('cancelled', () => undefined);
  }

  /** Pulled input: whether another value may be read. */
  hasRoom(): boolean {
    if (this.#ended || this.#failure !== undefined) return false;
    return this.#sizing.hasRoom;
  }

  /** So many results were consumed; for a sink that said it would tell. */
  release(count: number): void {
    if (!this.#manualRelease) return; // they count as consumed
    this.#unconsumed -= count;
    this.#sizing.release(count);
    this.#owner.onWorkChanged(this);
    if (!this.#ended) this.#sink.room?.();
  }

  /** The pool waits for the job's end: from here on it does not wait for whoever consumes its results. */
  drain(): void {
    if (this.#ended || !this.#manualRelease) return;
    this.release(this.#unconsumed);
    this.#manualRelease = false;
  }

  /** Cuts an input that is a typed array into its values. */
  piecesOf(array: TypedArray): Iterable<TypedArray> {
    return cutTypedArray(array, this.#pieceSize, this.#owner.sharesMemory);
  }

  // --- the pool's side

  /** Whether there is something that a worker could be given. */
  get hasWork(): boolean {
    return !this.#ended && this.waitingCount > 0;
  }

  /** Whether chunks can be cut before the source pauses: not where that decides over what is dropped. */
  get hasPlenty(): boolean {
    return this.#bufferSize === Infinity && this.#sizing.hasPlenty;
  }

  /** Whether the size of its chunks is ours to choose. */
  get isAdaptive(): boolean {
    return this.#sizing.isAdaptive;
  }

  /** How many workers the job could keep busy now. */
  get waitingCount(): number {
    return this.#sizing.waitingCount;
  }

  /**
   * Whether the next chunk may wait on a worker behind another one: not what moves, for it could not be given back, and not
   * what has a timeout, which begins when it is sent.
   */
  get mayGoAhead(): boolean {
    if (this.mode === CallMode.Merge || this.#sizing.isTimed) return false;
    return this.#owner.orderTasks ? !transfersAreUsed() : !this.#pending.movesNext(this.#sizing.next);
  }

  /** Whether the next chunk for a worker is to have it for itself: another one has died of it, and the culprit is to show. */
  isNextAlone(workerId: number): boolean {
    return this.#pending.nextDeaths(this.#owner.orderTasks ? workerId : undefined) > 0;
  }

  /**
   * Takes the next chunk for a worker, of at most `limit` values. Only where `hasWork`.
   *
   * @returns `undefined` where all chunks that there are, are for other workers: with `orderTasks`.
   */
  cut(workerId: number, limit: number): Chunk | undefined {
    const { nJobs, orderTasks } = this.#owner;
    const chunk = orderTasks
      ? this.#pending.cutFor(workerId, nJobs, () => this.#sizing.next, limit)
      : this.#pending.cut(this.#sizing.next, limit, this.#sizing.shareOfReturned);
    if (chunk !== undefined) this.inFlight.add(chunk);
    return chunk;
  }

  /** The next results of a chunk; with the last ones it is no longer in flight. */
  onResults(chunk: Chunk, values: unknown[]): void {
    const seq = chunk.seq + chunk.done;
    chunk.done += values.length;
    this.#done += values.length;
    if (chunk.done === chunk.values.length) this.inFlight.delete(chunk);
    if (this.#ended || this.#isBeyondFailure(seq)) return;
    this.#delivery.results(seq, this.call.settle ? values.map(fulfilled) : values);
    this.#afterDelivery();
  }

  /** The next value of a chunk has failed, and the chunk goes on. */
  onRejection(chunk: Chunk, error: unknown): void {
    const seq = chunk.seq + chunk.done++;
    if (chunk.done === chunk.values.length) this.inFlight.delete(chunk);
    if (!this.#ended) this.#reject(seq, 1, error);
  }

  /** The call for the value at a place in a chunk reports something. */
  onProgress(chunk: Chunk, at: number, workerId: number, value: unknown): void {
    if (this.#ended || this.#isBeyondFailure(chunk.seq + at)) return;
    try {
      this.#tellProgress?.({ index: indexAt(chunk, at), workerId, value });
    } catch (error) {
      this.fail(error);
    }
  }

  /** What the call of a merge chunk has yielded. */
  onYields(chunk: Chunk, values: unknown[]): void {
    chunk.yielded = true;
    if (this.#ended || this.#isBeyondFailure(chunk.seq)) return;
    this.#delivery.yields(chunk.seq, this.call.settle ? values.map(fulfilled) : values);
    this.#afterDelivery();
  }

  /** The next value of a chunk has failed, and with it the chunk has ended. @param isOver Whether its worker is through with it. */
  onFailure(chunk: Chunk, error: unknown, isOver = true): void {
    if (isOver) this.inFlight.delete(chunk);
    const seq = chunk.seq + chunk.done;
    if (this.call.settle) {
      if (!this.#ended) this.#reject(seq, chunk.values.length - chunk.done, error);
      return;
    }
    if (this.#ended || this.#isBeyondFailure(seq)) return;
    if (!this.#ordered || this.#delivery.hasReached(seq)) {
      this.fail(error);
      return;
    }
    // The values before it are to come out first; nothing after it is started any more.
    this.#failure = { seq, error };
    this.#sink.close?.();
    this.#pending.dropAfter(seq);
    for (const other of this.inFlight) if (other !== chunk && other.seq > seq) this.#owner.cancelChunk(other);
    this.#owner.onWorkChanged(this);
  }

  /** A worker has nothing to do any more with a chunk. */
  onChunkOver(chunk: Chunk): void {
    this.inFlight.delete(chunk);
    if (!this.#ended) this.#completeIfDone();
  }

  /** A worker gives back the values of a chunk from `from` on, which it has not started. */
  onReturned(chunk: Chunk, from: number): void {
    if (this.#ended || from >= chunk.values.length) return;
    this.#giveBack([restOf(chunk, from)]);
  }

  /** A chunk cannot be sent as it is: its values are to be sent one by one. */
  onSplit(chunk: Chunk): void {
    this.inFlight.delete(chunk);
    this.#giveBack(singlesOf(chunk, 0));
  }

  /**
   * The worker with a chunk has died. Its values are started again, one by one so that the culprit shows, where that is
   * allowed, or fail.
   *
   * @param error Makes the error, from the indexes that the worker was at, and the reason why they are not started again.
   * @param inInit Whether that was the init function's fault: no value is to blame.
   */
  onWorkerDied(chunk: Chunk, error: DeathError, inInit = false): void {
    this.inFlight.delete(chunk);
    if (this.#ended) return;
    if (chunk.deaths < this.call.workerDeathRetries && !chunk.moved && !chunk.yielded) {
      this.#giveBack(singlesOf(chunk, chunk.done, chunk.deaths + 1));
      return;
    }
    const indexes: number[] = [];
    for (let at = chunk.done; at < chunk.values.length; at++) indexes.push(indexAt(chunk, at));
    const reason = error(indexes, this.#whyNotAgain(chunk));
    if (inInit && this.call.settle) this.fail(reason);
    else this.onFailure(chunk, reason);
  }

  /** The worker with a chunk has died before it began: that is no fault of the values, but may be so once only. */
  onNeverStarted(chunk: Chunk, error: DeathError): void {
    if (chunk.deaths > 0 || chunk.moved) {
      this.onWorkerDied(chunk, error);
      return;
    }
    this.inFlight.delete(chunk);
    if (!this.#ended) this.#giveBack([restOf(chunk, chunk.done, 1)]);
  }

  /** Why a chunk whose worker has died is not started again, other than because nobody has asked for it. */
  #whyNotAgain(chunk: Chunk): string | undefined {
    const { workerDeathRetries } = this.call;
    if (chunk.moved) return 'A value that is transferred is not started again.';
    if (chunk.yielded) return 'A call that has given something already is not started again.';
    if (workerDeathRetries === 0) return undefined;
    return `All retries that "workerDeathRetries" allows (${workerDeathRetries}) are used up.`;
  }

  /** So many values from `seq` on have failed: with `settle` that is what is told of them. */
  #reject(seq: number, count: number, reason: unknown): void {
    this.#done += count;
    const rejections: PromiseRejectedResult[] = Array.from({ length: count }, () => ({ status: 'rejected', reason }));
    if (this.mode === CallMode.Merge) {
      // After what the call has given before.
      this.#delivery.yields(seq, rejections);
      if (this.#ended) return;
    }
    this.#delivery.results(seq, rejections);
    this.#afterDelivery();
  }

  get #pieceSize(): PieceSize {
    const { chunkSize, nSplits = SPLITS_PER_WORKER * this.#owner.nJobs } = this.call;
    return chunkSize === undefined ? { splits: nSplits } : { size: chunkSize };
  }

  #emit(values: unknown[]): boolean {
    this.#sink.next(values);
    return !this.#ended;
  }

  #afterDelivery(): void {
    if (this.#ended) return;
    if (this.#failure !== undefined && this.#delivery.hasReached(this.#failure.seq)) {
      this.fail(this.#failure.error);
      return;
    }
    this.#completeIfDone();
    if (this.#ended) return;
    // What is out makes room for what waits, where the number of values on their way is bounded.
    if (this.call.maxTasksActive !== undefined) this.#owner.onWorkChanged(this);
    this.#sink.room?.();
  }

  #completeIfDone(): void {
    if (!this.#sourceEnded || this.#failure !== undefined || this.inFlight.size > 0) return;
    if (this.#pending.waiting > 0 || this.#pending.returned > 0 || this.#finishing) return;
    const complete = (): void => this.#finish('completed', () => this.#sink.complete());
    if (this.hooks === undefined) {
      complete();
    } else {
      this.#finishing = true;
      this.#owner.runExits(this, complete);
    }
  }

  /** @param shown What the progress bar ends with. */
  #fail(error: unknown, shown: JobOutcome): void {
    this.#finish('failed', () => this.#sink.error(error), { outcome: shown, error });
  }

  #finish(outcome: JobOutcome, deliver: () => void, shown: ProgressEnd = { outcome }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#report?.end(shown);
    if (this.call.signal !== undefined) unlinkAbort(this.call.signal, this.#onAbort);
    this.#pending.clear();
    this.#delivery.clear();
    try {
      this.#sink.close?.();
    } finally {
      // A source whose own clean-up throws does not keep the job from its end.
      this.#owner.onJobEnded(this, outcome, deliver);
    }
  }

  #isBeyondFailure(seq: number): boolean {
    return this.#failure !== undefined && seq >= this.#failure.seq;
  }

  #giveBack(chunks: readonly Chunk[]): void {
    this.#pending.giveBack(chunks.filter((chunk) => !this.#isBeyondFailure(chunk.seq)));
    this.#owner.onWorkChanged(this);
  }
}

/** Makes the error for values that were lost with their worker. */
type DeathError = (indexes: number[], whyNotAgain?: string) => unknown;

function fulfilled(value: unknown): PromiseFulfilledResult<unknown> {
  return { status: 'fulfilled', value };
}

function flagsOf({ settle, onProgress, tasksPerWorker }: CallSettings): RunFlags | undefined {
  if (!settle && onProgress === undefined && tasksPerWorker === 1) return undefined;
  return { settles: settle, reports: onProgress !== undefined, lanes: tasksPerWorker };
}
