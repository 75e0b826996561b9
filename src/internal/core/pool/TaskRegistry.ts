/** The functions that a pool knows: each is loaded once per worker, and its pace is learnt once. */

import { isSamePortable, type PortableFunction } from '../../protocol/portable.js';
import { taskKey } from '../../../moduleTask.js';
import { Pace } from '../job/Pace.js';

/** A function as the pool knows it. */
export interface TaskRecord {
  readonly id: number;
  readonly key: unknown;
  readonly portable: PortableFunction;
  readonly pace: Pace;
  /** How many jobs use it. */
  users: number;
}

/** How many functions that no job uses are kept for the next call. The pool and its workers forget older ones. */
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
    const known = this.#byKey.get(key);
    let record = known;
    if (record === undefined || !isSamePortable(record.portable, portable)) {
      // What it captures has changed: another function for the workers, but the same work.
      record = { id: this.#nextId++, key, portable, pace: known?.pace ?? new Pace(), users: 0 };
      this.#byKey.set(key, record);
      if (known?.users === 0) this.#drop(known);
    }
    record.users++;
    this.#idle.delete(record);
    return record;
  }

  release(record: TaskRecord): void {
    if (--record.users > 0) return;
    if (this.#byKey.get(record.key) !== record) {
      this.#drop(record); // a newer one has taken its place
      return;
    }
    this.#idle.add(record);
    if (this.#idle.size <= LARGEST_IDLE) return;
    const [oldest] = this.#idle;
    if (oldest === undefined) return;
    this.#byKey.delete(oldest.key);
    this.#drop(oldest);
  }

  #drop(record: TaskRecord): void {
    this.#idle.delete(record);
    this.#forget(record.id);
  }
}
