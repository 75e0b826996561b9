/**
 * The scheduler: gives the chunks of its jobs to its workers, and what the workers answer to the jobs.
 *
 * Workers are started as there is work for them. A worker has one chunk to work on and, where chunks are short, some ahead.
 * Jobs take turns. Who the workers are is `Crew`'s matter, what is to become of them when a job or the pool ends is
 * `Lifecycle`'s, when they have to share `Rebalancer`'s, when a task has taken too long `Deadlines`', and what they do before
 * the first task of a job and after its last `Duties`'.
 */

import { now, queueMicrotask } from '../globals.js';
import {
  NestedPoolError,
  PoolTerminatedError,
  StartMethodUnavailableError,
  WorkerDiedError,
  WorkerStartError,
  WorkerTimeoutError,
} from '../../errors.js';
import type { PoolSettings } from '../../options.js';
import { openEnvelopes } from '../../transfer.js';
import {
  CallMode,
  FromWorker,
  NO_DUTY,
  ToWorker,
  type EncodedFailure,
  type MessageFromWorker,
  type ResultsMessage,
} from '../channel/messages.js';
import {
  makePortable,
  makeValuePortable,
  type AnyTask,
  type PortableFunction,
  type PortableValue,
} from '../functions/portable.js';
import { printLine } from '../progress/printLine.js';
import { checkReport } from '../progress/ProgressReport.js';
import { currentWorker } from '../runtime/identity.js';
import type { WorkerEnd } from '../workers/StartMethod.js';
import type { Chunk } from './Chunk.js';
import { Crew } from './Crew.js';
import { Deadlines } from './Deadlines.js';
import { Duties } from './Duties.js';
import { importsModules, type Duty } from './Duty.js';
import { inputError, loadError, taskError } from './failures.js';
import { Hold } from './Hold.js';
import { Job, type JobOutcome, type JobOwner, type JobSpec } from './Job.js';
import { Lifecycle } from './Lifecycle.js';
import { Measurements } from './Measurements.js';
import { Rebalancer } from './Rebalancer.js';
import { TaskRegistry, type TaskRecord } from './TaskRegistry.js';
import type { WorkerHandle, WorkerListener, WorkerState } from './WorkerHandle.js';

export class Scheduler implements JobOwner, WorkerListener {
  readonly settings: PoolSettings;
  /** What is measured of the workers, where somebody wants to know. */
  readonly measurements: Measurements | undefined;
  readonly #crew: Crew;
  readonly #tasks: TaskRegistry;
  readonly #lifecycle: Lifecycle;
  readonly #rebalancer: Rebalancer;
  readonly #deadlines = new Deadlines<Chunk>((chunk) => this.#onTimeout(chunk));
  readonly #duties: Duties;
  /** The option `sharedObjects`, as it was when the pool was made. */
  readonly #shared: PortableValue | undefined;
  readonly #hold = new Hold();
  /** Jobs that have work to give, in the order of their turns. */
  readonly #ready = new Set<Job>();
  #nextChunk = 0;
  #dispatchScheduled = false;

  /** @throws NestedPoolError inside a worker that is a daemon; what `sharedObjects` that cannot travel are refused with. */
  constructor(settings: PoolSettings) {
    if (currentWorker()?.daemon === true) throw new NestedPoolError();
    this.settings = settings;
    if (settings.insights !== undefined) this.measurements = new Measurements(settings.nJobs);
    this.#crew = new Crew(settings, this);
    this.#tasks = new TaskRegistry((task) => this.#crew.forget(task));
    this.#duties = new Duties(this.#tasks, this.#crew, (error) => this.#lifecycle.onLost(error));
    if (settings.sharedObjects !== undefined) {
      this.#shared = makeValuePortable('sharedObjects', settings.sharedObjects, (value) =>
        this.#crew.isCloneable(value),
      );
      this.#crew.share(this.#shared);
    }
    this.#lifecycle = new Lifecycle(settings.keepAlive, {
      workers: () => this.#crew.workers(),
      release: (callback) => this.#crew.release(callback),
      leave: (worker) => this.#duties.leave(worker),
      activate: (job) => this.onWorkChanged(job),
      cancelChunk: (chunk) => this.cancelChunk(chunk),
      changed: () => this.#updateHold(),
    });
    this.#rebalancer = new Rebalancer(
      () => this.#crew.workers(),
      () => !settings.orderTasks && this.#ready.size === 0 && this.#crew.busy > 0 && this.#crew.free > 0,
    );
  }

  get nJobs(): number {
    return this.settings.nJobs;
  }

  get sharesMemory(): boolean {
    return this.#crew.isCloneable(new SharedArrayBuffer(0));
  }

  get orderTasks(): boolean {
    return this.settings.orderTasks;
  }

  /**
   * Begins a job, with what its function captures at this moment.
   *
   * @throws PoolTerminatedError after the pool's end.
   * @throws UnportableFunctionError where the function cannot travel.
   */
  open(fn: AnyTask, spec: JobSpec): Job {
    if (this.#lifecycle.terminated) throw new PoolTerminatedError();
    checkReport(spec.call.progressBar);
    const portable = this.#makePortable(fn, spec);
    const duty = this.#dutyOf(spec); // after all that throws
    const job = new Job(this.#tasks.acquire(fn, portable), spec, this, duty);
    if (duty !== undefined) this.#duties.join(duty, job);
    this.#lifecycle.add(job);
    return job;
  }

  /** What the exit functions of the last jobs have returned. */
  exitResults(): unknown[] {
    return this.#duties.results();
  }

  stopAndJoin(): Promise<void> {
    return this.#lifecycle.join();
  }

  terminate(): Promise<void> {
    return this.#lifecycle.terminate(() => new PoolTerminatedError());
  }

  #makePortable(fn: AnyTask, spec: JobSpec): PortableFunction {
    return makePortable(fn, {
      captures: spec.call.captures,
      isCloneable: (value) => this.#crew.isCloneable(value),
    });
  }

  /** The duty of a job, where it has init or exit functions. */
  #dutyOf(spec: JobSpec): Duty | undefined {
    const { workerInit, workerExit } = spec.call;
    if (workerInit === undefined && workerExit === undefined) return undefined;
    const functions = {
      init: workerInit && this.#makePortable(workerInit, spec),
      exit: workerExit && this.#makePortable(workerExit, spec),
    };
    const isKept = this.settings.keepAlive && !spec.wantsExitResults;
    return this.#duties.acquire({ init: workerInit, exit: workerExit }, functions, isKept);
  }

  // --- JobOwner

  freeWorkers(): number {
    return this.#crew.free;
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
    if (outcome !== 'completed') this.#crew.abandon(functionsOf(job), job.call.cancelTimeout);
    this.#tasks.release(job.task);
    this.#duties.release(job);
    this.#lifecycle.end(job, outcome, deliver);
    this.#updateHold();
  }

  finishDuty(job: Job, done: () => void): void {
    this.#duties.finish(job, () => {
      job.exitResults = this.#duties.results(job.duty);
      done();
    });
    this.#updateHold();
  }

  credit(chunk: Chunk): void {
    this.#deadlines.onCredit(chunk);
    chunk.worker?.send([ToWorker.Credit, chunk.id, 1]);
  }

  cancelChunk(chunk: Chunk): void {
    if (chunk.cancelled || chunk.worker === undefined) return;
    chunk.cancelled = true;
    chunk.worker.send([ToWorker.Cancel, chunk.id]);
  }

  // --- WorkerListener

  onReady(worker: WorkerHandle): void {
    this.measurements?.onReady(worker);
    if (this.#shared !== undefined && !worker.hasShared) worker.send([ToWorker.Share, this.#shared]);
    this.#crew.rest(worker);
    this.#dispatch();
  }

  onMessage(worker: WorkerHandle, message: MessageFromWorker): void {
    switch (message[0]) {
      case FromWorker.Results:
        this.#onResults(worker, message);
        return;
      case FromWorker.Rejected:
        this.#onRejected(worker, message[1], message[2], message[3]);
        return;
      case FromWorker.Progress: {
        // It does not count as being heard of: the values behind a call wait, whatever that reports.
        const [chunk] = worker.chunks;
        if (chunk?.id === message[1]) chunk.job.onProgress(chunk, message[2], worker.id, message[3]);
        return;
      }
      case FromWorker.Defined: {
        this.#duties.onDefined(worker, message[1]);
        this.#startClock(worker);
        return;
      }
      case FromWorker.DefineFailed:
        for (const { job } of worker.chunks) {
          if (job.task.id === message[1]) job.fail(loadError(message[2], worker.id));
        }
        this.#duties.onDefineFailed(worker, message[1], message[2]);
        this.#dispatch();
        return;
      case FromWorker.ShareFailed:
        for (const { job } of worker.chunks) job.fail(loadError(message[1], worker.id));
        worker.kill();
        return;
      case FromWorker.Print:
        printLine(message[1]);
        return;
      case FromWorker.Begun:
      case FromWorker.BeginFailed:
      case FromWorker.Ended:
      case FromWorker.EndFailed:
        this.measurements?.onDuty(worker, message);
        this.#duties.onMessage(worker, message);
        this.#startClock(worker);
        this.#dispatch();
        return;
    }
    const chunk = worker.chunks.find(({ id }) => id === message[1]);
    if (chunk === undefined) return; // it was given up meanwhile
    chunk.heardAt = now();
    const { job } = chunk;
    switch (message[0]) {
      case FromWorker.Yields:
        this.#deadlines.onYields(chunk);
        job.onYields(chunk, message[2]);
        break;
      case FromWorker.Failed: {
        const error = this.#errorOf(worker, chunk, message[2]);
        worker.given -= chunk.values.length - chunk.done - 1;
        this.#takeBack(worker, chunk);
        job.onFailure(chunk, error);
        break;
      }
      case FromWorker.Stopped:
        // Of a chunk that was cancelled nobody knows how many were started.
        if (!chunk.cancelled) worker.given -= chunk.values.length - chunk.done;
        this.#takeBack(worker, chunk);
        if (!chunk.cancelled) job.onReturned(chunk, chunk.done);
        job.onChunkOver(chunk);
        break;
      case FromWorker.Released:
        worker.given -= chunk.values.length - message[2];
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
    this.measurements?.onEnd(worker);
    const [current, ...ahead] = this.#crew.bury(worker);
    if (current !== undefined) this.#deadlines.stop(current);
    const cause = worker.fatal === undefined ? end.error : worker.fatal.error;
    const died = (indexes: number[]): WorkerDiedError =>
      new WorkerDiedError({ workerId: worker.id, exitCode: end.exitCode, signal: end.signal, indexes, cause });
    /** The same for values that were lost with it, and are not started again. */
    const lost = (indexes: number[]): WorkerDiedError => {
      const error = died(indexes);
      worker.publishError(indexes[0] as number, error);
      return error;
    };
    // Ctrl-C reaches a process before it can ignore that, and is for the program to answer: another one is started.
    const interrupted = end.signal === 'SIGINT';
    if (before === 'starting' && !interrupted) this.#failToStart(worker.id, cause ?? died([]));

    for (const chunk of ahead) {
      // It cannot have been started: results of the current one come first.
      if (!chunk.cancelled) chunk.job.onReturned(chunk, chunk.done);
      chunk.job.onChunkOver(chunk);
    }
    if (current === undefined) {
      const isIdle = before === 'ready' && worker.ending === undefined;
      if (isIdle && cause !== undefined && !this.#lifecycle.terminated) warnOfIdleDeath(died([]));
    } else if (current.cancelled || current.job.ended) {
      current.job.onChunkOver(current);
    } else if (wasInInit(worker, current.job)) {
      current.job.onWorkerDied(current, died, true);
    } else if (!worker.hasLoaded(current.job.task.id)) {
      if (importsAnything(current.job) && end.signal === null) {
        current.job.fail(new WorkerStartError({ workerId: worker.id, cause: cause ?? died([]) }));
        current.job.onChunkOver(current);
      } else {
        // It was about to die when it got the chunk.
        current.job.onNeverStarted(current, lost);
      }
    } else {
      current.job.onWorkerDied(current, lost);
    }
    this.#duties.onWorkerEnded(worker, before === 'killed', () => died([]));
    this.#lifecycle.onWorkerEnded(worker);
    this.#dispatch();
  }

  // --- giving out work

  #dispatch(): void {
    this.#supplyIdle();
    this.#startWorkers();
    this.#supplyAhead();
    this.#rebalancer.update();
    this.#updateHold();
  }

  #supplyIdle(): void {
    if (this.orderTasks) {
      for (const worker of this.#crew.takeAllIdle()) if (!this.#supplyInTurn(worker)) this.#crew.rest(worker);
      return;
    }
    while (this.#crew.hasIdle) {
      const job = this.#nextJob();
      if (job === undefined) return;
      const worker = this.#crew.takeIdle();
      if (worker === undefined) return;
      if (lifeLeft(worker, job) > 0) this.#supply(worker, job);
      else this.#duties.leave(worker); // another one takes its place
    }
  }

  /** Gives a worker the next chunk that is for it. False where there is none. */
  #supplyInTurn(worker: WorkerHandle): boolean {
    for (const job of [...this.#ready]) {
      if (!job.hasWork) {
        this.#ready.delete(job);
      } else if (lifeLeft(worker, job) <= 0) {
        this.#duties.leave(worker);
        return true;
      } else if (this.#supply(worker, job)) {
        return true;
      }
    }
    return false;
  }

  /** Starts as many workers as there are values that would else wait for one. */
  #startWorkers(): void {
    if (this.#ready.size === 0 || this.#crew.isComplete) return;
    let wanted = 0;
    for (const job of this.#ready) {
      wanted += job.waitingCount;
      if (wanted >= this.settings.nJobs) break;
    }
    const [first] = this.#ready;
    if (first !== undefined) this.#crew.prepare(functionsOf(first));
    const failure = this.#crew.start(wanted);
    if (failure !== undefined) this.#failToStart(failure.workerId, failure.cause);
  }

  /**
   * Where every worker is busy, gives each that will soon be done its next chunks.
   *
   * Only of the job that it works for, and only where no other one waits: a job's turn never has to wait for chunks of another
   * one, and a worker that is killed for one job has nothing of another's.
   */
  #supplyAhead(): void {
    if (this.#ready.size !== 1 || this.#crew.free > 0) return;
    const job = this.#nextJob();
    if (job === undefined) return;
    for (const worker of this.#crew.workers()) {
      const current = worker.chunks[0];
      if (!worker.takesMore || current === undefined || current.job !== job || current.cancelled) continue;
      const most = job.task.pace.chunksAhead(current.values.length);
      while (worker.chunks.length <= most && lifeLeft(worker, job) > 0 && job.hasWork && job.mayGoAhead) {
        if (!this.#supply(worker, job)) break;
      }
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

  /** Gives a worker the next chunk of a job. False where all of them are for other workers. */
  #supply(worker: WorkerHandle, job: Job): boolean {
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
    const { indexes, values } = chunk;
    try {
      if (job.duty !== undefined) this.#duties.begin(worker, job.duty);
      worker.define(job.task);
      const duty = job.duty?.id ?? NO_DUTY;
      worker.send([ToWorker.Run, chunk.id, job.task.id, job.mode, duty, indexes, values, job.terms], moving);
    } catch (error) {
      this.#onUnsendable(worker, chunk, error);
      return true;
    }
    job.task.pace.learnSending(values.length, now() - start);
    if (worker.chunks.length === 0) this.measurements?.onSupplied(worker, start);
    worker.given += values.length;
    this.#crew.add(worker, chunk);
    if (job.call.taskTimeout !== Infinity) this.#startClock(worker);
    return true;
  }

  /** The task that a worker is at begins: its function was loaded, and what has to come before it is done. */
  #startClock(worker: WorkerHandle): void {
    const [chunk] = worker.chunks;
    if (chunk === undefined || !worker.hasLoaded(chunk.job.task.id) || worker.isBeginning(chunk.job.duty)) return;
    this.#deadlines.start(chunk, chunk.job.call.taskTimeout);
  }

  #onUnsendable(worker: WorkerHandle, chunk: Chunk, error: unknown): void {
    if (worker.chunks.length === 0) this.#crew.rest(worker);
    if (chunk.values.length > 1) {
      chunk.job.onSplit(chunk);
    } else {
      const isCloneable = (value: unknown): boolean => this.#crew.isCloneable(value);
      chunk.job.onFailure(chunk, inputError(chunk.values[0], indexOfNext(chunk), isCloneable, error));
    }
    this.onWorkChanged(chunk.job);
  }

  // --- hearing of it

  #onResults(worker: WorkerHandle, [, id, values, elapsed, figures]: ResultsMessage): void {
    const chunk = worker.chunks[0];
    if (chunk?.id !== id) return; // it was given up meanwhile
    if (figures !== undefined) this.measurements?.onResults(worker, chunk, values.length, figures);
    const { job } = chunk;
    const isOver = this.#hear(worker, chunk, values.length, elapsed);
    job.onResults(chunk, values);
    if (isOver) this.#dispatch();
  }

  #onRejected(worker: WorkerHandle, id: number, failure: EncodedFailure, elapsed: number): void {
    const chunk = worker.chunks[0];
    if (chunk?.id !== id) return; // it was given up meanwhile
    const { job } = chunk;
    const error = this.#errorOf(worker, chunk, failure);
    const isOver = this.#hear(worker, chunk, 1, elapsed);
    job.onRejection(chunk, error);
    if (isOver) this.#dispatch();
  }

  /** What the next value of a chunk has failed with; `undefined` where nobody is left to hear of it. */
  #errorOf(worker: WorkerHandle, chunk: Chunk, failure: EncodedFailure): unknown {
    if (chunk.job.ended) return undefined;
    const index = indexOfNext(chunk);
    const error = taskError(failure, worker.id, index);
    worker.publishError(index, error);
    return error;
  }

  /** A worker tells of the next so many values of a chunk. True where it is through with that; the job has not heard yet. */
  #hear(worker: WorkerHandle, chunk: Chunk, count: number, elapsed: number): boolean {
    const { job } = chunk;
    if (job.mode !== CallMode.Merge) job.task.pace.learnWorking(count, elapsed);
    if (chunk.done + count < chunk.values.length) {
      chunk.heardAt = now();
      return false;
    }
    this.#takeBack(worker, chunk);
    // The worker first: it works while the results are delivered.
    if (this.#ready.size > 0) this.#dispatch();
    return true;
  }

  /** A worker is through with a chunk. */
  #takeBack(worker: WorkerHandle, chunk: Chunk): void {
    this.#deadlines.stop(chunk);
    this.#crew.remove(worker, chunk);
    if (worker.chunks.length === 0 && lifeLeft(worker, chunk.job) <= 0) this.#duties.leave(worker);
    else this.#duties.advance(worker);
    this.#lifecycle.onChunkOver(chunk);
  }

  /** A task has taken too long: nothing but the end of its worker ends it for sure. It is not started again. */
  #onTimeout(chunk: Chunk): void {
    const { job, worker } = chunk;
    if (worker === undefined) return;
    chunk.cancelled = true; // the worker's end has nothing more to say about it
    worker.kill();
    const timeout = job.call.taskTimeout;
    const index = indexOfNext(chunk);
    const error = new WorkerTimeoutError({ stage: 'task', timeout, workerId: worker.id, index });
    worker.publishError(index, error);
    job.onFailure(chunk, error);
    this.#dispatch();
  }

  /** A start that fails would fail again: whoever waits for a worker hears of it, once. */
  #failToStart(workerId: number, cause: unknown): void {
    const error = cause instanceof StartMethodUnavailableError ? cause : new WorkerStartError({ workerId, cause });
    for (const job of [...this.#ready]) job.fail(error);
  }

  #updateHold(): void {
    const { busy, living } = this.#crew;
    const working = busy > 0 || this.#ready.size > 0 || this.#lifecycle.awaited;
    if (working || (living > 0 && !this.settings.daemon)) this.#hold.set(true);
    else if (living > 0) this.#hold.set(false);
    else this.#hold.release();
  }
}

function functionsOf({ task, duty }: Job): TaskRecord[] {
  return [task, duty?.init, duty?.exit].filter((record) => record !== undefined);
}

/** How many tasks of a job a worker may still be given. */
function lifeLeft({ given }: WorkerHandle, { call }: Job): number {
  return call.workerLifespan - given;
}

/** Whether a worker has died in the init function of a job. */
function wasInInit(worker: WorkerHandle, { duty }: Job): boolean {
  return duty?.init !== undefined && worker.isBeginning(duty) && worker.hasLoaded(duty.init.id);
}

/** Whether modules are imported for a job, of which each may do anything. */
function importsAnything({ task, duty }: Job): boolean {
  return task.portable.imports || (duty !== undefined && importsModules(duty));
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
