/**
 * What becomes of workers when a job or the pool ends.
 *
 * | what ends | other jobs, or `keepAlive` | nobody else |
 * | --- | --- | --- |
 * | a job that completed | the workers stay | the workers leave, and then the job completes |
 * | a job that failed or was cancelled | its running tasks get `cancelTimeout` to stop, then their workers are killed | the workers are killed, and then the job fails |
 * | the pool, `stopAndJoin` | | no job waits for its consumer any more; when all have ended the workers leave; jobs that come meanwhile wait for new ones |
 * | the pool, `terminate` | | all jobs fail, all workers are killed |
 */

import { clearTimeout, setTimeout } from '../../platform/globals.js';
import { WorkerTimeoutError } from '../../../errors.js';
import type { Chunk } from '../job/Chunk.js';
import type { Job, JobOutcome } from '../job/Job.js';
import { KILL_TIME, type WorkerHandle } from './WorkerHandle.js';

/** An error waits so many milliseconds at most for its job's workers to be gone. */
const ERROR_WAIT = 100;

export interface LifecycleHost {
  workers(): WorkerHandle[];
  /** Ends what workers were started from, as none lives, and calls back then. False where there is no such thing. */
  release(callback: () => void): boolean;
  /** Lets a worker leave, after its exit functions. */
  leave(worker: WorkerHandle): void;
  /** A job's values may be given out. */
  activate(job: Job): void;
  /** Tells the worker that nobody wants what it makes of a chunk. */
  cancelChunk(chunk: Chunk): void;
  /** Whether the program is to be held open may have changed. */
  changed(): void;
}

interface Ending {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Lifecycle {
  readonly #keepAlive: boolean;
  readonly #host: LifecycleHost;
  readonly #jobs = new Set<Job>();
  /** Jobs that came while the pool was being joined. */
  readonly #postponed = new Set<Job>();
  /** Cancelled chunks that workers still run, and when their time is up. */
  readonly #cancelled = new Map<Chunk, NodeJS.Timeout>();
  #joining: Ending | undefined;
  #terminating: Ending | undefined;
  /** Whether what workers were started from is ending. */
  #isReleasing = false;
  /** How many ended jobs wait for workers before they tell. */
  #waitingJobs = 0;
  /** What an exit function has thrown, for whoever joins the pool. */
  #lost: { readonly error: unknown } | undefined;
  /** A worker that could not even be killed. */
  #abandoned: WorkerHandle | undefined;

  constructor(keepAlive: boolean, host: LifecycleHost) {
    this.#keepAlive = keepAlive;
    this.#host = host;
  }

  get terminated(): boolean {
    return this.#terminating !== undefined;
  }

  /** Whether somebody waits for workers to end. */
  get awaited(): boolean {
    const ending = this.#joining !== undefined || this.#terminating !== undefined;
    return this.#waitingJobs > 0 || this.#isReleasing || (ending && this.#host.workers().length > 0);
  }

  add(job: Job): void {
    if (this.#joining === undefined) this.#jobs.add(job);
    else this.#postponed.add(job);
  }

  isActive(job: Job): boolean {
    return this.#jobs.has(job);
  }

  /** A job has ended; `deliver` says so to its user. */
  end(job: Job, outcome: JobOutcome, deliver: () => void): void {
    const wasActive = this.#jobs.delete(job);
    this.#postponed.delete(job);
    if (!wasActive || this.terminated) {
      deliver();
      return;
    }
    if (this.#jobs.size > 0 || this.#keepAlive) {
      for (const chunk of job.inFlight) this.#cancel(chunk, job.call.cancelTimeout);
      deliver();
    } else if (outcome === 'completed') {
      this.#whenGone((worker) => this.#host.leave(worker), deliver);
    } else {
      this.#whenGone((worker) => worker.kill(), deliver, ERROR_WAIT);
    }
    this.#advance();
  }

  onChunkOver(chunk: Chunk): void {
    clearTimeout(this.#cancelled.get(chunk));
    this.#cancelled.delete(chunk);
    this.#advance();
  }

  /** An exit function has failed that belongs to no call any more. */
  onLost(error: unknown): void {
    this.#lost ??= { error };
  }

  onWorkerEnded(worker: WorkerHandle): void {
    if (worker.abandoned) this.#abandoned = worker;
    for (const [chunk, timer] of this.#cancelled) {
      if (chunk.worker !== worker) continue;
      clearTimeout(timer);
      this.#cancelled.delete(chunk);
    }
    this.#advance();
  }

  join(): Promise<void> {
    if (this.#terminating !== undefined) return this.#terminating.promise;
    if (this.#joining === undefined) {
      this.#joining = createEnding();
      const { promise } = this.#joining;
      for (const job of [...this.#jobs]) job.drain();
      this.#advance();
      this.#host.changed();
      return promise;
    }
    return this.#joining.promise;
  }

  terminate(reason: () => Error): Promise<void> {
    if (this.#terminating === undefined) {
      this.#terminating = createEnding();
      for (const job of [...this.#jobs, ...this.#postponed]) job.fail(reason());
      for (const worker of this.#host.workers()) worker.kill();
      this.#advance();
      this.#host.changed();
    }
    return this.#terminating.promise;
  }

  /** Goes on with ending the pool, as far as that is possible now. */
  #advance(): void {
    if (this.#joining === undefined && this.#terminating === undefined) return;
    if (this.#jobs.size > 0) return;
    const workers = this.#host.workers();
    if (workers.length > 0) {
      for (const worker of workers) if (worker.chunks.length === 0) this.#host.leave(worker);
      return;
    }
    if (this.#isReleasing) return;
    this.#isReleasing = this.#host.release(() => {
      this.#isReleasing = false;
      this.#advance();
      this.#host.changed();
    });
    if (this.#isReleasing) return;
    for (const ending of [this.#joining, this.#terminating]) {
      if (ending !== undefined) this.#settle(ending);
    }
    this.#joining = undefined;
    this.#lost = undefined;
    this.#abandoned = undefined;
    for (const job of this.#postponed) {
      this.#postponed.delete(job);
      this.#jobs.add(job);
      this.#host.activate(job);
    }
  }

  #settle(ending: Ending): void {
    if (this.#abandoned === undefined) {
      if (this.#lost !== undefined && ending === this.#joining) ending.reject(this.#lost.error);
      else ending.resolve();
      return;
    }
    const { id } = this.#abandoned;
    ending.reject(new WorkerTimeoutError({ stage: 'exit', timeout: KILL_TIME, workerId: id }));
  }

  /** Makes all workers end, and then calls back; after `limit` milliseconds at the latest. */
  #whenGone(makeEnd: (worker: WorkerHandle) => void, callback: () => void, limit = Infinity): void {
    const workers = this.#host.workers();
    this.#waitingJobs++;
    let left = workers.length;
    let isDone = false;
    let timer: NodeJS.Timeout | undefined;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      this.#waitingJobs--;
      callback();
      this.#host.changed();
    };
    // Another job may have come meanwhile, and want it.
    const release = (): void => {
      if (this.#jobs.size > 0 || !this.#host.release(done)) done();
    };
    if (left === 0) {
      release();
      return;
    }
    if (limit !== Infinity) timer = setTimeout(done, limit);
    for (const worker of workers) {
      worker.whenEnded(() => {
        if (--left === 0) release();
      });
    }
    for (const worker of workers) makeEnd(worker);
  }

  #cancel(chunk: Chunk, timeout: number): void {
    const { worker } = chunk;
    if (worker === undefined) return;
    this.#host.cancelChunk(chunk);
    if (timeout === Infinity || this.#cancelled.has(chunk)) return;
    const timer = setTimeout(() => worker.kill(), timeout);
    timer.unref();
    this.#cancelled.set(chunk, timer);
  }
}

function createEnding(): Ending {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
