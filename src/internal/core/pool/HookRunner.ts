/**
 * Runs the init and exit functions of calls in the workers of a pool.
 *
 * A worker in which one of them runs does nothing else. While it is in an init function it has the chunk that waits for that; an exit
 * function runs only in a worker without chunks, and keeps it busy like one. So what happens to that worker concerns only the calls
 * of those hooks.
 */

import { WorkerTimeoutError } from '../../../errors.js';
import { FromWorker, NO_HOOKS, ToWorker, type EncodedFailure, type HookMessage } from '../../protocol/messages.js';
import type { Job } from '../job/Job.js';
import type { Platform, Timer } from '../Platform.js';
import { Deadlines } from './Deadlines.js';
import { ExitResults } from './ExitResults.js';
import { hookError, loadError } from './failures.js';
import type { TaskRecord, TaskRegistry } from './TaskRegistry.js';
import { hasFunctions, setTimeouts, type HookFunctions, type WorkerHooks } from './WorkerHooks.js';
import type { WorkerHandle } from './WorkerHandle.js';
import type { WorkerSlots } from './WorkerSlots.js';

/** Hooks, and who has them. */
interface Use {
  /** The calls that have them now; one at most, where they are not kept. */
  readonly jobs: Set<Job>;
  /** Whether no call takes them up any more: they are gone when no worker has them. */
  isOver: boolean;
  /** Called when no worker has them any more, while their call waits for that. */
  onGone: (() => void) | undefined;
}

export class HookRunner {
  readonly #platform: Platform;
  readonly #tasks: TaskRegistry;
  readonly #slots: WorkerSlots;
  /** The hooks that calls have now, and those that are kept. */
  readonly #uses = new Map<WorkerHooks, Use>();
  readonly #results = new ExitResults();
  readonly #inits: Deadlines<WorkerHandle>;
  readonly #exits: Deadlines<WorkerHandle>;
  /** Workers whose exit function no call waits for any more, with the timers that kill them. */
  readonly #unwanted = new Map<WorkerHandle, Timer>();
  #lost: { readonly error: unknown } | undefined;
  #nextId = NO_HOOKS + 1;

  constructor(platform: Platform, tasks: TaskRegistry, slots: WorkerSlots) {
    this.#platform = platform;
    this.#tasks = tasks;
    this.#slots = slots;
    this.#inits = new Deadlines(platform, (worker) => this.#onInitTimeout(worker));
    this.#exits = new Deadlines(platform, (worker) => this.#onExitTimeout(worker));
  }

  /** What exit functions have returned. */
  results(hooks?: WorkerHooks): unknown[] {
    return this.#results.list(hooks);
  }

  /** The first error of an exit function that belongs to no call: the worker leaves later than those. It is told once. */
  takeLost(): { readonly error: unknown } | undefined {
    const lost = this.#lost;
    this.#lost = undefined;
    return lost;
  }

  // --- calls

  /**
   * The hooks of a call; kept ones that are there already, if they have the same functions. Kept ones that no call has are given
   * up, if they are others.
   */
  acquire(keys: { init: unknown; exit: unknown }, functions: HookFunctions, isKept: boolean): WorkerHooks {
    const known = isKept ? this.#findKept(functions) : undefined;
    if (known !== undefined) return known;
    const areInUse = [...this.#uses.keys()].some((hooks) => this.#isInUse(hooks));
    // Of workers that stay all are kept: they leave one after the other. Of single calls only those that go on.
    const ids = new Set([...this.#uses.keys()].map(({ id }) => id));
    this.#results.keep((id, areKept) => areInUse && (areKept || ids.has(id)));
    const { init, exit } = functions;
    const hooks: WorkerHooks = {
      id: this.#nextId++,
      init: init && this.#tasks.acquire(keys.init, init),
      exit: exit && this.#tasks.acquire(keys.exit, exit),
      isKept,
      initTimeout: Infinity,
      exitTimeout: Infinity,
    };
    this.#uses.set(hooks, { jobs: new Set(), isOver: false, onGone: undefined });
    return hooks;
  }

  #findKept(functions: HookFunctions): WorkerHooks | undefined {
    let found: WorkerHooks | undefined;
    for (const [hooks, use] of this.#uses) {
      if (!hooks.isKept || use.isOver) continue;
      // Where its workers have left, what comes now is a new one.
      if (!this.#isInUse(hooks)) this.#close(hooks);
      else if (hasFunctions(hooks, functions)) found = hooks;
      else if (use.jobs.size === 0) this.#giveUp(hooks);
    }
    return found;
  }

  /** A job begins. */
  join(hooks: WorkerHooks, job: Job): void {
    this.#use(hooks).jobs.add(job);
    setTimeouts(hooks, job.call);
  }

  /** All values of a job are done: calls back when its exit functions are, too. */
  finish(job: Job, done: () => void): void {
    const { hooks } = job;
    const workers = hooks === undefined ? [] : this.#workersWith(hooks);
    if (hooks === undefined || hooks.isKept || hooks.exit === undefined || workers.length === 0) {
      done();
      return;
    }
    this.#use(hooks).onGone = done;
    for (const worker of workers) this.#oweExit(worker, hooks);
    for (const worker of workers) this.advance(worker);
  }

  /** A job has ended. */
  leaveCall(job: Job): void {
    const { hooks } = job;
    if (hooks === undefined) return;
    this.#use(hooks).jobs.delete(job);
    if (!hooks.isKept) this.#drop(hooks, job.call.cancelTimeout);
  }

  // --- workers

  /** Makes sure that a worker has, or will have, the hooks of a job before the next chunk. */
  begin(worker: WorkerHandle, hooks: WorkerHooks): void {
    if (worker.hooks.has(hooks)) return;
    if (hooks.init !== undefined) worker.define(hooks.init);
    worker.send({ type: ToWorker.Init, hooks: hooks.id, init: hooks.init?.id });
    if (hooks.exit !== undefined) worker.define(hooks.exit);
    worker.hooks.begin(hooks);
    this.#startInitClock(worker, hooks);
  }

  /** Lets a worker leave, once it has run its exit functions and has no chunk. */
  leave(worker: WorkerHandle): void {
    worker.retire();
    for (const hooks of worker.hooks.all) this.#oweExit(worker, hooks);
    this.advance(worker);
  }

  /** Goes on with what a worker without chunks has to do: run exit functions, and leave. */
  advance(worker: WorkerHandle): void {
    if (worker.assignments.length > 0 || worker.hooks.exiting !== undefined) return;
    const hooks = worker.hooks.nextExit;
    if (hooks !== undefined) {
      if (worker.state === 'ready') this.#exit(worker, hooks);
    } else if (worker.isRetiring) {
      worker.leave();
    }
  }

  /** A function was loaded. */
  onDefined(worker: WorkerHandle, task: number): void {
    const { exiting } = worker.hooks;
    if (exiting?.exit?.id === task) this.#exits.start(worker, exiting.exitTimeout);
    for (const hooks of worker.hooks.all) if (hooks.init?.id === task) this.#startInitClock(worker, hooks);
  }

  /** A function could not be loaded. */
  onDefineFailed(worker: WorkerHandle, task: number, failure: EncodedFailure): void {
    for (const hooks of worker.hooks.all) {
      if (hooks.init?.id !== task && hooks.exit?.id !== task) continue;
      const error = loadError(failure, worker.id, hooks.init?.id === task ? 'workerInit' : 'workerExit');
      if (worker.hooks.exiting === hooks) {
        this.#onExited(worker, hooks, { error });
      } else {
        this.#forget(worker, hooks, true); // so that it is tried again, and heard of, where another call has it
        for (const job of this.#use(hooks).jobs) job.fail(error);
      }
    }
  }

  onMessage(worker: WorkerHandle, message: HookMessage): void {
    const hooks = worker.hooks.all.find(({ id }) => id === message.hooks);
    if (hooks === undefined) return; // it was given up meanwhile
    switch (message.type) {
      case FromWorker.InitDone:
        this.#inits.stop(worker);
        worker.hooks.initDone(hooks);
        return;
      case FromWorker.InitFailed:
        this.#inits.stop(worker);
        this.#forget(worker, hooks);
        if (this.#isFor(worker, hooks)) worker.job?.fail(hookError(message.failure, worker, 'workerInit'));
        return;
      case FromWorker.ExitDone:
        this.#onExited(worker, hooks, { result: message.result });
        return;
      case FromWorker.ExitFailed:
        this.#onExited(worker, hooks, { error: hookError(message.failure, worker, 'workerExit') });
        return;
    }
  }

  /**
   * A worker has ended.
   *
   * @param error Makes the error, where it has died.
   */
  onWorkerEnded(worker: WorkerHandle, wasKilled: boolean, error: () => unknown): void {
    this.#inits.stop(worker);
    const { exiting } = worker.hooks;
    worker.hooks.cancelExits(); // it has died of something else, which is no fault of their calls
    if (exiting !== undefined) this.#stopExit(worker);
    for (const hooks of worker.hooks.all) {
      if (!wasKilled && hooks === exiting) this.#fail(hooks, error());
      this.#forget(worker, hooks);
    }
  }

  // ---

  #use(hooks: WorkerHooks): Use {
    return this.#uses.get(hooks) ?? { jobs: new Set(), isOver: true, onGone: undefined };
  }

  #workersWith(hooks: WorkerHooks): WorkerHandle[] {
    return this.#slots.workers().filter((worker) => worker.hooks.has(hooks));
  }

  #isInUse(hooks: WorkerHooks): boolean {
    return this.#use(hooks).jobs.size > 0 || this.#workersWith(hooks).length > 0;
  }

  /** Whether the chunks of a worker are of a call with these hooks. */
  #isFor({ job }: WorkerHandle, hooks: WorkerHooks): boolean {
    return job !== undefined && this.#use(hooks).jobs.has(job);
  }

  #startInitClock(worker: WorkerHandle, hooks: WorkerHooks): void {
    const { init } = hooks;
    if (init === undefined || !worker.isInitializing(hooks) || !worker.hasLoaded(init.id)) return;
    this.#inits.start(worker, hooks.initTimeout);
  }

  /** A worker is to run an exit function as soon as it has no chunk. */
  #oweExit(worker: WorkerHandle, hooks: WorkerHooks): void {
    if (hooks.exit === undefined || !worker.hooks.isInitialized(hooks)) this.#forget(worker, hooks, true);
    else worker.hooks.oweExit(hooks);
  }

  #exit(worker: WorkerHandle, hooks: WorkerHooks): void {
    const exit = hooks.exit as TaskRecord;
    this.#slots.occupy(worker);
    worker.hooks.startExit(hooks);
    worker.define(exit); // again, if it could not be loaded before
    worker.send({ type: ToWorker.Exit, hooks: hooks.id, exit: exit.id });
    if (worker.hasLoaded(exit.id)) this.#exits.start(worker, hooks.exitTimeout);
  }

  #onExited(worker: WorkerHandle, hooks: WorkerHooks, outcome: { result: unknown } | { error: unknown }): void {
    if (worker.hooks.exiting !== hooks) return;
    this.#stopExit(worker);
    this.#slots.vacate(worker);
    if ('error' in outcome) this.#fail(hooks, outcome.error);
    else if (hooks.isKept || this.#use(hooks).jobs.size > 0) this.#results.add(hooks, worker.id, outcome.result);
    this.#forget(worker, hooks);
    this.advance(worker);
  }

  #stopExit(worker: WorkerHandle): void {
    worker.hooks.exitDone();
    this.#exits.stop(worker);
    this.#platform.clearTimeout(this.#unwanted.get(worker));
    this.#unwanted.delete(worker);
  }

  #fail(hooks: WorkerHooks, error: unknown): void {
    if (hooks.isKept) this.#lost ??= { error };
    else for (const job of this.#use(hooks).jobs) job.fail(error);
  }

  /** A worker has hooks no longer. */
  #forget(worker: WorkerHandle, hooks: WorkerHooks, tellsIt = false): void {
    if (worker.isInitializing(hooks)) this.#inits.stop(worker);
    if (!worker.hooks.forget(hooks)) return;
    if (tellsIt && worker.state === 'ready') worker.send({ type: ToWorker.DropHooks, hooks: hooks.id });
    if (this.#workersWith(hooks).length > 0) return;
    const use = this.#use(hooks);
    const { onGone } = use;
    use.onGone = undefined;
    if (use.isOver) this.#remove(hooks);
    onGone?.();
  }

  /** No call has the hooks any more: what is left of them in workers is not wanted. */
  #drop(hooks: WorkerHooks, cancelTimeout: number): void {
    this.#use(hooks).onGone = undefined;
    for (const worker of this.#workersWith(hooks)) {
      worker.hooks.cancelExit(hooks);
      if (worker.hooks.exiting === hooks) this.#limit(worker, cancelTimeout);
      else this.#forget(worker, hooks, true);
    }
    this.#close(hooks);
  }

  #close(hooks: WorkerHooks): void {
    this.#use(hooks).isOver = true;
    if (this.#workersWith(hooks).length === 0) this.#remove(hooks);
  }

  #remove(hooks: WorkerHooks): void {
    if (!this.#uses.delete(hooks)) return;
    for (const task of [hooks.init, hooks.exit]) if (task !== undefined) this.#tasks.release(task);
  }

  /** No call has kept hooks, and others come: their workers are replaced. */
  #giveUp(hooks: WorkerHooks): void {
    for (const worker of this.#workersWith(hooks)) {
      const hasOthers = worker.hooks.all.some((other) => other !== hooks && this.#use(other).jobs.size > 0);
      if (hasOthers) {
        this.#oweExit(worker, hooks);
        this.advance(worker);
      } else {
        this.leave(worker);
      }
    }
    this.#close(hooks);
  }

  /** An exit function that no call waits for gets as much time to end as a cancelled task. */
  #limit(worker: WorkerHandle, cancelTimeout: number): void {
    if (cancelTimeout === Infinity) return;
    this.#unwanted.set(
      worker,
      this.#platform.setTimeout(() => worker.kill(), cancelTimeout),
    );
  }

  #onInitTimeout(worker: WorkerHandle): void {
    const hooks = worker.hooks.initializing;
    if (hooks === undefined) return;
    const error = new WorkerTimeoutError({ stage: 'init', timeout: hooks.initTimeout, workerId: worker.id });
    const job = this.#isFor(worker, hooks) ? worker.job : undefined;
    // The worker's end has nothing more to say about its chunks.
    for (const { chunk } of worker.assignments) worker.cancel(chunk, false);
    worker.kill();
    job?.fail(error);
  }

  #onExitTimeout(worker: WorkerHandle): void {
    const hooks = worker.hooks.exiting;
    if (hooks === undefined) return;
    worker.kill();
    const fields = { stage: 'exit', timeout: hooks.exitTimeout, workerId: worker.id, isExitFunction: true } as const;
    this.#fail(hooks, new WorkerTimeoutError(fields));
  }
}
