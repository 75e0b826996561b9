/** The functions that a pool knows: each is loaded once per worker, and its pace is learnt once. */

import { taskKey, type PortableFunction } from '../functions/portable.js';
import { Pace } from '../queue/Pace.js';

/** A function as the pool knows it. */
export interface TaskRecord {
  readonly id: number;
  readonly key: unknown;
  readonly portable: PortableFunction;
  readonly pace: Pace;
  /** How many jobs use it. */
  users: number;
}

/** So many functions that no job uses are kept for the next call: the oldest beyond that are forgotten, here and there. */
const LARGEST_IDLE = 32;

export class TaskRegistry {
  readonly #byKey = new Map<unknown, TaskRecord>();
  readonly #idle = new Set<TaskRecord>();
  readonly #forget: (task: number) => void;
  #nextId = 0;

  /** @param forget Called for a function that no worker needs any more. */
  constructor(forget: (task: number) => void) {
    this.#forget = forget;
  }

  /** The record of a function, for a job that uses it until it calls `release`. */
  acquire(fn: unknown, portable: PortableFunction): TaskRecord {
    const key = taskKey(fn);
    let record = this.#byKey.get(key);
    if (record === undefined) {
      record = { id: this.#nextId++, key, portable, pace: new Pace(), users: 0 };
      this.#byKey.set(key, record);
    }
    record.users++;
    this.#idle.delete(record);
    return record;
  }

  release(record: TaskRecord): void {
    if (--record.users > 0) return;
    this.#idle.add(record);
    if (this.#idle.size <= LARGEST_IDLE) return;
    const [oldest] = this.#idle as Set<TaskRecord> & Iterable<TaskRecord>;
    if (oldest === undefined) return;
    this.#idle.delete(oldest);
    this.#byKey.delete(oldest.key);
    this.#forget(oldest.id);
  }
}
