/**
 * The hooks of a pool's workers: begins them, and ends them when their call is done or the worker is to leave.
 *
 * A worker in which an init or exit function runs does nothing else. While it is in an init function it has the chunk that
 * waits for that; an exit function runs only in a worker without chunks, and keeps it busy like one. So whatever becomes of
 * that worker concerns nobody but the calls of the hooks.
 */

import { clearTimeout, setTimeout } from '../../platform/globals.js';
import { WorkerTimeoutError } from '../../../errors.js';
import { FromWorker, NO_HOOKS, ToWorker, type MessageFromWorker } from '../../protocol/messages.js';
import type { WorkerSlots } from './WorkerSlots.js';
import { Deadlines } from './Deadlines.js';
import { createHooks, hasFunctions, setTimeouts, type WorkerHooks, type HookFunctions } from './WorkerHooks.js';
import { ExitResults } from './ExitResults.js';
import { hookError, loadError } from './failures.js';
import type { Job } from '../job/Job.js';
import type { TaskRegistry } from './TaskRegistry.js';
import type { WorkerHandle } from './WorkerHandle.js';

/** A message about hooks. */
export type HookMessage = MessageFromWorker & {
  0:
    | typeof FromWorker.InitDone
    | typeof FromWorker.InitFailed
    | typeof FromWorker.ExitDone
    | typeof FromWorker.ExitFailed;
};

export class HookRunner {
  readonly #tasks: TaskRegistry;
  readonly #slots: WorkerSlots;
  readonly #onLost: (error: unknown) => void;
  /** The hooks that calls have now, and those that are kept. */
  readonly #all = new Set<WorkerHooks>();
  readonly #results = new ExitResults();
  readonly #inits = new Deadlines<WorkerHandle>((worker) => this.#onInitTimeout(worker));
  readonly #exits = new Deadlines<WorkerHandle>((worker) => this.#onExitTimeout(worker));
  /** Workers in an exit function that nobody waits for any more, and when their time is up. */
  readonly #unwanted = new Map<WorkerHandle, NodeJS.Timeout>();
  #nextId = NO_HOOKS + 1;

  /** @param onLost Called with an error of an exit function that concerns no call: the worker leaves later than those. */
  constructor(tasks: TaskRegistry, slots: WorkerSlots, onLost: (error: unknown) => void) {
    this.#tasks = tasks;
    this.#slots = slots;
    this.#onLost = onLost;
  }

  /** Which results there are of exit functions. */
  results(hooks?: WorkerHooks): unknown[] {
    return this.#results.list(hooks);
  }

  // --- calls

  /**
   * The hooks of a call; kept ones that are there already, if they have the same functions. Kept ones that no call has are given
   * up, if they are others.
   */
  acquire(keys: { init: unknown; exit: unknown }, functions: HookFunctions, isKept: boolean): WorkerHooks {
    let hooks: WorkerHooks | undefined;
    if (isKept) {
      for (const other of this.#all) {
        if (!other.isKept || other.isOver) continue;
        if (!isInUse(other)) {
          this.#close(other); // its workers have left: what comes now is a new one
          continue;
        }
        if (hasFunctions(other, functions)) hooks = other;
        else if (other.jobs.size === 0) this.#giveUp(other);
      }
    }
    if (hooks !== undefined) return hooks;
    const areInUse = [...this.#all].some(isInUse);
    // Of workers that stay all are kept: they leave one after the other. Of single calls only those that go on.
    this.#results.keep((other) => areInUse && (other.isKept || this.#all.has(other)));
    const { init, exit } = functions;
    hooks = createHooks(
      this.#nextId++,
      init && this.#tasks.acquire(keys.init, init),
      exit && this.#tasks.acquire(keys.exit, exit),
      isKept,
    );
    this.#all.add(hooks);
    return hooks;
  }

  /** A job begins. */
  join(hooks: WorkerHooks, job: Job): void {
    hooks.jobs.add(job);
    setTimeouts(hooks, job.call);
  }

  /** All values of a job are done: calls back when its exit functions are, too. */
  finish(job: Job, done: () => void): void {
    const { hooks } = job;
    if (hooks === undefined || hooks.isKept || hooks.exit === undefined || hooks.workers.size === 0) {
      done();
      return;
    }
    hooks.onEnded = done;
    for (const worker of [...hooks.workers]) this.#oweExit(worker, hooks);
    for (const worker of [...hooks.workers]) this.advance(worker);
  }

  /** A job has ended, in whichever way. */
  release(job: Job): void {
    const { hooks } = job;
    if (hooks === undefined) return;
    hooks.jobs.delete(job);
    if (!hooks.isKept) this.#drop(hooks, job.call.cancelTimeout);
  }

  // --- workers

  /** Makes sure that a worker has, or will have, the hooks of a job before the next chunk. */
  begin(worker: WorkerHandle, hooks: WorkerHooks): void {
    if (worker.hooks.has(hooks)) return;
    if (hooks.init === undefined) {
      worker.send([ToWorker.Init, hooks.id, undefined]);
    } else {
      worker.define(hooks.init);
      worker.send([ToWorker.Init, hooks.id, hooks.init.id]);
    }
    if (hooks.exit !== undefined) worker.define(hooks.exit);
    worker.hooks.set(hooks, hooks.init === undefined ? 'initialized' : 'initializing');
    hooks.workers.add(worker);
    this.#startInitClock(worker, hooks);
  }

  /** Lets a worker leave, once it has ended its hooks and has no chunk. */
  leave(worker: WorkerHandle): void {
    worker.isRetiring = true;
    for (const hooks of [...worker.hooks.keys()]) this.#oweExit(worker, hooks);
    this.advance(worker);
  }

  /** Goes on with what a worker without chunks has to do: end hooks, and leave. */
  advance(worker: WorkerHandle): void {
    if (worker.chunks.length > 0 || worker.exiting !== undefined) return;
    const [hooks] = worker.exitsDue;
    if (hooks !== undefined) {
      if (worker.state === 'ready') this.#end(worker, hooks);
    } else if (worker.isRetiring) {
      worker.leave();
    }
  }

  /** A function was loaded. */
  onDefined(worker: WorkerHandle, task: number): void {
    const { exiting } = worker;
    if (exiting?.exit?.id === task) this.#exits.start(worker, exiting.exitTimeout);
    for (const hooks of worker.hooks.keys()) if (hooks.init?.id === task) this.#startInitClock(worker, hooks);
  }

  /** A function could not be loaded. */
  onDefineFailed(worker: WorkerHandle, task: number, failure: Parameters<typeof loadError>[0]): void {
    for (const hooks of [...worker.hooks.keys()]) {
      if (hooks.init?.id !== task && hooks.exit?.id !== task) continue;
      const error = loadError(failure, worker.id, hooks.init?.id === task ? 'workerInit' : 'workerExit');
      if (worker.exiting === hooks) {
        this.#onEnded(worker, hooks, { error });
      } else {
        this.#forget(worker, hooks, true); // so that it is tried again, and heard of, where another call has it
        for (const job of hooks.jobs) job.fail(error);
      }
    }
  }

  onMessage(worker: WorkerHandle, message: HookMessage): void {
    const hooks = [...worker.hooks.keys()].find(({ id }) => id === message[1]);
    if (hooks === undefined) return; // it was given up meanwhile
    switch (message[0]) {
      case FromWorker.InitDone:
        this.#inits.stop(worker);
        worker.hooks.set(hooks, 'initialized');
        return;
      case FromWorker.InitFailed:
        this.#inits.stop(worker);
        this.#forget(worker, hooks);
        for (const job of jobsOf(worker, hooks)) job.fail(hookError(message[2], worker, 'workerInit'));
        return;
      case FromWorker.ExitDone:
        this.#onEnded(worker, hooks, { result: message[2] });
        return;
      case FromWorker.ExitFailed:
        this.#onEnded(worker, hooks, { error: hookError(message[2], worker, 'workerExit') });
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
    const { exiting } = worker;
    worker.exitsDue.length = 0; // it has died of something else, which is no fault of their calls
    if (exiting !== undefined) this.#stopEnding(worker);
    for (const hooks of [...worker.hooks.keys()]) {
      if (!wasKilled && hooks === exiting) this.#fail(hooks, error());
      this.#forget(worker, hooks);
    }
  }

  // ---

  #startInitClock(worker: WorkerHandle, hooks: WorkerHooks): void {
    const { init } = hooks;
    if (init === undefined || worker.hooks.get(hooks) !== 'initializing' || !worker.hasLoaded(init.id)) return;
    this.#inits.start(worker, hooks.initTimeout);
  }

  /** A worker is to end the hooks as soon as it has no chunk. */
  #oweExit(worker: WorkerHandle, hooks: WorkerHooks): void {
    if (hooks.exit === undefined || worker.hooks.get(hooks) !== 'initialized') this.#forget(worker, hooks, true);
    else if (worker.exiting !== hooks && !worker.exitsDue.includes(hooks)) worker.exitsDue.push(hooks);
  }

  #end(worker: WorkerHandle, hooks: WorkerHooks): void {
    const exit = hooks.exit as NonNullable<WorkerHooks['exit']>;
    worker.exitsDue.splice(worker.exitsDue.indexOf(hooks), 1);
    this.#slots.occupy(worker);
    worker.exiting = hooks;
    worker.define(exit); // again, if it could not be loaded before
    worker.send([ToWorker.Exit, hooks.id, exit.id]);
    if (worker.hasLoaded(exit.id)) this.#exits.start(worker, hooks.exitTimeout);
  }

  #onEnded(worker: WorkerHandle, hooks: WorkerHooks, outcome: { result: unknown } | { error: unknown }): void {
    if (worker.exiting !== hooks) return;
    this.#stopEnding(worker);
    this.#slots.vacate(worker);
    if ('error' in outcome) this.#fail(hooks, outcome.error);
    else if (hooks.isKept || hooks.jobs.size > 0) this.#results.add(hooks, worker.id, outcome.result);
    this.#forget(worker, hooks);
    this.advance(worker);
  }

  #stopEnding(worker: WorkerHandle): void {
    worker.exiting = undefined;
    this.#exits.stop(worker);
    clearTimeout(this.#unwanted.get(worker));
    this.#unwanted.delete(worker);
  }

  #fail(hooks: WorkerHooks, error: unknown): void {
    if (hooks.isKept) this.#onLost(error);
    else for (const job of hooks.jobs) job.fail(error);
  }

  /** A worker has the hooks no longer. */
  #forget(worker: WorkerHandle, hooks: WorkerHooks, tellsIt = false): void {
    if (worker.hooks.get(hooks) === 'initializing') this.#inits.stop(worker);
    if (!worker.hooks.delete(hooks)) return;
    if (tellsIt && worker.state === 'ready') worker.send([ToWorker.DropHooks, hooks.id]);
    hooks.workers.delete(worker);
    if (hooks.workers.size > 0) return;
    const { onEnded } = hooks;
    hooks.onEnded = undefined;
    if (hooks.isOver) this.#remove(hooks);
    onEnded?.();
  }

  /** Nobody has the hooks any more: what is left of it in workers is not wanted. */
  #drop(hooks: WorkerHooks, cancelTimeout: number): void {
    hooks.onEnded = undefined;
    for (const worker of [...hooks.workers]) {
      const at = worker.exitsDue.indexOf(hooks);
      if (at >= 0) worker.exitsDue.splice(at, 1);
      if (worker.exiting === hooks) this.#limit(worker, cancelTimeout);
      else this.#forget(worker, hooks, true);
    }
    this.#close(hooks);
  }

  #close(hooks: WorkerHooks): void {
    hooks.isOver = true;
    if (hooks.workers.size === 0) this.#remove(hooks);
  }

  #remove(hooks: WorkerHooks): void {
    if (!this.#all.delete(hooks)) return;
    for (const task of [hooks.init, hooks.exit]) if (task !== undefined) this.#tasks.release(task);
  }

  /** No call has kept hooks, and another one comes: its workers are replaced. */
  #giveUp(hooks: WorkerHooks): void {
    for (const worker of [...hooks.workers]) {
      const hasOthers = [...worker.hooks.keys()].some((other) => other !== hooks && other.jobs.size > 0);
      if (hasOthers) {
        this.#oweExit(worker, hooks);
        this.advance(worker);
      } else {
        this.leave(worker);
      }
    }
    this.#close(hooks);
  }

  /** An exit function that nobody waits for any more gets as much time as a task. */
  #limit(worker: WorkerHandle, cancelTimeout: number): void {
    if (cancelTimeout === Infinity) return;
    const timer = setTimeout(() => worker.kill(), cancelTimeout);
    timer.unref();
    this.#unwanted.set(worker, timer);
  }

  #onInitTimeout(worker: WorkerHandle): void {
    const hooks = [...worker.hooks].find(([, state]) => state === 'initializing')?.[0];
    if (hooks === undefined) return;
    const error = new WorkerTimeoutError({ stage: 'init', timeout: hooks.initTimeout, workerId: worker.id });
    const jobs = jobsOf(worker, hooks);
    for (const chunk of worker.chunks) chunk.cancelled = true; // the worker's end has nothing more to say about them
    worker.kill();
    for (const job of jobs) job.fail(error);
  }

  #onExitTimeout(worker: WorkerHandle): void {
    const hooks = worker.exiting;
    if (hooks === undefined) return;
    worker.kill();
    const fields = { stage: 'exit', timeout: hooks.exitTimeout, workerId: worker.id, isExitFunction: true } as const;
    this.#fail(hooks, new WorkerTimeoutError(fields));
  }
}

/** The jobs whose chunks wait in a worker for the hooks to begin. */
function jobsOf(worker: WorkerHandle, hooks: WorkerHooks): Job[] {
  return [...hooks.jobs].filter((job) => worker.chunks.some((chunk) => chunk.job === job));
}

function isInUse({ jobs, workers }: WorkerHooks): boolean {
  return jobs.size > 0 || workers.size > 0;
}
