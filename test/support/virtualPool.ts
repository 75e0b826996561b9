/**
 * A pool whose workers live in virtual time: a task returns an Observable, of a `TestScheduler` say, that takes as long as the
 * work would. Jobs are the real ones; only the workers and the way to them are left out.
 */

import { from, Subject, takeUntil, type ObservableInput } from 'rxjs';
import type { AnyWorkerPool } from 'rxjs-parallel-map';
import { CallMode } from '../../src/internal/protocol/messages.js';
import { Job, type JobEnd, type JobOwner } from '../../src/internal/core/job/Job.js';
import type { JobSpec } from '../../src/internal/core/job/JobSpec.js';
import { indexAt, type Chunk } from '../../src/internal/core/job/Chunk.js';
import { Pace } from '../../src/internal/core/job/Pace.js';
import { poolBrand, version } from '../../src/internal/options/poolBrand.js';
import { nodePlatform } from '../../src/internal/node/nodePlatform.js';
import type { PortableFunction } from '../../src/internal/protocol/portable.js';

/** A task in virtual time. For `parallelMap` the result is the last value, at the time of completion. */
type VirtualTask = (value: unknown, context: { index: number }) => ObservableInput<unknown>;

/** @param nJobs How many tasks run at once. */
export function virtualPool(nJobs = Infinity): AnyWorkerPool {
  return new VirtualPool(nJobs);
}

class VirtualPool implements AnyWorkerPool, JobOwner {
  readonly platform = nodePlatform;
  readonly facts: JobOwner['facts'];
  readonly [poolBrand] = {
    version,
    runner: {
      open: (fn: VirtualTask, spec: JobSpec): Job => {
        const portable = { kind: 'module', name: 'virtual' } as PortableFunction;
        const task = { id: 0, key: fn, portable, pace: new Pace(), users: 1 };
        const job = new Job(task, spec, this);
        this.#tasks.set(job, fn);
        return job;
      },
    },
  };

  readonly #tasks = new Map<Job, VirtualTask>();
  /** What runs, of which job, and how to stop it. */
  readonly #running = new Map<Chunk, { readonly job: Job; readonly stop: Subject<void> }>();
  #dispatching = false;

  constructor(nJobs: number) {
    this.facts = { nJobs, orderTasks: false, sharesMemory: true };
  }

  freeFor(): number {
    return this.facts.nJobs - this.#running.size;
  }

  onWorkChanged(): void {
    if (this.#dispatching) return;
    this.#dispatching = true;
    for (const job of this.#tasks.keys()) {
      while (job.hasWork && this.freeFor() > 0) this.#start(job, job.cut(0, Infinity, this.freeFor()) as Chunk);
    }
    this.#dispatching = false;
  }

  onJobEnded(job: Job, _end: JobEnd, deliver: () => void): void {
    this.#tasks.delete(job);
    for (const [chunk, running] of this.#running) if (running.job === job) this.#end(chunk);
    deliver();
  }

  runExits(_job: Job, done: () => void): void {
    done();
  }

  credit(): void {}

  cancelChunk(job: Job, chunk: Chunk): void {
    this.#end(chunk);
    job.onChunkOver(chunk);
  }

  stopAndJoin(): Promise<void> {
    throw new Error('An operator does not join the pool that it was given.');
  }

  terminate(): Promise<void> {
    throw new Error('An operator does not terminate the pool that it was given.');
  }

  #start(job: Job, chunk: Chunk): void {
    this.#running.set(chunk, { job, stop: new Subject() });
    this.#runNext(chunk);
  }

  #end(chunk: Chunk): void {
    const running = this.#running.get(chunk);
    this.#running.delete(chunk);
    running?.stop.next();
  }

  #runNext(chunk: Chunk): void {
    const { values, done } = chunk;
    const { job, stop } = this.#running.get(chunk) ?? {};
    const task = job && this.#tasks.get(job);
    if (job === undefined || task === undefined || stop === undefined) return;
    const merge = job.mode === CallMode.Merge;
    let last: unknown;
    const fail = (error: unknown): void => {
      this.#running.delete(chunk);
      job.onFailure(chunk, error);
      this.onWorkChanged();
    };
    let output: ObservableInput<unknown>;
    try {
      output = task(values[done], { index: indexAt(chunk, done) });
    } catch (error) {
      fail(error);
      return;
    }
    from(output)
      .pipe(takeUntil(stop))
      .subscribe({
        next: (value) => {
          if (merge) job.onYields(chunk, [value]);
          else last = value;
        },
        error: fail,
        complete: () => {
          if (!this.#running.has(chunk)) return; // stopped
          const over = done + 1 === values.length;
          if (over) this.#running.delete(chunk);
          // The worker first: it works while the results are delivered.
          this.onWorkChanged();
          job.onResults(chunk, [merge ? undefined : last]);
          if (over) this.onWorkChanged();
          else this.#runNext(chunk);
        },
      });
  }
}
