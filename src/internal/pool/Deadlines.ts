/**
 * The deadlines of tasks whose call has a `taskTimeout`.
 *
 * Such a task travels alone, so its clock can start with its message: it waits behind nothing. The clock stops while a merge
 * call may have to wait because what it gave is not consumed. When the time is up, messages that have arrived are heard
 * first, for the result may be among them.
 */

import { CREDITS } from '../tuning.js';
import { clearTimeout, now, setImmediate, setTimeout } from '../globals.js';
import type { Chunk } from './Chunk.js';

/** A timer that is later than this, in milliseconds, was kept waiting by the program. */
const LATE = 10;

interface Deadline {
  timer: NodeJS.Timeout | undefined;
  /** Milliseconds left when the clock last started. */
  left: number;
  startedAt: number;
  /** How many more batches a merge call may send before it waits. */
  credits: number;
  /** Whether it was moved because the program was too busy to hear of the result in time. */
  moved: boolean;
}

export class Deadlines {
  readonly #running = new Map<Chunk, Deadline>();
  readonly #onPassed: (chunk: Chunk) => void;

  /** @param onPassed Called once for a chunk that has taken too long. */
  constructor(onPassed: (chunk: Chunk) => void) {
    this.#onPassed = onPassed;
  }

  /** The task of a chunk starts now. */
  start(chunk: Chunk): void {
    const left = chunk.job.call.taskTimeout;
    if (left === Infinity || this.#running.has(chunk)) return;
    const deadline: Deadline = { timer: undefined, left, startedAt: 0, credits: CREDITS, moved: false };
    this.#running.set(chunk, deadline);
    this.#run(chunk, deadline);
  }

  /** A chunk is over, in whichever way. */
  stop(chunk: Chunk): void {
    if (this.#running.size === 0) return;
    clearTimeout(this.#running.get(chunk)?.timer);
    this.#running.delete(chunk);
  }

  /** A merge call has sent a batch: its last one for now, perhaps. */
  onYields(chunk: Chunk): void {
    const deadline = this.#running.get(chunk);
    if (deadline === undefined || --deadline.credits > 0) return;
    clearTimeout(deadline.timer);
    deadline.left = Math.max(0, deadline.left - (now() - deadline.startedAt));
  }

  /** A merge call may send another batch. */
  onCredit(chunk: Chunk): void {
    const deadline = this.#running.get(chunk);
    if (deadline !== undefined && deadline.credits++ === 0) this.#run(chunk, deadline);
  }

  #run(chunk: Chunk, deadline: Deadline): void {
    deadline.startedAt = now();
    deadline.timer = setTimeout(() => this.#onTimer(chunk, deadline), Math.ceil(deadline.left));
    deadline.timer.unref();
  }

  #onTimer(chunk: Chunk, deadline: Deadline): void {
    const late = now() - deadline.startedAt - deadline.left;
    if (late < 0) {
      deadline.left = -late; // timers count whole milliseconds
      this.#run(chunk, deadline);
    } else if (late > LATE && !deadline.moved) {
      // As long as the program was busy, a result, or what a merge call waits for, may have been on its way. Only once: a
      // program that is always busy is to get rid of an endless loop, too.
      deadline.moved = true;
      deadline.left = late;
      this.#run(chunk, deadline);
    } else {
      setImmediate(() => this.#onLastTurn(chunk, deadline));
    }
  }

  /** The event loop has turned since time was up. */
  #onLastTurn(chunk: Chunk, deadline: Deadline): void {
    if (this.#running.get(chunk) !== deadline || deadline.credits === 0) return;
    this.stop(chunk);
    this.#onPassed(chunk);
  }
}
