/** The crew: a pool's workers, in `nJobs` slots, and which of them have something to do. */

import { now } from '../globals.js';
import { StartMethodUnavailableError } from '../../errors.js';
import type { PoolSettings } from '../../options.js';
import { startMethod } from '../workers/table.js';
import type { StartMethodStrategy } from '../workers/StartMethod.js';
import type { Chunk } from './Chunk.js';
import { WorkerHandle, type WorkerListener } from './WorkerHandle.js';

export class Crew {
  readonly #settings: PoolSettings;
  readonly #strategy: StartMethodStrategy;
  readonly #listener: WorkerListener;
  readonly #slots: (WorkerHandle | undefined)[];
  /** Workers that have nothing to do; the last one was busy last. */
  readonly #idle: WorkerHandle[] = [];
  /** How many workers have a chunk, or an exit function to run. */
  #busy = 0;
  /** How many slots are taken. */
  #living = 0;

  /** @throws StartMethodUnavailableError */
  constructor(settings: PoolSettings, listener: WorkerListener) {
    this.#settings = settings;
    this.#strategy = startMethod(settings.startMethod);
    const reason = this.#strategy.whyUnavailable?.();
    if (reason !== undefined) throw new StartMethodUnavailableError({ startMethod: settings.startMethod, reason });
    this.#listener = listener;
    this.#slots = new Array<WorkerHandle | undefined>(settings.nJobs).fill(undefined);
  }

  /** The workers that live. */
  workers(): WorkerHandle[] {
    return this.#slots.filter((worker) => worker !== undefined);
  }

  get living(): number {
    return this.#living;
  }

  get busy(): number {
    return this.#busy;
  }

  /** How many workers could take a value at once, counting those that were not started yet. */
  get free(): number {
    return this.#settings.nJobs - this.#busy;
  }

  /** Whether there are as many workers as there may be. */
  get isComplete(): boolean {
    return this.#living === this.#settings.nJobs;
  }

  isCloneable(value: unknown): boolean {
    return this.#strategy.isCloneable(value);
  }

  /**
   * Starts workers, so that as many as `wanted` are starting.
   *
   * @returns Where one could not be started: which, and why.
   */
  start(wanted: number): { readonly workerId: number; readonly cause: unknown } | undefined {
    let missing = wanted;
    for (const worker of this.#slots) if (worker?.state === 'starting') missing--;
    for (let id = 0; id < this.#slots.length && missing > 0; id++) {
      if (this.#slots[id] !== undefined) continue;
      try {
        const { daemon, insights, name } = this.#settings;
        const identity = { workerId: id, daemon, insights: insights !== undefined, name };
        this.#slots[id] = new WorkerHandle(identity, this.#settings, this.#strategy, this.#listener);
      } catch (cause) {
        return { workerId: id, cause };
      }
      this.#living++;
      missing--;
    }
    return undefined;
  }

  /** A worker has nothing to do. */
  rest(worker: WorkerHandle): void {
    this.#idle.push(worker);
  }

  /** A worker that has nothing to do, which is no longer counted so; `undefined` where there is none. */
  takeIdle(): WorkerHandle | undefined {
    for (let worker = this.#idle.pop(); worker !== undefined; worker = this.#idle.pop()) {
      if (worker.state === 'ready') return worker;
    }
    return undefined;
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  /** A worker was given a chunk. */
  add(worker: WorkerHandle, chunk: Chunk): void {
    chunk.worker = worker;
    if (worker.chunks.push(chunk) === 1) this.#busy++;
  }

  /** A worker is through with a chunk. */
  remove(worker: WorkerHandle, chunk: Chunk): void {
    worker.chunks.splice(worker.chunks.indexOf(chunk), 1);
    chunk.worker = undefined;
    if (worker.chunks.length > 0) {
      (worker.chunks[0] as Chunk).heardAt = now();
      return;
    }
    this.#busy--;
    if (worker.state === 'ready') this.rest(worker);
  }

  /** A worker without chunks has something else to do. */
  occupy(worker: WorkerHandle): void {
    this.#unrest(worker);
    this.#busy++;
  }

  /** It is done with that. */
  vacate(worker: WorkerHandle): void {
    this.#busy--;
    if (worker.state === 'ready') this.rest(worker);
  }

  /** A worker has ended. @returns The chunks that it leaves. */
  bury(worker: WorkerHandle): Chunk[] {
    this.#slots[worker.id] = undefined;
    this.#living--;
    this.#unrest(worker);
    if (worker.chunks.length > 0 || worker.ending !== undefined) this.#busy--;
    return worker.chunks.splice(0);
  }

  #unrest(worker: WorkerHandle): void {
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
