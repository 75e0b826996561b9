/**
 * The scheduler: brings jobs and workers together, and tells the jobs what the workers answer.
 *
 * What is given to which worker is `Dispatcher`'s matter, who the workers are is `WorkerSlots`'s, what is to become of them when a job or the
 * pool ends is `Lifecycle`'s, when they have to share `WorkStealer`'s, when a task has taken too long `Deadlines`', and what they do
 * before the first task of a job and after its last `HookRunner`'.
 */

import { now } from '../../platform/globals.js';
import {
  NestedPoolError,
  PoolTerminatedError,
  StartMethodUnavailableError,
  WorkerDiedError,
  WorkerStartError,
  WorkerTimeoutError,
} from '../../../errors.js';
import type { PoolSettings } from '../../../options.js';
import {
  CallMode,
  FromWorker,
  ToWorker,
  type EncodedFailure,
  type MessageFromWorker,
  type RejectedMessage,
  type ResultsMessage,
} from '../../protocol/messages.js';
import type { PortableFunction, PortableValue } from '../../protocol/portable.js';
import type { AnyTask } from '../../../taskTypes.js';
import { makePortable, makeValuePortable } from '../../closures/portable.js';
import { printLine } from '../../observe/progress/printLine.js';
import { checkReport } from '../../observe/progress/ProgressReport.js';
import { endRemoteBars, showRemoteBar } from '../../observe/progress/remoteBars.js';
import { currentWorker } from '../../worker/identity.js';
import type { WorkerEnd } from '../../../StartMethod.js';
import { indexOfNext, type Chunk } from '../job/Chunk.js';
import { WorkerSlots } from './WorkerSlots.js';
import { Deadlines } from './Deadlines.js';
import { Dispatcher, lifeLeft } from './Dispatcher.js';
import { HookRunner } from './HookRunner.js';
import { functionsOf, importsModules, type WorkerHooks } from './WorkerHooks.js';
import { loadError, taskError } from './failures.js';
import { EventLoopRef } from './EventLoopRef.js';
import { Job, type JobOutcome, type JobOwner, type JobSpec } from '../job/Job.js';
import { Lifecycle } from './Lifecycle.js';
import { createMeasurements, type Measurements } from '../../observe/Measurements.js';
import { WorkStealer } from './WorkStealer.js';
import { TaskRegistry } from './TaskRegistry.js';
import type { WorkerHandle, WorkerListener, WorkerState } from './WorkerHandle.js';

export class Scheduler implements JobOwner, WorkerListener {
  readonly settings: PoolSettings;
  /** What is measured of the workers, where somebody wants to know. */
  readonly measurements: Measurements | undefined;
  readonly #slots: WorkerSlots;
  readonly #tasks: TaskRegistry;
  readonly #lifecycle: Lifecycle;
  readonly #stealer: WorkStealer;
  readonly #deadlines = new Deadlines<Chunk>((chunk) => this.#onTimeout(chunk));
  readonly #hooks: HookRunner;
  /** The option `sharedObjects`, as it was when the pool was made. */
  readonly #shared: PortableValue | undefined;
  readonly #loopRef = new EventLoopRef();
  /** Whether some worker has had a bar: as long as not, nothing of bars is loaded. */
  #showsBars = false;
  readonly #dispatcher: Dispatcher;

  /** @throws NestedPoolError inside a worker that is a daemon; what `sharedObjects` that cannot travel are refused with. */
  constructor(settings: PoolSettings) {
    if (currentWorker()?.daemon === true) throw new NestedPoolError();
    this.settings = settings;
    if (settings.insights !== undefined) this.measurements = createMeasurements(settings.nJobs);
    this.#slots = new WorkerSlots(settings, this);
    this.#tasks = new TaskRegistry((task) => this.#slots.forget(task));
    this.#hooks = new HookRunner(this.#tasks, this.#slots, (error) => this.#lifecycle.onLost(error));
    if (settings.sharedObjects !== undefined) {
      this.#shared = this.#slots.isLocal
        ? { local: settings.sharedObjects, imports: false }
        : makeValuePortable('sharedObjects', settings.sharedObjects, (value) => this.#slots.isCloneable(value));
      this.#slots.share(this.#shared);
    }
    this.#lifecycle = new Lifecycle(settings.keepAlive, {
      workers: () => this.#slots.workers(),
      release: (callback) => this.#slots.release(callback),
      leave: (worker) => this.#hooks.leave(worker),
      activate: (job) => this.onWorkChanged(job),
      cancelChunk: (chunk) => this.cancelChunk(chunk),
      changed: () => this.#updateHold(),
    });
    this.#stealer = new WorkStealer({
      workers: () => this.#slots.workers(),
      isNeeded: () => !settings.orderTasks && !this.#dispatcher.hasWork && this.#slots.busy > 0 && this.#slots.free > 0,
      onShortened: (worker, chunk, kept) => this.#shorten(worker, chunk, kept),
    });
    const dispatcherHost = {
      nJobs: settings.nJobs,
      orderTasks: settings.orderTasks,
      isActive: (job: Job) => this.#lifecycle.isActive(job),
      onSupply: (worker: WorkerHandle, time: number) => {
        if (worker.chunks.length === 0) this.measurements?.onSupplied(worker, time);
      },
      onSupplied: (worker: WorkerHandle, chunk: Chunk) => {
        if (chunk.job.call.taskTimeout !== Infinity) this.#startClocks(worker);
      },
      onNoStart: (workerId: number, cause: unknown) => this.#failToStart(workerId, cause),
      onDispatched: () => {
        this.#stealer.update();
        this.#updateHold();
      },
    };
    this.#dispatcher = new Dispatcher(dispatcherHost, this.#slots, this.#hooks);
  }

  get nJobs(): number {
    return this.settings.nJobs;
  }

  get sharesMemory(): boolean {
    return this.#slots.isCloneable(new SharedArrayBuffer(0));
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
    if (spec.call.progressBar !== undefined) checkReport(spec.call.progressBar);
    const portable = this.#makePortable(fn, spec);
    const hooks = this.#hooksOf(spec); // after all that throws
    const job = new Job(this.#tasks.acquire(fn, portable), spec, this, hooks);
    if (hooks !== undefined) this.#hooks.join(hooks, job);
    this.#lifecycle.add(job);
    return job;
  }

  /** What the exit functions of the last jobs have returned. */
  exitResults(): unknown[] {
    return this.#hooks.results();
  }

  stopAndJoin(): Promise<void> {
    return this.#lifecycle.join();
  }

  terminate(): Promise<void> {
    return this.#lifecycle.terminate(() => new PoolTerminatedError());
  }

  #makePortable(fn: AnyTask, spec: JobSpec): PortableFunction {
    const { isLocal } = this.#slots;
    if (isLocal && spec.call.captures !== undefined) {
      throw new TypeError(
        '"captures" cannot be used with startMethod "inline": the function has its own variables. Leave it out.',
      );
    }
    return makePortable(fn, {
      captures: spec.call.captures,
      classes: spec.call.classes,
      isLocal,
      isCloneable: (value) => this.#slots.isCloneable(value),
    });
  }

  /** The hooks of a job, where it has init or exit functions. */
  #hooksOf(spec: JobSpec): WorkerHooks | undefined {
    const { workerInit, workerExit } = spec.call;
    if (workerInit === undefined && workerExit === undefined) return undefined;
    const functions = {
      init: workerInit && this.#makePortable(workerInit, spec),
      exit: workerExit && this.#makePortable(workerExit, spec),
    };
    const isKept = this.settings.keepAlive && !spec.wantsExitResults;
    return this.#hooks.acquire({ init: workerInit, exit: workerExit }, functions, isKept);
  }

  // --- JobOwner

  freeFor(job: Job): number {
    return this.#dispatcher.freeFor(job);
  }

  onWorkChanged(job: Job): void {
    this.#dispatcher.update(job);
  }

  onJobEnded(job: Job, outcome: JobOutcome, deliver: () => void): void {
    this.#dispatcher.drop(job);
    if (outcome !== 'completed') this.#slots.abandon(functionsOf(job), job.call.cancelTimeout);
    this.#tasks.release(job.task);
    this.#hooks.release(job);
    this.#lifecycle.end(job, outcome, deliver);
    this.#updateHold();
  }

  runExits(job: Job, done: () => void): void {
    this.#hooks.finish(job, () => {
      job.exitResults = this.#hooks.results(job.hooks);
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
    this.#slots.rest(worker);
    this.#dispatcher.dispatch();
  }

  onMessage(worker: WorkerHandle, message: MessageFromWorker): void {
    switch (message[0]) {
      case FromWorker.Results:
        this.#onResults(worker, message);
        return;
      case FromWorker.Rejected:
        this.#onRejected(worker, message);
        return;
      case FromWorker.Progress: {
        // It does not count as being heard of: the values behind a call wait, whatever that reports.
        const chunk = runningChunk(worker, message[1]);
        if (chunk !== undefined) chunk.job.onProgress(chunk, message[2], worker.id, message[3]);
        return;
      }
      case FromWorker.Defined: {
        this.#hooks.onDefined(worker, message[1]);
        this.#startClocks(worker);
        return;
      }
      case FromWorker.DefineFailed:
        for (const { job } of worker.chunks) {
          if (job.task.id === message[1]) job.fail(loadError(message[2], worker.id));
        }
        this.#hooks.onDefineFailed(worker, message[1], message[2]);
        this.#dispatcher.dispatch();
        return;
      case FromWorker.ShareFailed:
        for (const { job } of worker.chunks) job.fail(loadError(message[1], worker.id));
        worker.kill();
        return;
      case FromWorker.Print:
        printLine(message[1]);
        return;
      case FromWorker.Bar:
        this.#showsBars = true;
        showRemoteBar(worker, message[1]);
        return;
      case FromWorker.InitDone:
      case FromWorker.InitFailed:
      case FromWorker.ExitDone:
      case FromWorker.ExitFailed:
        this.measurements?.onHook(worker, message);
        this.#hooks.onMessage(worker, message);
        this.#startClocks(worker);
        this.#dispatcher.dispatch();
        return;
    }
    const [, id] = message;
    if (typeof id !== 'number') return; // no chunk's
    if (message[0] !== FromWorker.Yields) worker.claimBook?.onSeen(id);
    const chunk = worker.chunks.find((other) => other.id === id);
    if (chunk === undefined) return; // it was given up meanwhile
    chunk.heardAt = now();
    const { job } = chunk;
    switch (message[0]) {
      case FromWorker.Yields:
        this.#deadlines.onYields(chunk);
        job.onYields(chunk, message[2]);
        break;
      case FromWorker.Failed: {
        if (message[4] !== undefined) this.measurements?.onFigures(worker, chunk, 0, message[4]);
        const error = this.#errorOf(worker, chunk, message[2]);
        if (message[3] === true) {
          job.onFailure(chunk, error, false);
          this.cancelChunk(chunk);
          break;
        }
        worker.assigned -= chunk.values.length - chunk.done - 1;
        this.#takeBack(worker, chunk);
        job.onFailure(chunk, error);
        break;
      }
      case FromWorker.Stopped:
        if (message[2] !== undefined) this.measurements?.onFigures(worker, chunk, 0, message[2]);
        // Of a chunk that was cancelled nobody knows how many were started.
        if (!chunk.cancelled) worker.assigned -= chunk.values.length - chunk.done;
        this.#takeBack(worker, chunk);
        if (!chunk.cancelled) job.onReturned(chunk, chunk.done);
        job.onChunkOver(chunk);
        break;
      case FromWorker.Reclaimed:
        this.#shorten(worker, chunk, message[2]);
        break;
    }
    this.#dispatcher.dispatch();
  }

  onEnd(worker: WorkerHandle, before: WorkerState, end: WorkerEnd): void {
    this.measurements?.onEnd(worker);
    if (this.#showsBars) endRemoteBars(worker);
    const { running } = worker;
    const chunks = this.#slots.bury(worker);
    const cause = worker.fatal === undefined ? end.error : worker.fatal.error;
    const { id: workerId, runningOption: option } = worker;
    const { exitCode, signal } = end;
    // A worker that is killed has tasks that are wanted only where one beside them is out of time.
    const killedFor = before === 'killed' ? 'for a task beside it took longer than its "taskTimeout"' : undefined;
    const died = (indexes: number[], whyNotAgain?: string): WorkerDiedError =>
      new WorkerDiedError({ workerId, exitCode, signal, indexes, option, cause, killedFor, whyNotAgain });
    /** The same for values that were lost with it, and are not started again. */
    const lost = (indexes: number[], whyNotAgain?: string): WorkerDiedError => {
      const error = died(indexes, whyNotAgain);
      worker.publishError(indexes[0] as number, error);
      return error;
    };
    // Ctrl-C reaches a process before it can ignore that, and is for the program to answer: another one is started.
    const interrupted = end.signal === 'SIGINT';
    if (before === 'starting' && !interrupted) this.#failToStart(worker.id, cause ?? died([]));

    // The last ones first: only with the first ones a job may fail.
    for (const [at, chunk] of [...chunks.entries()].reverse()) {
      this.#deadlines.stop(chunk);
      const { job } = chunk;
      const begun = worker.claimBook?.begun(chunk);
      const isBegun = begun === undefined ? at < running : begun > 0 || at === 0;
      if (chunk.cancelled || job.ended) {
        job.onChunkOver(chunk);
      } else if (isBegun && wasInInit(worker, job)) {
        job.onWorkerDied(chunk, died, true);
      } else if (isBegun && !worker.hasLoaded(job.task.id)) {
        if (importsAnything(job) && end.signal === null) {
          job.fail(new WorkerStartError({ workerId: worker.id, cause: cause ?? died([]) }));
          job.onChunkOver(chunk);
        } else {
          // It was about to die when it got the chunk.
          job.onNeverStarted(chunk, lost);
        }
      } else if (!isBegun || (before === 'killed' && !chunk.moved && !chunk.yielded)) {
        // It waited, or its worker was killed because of another task: it is not to blame.
        job.onReturned(chunk, chunk.done);
        job.onChunkOver(chunk);
      } else if (begun === 0 && cause === undefined) {
        job.onNeverStarted(chunk, lost); // it was about to die, as above
      } else {
        this.#returnRest(chunk, begun);
        job.onWorkerDied(chunk, lost);
      }
    }
    if (chunks.length === 0) {
      const isIdle = before === 'ready' && worker.exiting === undefined;
      if (isIdle && cause !== undefined && !this.#lifecycle.terminated) warnOfIdleDeath(died([]));
    }
    this.#hooks.onWorkerEnded(worker, before === 'killed', () => died([]));
    this.#lifecycle.onWorkerEnded(worker);
    this.#dispatcher.dispatch();
  }

  /** What a dead worker has not begun is not lost. Where it was at no value, the next one is to blame, for somebody has to be. */
  #returnRest(chunk: Chunk, begun = chunk.values.length): void {
    const lost = Math.max(begun, chunk.done + 1);
    chunk.job.onReturned(chunk, lost);
    chunk.values.length = Math.min(lost, chunk.values.length);
  }

  /** The tasks that a worker is at begin: their function was loaded, and what has to come before it is done. */
  #startClocks(worker: WorkerHandle): void {
    for (const chunk of worker.chunks) {
      if (!worker.hasLoaded(chunk.job.task.id) || worker.isInitializing(chunk.job.hooks)) return;
      this.#deadlines.start(chunk, chunk.job.call.taskTimeout);
    }
  }

  /** Only the first `kept` values of a chunk are, or will be, done by its worker. */
  #shorten(worker: WorkerHandle, chunk: Chunk, kept: number): void {
    if (kept >= chunk.values.length) return;
    worker.assigned -= chunk.values.length - kept;
    chunk.job.onReturned(chunk, kept);
    chunk.values.length = kept;
    if (chunk.done < kept) return;
    this.#takeBack(worker, chunk);
    chunk.job.onChunkOver(chunk);
  }

  #onResults(worker: WorkerHandle, [, id, values, elapsed, figures]: ResultsMessage): void {
    const chunk = runningChunk(worker, id);
    if (chunk === undefined) return; // it was given up meanwhile
    if (figures !== undefined) this.measurements?.onFigures(worker, chunk, values.length, figures);
    const { job } = chunk;
    const isOver = this.#hear(worker, chunk, values.length, elapsed);
    job.onResults(chunk, values);
    if (isOver) this.#dispatcher.dispatch();
  }

  #onRejected(worker: WorkerHandle, [, id, failure, elapsed, figures]: RejectedMessage): void {
    const chunk = runningChunk(worker, id);
    if (chunk === undefined) return; // it was given up meanwhile
    if (figures !== undefined) this.measurements?.onFigures(worker, chunk, 0, figures);
    const { job } = chunk;
    const error = this.#errorOf(worker, chunk, failure);
    const isOver = this.#hear(worker, chunk, 1, elapsed);
    job.onRejection(chunk, error);
    if (isOver) this.#dispatcher.dispatch();
  }

  /** What the next value of a chunk has failed with; `undefined` where nobody is left to hear of it. */
  #errorOf(worker: WorkerHandle, chunk: Chunk, failure: EncodedFailure): unknown {
    if (chunk.job.ended) return undefined;
    const index = indexOfNext(chunk);
    const error = taskError(failure, worker, index);
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
    if (this.#dispatcher.hasWork) this.#dispatcher.dispatch();
    return true;
  }

  /** A worker is through with a chunk. */
  #takeBack(worker: WorkerHandle, chunk: Chunk): void {
    this.#deadlines.stop(chunk);
    worker.claimBook?.close(chunk);
    this.#slots.remove(worker, chunk);
    if (worker.chunks.length === 0 && lifeLeft(worker, chunk.job) <= 0) this.#hooks.leave(worker);
    else this.#hooks.advance(worker);
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
    this.#dispatcher.dispatch();
  }

  /** A start that fails would fail again: whoever waits for a worker hears of it, once. */
  #failToStart(workerId: number, cause: unknown): void {
    const error = cause instanceof StartMethodUnavailableError ? cause : new WorkerStartError({ workerId, cause });
    for (const job of this.#dispatcher.waitingJobs) job.fail(error);
  }

  #updateHold(): void {
    const { busy, living } = this.#slots;
    const working = busy > 0 || this.#dispatcher.hasWork || this.#lifecycle.awaited;
    if (working || (living > 0 && !this.settings.daemon)) this.#loopRef.set(true);
    else if (living > 0) this.#loopRef.set(false);
    else this.#loopRef.release();
  }
}

/** @throws as the constructor of {@link Scheduler} */
export function createScheduler(settings: PoolSettings): Scheduler {
  return new Scheduler(settings);
}

/** The chunk of that number, which its worker is working on. Of one that has several ahead that is the first one. */
function runningChunk({ chunks }: WorkerHandle, id: number): Chunk | undefined {
  const [first] = chunks;
  return first?.id === id ? first : chunks.find((chunk) => chunk.id === id);
}

/** Whether a worker has died in the init function of a job. */
function wasInInit(worker: WorkerHandle, { hooks }: Job): boolean {
  return hooks?.init !== undefined && worker.isInitializing(hooks) && worker.hasLoaded(hooks.init.id);
}

/** Whether modules are imported for a job, of which each may do anything. */
function importsAnything({ task, hooks }: Job): boolean {
  return task.portable.imports || (hooks !== undefined && importsModules(hooks));
}

/** No call has to do with it, so nobody else would say it. */
function warnOfIdleDeath(error: WorkerDiedError): void {
  process.emitWarning(`${error.message}\n${error.cause instanceof Error ? error.cause.stack : String(error.cause)}`, {
    type: 'WorkerPoolWarning',
  });
}
