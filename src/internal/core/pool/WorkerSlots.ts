/** The slots: a pool's workers, in `nJobs` slots, and which of them have something to do. */

import { now } from '../../platform/globals.js';
import { StartMethodUnavailableError } from '../../../errors.js';
import type { PoolSettings } from '../../../options.js';
import type { WorkerIdentity } from '../../protocol/messages.js';
import type { PortableValue } from '../../protocol/portable.js';
import { programHasBars } from '../../observe/progress/programHasBars.js';
import { whyNoLibc } from '../../posix/libc.js';
import { startMethodOf } from '../../start/table.js';
import type { PoolStartMethod } from '../StartMethod.js';
import type { Chunk } from '../job/Chunk.js';
import type { TaskRecord } from './TaskRegistry.js';
import { WorkerHandle, type WorkerListener } from './WorkerHandle.js';

export class WorkerSlots {
  readonly #settings: PoolSettings;
  readonly #strategy: PoolStartMethod;
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
    this.#strategy = startMethodOf(settings.startMethod, settings.daemon);
    const reason = this.#strategy.whyUnavailable?.();
    if (reason !== undefined) throw new StartMethodUnavailableError({ startMethod: this.#strategy.name, reason });
    const noPinning = settings.cpuIds && whyNoLibc();
    if (noPinning !== undefined) throw new RangeError(`"cpuIds" cannot be used here: ${noPinning}. Leave it out.`);
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

  /** Whether the workers are this thread itself. */
  get isLocal(): boolean {
    return this.#strategy.isLocal === true;
  }

  isCloneable(value: unknown): boolean {
    return this.#strategy.isCloneable(value);
  }

  /** What every worker gets before it is given anything else. */
  share(shared: PortableValue): void {
    this.#strategy.prepareShared?.(shared);
  }

  /** The workers that start next will need these functions. */
  prepare(records: readonly TaskRecord[]): void {
    this.#strategy.prepare?.(new Map(records.map(({ id, portable }) => [id, portable])));
  }

  /** A call was given up that needs these functions. @param timeout How long loading one may still take (milliseconds). */
  abandon(records: readonly TaskRecord[], timeout: number): void {
    this.#strategy.abandon?.(
      records.map(({ id }) => id),
      timeout,
    );
  }

  /** No worker needs a function any more. */
  forget(task: number): void {
    this.#strategy.forget?.(task);
    for (const worker of this.workers()) worker.forget(task);
  }

  /** No worker lives, and none is wanted: calls back when nothing is left. False where that is so. */
  release(callback: () => void): boolean {
    return this.#strategy.release?.(callback) ?? false;
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
        this.#slots[id] = new WorkerHandle(this.#identityOf(id), this.#settings, this.#strategy, this.#listener);
      } catch (cause) {
        return { workerId: id, cause };
      }
      this.#living++;
      missing--;
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
      bars: programHasBars(),
      name,
      cpuIds: cpus === undefined ? undefined : [cpus].flat(),
    };
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

  /** All workers that have nothing to do, which are no longer counted so; by their numbers. */
  takeAllIdle(): WorkerHandle[] {
    const idle = this.#idle.splice(0).filter(({ state }) => state === 'ready');
    return idle.sort((a, b) => a.id - b.id);
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
    if (worker.chunks.length > 0 || worker.exiting !== undefined) this.#busy--;
    return worker.chunks.splice(0);
  }

  #unrest(worker: WorkerHandle): void {
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
