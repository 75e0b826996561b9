/**
 * What happens to workers when a job or the pool ends.
 *
 * | what ends | other jobs, or `keepAlive` | no other job |
 * | --- | --- | --- |
 * | a job that completed | the workers stay | the workers leave, and then the job completes |
 * | a job that failed or was cancelled | its running tasks get `cancelTimeout` to stop, then their workers are killed | the workers are killed, and then the job fails |
 * | the pool, `stopAndJoin` | | jobs no longer wait for their consumers; when all have ended, the workers leave; new jobs wait for new workers |
 * | the pool, `terminate` | | all jobs fail, all workers are killed |
 */

import { WorkerTimeoutError } from '../../../errors.js';
import type { Chunk } from '../job/Chunk.js';
import type { Job, JobEnd } from '../job/Job.js';
import type { Platform, Timer } from '../Platform.js';
import { TransientSet } from '../TransientSet.js';
import type { HookRunner } from './HookRunner.js';
import { KILL_TIME, type WorkerHandle } from './WorkerHandle.js';
import type { WorkerSlots } from './WorkerSlots.js';

/**
 * An error waits for its job's workers to be gone, but no longer than this (milliseconds): a thread inside native code must not delay it.
 * A completion waits until they have left.
 */
const ERROR_WAIT = 100;

/** What a lifecycle reports. */
export interface LifecycleListener {
  /** The values of a job may be dispatched. */
  onActive(job: Job): void;
  /** The pool was joined or terminated, and no worker lives. */
  onEmpty(): void;
  /** Whether the program has to keep running may have changed. */
  onChanged(): void;
}

/** A chunk whose results are not wanted, and that its worker still runs. */
interface Cancelled {
  readonly worker: WorkerHandle;
  readonly timer: Timer;
}

interface Ending {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Lifecycle {
  readonly #platform: Platform;
  readonly #keepAlive: boolean;
  readonly #slots: WorkerSlots;
  readonly #hooks: HookRunner;
  readonly #listener: LifecycleListener;
  readonly #jobs = new TransientSet<Job>();
  /** Jobs that were opened while the pool was being joined. */
  readonly #postponed = new Set<Job>();
  readonly #cancelled = new Map<Chunk, Cancelled>();
  #joining: Ending | undefined;
  #terminating: Ending | undefined;
  /** Whether the template is ending. */
  #isClosing = false;
  /** How many ended jobs wait for workers before they report their end. */
  #waitingJobs = 0;
  /** A worker that could not even be killed. */
  #abandoned: WorkerHandle | undefined;

  constructor(
    platform: Platform,
    keepAlive: boolean,
    slots: WorkerSlots,
    hooks: HookRunner,
    listener: LifecycleListener,
  ) {
    this.#platform = platform;
    this.#keepAlive = keepAlive;
    this.#slots = slots;
    this.#hooks = hooks;
    this.#listener = listener;
  }

  get terminated(): boolean {
    return this.#terminating !== undefined;
  }

  /** Whether a job, `stopAndJoin` or `terminate` waits for workers to end. */
  get awaited(): boolean {
    const ending = this.#joining !== undefined || this.#terminating !== undefined;
    return this.#waitingJobs > 0 || this.#isClosing || (ending && this.#slots.living > 0);
  }

  add(job: Job): void {
    if (this.#joining === undefined) this.#jobs.add(job);
    else this.#postponed.add(job);
  }

  isActive(job: Job): boolean {
    return this.#jobs.has(job);
  }

  /** A job has ended. `deliver` reports that to its sink. */
  end(job: Job, { outcome }: JobEnd, deliver: () => void): void {
    const wasActive = this.#jobs.delete(job);
    this.#postponed.delete(job);
    if (!wasActive || this.terminated) {
      deliver();
      return;
    }
    if (this.#jobs.size > 0 || this.#keepAlive) {
      for (const worker of this.#slots.workers()) if (worker.job === job) this.#cancel(worker, job.call.cancelTimeout);
      deliver();
    } else if (outcome === 'completed') {
      this.#whenGone((worker) => this.#hooks.leave(worker), deliver);
    } else {
      this.#whenGone((worker) => worker.kill(), deliver, ERROR_WAIT);
    }
    this.#advance();
  }

  onChunkOver(chunk: Chunk): void {
    this.#platform.clearTimeout(this.#cancelled.get(chunk)?.timer);
    this.#cancelled.delete(chunk);
    this.#advance();
  }

  onWorkerEnded(worker: WorkerHandle): void {
    if (worker.isAbandoned) this.#abandoned = worker;
    for (const [chunk, cancelled] of this.#cancelled) {
      if (cancelled.worker !== worker) continue;
      this.#platform.clearTimeout(cancelled.timer);
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
      this.#listener.onChanged();
      return promise;
    }
    return this.#joining.promise;
  }

  terminate(reason: () => Error): Promise<void> {
    if (this.#terminating === undefined) {
      this.#terminating = createEnding();
      for (const job of [...this.#jobs, ...this.#postponed]) job.fail(reason());
      for (const worker of this.#slots.workers()) worker.kill();
      this.#advance();
      this.#listener.onChanged();
    }
    return this.#terminating.promise;
  }

  /** Goes on with ending the pool, as far as that is possible now. */
  #advance(): void {
    if (this.#joining === undefined && this.#terminating === undefined) return;
    if (this.#jobs.size > 0) return;
    const workers = this.#slots.workers();
    if (workers.length > 0) {
      for (const worker of workers) if (worker.assignments.length === 0) this.#hooks.leave(worker);
      return;
    }
    if (this.#isClosing) return;
    this.#isClosing = this.#slots.closeTemplate(() => {
      this.#isClosing = false;
      this.#advance();
      this.#listener.onChanged();
    });
    if (this.#isClosing) return;
    const lost = this.#hooks.takeLost();
    if (this.#joining !== undefined) this.#resolve(this.#joining, lost);
    if (this.#terminating !== undefined) this.#resolve(this.#terminating);
    this.#joining = undefined;
    this.#abandoned = undefined;
    this.#listener.onEmpty();
    for (const job of this.#postponed) {
      this.#postponed.delete(job);
      this.#jobs.add(job);
      this.#listener.onActive(job);
    }
  }

  /** @param lost An error of an exit function. */
  #resolve(ending: Ending, lost?: { readonly error: unknown }): void {
    if (this.#abandoned === undefined) {
      if (lost === undefined) ending.resolve();
      else ending.reject(lost.error);
      return;
    }
    const { id } = this.#abandoned;
    ending.reject(new WorkerTimeoutError({ stage: 'exit', timeout: KILL_TIME, workerId: id }));
  }

  /** Has all workers end, and then calls back, after `limit` milliseconds at the latest. */
  #whenGone(makeEnd: (worker: WorkerHandle) => void, callback: () => void, limit = Infinity): void {
    const workers = this.#slots.workers();
    this.#waitingJobs++;
    let left = workers.length;
    let isDone = false;
    let timer: Timer | undefined;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      this.#platform.clearTimeout(timer);
      this.#waitingJobs--;
      callback();
      this.#listener.onChanged();
    };
    // Another job may have been opened meanwhile, and need the template.
    const close = (): void => {
      if (this.#jobs.size > 0 || !this.#slots.closeTemplate(done)) done();
    };
    if (left === 0) {
      close();
      return;
    }
    if (limit !== Infinity) timer = this.#platform.setTimeout(done, limit);
    for (const worker of workers) {
      worker.whenEnded(() => {
        if (--left === 0) close();
      });
    }
    for (const worker of workers) makeEnd(worker);
  }

  /** The results of a worker's chunks are no longer wanted. */
  #cancel(worker: WorkerHandle, timeout: number): void {
    for (const { chunk } of worker.assignments) {
      worker.cancel(chunk);
      if (timeout === Infinity || this.#cancelled.has(chunk)) continue;
      const timer = this.#platform.setTimeout(() => worker.kill(), timeout);
      this.#cancelled.set(chunk, { worker, timer });
    }
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
