/**
 * A job: one call. It has the function, the values that wait, the results that wait for earlier ones, and its outcome;
 * it knows nothing of workers, only that its chunks are taken and results come back.
 *
 *     push ─▶ input ─▶ cut ─▶ (a worker) ─▶ results ─▶ delivery ─▶ sink.next
 *               ▲                 │
 *               └── given back ◀──┘  reclaimed, or the worker died
 */

import { BufferOverflowError } from '../../../errors.js';
import type { CallSettings } from '../../../options.js';
import type { TaskProgress, TypedArray } from '../../../taskTypes.js';
import { transferredBy } from '../../../transfer.js';
import { CallMode, type RunFlags } from '../../protocol/messages.js';
import type { Platform } from '../Platform.js';
import type { Fate } from '../pool/fate.js';
import type { TaskRecord } from '../pool/TaskRegistry.js';
import type { WorkerHooks } from '../pool/WorkerHooks.js';
import { linkAbort, unlinkAbort } from './abortLinks.js';
import { indexAt, isDone, restOf, singlesOf, type Chunk } from './Chunk.js';
import { createDelivery, type Delivery } from './Delivery.js';
import { JobInput } from './JobInput.js';
import type { JobSink, JobSpec } from './JobSpec.js';
import type { PoolFacts } from './Sizing.js';

/**
 * - `open`: the source may give values.
 * - `draining`: it has ended.
 * - `failing`: ordered results; a value has failed, and those before it come out first.
 * - `exiting`: all values are through, and the exit functions run.
 * - `ended`: nothing reaches the sink any more but the end itself.
 */
export type JobState = 'open' | 'draining' | 'failing' | 'exiting' | 'ended';

const transitions: Readonly<Record<JobState, readonly JobState[]>> = {
  open: ['draining', 'failing', 'ended'],
  draining: ['failing', 'exiting', 'ended'],
  failing: ['ended'],
  exiting: ['ended'],
  ended: [],
};

/** How a job has ended. */
export interface JobEnd {
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  /** What it has failed with. */
  readonly error?: unknown;
  /** Whether that is the reason of its signal. */
  readonly isAborted?: boolean;
}

/** What a job needs from the pool. */
export interface JobOwner {
  readonly platform: Platform;
  readonly facts: PoolFacts;
  /** How many values of a job workers could take at once, including workers that can still be started. */
  freeFor(job: Job): number;
  /** The job has values to give, or no longer has any. */
  onWorkChanged(job: Job): void;
  /** The job has ended. Call `deliver`, which tells the sink, when its workers have been dealt with. */
  onJobEnded(job: Job, end: JobEnd, deliver: () => void): void;
  /** All values are done. Call `done` when the exit functions of the job have run, too. */
  runExits(job: Job, done: () => void): void;
  /** The worker with a chunk may send another batch. */
  credit(chunk: Chunk): void;
  /** The results of a chunk are no longer wanted. */
  cancelChunk(job: Job, chunk: Chunk): void;
}

export class Job {
  readonly task: TaskRecord;
  readonly mode: CallMode;
  readonly call: CallSettings;
  /** Its init and exit functions; `undefined` where it has none. */
  readonly hooks: WorkerHooks | undefined;
  /** What is unusual about its chunks; `undefined` if nothing is. */
  readonly flags: RunFlags | undefined;
  /** What its exit functions have returned, once they have. */
  exitResults: unknown[] = [];

  readonly #owner: JobOwner;
  readonly #sink: JobSink;
  readonly #input: JobInput;
  readonly #delivery: Delivery;
  readonly #ordered: boolean;
  readonly #bufferSize: number;
  readonly #tellProgress: ((progress: TaskProgress) => void) | undefined;
  /** The chunks that workers have. */
  readonly #inFlight = new Set<Chunk>();
  #state: JobState = 'open';
  /** While it is failing: the first value, in order, that has failed. */
  #failure: { readonly seq: number; readonly error: unknown } | undefined;
  /** How many values have a result. */
  #done = 0;
  /** Whether the sink reports when results are consumed. No longer true once the pool waits for the job. */
  #manualConsume: boolean;
  /** How many results the sink has not yet consumed. */
  #unconsumed = 0;

  readonly #onAbort = (): void => this.#finish({ outcome: 'failed', error: this.call.signal?.reason, isAborted: true });

  constructor(task: TaskRecord, spec: JobSpec, owner: JobOwner, hooks?: WorkerHooks) {
    this.task = task;
    this.hooks = hooks;
    this.mode = spec.mode;
    this.call = spec.call;
    this.flags = flagsOf(spec.call);
    this.#owner = owner;
    this.#sink = spec.sink;
    this.#ordered = spec.ordered;
    this.#bufferSize = spec.bufferSize;
    this.#manualConsume = spec.manualConsume;
    this.#input = new JobInput(spec, task.pace, owner.facts);
    // In the async context of the call, not in that of the call that started the worker.
    this.#tellProgress = this.call.onProgress && owner.platform.bindContext(this.call.onProgress);
    if (this.call.signal !== undefined) linkAbort(this.call.signal, this.#onAbort);
    this.#delivery = createDelivery(spec.mode === CallMode.Merge, spec.ordered, {
      emit: (values) => this.#emit(values),
      through: (count) => {
        if (this.#manualConsume) this.#unconsumed += count;
        else this.#input.consume(count);
      },
      credit: (seq) => {
        for (const chunk of this.#inFlight) if (chunk.seq === seq) this.#owner.credit(chunk);
      },
    });
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  get doneCount(): number {
    return this.#done;
  }

  /** How many values there will be, if known in advance. */
  get expectedCount(): number | undefined {
    return this.#input.expectedCount;
  }

  /** How many values there are, once all have come. */
  get totalCount(): number | undefined {
    return this.#input.totalCount;
  }

  // --- the source's side

  /** Takes the source's next value. Ignores it after the end, and behind a value that has failed. */
  push(value: unknown): void {
    if (this.#state !== 'open') return;
    let sent = value;
    const { transferInput } = this.call;
    if (transferInput !== undefined) {
      try {
        sent = transferredBy(transferInput, value);
      } catch (error) {
        this.fail(error);
      }
      if (this.#state !== 'open') return;
    }
    const free = this.#owner.freeFor(this);
    if (!this.#input.push(sent, free)) this.fail(new BufferOverflowError({ bufferSize: this.#bufferSize }));
    else if (free > 0 || this.#input.isFirst || this.#input.areWhole) this.#owner.onWorkChanged(this);
  }

  /** The source has no more values. */
  end(): void {
    if (this.#state === 'failing') this.#input.complete();
    if (this.#state !== 'open') return;
    this.#become('draining');
    this.#input.complete();
    if (this.#input.areWhole) this.#owner.onWorkChanged(this); // the last chunk may be smaller
    this.#completeIfDone();
  }

  /** Ends the job at once with an error of the source, of a signal or of the pool. */
  fail(error: unknown): void {
    this.#finish({ outcome: 'failed', error });
  }

  /** Ends the job without an error and without completing. */
  cancel(): void {
    this.#finish({ outcome: 'cancelled' });
  }

  /** Whether another value of a pulled input may be read. */
  hasRoom(): boolean {
    return this.#isWanting && this.#input.hasRoom;
  }

  /** `count` results were consumed. For sinks with `manualConsume`. */
  consume(count: number): void {
    if (!this.#manualConsume) return; // they count as consumed
    this.#unconsumed -= count;
    this.#input.consume(count);
    this.#owner.onWorkChanged(this);
    if (!this.ended) this.#sink.room?.();
  }

  /** The pool waits for the job's end, so from now on the job does not wait for the consumer of its results. */
  drain(): void {
    if (this.ended || !this.#manualConsume) return;
    this.consume(this.#unconsumed);
    this.#manualConsume = false;
  }

  /** Cuts an input that is a typed array into its values. */
  piecesOf(array: TypedArray): Iterable<TypedArray> {
    return this.#input.piecesOf(array);
  }

  // --- the pool's side

  /** Whether there is work for a worker. */
  get hasWork(): boolean {
    return !this.ended && this.waitingCount > 0;
  }

  /** Whether chunks can be cut before the source pauses. */
  get hasPlenty(): boolean {
    return this.#input.hasPlenty;
  }

  /** Whether we choose the size of its chunks. */
  get isAdaptive(): boolean {
    return this.#input.isAdaptive;
  }

  /** How many workers the job could keep busy now. */
  get waitingCount(): number {
    return this.#input.waitingCount;
  }

  /** Whether the next chunk may wait on a worker behind another one. */
  get mayGoAhead(): boolean {
    return this.#input.mayGoAhead;
  }

  /** Whether the next chunk for a worker must run alone. */
  isNextAlone(workerId: number): boolean {
    return this.#input.isNextAlone(workerId);
  }

  /**
   * Takes the next chunk for a worker. Only if `hasWork`.
   *
   * @param limit The maximum number of values.
   * @param free How many workers could take a value now.
   * @returns `undefined` if all chunks are for other workers, with `orderTasks`.
   */
  cut(workerId: number, limit: number, free: number): Chunk | undefined {
    const chunk = this.#input.cut(workerId, limit, free);
    if (chunk !== undefined) this.#inFlight.add(chunk);
    return chunk;
  }

  /** The next results of a chunk. With the last ones it is no longer in flight. */
  onResults(chunk: Chunk, values: unknown[]): void {
    const seq = chunk.seq + chunk.done;
    this.#count(chunk, values.length);
    if (this.ended || this.#isBeyondFailure(seq)) return;
    this.#delivery.results(seq, this.call.settle ? values.map(fulfilled) : values);
    this.#afterDelivery();
  }

  /** The next value of a chunk has failed, and the chunk goes on. */
  onRejection(chunk: Chunk, error: unknown): void {
    const seq = chunk.seq + chunk.done;
    this.#count(chunk, 1);
    if (!this.ended) this.#reject(seq, 1, error);
  }

  /** The call for the value at a place in a chunk reports something. */
  onProgress(chunk: Chunk, at: number, workerId: number, value: unknown): void {
    if (this.ended || this.#isBeyondFailure(chunk.seq + at)) return;
    try {
      this.#tellProgress?.({ index: indexAt(chunk, at), workerId, value });
    } catch (error) {
      this.fail(error);
    }
  }

  /** The call of a merge chunk has yielded values. */
  onYields(chunk: Chunk, values: unknown[]): void {
    chunk.yielded = true;
    if (this.ended || this.#isBeyondFailure(chunk.seq)) return;
    this.#delivery.yields(chunk.seq, this.call.settle ? values.map(fulfilled) : values);
    this.#afterDelivery();
  }

  /** The next value of a chunk has failed, which ends the chunk. @param isOver Whether its worker is done with it. */
  onFailure(chunk: Chunk, error: unknown, isOver = true): void {
    if (isOver) this.#inFlight.delete(chunk);
    const seq = chunk.seq + chunk.done;
    if (this.call.settle) {
      const count = chunk.values.length - chunk.done;
      this.#done += count;
      if (!this.ended) this.#reject(seq, count, error);
      return;
    }
    if (this.ended || this.#isBeyondFailure(seq)) return;
    if (!this.#ordered || this.#delivery.hasReached(seq)) {
      this.fail(error);
      return;
    }
    // The results before it come out first, and no later value is started.
    if (this.#state !== 'failing') this.#become('failing');
    this.#failure = { seq, error };
    this.#sink.close?.();
    this.#input.dropAfter(seq);
    for (const other of this.#inFlight) {
      if (other !== chunk && other.seq > seq) this.#owner.cancelChunk(this, other);
    }
    this.#owner.onWorkChanged(this);
  }

  /** A worker is done with a chunk. */
  onChunkOver(chunk: Chunk): void {
    this.#inFlight.delete(chunk);
    if (!this.ended) this.#completeIfDone();
  }

  /** A worker gives back the values of a chunk from `from` on. It has not started them. */
  onReturned(chunk: Chunk, from: number): void {
    if (this.ended || from >= chunk.values.length) return;
    this.#giveBack([restOf(chunk, from)]);
  }

  /** A chunk cannot be sent: its values have to be sent one by one. */
  onSplit(chunk: Chunk): void {
    this.#inFlight.delete(chunk);
    this.#giveBack(singlesOf(chunk, 0));
  }

  /**
   * The worker with a chunk has ended.
   *
   * @param fate What happens to the chunk.
   * @param error Creates the error, from the indexes of the lost values, and the reason why they are not tried again.
   */
  onWorkerEnded(chunk: Chunk, fate: Fate, error: (indexes: number[], whyNotAgain?: string) => unknown): void {
    if (this.ended) {
      this.#inFlight.delete(chunk);
      return;
    }
    switch (fate) {
      case 'over':
        break;
      case 'return':
        this.onReturned(chunk, chunk.done);
        break;
      case 'start again':
        this.#giveBack([restOf(chunk, chunk.done, 1)]);
        break;
      case 'retry':
        // One by one, to find the culprit.
        this.#giveBack(singlesOf(chunk, chunk.done, chunk.deaths + 1));
        break;
      case 'fail loading':
        this.fail(error([]));
        break;
      case 'fail init':
      case 'fail': {
        const indexes: number[] = [];
        for (let at = chunk.done; at < chunk.values.length; at++) indexes.push(indexAt(chunk, at));
        const reason = error(indexes, this.#whyNotAgain(chunk));
        // No value is to blame for an init function.
        if (fate === 'fail init' && this.call.settle) this.fail(reason);
        else this.onFailure(chunk, reason);
      }
    }
    this.onChunkOver(chunk);
  }

  /** Why a chunk whose worker has died is not started again; `undefined` where retries were not asked for. */
  #whyNotAgain(chunk: Chunk): string | undefined {
    const { workerDeathRetries } = this.call;
    if (chunk.moved) return 'A transferred value is not tried again.';
    if (chunk.yielded) return 'A call that has already given results is not tried again.';
    if (workerDeathRetries === 0) return undefined;
    return `All retries of "workerDeathRetries" (${workerDeathRetries}) are used up.`;
  }

  /** `count` results of a chunk have arrived. */
  #count(chunk: Chunk, count: number): void {
    chunk.done += count;
    this.#done += count;
    if (isDone(chunk)) this.#inFlight.delete(chunk);
  }

  /** `count` values from `seq` on have failed. With `settle`. */
  #reject(seq: number, count: number, reason: unknown): void {
    const rejections: PromiseRejectedResult[] = Array.from({ length: count }, () => ({ status: 'rejected', reason }));
    if (this.mode === CallMode.Merge) {
      // After the results of the call.
      this.#delivery.yields(seq, rejections);
      if (this.ended) return;
    }
    this.#delivery.results(seq, rejections);
    this.#afterDelivery();
  }

  #emit(values: unknown[]): boolean {
    this.#sink.next(values);
    return !this.ended;
  }

  #afterDelivery(): void {
    if (this.ended) return;
    if (this.#failure !== undefined && this.#delivery.hasReached(this.#failure.seq)) {
      this.fail(this.#failure.error);
      return;
    }
    this.#completeIfDone();
    if (this.ended) return;
    // Delivered results make room for waiting values, if the number under way is limited.
    if (this.call.maxTasksActive !== undefined) this.#owner.onWorkChanged(this);
    this.#sink.room?.();
  }

  #completeIfDone(): void {
    if (this.#state !== 'draining' || this.#inFlight.size > 0 || !this.#input.isEmpty) return;
    const complete = (): void => this.#finish({ outcome: 'completed' });
    if (this.hooks === undefined) {
      complete();
    } else {
      this.#become('exiting');
      this.#owner.runExits(this, complete);
    }
  }

  #finish(end: JobEnd): void {
    if (this.ended) return;
    this.#become('ended');
    if (this.call.signal !== undefined) unlinkAbort(this.call.signal, this.#onAbort);
    this.#input.clear();
    this.#delivery.clear();
    try {
      this.#sink.close?.();
    } finally {
      // The job ends even if the clean-up of its source throws.
      this.#owner.onJobEnded(this, end, () => this.#deliverEnd(end));
    }
  }

  #deliverEnd({ outcome, error }: JobEnd): void {
    if (outcome === 'completed') this.#sink.complete();
    else if (outcome === 'failed') this.#sink.error(error);
  }

  /** Whether more values are wanted. */
  get #isWanting(): boolean {
    return this.#state === 'open' || this.#state === 'draining';
  }

  #isBeyondFailure(seq: number): boolean {
    return this.#failure !== undefined && seq >= this.#failure.seq;
  }

  #giveBack(chunks: readonly Chunk[]): void {
    this.#input.giveBack(chunks.filter((chunk) => !this.#isBeyondFailure(chunk.seq)));
    this.#owner.onWorkChanged(this);
  }

  #become(next: JobState): void {
    if (!transitions[this.#state].includes(next)) {
      throw new Error(`A job cannot become ${next} when it is ${this.#state}.`);
    }
    this.#state = next;
  }
}

function fulfilled(value: unknown): PromiseFulfilledResult<unknown> {
  return { status: 'fulfilled', value };
}

function flagsOf({ settle, onProgress, tasksPerWorker }: CallSettings): RunFlags | undefined {
  if (!settle && onProgress === undefined && tasksPerWorker === 1) return undefined;
  return { settles: settle, reports: onProgress !== undefined, lanes: tasksPerWorker };
}
