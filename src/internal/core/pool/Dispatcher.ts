/**
 * Gives the chunks of jobs to workers, and starts workers as there is work for them.
 *
 * A worker has one chunk to work on, or as many as `tasksPerWorker` says, and, where chunks are short, some ahead. Jobs take turns,
 * and a worker has chunks of one job only: so what is killed for one call never takes anything of another along.
 */

import { openEnvelopes } from '../../../transfer.js';
import { NO_PLACE } from '../../protocol/claims.js';
import { NO_HOOKS, ToWorker } from '../../protocol/messages.js';
import { isWhole } from '../../protocol/typed.js';
import { indexOfNext, type Chunk } from '../job/Chunk.js';
import type { Job } from '../job/Job.js';
import type { Platform } from '../Platform.js';
import { TransientSet } from '../TransientSet.js';
import { inputError } from './failures.js';
import type { HookRunner } from './HookRunner.js';
import type { TaskRecord } from './TaskRegistry.js';
import type { WorkerHandle } from './WorkerHandle.js';
import type { WorkerSlots } from './WorkerSlots.js';

/** What a dispatcher reports. */
export interface DispatcherListener {
  /** It is time to dispatch values that a source has emitted at once. */
  onDue(): void;
  /** A worker was given a chunk, at that time. */
  onSupplied(worker: WorkerHandle, time: number): void;
}

/** A worker that could not be started. */
export interface FailedStart {
  readonly workerId: number;
  readonly cause: unknown;
}

export class Dispatcher {
  readonly #platform: Platform;
  readonly #nJobs: number;
  readonly #orderTasks: boolean;
  readonly #slots: WorkerSlots;
  readonly #hooks: HookRunner;
  readonly #listener: DispatcherListener;
  /** Jobs that have work to give, in the order of their turns. */
  readonly #ready = new TransientSet<Job>();
  #nextChunk = 0;
  #isScheduled = false;
  /** Whether workers are given nothing before the next dispatch. */
  #isEarlyOff = false;

  constructor(
    platform: Platform,
    { nJobs, orderTasks }: { readonly nJobs: number; readonly orderTasks: boolean },
    slots: WorkerSlots,
    hooks: HookRunner,
    listener: DispatcherListener,
  ) {
    this.#platform = platform;
    this.#nJobs = nJobs;
    this.#orderTasks = orderTasks;
    this.#slots = slots;
    this.#hooks = hooks;
    this.#listener = listener;
  }

  /** Whether there is work that no worker has. */
  get hasWork(): boolean {
    return this.#ready.size > 0;
  }

  /** The jobs that have it. */
  get waitingJobs(): Job[] {
    return [...this.#ready];
  }

  /** A job has values to give, or none any more. Only of jobs whose values may be given out. */
  update(job: Job): void {
    if (!job.hasWork) {
      this.#ready.delete(job);
      return;
    }
    this.#ready.add(job);
    if (this.#slots.hasIdle && job.hasPlenty && !this.#isEarlyOff) this.#supplyEarly(job);
    // Values that a source emits in one go are given out together.
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#platform.queueMicrotask(() => {
      this.#isScheduled = false;
      this.#listener.onDue();
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
      if (hasFreeLane(worker, job)) free += tasksPerWorker - worker.assignments.length;
    return free;
  }

  /** Gives out what can be given out now. @returns The worker that could not be started, if there is one. */
  dispatch(): FailedStart | undefined {
    this.#isEarlyOff = false;
    this.#supplyIdle();
    const failed = this.#startWorkers();
    this.#supplyAhead();
    return failed;
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
    if (this.#orderTasks) {
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

  /** Starts as many workers as there are values that would otherwise wait for one. */
  #startWorkers(): FailedStart | undefined {
    if (this.#ready.size === 0 || this.#slots.isComplete) return undefined;
    let wanted = 0;
    for (const job of this.#ready) {
      wanted += job.waitingCount;
      if (wanted >= this.#nJobs) break;
    }
    const [first] = this.#ready;
    if (first !== undefined) this.#slots.prepare(functionsOf(first));
    return this.#slots.start(wanted);
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
      const [current] = worker.assignments;
      if (!worker.takesMore || current === undefined || worker.job !== job || current.isCancelled) continue;
      const most = job.task.pace.chunksAhead(current.chunk.values.length);
      if (worker.assignments.length > most || worker.claimBook?.hasUnseen === true) continue;
      while (worker.assignments.length <= most && lifeLeft(worker, job) > 0 && job.hasWork && job.mayGoAhead) {
        if (!this.#supply(worker, job)) break;
      }
    }
  }

  /** Has workers begin several chunks of a job at once: those first that have fewest. */
  #supplyLanes(job: Job): void {
    let workers = this.#slots.workers().filter((worker) => hasFreeLane(worker, job));
    for (let count = 1; workers.length > 0; count++) {
      for (const worker of workers) {
        if (worker.assignments.length > count) continue;
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
    const chunk = job.cut(worker.id, lifeLeft(worker, job), this.freeFor(job));
    if (chunk === undefined) return false;
    // To the end of the line, for the others' turns.
    this.#ready.delete(job);
    if (job.hasWork) this.#ready.add(job);
    chunk.id = this.#nextChunk++;
    const moving = openEnvelopes(chunk.values);
    chunk.moved = moving !== undefined;
    const start = this.#platform.now();
    const { id, indexes, values } = chunk;
    // A value by itself on an idle worker waits for nothing.
    const isAlone = values.length === 1 && worker.assignments.length === 0;
    const book = isAlone ? worker.claimBook : worker.beginClaims();
    const place = book?.open(chunk) ?? NO_PLACE;
    try {
      if (job.hooks !== undefined) this.#hooks.begin(worker, job.hooks);
      worker.define(job.task);
      const { mode, flags } = job;
      const hooks = job.hooks?.id ?? NO_HOOKS;
      worker.send(
        { type: ToWorker.Run, chunk: id, task: job.task.id, mode, hooks, indexes, values, place, flags },
        moving,
      );
    } catch (error) {
      book?.close(chunk);
      this.#onUnsendable(worker, job, chunk, error, isEarly);
      return !isEarly;
    }
    job.task.pace.learnSending(values.length, this.#platform.now() - start);
    this.#slots.assign(worker, job, chunk, start);
    this.#listener.onSupplied(worker, start);
    return true;
  }

  #onUnsendable(worker: WorkerHandle, job: Job, chunk: Chunk, error: unknown, isEarly: boolean): void {
    if (worker.assignments.length === 0) this.#slots.rest(worker);
    if (chunk.values.length > 1 || isEarly) {
      job.onSplit(chunk);
    } else {
      const classes = worker.classes.of(job.task.id);
      const isCloneable = (value: unknown): boolean => this.#slots.isCloneable(value) && isWhole(value, classes);
      job.onFailure(chunk, inputError(chunk.values[0], indexOfNext(chunk), isCloneable, error));
    }
    this.update(job);
  }
}

/** The functions that a worker needs for a job. */
export function functionsOf({ task, hooks }: Job): TaskRecord[] {
  return [task, hooks?.init, hooks?.exit].filter((record) => record !== undefined);
}

/** How many tasks of a job a worker may still be given. */
export function lifeLeft({ assigned }: WorkerHandle, { call }: Job): number {
  return call.workerLifespan - assigned;
}

/** Whether a worker can begin another chunk of a job beside those that it has. */
function hasFreeLane(worker: WorkerHandle, job: Job): boolean {
  const { assignments } = worker;
  if (!worker.takesMore || worker.job !== job || assignments.length >= job.call.tasksPerWorker) return false;
  return assignments.every(({ chunk, isCancelled }) => !isCancelled && chunk.deaths === 0);
}
