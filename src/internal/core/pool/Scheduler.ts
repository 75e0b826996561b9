/**
 * The scheduler of a pool: brings jobs and workers together, and tells jobs what workers answer.
 *
 *     Job ─▶ Dispatcher ─▶ WorkerHandle ═▶ worker
 *      ▲                        │
 *      └────── Scheduler ◀──────┘
 *
 * The others decide: who gets what (`Dispatcher`), what is taken back (`stealing`), when a task has taken too long (`Deadlines`), what
 * runs before and after the tasks of a call (`HookRunner`), what a worker's death means for its chunks (`fate`), and what becomes of
 * workers when a job or the pool ends (`Lifecycle`).
 */

import {
  PoolTerminatedError,
  StartMethodUnavailableError,
  WorkerDiedError,
  WorkerStartError,
  WorkerTimeoutError,
} from '../../../errors.js';
import type { PoolSettings } from '../../../options.js';
import type { WorkerEnd } from '../../../StartMethod.js';
import type { AnyTask } from '../../../taskTypes.js';
import { isGroupSignal } from '../../protocol/groupSignals.js';
import {
  CallMode,
  FromWorker,
  ToWorker,
  type DefineFailedMessage,
  type EncodedFailure,
  type FailedMessage,
  type HookMessage,
  type MessageFromWorker,
  type RejectedMessage,
  type ResultsMessage,
  type StoppedMessage,
} from '../../protocol/messages.js';
import { indexOfNext, isDone, shorten, type Chunk } from '../job/Chunk.js';
import { Job, type JobEnd, type JobOwner } from '../job/Job.js';
import type { JobSpec } from '../job/JobSpec.js';
import type { PoolFacts } from '../job/Sizing.js';
import type { EventLoopRef, Platform, Timer } from '../Platform.js';
import type { PoolObserver } from '../PoolObserver.js';
import type { PoolParts } from '../PoolParts.js';
import { Deadlines } from './Deadlines.js';
import { Dispatcher, functionsOf, lifeLeft } from './Dispatcher.js';
import { loadError, taskError } from './failures.js';
import { fateOf, type DeathFacts, type Fate } from './fate.js';
import { HookRunner } from './HookRunner.js';
import { Lifecycle } from './Lifecycle.js';
import { findOverdue } from './stealing.js';
import { TaskRegistry } from './TaskRegistry.js';
import type { Assignment, WorkerHandle, WorkerListener, WorkerState } from './WorkerHandle.js';
import { importsModules, type HookFunctions, type WorkerHooks } from './WorkerHooks.js';
import { WorkerSlots } from './WorkerSlots.js';

/** Where workers are lost while they start, this many are tried, one after the other. */
const MOST_LOST_STARTS = 10;

export class Scheduler implements JobOwner, WorkerListener {
  readonly settings: PoolSettings;
  readonly platform: Platform;
  readonly facts: PoolFacts;
  readonly #parts: PoolParts;
  readonly #observer: PoolObserver;
  readonly #slots: WorkerSlots;
  readonly #tasks: TaskRegistry;
  readonly #hooks: HookRunner;
  readonly #lifecycle: Lifecycle;
  readonly #dispatcher: Dispatcher;
  readonly #deadlines: Deadlines<Chunk>;
  readonly #loopRef: EventLoopRef;
  #stealTimer: Timer | undefined;
  /** How many workers in a row were lost while they started, and another one was tried. */
  #lostStarts = 0;

  constructor(settings: PoolSettings, parts: PoolParts) {
    const { platform, observer, startMethod } = parts;
    const { nJobs, orderTasks, keepAlive } = settings;
    this.settings = settings;
    this.platform = platform;
    this.facts = {
      nJobs,
      orderTasks,
      // Asked when it is needed: what cannot be cloned throws, and a debugger may pause there.
      get sharesMemory() {
        return startMethod.isCloneable(new SharedArrayBuffer(0));
      },
    };
    this.#parts = parts;
    this.#observer = observer;
    this.#loopRef = platform.openEventLoopRef();
    this.#deadlines = new Deadlines(platform, (chunk) => this.#onTimeout(chunk));
    this.#slots = new WorkerSlots(settings, parts, this);
    this.#tasks = new TaskRegistry((task) => this.#slots.forget(task));
    this.#hooks = new HookRunner(platform, this.#tasks, this.#slots);
    this.#lifecycle = new Lifecycle(platform, keepAlive, this.#slots, this.#hooks, {
      onActive: (job) => this.onWorkChanged(job),
      onEmpty: () => this.#tasks.clear(),
      onChanged: () => this.#updateLoopRef(),
    });
    this.#dispatcher = new Dispatcher(platform, settings, this.#slots, this.#hooks, {
      onDue: () => this.#dispatch(),
      onSupplied: (worker, time) => this.#onSupplied(worker, time),
    });
  }

  /** What is measured of the workers, where that is asked for. */
  get measurements(): PoolObserver['measurements'] {
    return this.#observer.measurements;
  }

  /**
   * Begins a job, with what its function captures at this moment.
   *
   * @throws PoolTerminatedError after the pool's end.
   * @throws UnportableFunctionError where the function cannot travel.
   */
  open(fn: AnyTask, spec: JobSpec): Job {
    if (this.#lifecycle.terminated) throw new PoolTerminatedError();
    this.#observer.checkCall(spec.call);
    const { workerInit, workerExit } = spec.call;
    const [portable, init, exit] = this.#parts.makePortable([fn, workerInit, workerExit] as const, spec.call);
    const hooks = this.#hooksOf(spec, { init, exit }); // after all that throws
    const job = new Job(this.#tasks.acquire(fn, portable), spec, this, hooks);
    if (hooks !== undefined) this.#hooks.join(hooks, job);
    this.#lifecycle.add(job);
    this.#observer.onCallStart(job, (error) => job.fail(error));
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

  /** The init and exit function of a job, where it has one of them. */
  #hooksOf({ call, wantsExitResults }: JobSpec, functions: HookFunctions): WorkerHooks | undefined {
    const { workerInit, workerExit } = call;
    if (workerInit === undefined && workerExit === undefined) return undefined;
    const isKept = this.settings.keepAlive && !wantsExitResults;
    return this.#hooks.acquire({ init: workerInit, exit: workerExit }, functions, isKept);
  }

  // --- JobOwner

  freeFor(job: Job): number {
    return this.#dispatcher.freeFor(job);
  }

  onWorkChanged(job: Job): void {
    if (this.#lifecycle.isActive(job)) this.#dispatcher.update(job);
    else this.#dispatcher.drop(job);
  }

  onJobEnded(job: Job, end: JobEnd, deliver: () => void): void {
    this.#observer.onCallEnd(job, end);
    this.#dispatcher.drop(job);
    if (end.outcome !== 'completed') this.#slots.abandon(functionsOf(job), job.call.cancelTimeout);
    this.#tasks.release(job.task);
    this.#hooks.leaveCall(job);
    this.#lifecycle.end(job, end, deliver);
    this.#updateLoopRef();
  }

  runExits(job: Job, done: () => void): void {
    this.#hooks.finish(job, () => {
      job.exitResults = this.#hooks.results(job.hooks);
      done();
    });
    this.#updateLoopRef();
  }

  credit(chunk: Chunk): void {
    this.#deadlines.onCredit(chunk);
    this.#slots.holderOf(chunk)?.send({ type: ToWorker.Credit, chunk: chunk.id, batches: 1 });
  }

  cancelChunk(_job: Job, chunk: Chunk): void {
    this.#slots.holderOf(chunk)?.cancel(chunk);
  }

  // --- WorkerListener

  onReady(worker: WorkerHandle): void {
    const { shared } = this.#parts;
    this.#lostStarts = 0;
    this.#observer.onWorkerReady(worker);
    if (shared !== undefined) worker.share(shared);
    this.#slots.rest(worker);
    this.#dispatch();
  }

  onMoreAvailable(): void {
    this.#dispatch();
  }

  onMessage(worker: WorkerHandle, message: MessageFromWorker): void {
    switch (message.type) {
      case FromWorker.Results:
        this.#onResults(worker, message);
        return;
      case FromWorker.Rejected:
        this.#onRejected(worker, message);
        return;
      case FromWorker.Yields:
        this.#onYields(worker, message.chunk, message.values);
        return;
      case FromWorker.Progress: {
        // The worker does not count as heard of: the values behind a call wait, whatever that reports.
        const chunk = worker.find(message.chunk)?.chunk;
        if (chunk !== undefined) worker.job?.onProgress(chunk, message.at, worker.id, message.value);
        return;
      }
      case FromWorker.Failed:
        this.#onFailed(worker, message);
        return;
      case FromWorker.Stopped:
        this.#onStopped(worker, message);
        return;
      case FromWorker.Reclaimed: {
        const assignment = this.#hear(worker, message.chunk);
        if (assignment !== undefined) this.#keepFirst(worker, assignment.chunk, message.kept);
        this.#dispatch();
        return;
      }
      case FromWorker.Defined:
        this.#hooks.onDefined(worker, message.task);
        this.#startClocks(worker);
        return;
      case FromWorker.DefineFailed:
        this.#onDefineFailed(worker, message);
        return;
      case FromWorker.ShareFailed:
        worker.job?.fail(loadError(message.failure, worker.id));
        worker.kill();
        return;
      case FromWorker.InitDone:
      case FromWorker.InitFailed:
      case FromWorker.ExitDone:
      case FromWorker.ExitFailed:
        this.#onHookEnd(worker, message);
        return;
      case FromWorker.Print:
        this.platform.printLine(message.text);
        return;
      case FromWorker.Bar:
        this.#observer.onRemoteBar(worker, message.bar);
        return;
    }
  }

  onEnd(worker: WorkerHandle, before: WorkerState, end: WorkerEnd): void {
    this.#observer.onWorkerEnd(worker, end);
    const { job } = worker;
    const cause = worker.fatal === undefined ? end.error : worker.fatal.error;
    const died = this.#deathOf(worker, before, end, cause);
    const facts = job && this.#deathFacts(worker, job, before, end, cause);
    const assignments = this.#slots.bury(worker);
    // It reaches a process before that can ignore it, and is for the program to answer: another one is started.
    const isInterrupted = isGroupSignal(end.signal);
    if (before === 'starting' && !isInterrupted && !this.#retriesElsewhere(end)) {
      this.#onFailedStart(worker.id, cause ?? died([]));
    }

    // The last ones first: only with the first ones a job may fail.
    for (const [at, assignment] of [...assignments.entries()].reverse()) {
      this.#deadlines.stop(assignment.chunk);
      if (job === undefined || facts === undefined) continue;
      this.#onDeath(worker, job, assignment.chunk, facts(assignment, at), (fate, indexes, whyNotAgain) =>
        fate === 'fail loading'
          ? new WorkerStartError({ workerId: worker.id, cause: cause ?? died([]) })
          : died(indexes, whyNotAgain),
      );
    }
    const isIdle = before === 'ready' && assignments.length === 0 && worker.hooks.exiting === undefined;
    if (isIdle && cause !== undefined && !this.#lifecycle.terminated) this.#warnOfIdleDeath(died([]));
    this.#hooks.onWorkerEnded(worker, before === 'killed', () => died([]));
    this.#lifecycle.onWorkerEnded(worker);
    this.#dispatch();
  }

  // --- deaths

  /** Makes the error for what was lost with a worker. */
  #deathOf(
    worker: WorkerHandle,
    before: WorkerState,
    { exitCode, signal }: WorkerEnd,
    cause: unknown,
  ): (indexes: number[], whyNotAgain?: string) => WorkerDiedError {
    const { id: workerId, runningOption: option } = worker;
    // A worker that is killed has tasks that are wanted only where one beside them is out of time.
    const killedFor = before === 'killed' ? 'because another task on it took longer than its "taskTimeout"' : undefined;
    return (indexes, whyNotAgain) =>
      new WorkerDiedError({ workerId, exitCode, signal, indexes, option, cause, killedFor, whyNotAgain });
  }

  /** What is to be known of each chunk to say what becomes of it: asked while the worker still has them. */
  #deathFacts(
    worker: WorkerHandle,
    job: Job,
    before: WorkerState,
    { signal }: WorkerEnd,
    cause: unknown,
  ): (assignment: Assignment, at: number) => DeathFacts {
    const { running, claimBook } = worker;
    const { hooks, task, call } = job;
    const isInInit = hooks?.init !== undefined && worker.isInitializing(hooks) && worker.hasLoaded(hooks.init.id);
    const stage = isInInit ? 'init' : worker.hasLoaded(task.id) ? 'tasks' : 'loading';
    return ({ chunk, isCancelled }, at) => {
      const claimed = claimBook?.begun(chunk);
      return {
        isWanted: !isCancelled && !job.ended,
        isBegun: claimed === undefined ? at < running : claimed > 0 || at === 0,
        claimed,
        stage,
        importsModules: task.portable.imports || (hooks !== undefined && importsModules(hooks)),
        wasKilled: before === 'killed',
        signal,
        hasCause: cause !== undefined,
        moved: chunk.moved,
        yielded: chunk.yielded,
        deaths: chunk.deaths,
        retries: call.workerDeathRetries,
      };
    };
  }

  #onDeath(
    worker: WorkerHandle,
    job: Job,
    chunk: Chunk,
    facts: DeathFacts,
    makeError: (fate: Fate, indexes: number[], whyNotAgain?: string) => unknown,
  ): void {
    const fate = fateOf(facts);
    const { stage, claimed } = facts;
    // What a dead worker has not begun is not lost. Where it was at no value, the next one is to blame, for one has to be.
    if ((fate === 'retry' || fate === 'fail') && stage === 'tasks' && claimed !== undefined) {
      const lost = Math.max(claimed, chunk.done + 1);
      job.onReturned(chunk, lost);
      shorten(chunk, lost);
    }
    job.onWorkerEnded(chunk, fate, (indexes, whyNotAgain) => {
      const error = makeError(fate, indexes, whyNotAgain);
      if (fate === 'fail') this.#observer.onTaskError(worker, indexes[0] as number, error);
      return error;
    });
  }

  #retriesElsewhere({ retryElsewhere }: WorkerEnd): boolean {
    return retryElsewhere === true && ++this.#lostStarts < MOST_LOST_STARTS;
  }

  /** A start that fails would fail again: all who wait for a worker hear of it, once. */
  #onFailedStart(workerId: number, cause: unknown): void {
    this.#lostStarts = 0;
    const error = cause instanceof StartMethodUnavailableError ? cause : new WorkerStartError({ workerId, cause });
    for (const job of this.#dispatcher.waitingJobs) job.fail(error);
  }

  /** It concerns no call, so no error tells of it. */
  #warnOfIdleDeath({ message, cause }: WorkerDiedError): void {
    this.platform.warn(`${message}\n${cause instanceof Error ? cause.stack : String(cause)}`);
  }

  // --- what workers tell of their chunks

  #onResults(worker: WorkerHandle, { chunk: id, values, elapsed, figures }: ResultsMessage): void {
    const chunk = worker.find(id)?.chunk;
    const { job } = worker;
    if (chunk === undefined || job === undefined) return; // it was given up meanwhile
    if (figures !== undefined) this.#observer.onFigures(worker, chunk, values.length, figures);
    const isOver = this.#onNext(worker, job, chunk, values.length, elapsed);
    job.onResults(chunk, values);
    if (isOver) this.#dispatch();
  }

  #onRejected(worker: WorkerHandle, { chunk: id, failure, elapsed, figures }: RejectedMessage): void {
    const chunk = worker.find(id)?.chunk;
    const { job } = worker;
    if (chunk === undefined || job === undefined) return; // it was given up meanwhile
    if (figures !== undefined) this.#observer.onFigures(worker, chunk, 0, figures);
    const error = this.#errorOf(worker, job, chunk, failure);
    const isOver = this.#onNext(worker, job, chunk, 1, elapsed);
    job.onRejection(chunk, error);
    if (isOver) this.#dispatch();
  }

  #onYields(worker: WorkerHandle, id: number, values: unknown[]): void {
    const assignment = worker.find(id);
    if (assignment === undefined) return; // it was given up meanwhile
    worker.hear(assignment);
    this.#deadlines.onYields(assignment.chunk);
    worker.job?.onYields(assignment.chunk, values);
    this.#dispatch();
  }

  #onFailed(worker: WorkerHandle, { chunk: id, failure, isRunning, figures }: FailedMessage): void {
    const chunk = this.#hear(worker, id)?.chunk;
    const { job } = worker;
    if (chunk === undefined || job === undefined) return;
    if (figures !== undefined) this.#observer.onFigures(worker, chunk, 0, figures);
    const error = this.#errorOf(worker, job, chunk, failure);
    if (isRunning === true) {
      job.onFailure(chunk, error, false);
      worker.cancel(chunk);
    } else {
      worker.unassign(chunk.values.length - chunk.done - 1);
      this.#takeBack(worker, job, chunk);
      job.onFailure(chunk, error);
    }
    this.#dispatch();
  }

  #onStopped(worker: WorkerHandle, { chunk: id, figures }: StoppedMessage): void {
    const assignment = this.#hear(worker, id);
    const { job } = worker;
    if (assignment === undefined || job === undefined) return;
    const { chunk, isCancelled } = assignment;
    if (figures !== undefined) this.#observer.onFigures(worker, chunk, 0, figures);
    // How many tasks of a cancelled chunk were started is not known.
    if (!isCancelled) worker.unassign(chunk.values.length - chunk.done);
    this.#takeBack(worker, job, chunk);
    if (!isCancelled) job.onReturned(chunk, chunk.done);
    job.onChunkOver(chunk);
    this.#dispatch();
  }

  #onDefineFailed(worker: WorkerHandle, { task, failure }: DefineFailedMessage): void {
    const { job } = worker;
    if (job?.task.id === task) job.fail(loadError(failure, worker.id));
    this.#hooks.onDefineFailed(worker, task, failure);
    this.#dispatch();
  }

  #onHookEnd(worker: WorkerHandle, message: HookMessage): void {
    this.#observer.onHookEnd(worker, message);
    this.#hooks.onMessage(worker, message);
    this.#startClocks(worker);
    this.#dispatch();
  }

  /** The chunk of which a worker tells how it goes on; `undefined` where it was given up meanwhile. */
  #hear(worker: WorkerHandle, id: number): Assignment | undefined {
    worker.claimBook?.onSeen(id);
    const assignment = worker.find(id);
    if (assignment !== undefined) worker.hear(assignment);
    return assignment;
  }

  /** What the next value of a chunk has failed with; `undefined` if the job has ended. */
  #errorOf(worker: WorkerHandle, job: Job, chunk: Chunk, failure: EncodedFailure): unknown {
    if (job.ended) return undefined;
    const index = indexOfNext(chunk);
    const error = taskError(failure, worker, index);
    this.#observer.onTaskError(worker, index, error);
    return error;
  }

  /** A worker tells of the next `count` values of a chunk. True where it is through with that; the job has not heard yet. */
  #onNext(worker: WorkerHandle, job: Job, chunk: Chunk, count: number, elapsed: number): boolean {
    if (job.mode !== CallMode.Merge) job.task.pace.learnWorking(count, elapsed);
    if (chunk.done + count < chunk.values.length) {
      worker.hear(worker.find(chunk.id) as Assignment);
      return false;
    }
    this.#takeBack(worker, job, chunk);
    // The worker first: it works while the results are delivered.
    if (this.#dispatcher.hasWork) this.#dispatch();
    return true;
  }

  /** Only the first `kept` values of a chunk are, or will be, done by its worker. */
  #keepFirst(worker: WorkerHandle, chunk: Chunk, kept: number): void {
    const { job } = worker;
    if (kept >= chunk.values.length || job === undefined) return;
    worker.unassign(chunk.values.length - kept);
    job.onReturned(chunk, kept);
    shorten(chunk, kept);
    if (!isDone(chunk)) return;
    this.#takeBack(worker, job, chunk);
    job.onChunkOver(chunk);
  }

  /** A worker is through with a chunk. */
  #takeBack(worker: WorkerHandle, job: Job, chunk: Chunk): void {
    this.#deadlines.stop(chunk);
    worker.claimBook?.close(chunk);
    this.#slots.unassign(worker, chunk);
    if (worker.assignments.length === 0 && lifeLeft(worker, job) <= 0) this.#hooks.leave(worker);
    else this.#hooks.advance(worker);
    this.#lifecycle.onChunkOver(chunk);
  }

  // --- giving out, taking back

  #dispatch(): void {
    const failed = this.#dispatcher.dispatch();
    if (failed !== undefined) this.#onFailedStart(failed.workerId, failed.cause);
    this.#steal();
    this.#updateLoopRef();
  }

  /** Shares work out anew where a worker idles and nothing waits, and looks again when more will be overdue. */
  #steal(): void {
    this.platform.clearTimeout(this.#stealTimer);
    this.#stealTimer = undefined;
    const { busy, free } = this.#slots;
    if (this.settings.orderTasks || this.#dispatcher.hasWork || busy === 0 || free === 0) return;
    const { steals, next } = findOverdue(this.#slots.workers(), this.platform.now());
    let asked: WorkerHandle | undefined;
    for (const { worker, assignment, least } of steals) {
      if (worker === asked) continue; // it has to answer first
      const kept = worker.reclaim(assignment, least);
      if (kept === undefined) asked = worker;
      else this.#keepFirst(worker, assignment.chunk, kept);
    }
    if (next !== Infinity) this.#stealTimer = this.platform.setTimeout(() => this.#steal(), Math.ceil(next));
  }

  #onSupplied(worker: WorkerHandle, time: number): void {
    if (worker.assignments.length === 1) this.#observer.onWorkerBusy(worker, time);
    if (worker.job?.call.taskTimeout !== Infinity) this.#startClocks(worker);
  }

  // --- timeouts

  /** The tasks that a worker is at begin: their function was loaded, and what has to come before it is done. */
  #startClocks(worker: WorkerHandle): void {
    const { job } = worker;
    if (job === undefined || !worker.hasLoaded(job.task.id) || worker.isInitializing(job.hooks)) return;
    for (const { chunk } of worker.assignments) this.#deadlines.start(chunk, job.call.taskTimeout);
  }

  /** A task has taken too long. Only the end of its worker ends it for sure; it is not started again. */
  #onTimeout(chunk: Chunk): void {
    const worker = this.#slots.holderOf(chunk);
    const job = worker?.job;
    if (worker === undefined || job === undefined) return;
    worker.cancel(chunk, false); // the worker's end has nothing more to say about it
    worker.kill();
    const timeout = job.call.taskTimeout;
    const index = indexOfNext(chunk);
    const error = new WorkerTimeoutError({ stage: 'task', timeout, workerId: worker.id, index });
    this.#observer.onTaskError(worker, index, error);
    job.onFailure(chunk, error);
    this.#dispatch();
  }

  #updateLoopRef(): void {
    const { busy, living } = this.#slots;
    const isWorking = busy > 0 || this.#dispatcher.hasWork || this.#lifecycle.awaited;
    if (isWorking || (living > 0 && !this.settings.daemon)) this.#loopRef.set(true);
    else if (living > 0) this.#loopRef.set(false);
    else this.#loopRef.close();
  }
}
