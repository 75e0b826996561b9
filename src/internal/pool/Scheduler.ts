/**
 * The scheduler: gives the chunks of its jobs to its workers, and what the workers answer to the jobs.
 *
 * Workers live in `nJobs` slots and are started as there is work for them. A worker has one chunk to work on and, where
 * chunks are short, one ahead. Jobs take turns. What is to become of the workers when a job or the pool ends is
 * `Lifecycle`'s matter.
 */

import { NestedPoolError, PoolTerminatedError, WorkerDiedError, WorkerStartError } from '../../errors.js';
import type { PoolSettings } from '../../options.js';
import { openEnvelopes } from '../../transfer.js';
import { CallMode, FromWorker, ToWorker, type MessageFromWorker } from '../channel/messages.js';
import type { PortableFunction } from '../functions/portable.js';
import { currentWorker } from '../runtime/identity.js';
import type { StartMethodStrategy, WorkerEnd } from '../workers/StartMethod.js';
import { startMethod } from '../workers/table.js';
import type { Chunk } from './Chunk.js';
import { inputError, loadError, taskError } from './failures.js';
import { Hold } from './Hold.js';
import { Job, type JobOutcome, type JobOwner, type JobSpec } from './Job.js';
import { Lifecycle } from './Lifecycle.js';
import { TaskRegistry } from './TaskRegistry.js';
import { WorkerHandle, type WorkerListener, type WorkerState } from './WorkerHandle.js';

/** A chunk that was not heard of for so many milliseconds, while another worker idles, is asked to be shared. */
const OVERDUE_TIME = 10;

export class Scheduler implements JobOwner, WorkerListener {
  readonly settings: PoolSettings;
  readonly #strategy: StartMethodStrategy;
  readonly #tasks: TaskRegistry;
  readonly #slots: (WorkerHandle | undefined)[];
  /** Workers that have nothing to do; the last one was busy last. */
  readonly #idle: WorkerHandle[] = [];
  /** Jobs that have work to give, in the order of their turns. */
  readonly #ready = new Set<Job>();
  readonly #lifecycle: Lifecycle;
  readonly #hold = new Hold();
  /** How many workers have a chunk. */
  #busy = 0;
  /** How many slots are taken. */
  #living = 0;
  #nextChunk = 0;
  #dispatchScheduled = false;
  #rebalanceTimer: NodeJS.Timeout | undefined;

  /** @throws NestedPoolError inside a worker that is a daemon. */
  constructor(settings: PoolSettings) {
    if (currentWorker()?.daemon === true) throw new NestedPoolError();
    this.settings = settings;
    this.#strategy = startMethod(settings.startMethod);
    this.#slots = new Array<WorkerHandle | undefined>(settings.nJobs).fill(undefined);
    this.#tasks = new TaskRegistry((task) => this.workers().forEach((worker) => worker.forget(task)));
    this.#lifecycle = new Lifecycle(settings.keepAlive, {
      workers: () => this.workers(),
      activate: (job) => this.onWorkChanged(job),
      cancelChunk: (chunk) => this.cancelChunk(chunk),
      changed: () => this.#updateHold(),
    });
  }

  get nJobs(): number {
    return this.settings.nJobs;
  }

  /** The workers that live. */
  workers(): WorkerHandle[] {
    return this.#slots.filter((worker) => worker !== undefined);
  }

  /** Begins a job. @throws PoolTerminatedError after the pool's end. */
  open(fn: unknown, portable: PortableFunction, spec: JobSpec): Job {
    if (this.#lifecycle.terminated) throw new PoolTerminatedError();
    const job = new Job(this.#tasks.acquire(fn, portable), spec, this);
    this.#lifecycle.add(job);
    return job;
  }

  stopAndJoin(): Promise<void> {
    return this.#lifecycle.join();
  }

  terminate(): Promise<void> {
    return this.#lifecycle.terminate(() => new PoolTerminatedError());
  }

  // --- JobOwner

  freeWorkers(): number {
    return this.settings.nJobs - this.#busy;
  }

  onWorkChanged(job: Job): void {
    if (!this.#lifecycle.isActive(job) || !job.hasWork) {
      this.#ready.delete(job);
      return;
    }
    this.#ready.add(job);
    // Values that a source emits in one go are given out together.
    if (this.#dispatchScheduled) return;
    this.#dispatchScheduled = true;
    queueMicrotask(() => {
      this.#dispatchScheduled = false;
      this.#dispatch();
    });
  }

  onJobEnded(job: Job, outcome: JobOutcome, deliver: () => void): void {
    this.#ready.delete(job);
    this.#tasks.release(job.task);
    this.#lifecycle.end(job, outcome, deliver);
    this.#updateHold();
  }

  credit(chunk: Chunk): void {
    chunk.worker?.send([ToWorker.Credit, chunk.id, 1]);
  }

  cancelChunk(chunk: Chunk): void {
    if (chunk.cancelled || chunk.worker === undefined) return;
    chunk.cancelled = true;
    chunk.worker.send([ToWorker.Cancel, chunk.id]);
  }

  // --- WorkerListener

  onReady(worker: WorkerHandle): void {
    this.#idle.push(worker);
    this.#dispatch();
  }

  onMessage(worker: WorkerHandle, message: MessageFromWorker): void {
    switch (message[0]) {
      case FromWorker.Results:
        this.#onResults(worker, message[1], message[2], message[3]);
        return;
      case FromWorker.DefineFailed:
        for (const { job } of worker.chunks) {
          if (job.task.id === message[1]) job.fail(loadError(message[2], job.task.portable, worker.id));
        }
        return;
    }
    const chunk = worker.chunks.find(({ id }) => id === message[1]);
    if (chunk === undefined) return; // it was given up meanwhile
    chunk.heardAt = performance.now();
    const { job } = chunk;
    switch (message[0]) {
      case FromWorker.Yields:
        job.onYields(chunk, message[2]);
        break;
      case FromWorker.Failed: {
        const error = job.ended ? undefined : taskError(message[2], worker.id, indexOfNext(chunk));
        this.#takeBack(worker, chunk);
        job.onFailure(chunk, error);
        break;
      }
      case FromWorker.Stopped:
        this.#takeBack(worker, chunk);
        if (!chunk.cancelled) job.onReturned(chunk, chunk.done);
        job.onChunkOver(chunk);
        break;
      case FromWorker.Released:
        job.onReturned(chunk, message[2]);
        chunk.values.length = message[2];
        if (chunk.done < chunk.values.length) break;
        this.#takeBack(worker, chunk);
        job.onChunkOver(chunk);
        break;
    }
    this.#dispatch();
  }

  onEnd(worker: WorkerHandle, before: WorkerState, end: WorkerEnd): void {
    this.#slots[worker.id] = undefined;
    this.#living--;
    const idleAt = this.#idle.indexOf(worker);
    if (idleAt >= 0) this.#idle.splice(idleAt, 1);
    if (worker.chunks.length > 0) this.#busy--;

    const cause = worker.fatal === undefined ? end.error : worker.fatal.error;
    const died = (indexes: number[]): WorkerDiedError =>
      new WorkerDiedError({ workerId: worker.id, exitCode: end.exitCode, signal: end.signal, indexes, cause });
    if (before === 'starting') this.#failToStart(worker.id, cause ?? died([]));

    const [current, ...ahead] = worker.chunks.splice(0);
    for (const chunk of ahead) {
      // It cannot have been started: results of the current one come first.
      if (!chunk.cancelled) chunk.job.onReturned(chunk, chunk.done);
      chunk.job.onChunkOver(chunk);
    }
    if (current === undefined) {
      if (before === 'ready' && cause !== undefined && !this.#lifecycle.terminated) warnOfIdleDeath(died([]));
    } else if (current.cancelled || current.job.ended) {
      current.job.onChunkOver(current);
    } else if (!worker.hasLoaded(current.job.task.id)) {
      current.job.fail(new WorkerStartError({ workerId: worker.id, cause: cause ?? died([]) }));
      current.job.onChunkOver(current);
    } else {
      current.job.onWorkerDied(current, died);
    }
    this.#lifecycle.onWorkerEnded(worker);
    this.#dispatch();
  }

  // --- giving out work

  #dispatch(): void {
    this.#supplyIdle();
    this.#startWorkers();
    this.#supplyAhead();
    this.#rebalance();
    this.#updateHold();
  }

  #supplyIdle(): void {
    while (this.#idle.length > 0) {
      const job = this.#nextJob();
      if (job === undefined) return;
      const worker = this.#idle.pop() as WorkerHandle;
      if (worker.state === 'ready') this.#supply(worker, job);
    }
  }

  /** Starts as many workers as there are values that would else wait for one. */
  #startWorkers(): void {
    if (this.#ready.size === 0 || this.#living === this.settings.nJobs) return;
    let wanted = 0;
    for (const job of this.#ready) {
      wanted += job.waitingCount;
      if (wanted >= this.settings.nJobs) break;
    }
    for (const worker of this.#slots) if (worker?.state === 'starting') wanted--;
    for (let id = 0; id < this.#slots.length && wanted > 0; id++) {
      if (this.#slots[id] !== undefined) continue;
      try {
        this.#slots[id] = new WorkerHandle(id, this.settings.daemon, this.#strategy, this);
        this.#living++;
        wanted--;
      } catch (error) {
        this.#failToStart(id, error);
        return;
      }
    }
  }

  /** Where every worker is busy, gives each that will soon be done its next chunk. */
  #supplyAhead(): void {
    if (this.#ready.size === 0 || this.#busy < this.settings.nJobs) return;
    for (const worker of this.#slots) {
      const [current] = worker?.chunks ?? [];
      if (worker === undefined || worker.state !== 'ready' || current === undefined) continue;
      if (worker.chunks.length > 1 || current.cancelled) continue;
      const job = this.#nextJob();
      if (job === undefined) return;
      if (!job.mayGoAhead || job.mode === CallMode.Merge || current.job.mode === CallMode.Merge) continue;
      if (!isShort(current.job, current.values.length) || !isShort(job, job.nextChunkSize())) continue;
      this.#supply(worker, job);
    }
  }

  /** The job whose turn it is. */
  #nextJob(): Job | undefined {
    for (const job of this.#ready) {
      if (job.hasWork) return job;
      this.#ready.delete(job);
    }
    return undefined;
  }

  #supply(worker: WorkerHandle, job: Job): void {
    const chunk = job.cut();
    // To the end of the line, for the others' turns.
    this.#ready.delete(job);
    if (job.hasWork) this.#ready.add(job);
    chunk.id = this.#nextChunk++;
    const moving = openEnvelopes(chunk.values);
    chunk.moved = moving !== undefined;
    const start = performance.now();
    chunk.heardAt = start;
    try {
      worker.define(job.task);
      worker.send([ToWorker.Run, chunk.id, job.task.id, job.mode, chunk.indexes, chunk.values], moving);
    } catch (error) {
      this.#onUnsendable(worker, chunk, error);
      return;
    }
    job.task.pace.learnSending(chunk.values.length, performance.now() - start);
    chunk.worker = worker;
    if (worker.chunks.push(chunk) === 1) this.#busy++;
  }

  #onUnsendable(worker: WorkerHandle, chunk: Chunk, error: unknown): void {
    if (worker.chunks.length === 0) this.#idle.push(worker);
    if (chunk.values.length > 1) {
      chunk.job.onSplit(chunk);
    } else {
      const isCloneable = (value: unknown): boolean => this.#strategy.isCloneable(value);
      chunk.job.onFailure(chunk, inputError(chunk.values[0], indexOfNext(chunk), isCloneable, error));
    }
  }

  // --- hearing of it

  #onResults(worker: WorkerHandle, id: number, values: unknown[], elapsed: number): void {
    const chunk = worker.chunks[0];
    if (chunk?.id !== id) return; // it was given up meanwhile
    const { job } = chunk;
    if (job.mode !== CallMode.Merge) job.task.pace.learnWorking(values.length, elapsed);
    if (chunk.done + values.length < chunk.values.length) {
      chunk.heardAt = performance.now();
      job.onResults(chunk, values);
      return;
    }
    this.#takeBack(worker, chunk);
    // The worker first: it works while the results are delivered.
    if (this.#ready.size > 0) this.#dispatch();
    job.onResults(chunk, values);
    this.#dispatch();
  }

  /** A worker is through with a chunk. */
  #takeBack(worker: WorkerHandle, chunk: Chunk): void {
    worker.chunks.splice(worker.chunks.indexOf(chunk), 1);
    chunk.worker = undefined;
    this.#lifecycle.onChunkOver(chunk);
    if (worker.chunks.length > 0) {
      (worker.chunks[0] as Chunk).heardAt = performance.now();
      return;
    }
    this.#busy--;
    if (worker.state === 'ready') this.#idle.push(worker);
  }

  /** A start that fails would fail again: whoever waits for a worker hears of it, once. */
  #failToStart(workerId: number, cause: unknown): void {
    const error = new WorkerStartError({ workerId, cause });
    for (const job of [...this.#ready]) job.fail(error);
  }

  // --- sharing

  /**
   * Where a worker idles and nothing waits, values that wait on another worker, behind one that takes longer than expected,
   * are asked back.
   */
  #rebalance(): void {
    clearTimeout(this.#rebalanceTimer);
    this.#rebalanceTimer = undefined;
    if (this.#ready.size > 0 || this.#busy === 0 || this.freeWorkers() === 0) return;
    const now = performance.now();
    let next = Infinity;
    for (const worker of this.#slots) {
      const chunk = worker?.chunks.at(-1);
      if (worker === undefined || chunk === undefined || !isShareable(worker, chunk)) continue;
      const heardAt = (worker.chunks[0] as Chunk).heardAt;
      if (now - heardAt >= OVERDUE_TIME) {
        chunk.recalled = true;
        worker.send([ToWorker.Recall, chunk.id]);
      } else {
        next = Math.min(next, heardAt + OVERDUE_TIME - now);
      }
    }
    if (next === Infinity) return;
    this.#rebalanceTimer = setTimeout(() => this.#rebalance(), Math.ceil(next));
    this.#rebalanceTimer.unref();
  }

  #updateHold(): void {
    const working = this.#busy > 0 || this.#ready.size > 0 || this.#lifecycle.awaited;
    if (working || (this.#living > 0 && !this.settings.daemon)) this.#hold.set(true);
    else if (this.#living > 0) this.#hold.set(false);
    else this.#hold.release();
  }
}

function isShort(job: Job, count: number): boolean {
  return job.task.pace.isShort(count);
}

/** Whether a worker's last chunk has values that another worker could have. */
function isShareable(worker: WorkerHandle, chunk: Chunk): boolean {
  if (worker.state !== 'ready' || chunk.recalled || chunk.cancelled || chunk.moved) return false;
  if (worker.chunks.length > 1) return true;
  // A chunk that is being worked on is shared only where its size was ours to choose.
  return chunk.job.call.chunkSize === undefined && chunk.values.length - chunk.done > 1;
}

function indexOfNext({ indexes, done }: Chunk): number {
  return typeof indexes === 'number' ? indexes + done : (indexes[done] as number);
}

/** No call has to do with it, so nobody else would say it. */
function warnOfIdleDeath(error: WorkerDiedError): void {
  process.emitWarning(`${error.message}\n${error.cause instanceof Error ? error.cause.stack : String(error.cause)}`, {
    type: 'WorkerPoolWarning',
  });
}
