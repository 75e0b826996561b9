/**
 * Deadlines: of tasks whose call has a `taskTimeout`, and of the init and exit functions of workers.
 *
 * A task with a timeout travels alone and never behind another one, so its clock can start with its message. The clock is in the pool: one in
 * the worker would stand still during an endless loop. It stops while a merge call may have to wait for its consumer. When the time is up,
 * messages that have arrived are handled first, since the result may be among them.
 */

import { CREDITS } from '../../protocol/tuning.js';
import type { Platform, Timer } from '../Platform.js';

/** A timer that is later than this, in milliseconds, was delayed by a busy program. */
const LATE = 10;

interface Deadline {
  timer: Timer | undefined;
  /** Milliseconds left when the clock last started. */
  left: number;
  startedAt: number;
  /** How many more batches a merge call may send before it waits. */
  credits: number;
  /** Whether it was moved because the program was too busy to handle the result in time. */
  moved: boolean;
}

/** @typeParam Run What takes time: a chunk, say. */
export class Deadlines<Run> {
  readonly #platform: Platform;
  readonly #running = new Map<Run, Deadline>();
  readonly #onPassed: (run: Run) => void;

  /** @param onPassed Called once for each run that has taken too long. */
  constructor(platform: Platform, onPassed: (run: Run) => void) {
    this.#platform = platform;
    this.#onPassed = onPassed;
  }

  /** Starts the clock of a run that may take `left` milliseconds, unless it has started before. */
  start(run: Run, left: number): void {
    if (left === Infinity || this.#running.has(run)) return;
    const deadline: Deadline = { timer: undefined, left, startedAt: 0, credits: CREDITS, moved: false };
    this.#running.set(run, deadline);
    this.#run(run, deadline);
  }

  /** It is over. */
  stop(run: Run): void {
    if (this.#running.size === 0) return;
    this.#platform.clearTimeout(this.#running.get(run)?.timer);
    this.#running.delete(run);
  }

  /** A merge call has sent a batch. Without credits it may have to wait, so its clock stops. */
  onYields(run: Run): void {
    const deadline = this.#running.get(run);
    if (deadline === undefined || --deadline.credits > 0) return;
    this.#platform.clearTimeout(deadline.timer);
    deadline.left = Math.max(0, deadline.left - (this.#platform.now() - deadline.startedAt));
  }

  /** A merge call may send another batch. */
  onCredit(run: Run): void {
    const deadline = this.#running.get(run);
    if (deadline !== undefined && deadline.credits++ === 0) this.#run(run, deadline);
  }

  #run(run: Run, deadline: Deadline): void {
    deadline.startedAt = this.#platform.now();
    deadline.timer = this.#platform.setTimeout(() => this.#onTimer(run, deadline), Math.ceil(deadline.left));
  }

  #onTimer(run: Run, deadline: Deadline): void {
    const late = this.#platform.now() - deadline.startedAt - deadline.left;
    if (late < 0) {
      deadline.left = -late; // timers count whole milliseconds
      this.#run(run, deadline);
    } else if (late > LATE && !deadline.moved) {
      // While the program was busy, a result, or the credit that a merge call waits for, may have been under way. Only once, so that
      // a program that is always busy gets rid of an endless loop, too.
      deadline.moved = true;
      deadline.left = late;
      this.#run(run, deadline);
    } else {
      this.#platform.setImmediate(() => this.#onLastTurn(run, deadline));
    }
  }

  /** The event loop has turned since the time was up. */
  #onLastTurn(run: Run, deadline: Deadline): void {
    if (this.#running.get(run) !== deadline || deadline.credits === 0) return;
    this.stop(run);
    this.#onPassed(run);
  }
}
