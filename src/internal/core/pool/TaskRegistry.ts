/** The functions that a pool knows. Each is loaded once per worker, and has one `Pace`. */

import { isSamePortable, sizeOf, type PortableFunction } from '../../protocol/portable.js';
import { taskKey } from '../../../moduleTask.js';
import { Pace } from '../job/Pace.js';
import { TransientSet } from '../TransientSet.js';

/** A function as the pool knows it. */
export interface TaskRecord {
  readonly id: number;
  readonly key: unknown;
  readonly portable: PortableFunction;
  readonly pace: Pace;
  /** How many jobs use it. */
  users: number;
}

// What no job uses is kept for the next call, up to these bounds: the oldest beyond them are forgotten, here and in the workers.
const MOST_IDLE = 32;
const MOST_IDLE_BYTES = 16 * 2 ** 20;

export class TaskRegistry {
  readonly #byKey = new Map<unknown, TaskRecord>();
  readonly #idle = new TransientSet<TaskRecord>();
  #idleBytes = 0;
  readonly #forget: (task: number) => void;
  #nextId = 0;

  /** @param forget Called for a function that workers no longer need. */
  constructor(forget: (task: number) => void) {
    this.#forget = forget;
  }

  /** The record of a function. Its user has to `release` it. */
  acquire(fn: unknown, portable: PortableFunction): TaskRecord {
    const key = taskKey(fn);
    const known = this.#byKey.get(key);
    let record = known;
    if (record === undefined || !isSamePortable(record.portable, portable)) {
      // Its captured values have changed: a new function for the workers, but the same pace.
      record = { id: this.#nextId++, key, portable, pace: known?.pace ?? new Pace(), users: 0 };
      this.#byKey.set(key, record);
      if (known?.users === 0) this.#drop(known);
    }
    record.users++;
    this.#unidle(record);
    return record;
  }

  release(record: TaskRecord): void {
    if (--record.users > 0) return;
    if (this.#byKey.get(record.key) !== record) {
      this.#drop(record); // a newer one has taken its place
      return;
    }
    this.#idle.add(record);
    this.#idleBytes += sizeOf(record.portable);
    for (const oldest of this.#idle) {
      const isWithinBounds = this.#idle.size <= MOST_IDLE && this.#idleBytes <= MOST_IDLE_BYTES;
      if (isWithinBounds || oldest === record) return; // the next call mostly has the same function
      this.#forgetIdle(oldest);
    }
  }

  /** No worker lives: what no job uses is not kept any longer. */
  clear(): void {
    for (const record of this.#idle) this.#forgetIdle(record);
  }

  #forgetIdle(record: TaskRecord): void {
    this.#byKey.delete(record.key);
    this.#drop(record);
  }

  #unidle(record: TaskRecord): void {
    if (this.#idle.delete(record)) this.#idleBytes -= sizeOf(record.portable);
  }

  #drop(record: TaskRecord): void {
    this.#unidle(record);
    this.#forget(record.id);
  }
}
