/**
 * Gives the chunks of jobs to workers, and starts workers as there is work for them.
 *
 * A worker has one chunk to work on, or as many as `tasksPerWorker` says, and, where chunks are short, some ahead. Jobs take turns,
 * and a worker has chunks of one job only: so what is killed for one call never takes anything of another along.
 */

import { now, queueMicrotask } from '../../platform/globals.js';
import { openEnvelopes } from '../../../transfer.js';
import { NO_PLACE } from '../../protocol/claims.js';
import { NO_HOOKS, ToWorker } from '../../protocol/messages.js';
import { isWhole } from '../../protocol/typed.js';
import { indexOfNext, type Chunk } from '../job/Chunk.js';
import type { WorkerSlots } from './WorkerSlots.js';
import type { HookRunner } from './HookRunner.js';
import { functionsOf } from './WorkerHooks.js';
import { inputError } from './failures.js';
import type { Job } from '../job/Job.js';
import type { WorkerHandle } from './WorkerHandle.js';

export interface DispatcherHost {
  readonly nJobs: number;
  /** Whether chunks go to the workers in turns. */
  readonly orderTasks: boolean;
  /** Whether a job's values may be given out. */
  isActive(job: Job): boolean;
  /** A worker is about to get a chunk; it still has only those before it. */
  onSupply(worker: WorkerHandle, time: number): void;
  /** It has it. */
  onSupplied(worker: WorkerHandle, chunk: Chunk): void;
  /** A worker could not be started. */
  onNoStart(workerId: number, cause: unknown): void;
  /** All was given out that can be for now. */
  onDispatched(): void;
}

export class Dispatcher {
  readonly #host: DispatcherHost;
  readonly #slots: WorkerSlots;
  readonly #hooks: HookRunner;
  /** Jobs that have work to give, in the order of their turns. */
  readonly #ready = new Set<Job>();
  #nextChunk = 0;
  #isScheduled = false;
  /** Whether workers are given nothing before the next dispatch. */
  #isEarlyOff = false;

  constructor(host: DispatcherHost, slots: WorkerSlots, hooks: HookRunner) {
    this.#host = host;
    this.#slots = slots;
    this.#hooks = hooks;
  }

  /** Whether there is work that no worker has. */
  get hasWork(): boolean {
    return this.#ready.size > 0;
  }

  /** The jobs that have it. */
  get waitingJobs(): Job[] {
    return [...this.#ready];
  }

  /** A job has values to give, or none any more. */
  update(job: Job): void {
    if (!this.#host.isActive(job) || !job.hasWork) {
      this.#ready.delete(job);
      return;
    }
    this.#ready.add(job);
    if (this.#slots.hasIdle && job.hasPlenty && !this.#isEarlyOff) this.#supplyEarly(job);
    // Values that a source emits in one go are given out together.
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.dispatch();
    });
  }

  /** A job has ended. */
  drop(job: Job): void {
    this.#ready.delete(job);
  }

  /** How many values of a job workers could take at once. */
  freeFor(job: Job): number {
    const { tasksPerWorker } = job.call;
    if (tasksPerWorker === 1) return this.#slots.free;
    let free = this.#slots.free * tasksPerWorker;
    for (const worker of this.#slots.workers())
      if (hasFreeLane(worker, job)) free += tasksPerWorker - worker.chunks.length;
    return free;
  }

  /** Gives out what can be given out now. */
  dispatch(): void {
    this.#isEarlyOff = false;
    this.#supplyIdle();
    this.#startWorkers();
    this.#supplyAhead();
    this.#host.onDispatched();
  }

  /**
   * A source that emits many values in one go does not keep workers waiting: numbers get 1.2 times as fast by this. Nothing is
   * delivered while it emits, so what cannot be sent waits for the next dispatch.
   */
  #supplyEarly(job: Job): void {
    if (this.#ready.size > 1 || !job.mayGoAhead) return;
    const worker = this.#slots.takeIdle();
    if (worker === undefined) return;
    this.#isEarlyOff = true; // a getter of a value may push the next one
    if (lifeLeft(worker, job) <= 0) this.#slots.rest(worker);
    else this.#isEarlyOff = !this.#supply(worker, job, true);
  }

  #supplyIdle(): void {
    if (this.#host.orderTasks) {
      for (const worker of this.#slots.takeAllIdle()) if (!this.#supplyInTurn(worker)) this.#slots.rest(worker);
      return;
    }
    while (this.#slots.hasIdle) {
      const job = this.#nextJob();
      if (job === undefined) return;
      const worker = this.#slots.takeIdle();
      if (worker === undefined) return;
      if (lifeLeft(worker, job) > 0) this.#supply(worker, job);
      else this.#hooks.leave(worker); // another one takes its place
    }
  }

  /** Gives a worker the next chunk that is for it. False where there is none. */
  #supplyInTurn(worker: WorkerHandle): boolean {
    for (const job of [...this.#ready]) {
      if (!job.hasWork) {
        this.#ready.delete(job);
      } else if (lifeLeft(worker, job) <= 0) {
        this.#hooks.leave(worker);
        return true;
      } else if (this.#supply(worker, job)) {
        return true;
      }
    }
    return false;
  }

  /** Starts as many workers as there are values that would else wait for one. */
  #startWorkers(): void {
    if (this.#ready.size === 0 || this.#slots.isComplete) return;
    let wanted = 0;
    for (const job of this.#ready) {
      wanted += job.waitingCount;
      if (wanted >= this.#host.nJobs) break;
    }
    const [first] = this.#ready;
    if (first !== undefined) this.#slots.prepare(functionsOf(first));
    const failure = this.#slots.start(wanted);
    if (failure !== undefined) this.#host.onNoStart(failure.workerId, failure.cause);
  }

  /**
   * Where every worker is busy, gives each what it can begin beside its chunks, or will soon be done with them, its next ones.
   *
   * Only of the job that it works for, and only where no other one waits: a job's turn never has to wait for chunks of another
   * one, and a worker that is killed for one job has nothing of another's.
   */
  #supplyAhead(): void {
    if (this.#ready.size !== 1 || this.#slots.free > 0) return;
    const job = this.#nextJob();
    if (job === undefined) return;
    if (job.call.tasksPerWorker > 1) {
      this.#supplyLanes(job);
      return;
    }
    for (const worker of this.#slots.workers()) {
      const current = worker.chunks[0];
      if (!worker.takesMore || current === undefined || current.job !== job || current.cancelled) continue;
      const most = job.task.pace.chunksAhead(current.values.length);
      if (worker.chunks.length > most || worker.claimBook?.hasUnseen === true) continue;
      while (worker.chunks.length <= most && lifeLeft(worker, job) > 0 && job.hasWork && job.mayGoAhead) {
        if (!this.#supply(worker, job)) break;
      }
    }
  }

  /** Has workers begin several chunks of a job at once: those first that have fewest. */
  #supplyLanes(job: Job): void {
    let workers = this.#slots.workers().filter((worker) => hasFreeLane(worker, job));
    for (let count = 1; workers.length > 0; count++) {
      for (const worker of workers) {
        if (worker.chunks.length > count) continue;
        if (!job.hasWork) return;
        if (lifeLeft(worker, job) > 0 && !job.isNextAlone(worker.id)) this.#supply(worker, job);
      }
      workers = workers.filter((worker) => count + 1 < job.call.tasksPerWorker && hasFreeLane(worker, job));
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

  /** Gives a worker the next chunk of a job. False where all of them are for other workers, or one cannot be sent early. */
  #supply(worker: WorkerHandle, job: Job, isEarly = false): boolean {
    const chunk = job.cut(worker.id, lifeLeft(worker, job));
    if (chunk === undefined) return false;
    // To the end of the line, for the others' turns.
    this.#ready.delete(job);
    if (job.hasWork) this.#ready.add(job);
    chunk.id = this.#nextChunk++;
    const moving = openEnvelopes(chunk.values);
    chunk.moved = moving !== undefined;
    const start = now();
    chunk.heardAt = start;
    const { id, indexes, values } = chunk;
    // A value by itself on an idle worker waits for nothing.
    const isAlone = values.length === 1 && worker.chunks.length === 0;
    const book = isAlone ? worker.claimBook : worker.beginClaims();
    const place = book?.open(chunk) ?? NO_PLACE;
    try {
      if (job.hooks !== undefined) this.#hooks.begin(worker, job.hooks);
      worker.define(job.task);
      const hooks = job.hooks?.id ?? NO_HOOKS;
      worker.send([ToWorker.Run, id, job.task.id, job.mode, hooks, indexes, values, place, job.flags], moving);
    } catch (error) {
      book?.close(chunk);
      this.#onUnsendable(worker, chunk, error, isEarly);
      return !isEarly;
    }
    job.task.pace.learnSending(values.length, now() - start);
    this.#host.onSupply(worker, start);
    worker.assigned += values.length;
    this.#slots.add(worker, chunk);
    this.#host.onSupplied(worker, chunk);
    return true;
  }

  #onUnsendable(worker: WorkerHandle, chunk: Chunk, error: unknown, isEarly: boolean): void {
    if (worker.chunks.length === 0) this.#slots.rest(worker);
    if (chunk.values.length > 1 || isEarly) {
      chunk.job.onSplit(chunk);
    } else {
      const classes = worker.classes.of(chunk.job.task.id);
      const isCloneable = (value: unknown): boolean => this.#slots.isCloneable(value) && isWhole(value, classes);
      chunk.job.onFailure(chunk, inputError(chunk.values[0], indexOfNext(chunk), isCloneable, error));
    }
    this.update(chunk.job);
  }
}

/** How many tasks of a job a worker may still be given. */
export function lifeLeft({ assigned }: WorkerHandle, { call }: Job): number {
  return call.workerLifespan - assigned;
}

/** Whether a worker can begin another chunk of a job beside those that it has. */
function hasFreeLane(worker: WorkerHandle, job: Job): boolean {
  const { chunks } = worker;
  if (!worker.takesMore || chunks.length === 0 || chunks.length >= job.call.tasksPerWorker) return false;
  return chunks.every((chunk) => chunk.job === job && !chunk.cancelled && chunk.deaths === 0);
}
