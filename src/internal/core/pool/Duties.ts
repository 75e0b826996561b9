/**
 * The duties of a pool's workers: begins them, and ends them when their call is done or the worker is to leave.
 *
 * A worker in which an init or exit function runs does nothing else. While it is in an init function it has the chunk that
 * waits for that; an exit function runs only in a worker without chunks, and keeps it busy like one. So whatever becomes of
 * that worker concerns nobody but the calls of the duty.
 */

import { clearTimeout, setTimeout } from '../../platform/globals.js';
import { WorkerTimeoutError } from '../../../errors.js';
import { FromWorker, NO_DUTY, ToWorker, type MessageFromWorker } from '../../protocol/messages.js';
import type { Crew } from './Crew.js';
import { Deadlines } from './Deadlines.js';
import { createDuty, hasFunctions, setTimeouts, type Duty, type DutyFunctions } from './Duty.js';
import { ExitResults } from './ExitResults.js';
import { dutyError, loadError } from './failures.js';
import type { Job } from '../job/Job.js';
import type { TaskRegistry } from './TaskRegistry.js';
import type { WorkerHandle } from './WorkerHandle.js';

/** A message about duties. */
export type DutyMessage = MessageFromWorker & {
  0: typeof FromWorker.Begun | typeof FromWorker.BeginFailed | typeof FromWorker.Ended | typeof FromWorker.EndFailed;
};

export class Duties {
  readonly #tasks: TaskRegistry;
  readonly #crew: Crew;
  readonly #onLost: (error: unknown) => void;
  /** The duties that calls have now, and those that are kept. */
  readonly #all = new Set<Duty>();
  readonly #results = new ExitResults();
  readonly #inits = new Deadlines<WorkerHandle>((worker) => this.#onInitTimeout(worker));
  readonly #exits = new Deadlines<WorkerHandle>((worker) => this.#onExitTimeout(worker));
  /** Workers in an exit function that nobody waits for any more, and when their time is up. */
  readonly #unwanted = new Map<WorkerHandle, NodeJS.Timeout>();
  #nextId = NO_DUTY + 1;

  /** @param onLost Called with an error of an exit function that concerns no call: the worker leaves later than those. */
  constructor(tasks: TaskRegistry, crew: Crew, onLost: (error: unknown) => void) {
    this.#tasks = tasks;
    this.#crew = crew;
    this.#onLost = onLost;
  }

  /** Which results there are of exit functions. */
  results(duty?: Duty): unknown[] {
    return this.#results.list(duty);
  }

  // --- calls

  /**
   * The duty of a call; a kept one that is there already, if that has the same functions. Kept ones that no call has are given
   * up, if they are others.
   */
  acquire(keys: { init: unknown; exit: unknown }, functions: DutyFunctions, isKept: boolean): Duty {
    let duty: Duty | undefined;
    if (isKept) {
      for (const other of this.#all) {
        if (!other.isKept || other.isOver) continue;
        if (!isInUse(other)) {
          this.#close(other); // its workers have left: what comes now is a new one
          continue;
        }
        if (hasFunctions(other, functions)) duty = other;
        else if (other.jobs.size === 0) this.#giveUp(other);
      }
    }
    if (duty !== undefined) return duty;
    const areInUse = [...this.#all].some(isInUse);
    // Of workers that stay all are kept: they leave one after the other. Of single calls only those that go on.
    this.#results.keep((other) => areInUse && (other.isKept || this.#all.has(other)));
    const { init, exit } = functions;
    duty = createDuty(
      this.#nextId++,
      init && this.#tasks.acquire(keys.init, init),
      exit && this.#tasks.acquire(keys.exit, exit),
      isKept,
    );
    this.#all.add(duty);
    return duty;
  }

  /** A job begins. */
  join(duty: Duty, job: Job): void {
    duty.jobs.add(job);
    setTimeouts(duty, job.call);
  }

  /** All values of a job are done: calls back when its exit functions are, too. */
  finish(job: Job, done: () => void): void {
    const { duty } = job;
    if (duty === undefined || duty.isKept || duty.exit === undefined || duty.workers.size === 0) {
      done();
      return;
    }
    duty.onEnded = done;
    for (const worker of [...duty.workers]) this.#owe(worker, duty);
    for (const worker of [...duty.workers]) this.advance(worker);
  }

  /** A job has ended, in whichever way. */
  release(job: Job): void {
    const { duty } = job;
    if (duty === undefined) return;
    duty.jobs.delete(job);
    if (!duty.isKept) this.#drop(duty, job.call.cancelTimeout);
  }

  // --- workers

  /** Makes sure that a worker has, or will have, the duty of a job before the next chunk. */
  begin(worker: WorkerHandle, duty: Duty): void {
    if (worker.duties.has(duty)) return;
    if (duty.init === undefined) {
      worker.send([ToWorker.Begin, duty.id, undefined]);
    } else {
      worker.define(duty.init);
      worker.send([ToWorker.Begin, duty.id, duty.init.id]);
    }
    if (duty.exit !== undefined) worker.define(duty.exit);
    worker.duties.set(duty, duty.init === undefined ? 'begun' : 'beginning');
    duty.workers.add(worker);
    this.#startInitClock(worker, duty);
  }

  /** Lets a worker leave, once it has ended its duties and has no chunk. */
  leave(worker: WorkerHandle): void {
    worker.isRetiring = true;
    for (const duty of [...worker.duties.keys()]) this.#owe(worker, duty);
    this.advance(worker);
  }

  /** Goes on with what a worker without chunks has to do: end duties, and leave. */
  advance(worker: WorkerHandle): void {
    if (worker.chunks.length > 0 || worker.ending !== undefined) return;
    const [duty] = worker.owed;
    if (duty !== undefined) {
      if (worker.state === 'ready') this.#end(worker, duty);
    } else if (worker.isRetiring) {
      worker.leave();
    }
  }

  /** A function was loaded. */
  onDefined(worker: WorkerHandle, task: number): void {
    const { ending } = worker;
    if (ending?.exit?.id === task) this.#exits.start(worker, ending.exitTimeout);
    for (const duty of worker.duties.keys()) if (duty.init?.id === task) this.#startInitClock(worker, duty);
  }

  /** A function could not be loaded. */
  onDefineFailed(worker: WorkerHandle, task: number, failure: Parameters<typeof loadError>[0]): void {
    for (const duty of [...worker.duties.keys()]) {
      if (duty.init?.id !== task && duty.exit?.id !== task) continue;
      const error = loadError(failure, worker.id, duty.init?.id === task ? 'workerInit' : 'workerExit');
      if (worker.ending === duty) {
        this.#onEnded(worker, duty, { error });
      } else {
        this.#forget(worker, duty, true); // so that it is tried again, and heard of, where another call has it
        for (const job of duty.jobs) job.fail(error);
      }
    }
  }

  onMessage(worker: WorkerHandle, message: DutyMessage): void {
    const duty = [...worker.duties.keys()].find(({ id }) => id === message[1]);
    if (duty === undefined) return; // it was given up meanwhile
    switch (message[0]) {
      case FromWorker.Begun:
        this.#inits.stop(worker);
        worker.duties.set(duty, 'begun');
        return;
      case FromWorker.BeginFailed:
        this.#inits.stop(worker);
        this.#forget(worker, duty);
        for (const job of jobsOf(worker, duty)) job.fail(dutyError(message[2], worker.id, 'workerInit'));
        return;
      case FromWorker.Ended:
        this.#onEnded(worker, duty, { result: message[2] });
        return;
      case FromWorker.EndFailed:
        this.#onEnded(worker, duty, { error: dutyError(message[2], worker.id, 'workerExit') });
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
    const { ending } = worker;
    worker.owed.length = 0; // it has died of something else, which is no fault of their calls
    if (ending !== undefined) this.#stopEnding(worker);
    for (const duty of [...worker.duties.keys()]) {
      if (!wasKilled && duty === ending) this.#fail(duty, error());
      this.#forget(worker, duty);
    }
  }

  // ---

  #startInitClock(worker: WorkerHandle, duty: Duty): void {
    const { init } = duty;
    if (init === undefined || worker.duties.get(duty) !== 'beginning' || !worker.hasLoaded(init.id)) return;
    this.#inits.start(worker, duty.initTimeout);
  }

  /** A worker is to end a duty as soon as it has no chunk. */
  #owe(worker: WorkerHandle, duty: Duty): void {
    if (duty.exit === undefined || worker.duties.get(duty) !== 'begun') this.#forget(worker, duty, true);
    else if (worker.ending !== duty && !worker.owed.includes(duty)) worker.owed.push(duty);
  }

  #end(worker: WorkerHandle, duty: Duty): void {
    const exit = duty.exit as NonNullable<Duty['exit']>;
    worker.owed.splice(worker.owed.indexOf(duty), 1);
    this.#crew.occupy(worker);
    worker.ending = duty;
    worker.define(exit); // again, if it could not be loaded before
    worker.send([ToWorker.End, duty.id, exit.id]);
    if (worker.hasLoaded(exit.id)) this.#exits.start(worker, duty.exitTimeout);
  }

  #onEnded(worker: WorkerHandle, duty: Duty, outcome: { result: unknown } | { error: unknown }): void {
    if (worker.ending !== duty) return;
    this.#stopEnding(worker);
    this.#crew.vacate(worker);
    if ('error' in outcome) this.#fail(duty, outcome.error);
    else if (duty.isKept || duty.jobs.size > 0) this.#results.add(duty, worker.id, outcome.result);
    this.#forget(worker, duty);
    this.advance(worker);
  }

  #stopEnding(worker: WorkerHandle): void {
    worker.ending = undefined;
    this.#exits.stop(worker);
    clearTimeout(this.#unwanted.get(worker));
    this.#unwanted.delete(worker);
  }

  #fail(duty: Duty, error: unknown): void {
    if (duty.isKept) this.#onLost(error);
    else for (const job of duty.jobs) job.fail(error);
  }

  /** A worker has a duty no longer. */
  #forget(worker: WorkerHandle, duty: Duty, tellsIt = false): void {
    if (worker.duties.get(duty) === 'beginning') this.#inits.stop(worker);
    if (!worker.duties.delete(duty)) return;
    if (tellsIt && worker.state === 'ready') worker.send([ToWorker.Drop, duty.id]);
    duty.workers.delete(worker);
    if (duty.workers.size > 0) return;
    const { onEnded } = duty;
    duty.onEnded = undefined;
    if (duty.isOver) this.#remove(duty);
    onEnded?.();
  }

  /** Nobody has the duty any more: what is left of it in workers is not wanted. */
  #drop(duty: Duty, cancelTimeout: number): void {
    duty.onEnded = undefined;
    for (const worker of [...duty.workers]) {
      const at = worker.owed.indexOf(duty);
      if (at >= 0) worker.owed.splice(at, 1);
      if (worker.ending === duty) this.#limit(worker, cancelTimeout);
      else this.#forget(worker, duty, true);
    }
    this.#close(duty);
  }

  #close(duty: Duty): void {
    duty.isOver = true;
    if (duty.workers.size === 0) this.#remove(duty);
  }

  #remove(duty: Duty): void {
    if (!this.#all.delete(duty)) return;
    for (const task of [duty.init, duty.exit]) if (task !== undefined) this.#tasks.release(task);
  }

  /** No call has a kept duty, and another one comes: its workers are replaced. */
  #giveUp(duty: Duty): void {
    for (const worker of [...duty.workers]) {
      const hasOthers = [...worker.duties.keys()].some((other) => other !== duty && other.jobs.size > 0);
      if (hasOthers) {
        this.#owe(worker, duty);
        this.advance(worker);
      } else {
        this.leave(worker);
      }
    }
    this.#close(duty);
  }

  /** An exit function that nobody waits for any more gets as much time as a task. */
  #limit(worker: WorkerHandle, cancelTimeout: number): void {
    if (cancelTimeout === Infinity) return;
    const timer = setTimeout(() => worker.kill(), cancelTimeout);
    timer.unref();
    this.#unwanted.set(worker, timer);
  }

  #onInitTimeout(worker: WorkerHandle): void {
    const duty = [...worker.duties].find(([, state]) => state === 'beginning')?.[0];
    if (duty === undefined) return;
    const error = new WorkerTimeoutError({ stage: 'init', timeout: duty.initTimeout, workerId: worker.id });
    const jobs = jobsOf(worker, duty);
    for (const chunk of worker.chunks) chunk.cancelled = true; // the worker's end has nothing more to say about them
    worker.kill();
    for (const job of jobs) job.fail(error);
  }

  #onExitTimeout(worker: WorkerHandle): void {
    const duty = worker.ending;
    if (duty === undefined) return;
    worker.kill();
    const fields = { stage: 'exit', timeout: duty.exitTimeout, workerId: worker.id, isExitFunction: true } as const;
    this.#fail(duty, new WorkerTimeoutError(fields));
  }
}

/** The jobs whose chunks wait in a worker for a duty to begin. */
function jobsOf(worker: WorkerHandle, duty: Duty): Job[] {
  return [...duty.jobs].filter((job) => worker.chunks.some((chunk) => chunk.job === job));
}

function isInUse({ jobs, workers }: Duty): boolean {
  return jobs.size > 0 || workers.size > 0;
}
