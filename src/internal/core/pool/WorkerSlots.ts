/** The workers of a pool, in `nJobs` slots, and which of them are busy. */

import type { PoolSettings } from '../../../options.js';
import type { WorkerIdentity } from '../../protocol/messages.js';
import type { Chunk } from '../job/Chunk.js';
import type { Job } from '../job/Job.js';
import type { PoolParts } from '../PoolParts.js';
import type { TaskRecord } from './TaskRegistry.js';
import { WorkerHandle, type Assignment, type WorkerListener } from './WorkerHandle.js';

export class WorkerSlots {
  readonly #settings: PoolSettings;
  readonly #parts: PoolParts;
  readonly #listener: WorkerListener;
  readonly #slots: (WorkerHandle | undefined)[];
  /** Idle workers. The last one was busy most recently. */
  readonly #idle: WorkerHandle[] = [];
  /** How many workers have a chunk, or an exit function to run. */
  #busy = 0;
  /** How many slots are taken. */
  #living = 0;
  readonly #onMore = (): void => this.#listener.onMoreAvailable();

  constructor(settings: PoolSettings, parts: PoolParts, listener: WorkerListener) {
    this.#settings = settings;
    this.#parts = parts;
    this.#listener = listener;
    this.#slots = new Array<WorkerHandle | undefined>(settings.nJobs).fill(undefined);
    if (parts.shared !== undefined) parts.startMethod.template?.share(parts.shared);
  }

  /** The living workers. */
  workers(): WorkerHandle[] {
    return this.#slots.filter((worker) => worker !== undefined);
  }

  /** The worker that has a chunk. */
  holderOf(chunk: Chunk): WorkerHandle | undefined {
    return this.#slots.find((worker) => worker?.has(chunk) === true);
  }

  get living(): number {
    return this.#living;
  }

  get busy(): number {
    return this.#busy;
  }

  /** How many workers could take a value at once, including those that can still be started. */
  get free(): number {
    return this.#limit - this.#busy;
  }

  /** Whether no more workers can be started. */
  get isComplete(): boolean {
    return this.#living >= this.#limit;
  }

  /** The maximum number of workers now. */
  get #limit(): number {
    const { startMethod } = this.#parts;
    if (startMethod.available === undefined) return this.#slots.length; // asked for each value that is pushed
    return Math.min(this.#slots.length, this.#living + startMethod.available(this.#onMore));
  }

  isCloneable(value: unknown): boolean {
    return this.#parts.startMethod.isCloneable(value);
  }

  /** The workers that start next will need these functions. */
  prepare(records: readonly TaskRecord[]): void {
    this.#parts.startMethod.template?.prepare(new Map(records.map(({ id, portable }) => [id, portable])));
  }

  /** A call that needs these functions was given up. @param timeout How many milliseconds loading one may still take. */
  abandon(records: readonly TaskRecord[], timeout: number): void {
    this.#parts.startMethod.template?.abandon(
      records.map(({ id }) => id),
      timeout,
    );
  }

  /** No worker needs a function any more. */
  forget(task: number): void {
    this.#parts.startMethod.template?.forget(task);
    for (const worker of this.workers()) worker.forget(task);
  }

  /** No worker lives, and none is wanted: calls back when nothing is left. False where that is so already. */
  closeTemplate(callback: () => void): boolean {
    return this.#parts.startMethod.template?.close(callback) ?? false;
  }

  /**
   * Starts workers, until `wanted` ones are starting.
   *
   * @returns If one could not be started: which, and why.
   */
  start(wanted: number): { readonly workerId: number; readonly cause: unknown } | undefined {
    const { startMethod, platform, observer } = this.#parts;
    let missing = wanted;
    for (const worker of this.#slots) if (worker?.state === 'starting') missing--;
    missing = Math.min(missing, this.#limit - this.#living);
    for (let id = 0; id < this.#slots.length && missing > 0; id++) {
      if (this.#slots[id] !== undefined) continue;
      let worker: WorkerHandle;
      try {
        worker = new WorkerHandle(this.#identityOf(id), this.#settings, startMethod, platform, this.#listener);
      } catch (cause) {
        return { workerId: id, cause };
      }
      this.#slots[id] = worker;
      this.#living++;
      missing--;
      observer.onWorkerStart(worker);
    }
    return undefined;
  }

  #identityOf(workerId: number): WorkerIdentity {
    const { daemon, cpuIds, insights, name } = this.#settings;
    const cpus = cpuIds?.[cpuIds.length === 1 ? 0 : workerId];
    return {
      workerId,
      daemon,
      insights: insights !== undefined,
      bars: this.#parts.platform.hasBars(),
      name,
      cpuIds: cpus === undefined ? undefined : [cpus].flat(),
    };
  }

  /** A worker is idle. */
  rest(worker: WorkerHandle): void {
    this.#idle.push(worker);
  }

  /** Takes an idle worker from the list; `undefined` if there is none. */
  takeIdle(): WorkerHandle | undefined {
    for (let worker = this.#idle.pop(); worker !== undefined; worker = this.#idle.pop()) {
      if (worker.state === 'ready') return worker;
    }
    return undefined;
  }

  /** Takes all idle workers from the list, by their numbers. */
  takeAllIdle(): WorkerHandle[] {
    const idle = this.#idle.splice(0).filter(({ state }) => state === 'ready');
    return idle.sort((a, b) => a.id - b.id);
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  /** A worker gets a chunk. */
  assign(worker: WorkerHandle, job: Job, chunk: Chunk, time: number): void {
    worker.assign(job, chunk, time);
    if (worker.assignments.length === 1) this.#busy++;
  }

  /** A worker is done with a chunk. */
  unassign(worker: WorkerHandle, chunk: Chunk): void {
    worker.remove(chunk);
    if (worker.assignments.length === 0) this.vacate(worker);
  }

  /** A worker without chunks is busy with an exit function. */
  occupy(worker: WorkerHandle): void {
    this.#unrest(worker);
    this.#busy++;
  }

  /** A worker is no longer busy. */
  vacate(worker: WorkerHandle): void {
    this.#busy--;
    if (worker.state === 'ready') this.rest(worker);
  }

  /** A worker has ended. @returns The chunks that it leaves. */
  bury(worker: WorkerHandle): Assignment[] {
    this.#slots[worker.id] = undefined;
    this.#living--;
    this.#unrest(worker);
    if (worker.assignments.length > 0 || worker.hooks.exiting !== undefined) this.#busy--;
    return worker.removeAll();
  }

  #unrest(worker: WorkerHandle): void {
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
