/** What a pool needs from the place where it runs, with a clock that a test moves. */

import type { EventLoopRef, Platform, Timer } from '../../../src/internal/core/Platform.js';
import { FakeClock } from './FakeClock.js';

export class FakePlatform implements Platform {
  readonly clock = new FakeClock();
  /** What the program was warned of. */
  readonly warnings: string[] = [];
  /** What workers had it print. */
  readonly lines: string[] = [];
  /** Whether the program goes on running because of its pool. */
  isHeld = false;
  /** Whether the pool has given back what holds the program. */
  isClosed = true;

  now(): number {
    return this.clock.now;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    return this.clock.setTimeout(callback, delay);
  }

  clearTimeout(timer: Timer | undefined): void {
    this.clock.clearTimeout(timer);
  }

  setImmediate(callback: () => void): void {
    this.clock.setImmediate(callback);
  }

  queueMicrotask(callback: () => void): void {
    this.clock.queueMicrotask(callback);
  }

  openEventLoopRef(): EventLoopRef {
    return {
      set: (isHeld) => {
        this.isHeld = isHeld;
        this.isClosed = false;
      },
      close: () => {
        this.isHeld = false;
        this.isClosed = true;
      },
    };
  }

  bindContext<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
    return fn;
  }

  runInRootContext<R>(fn: () => R): R {
    return fn();
  }

  cpuCount(): number {
    return 4;
  }

  currentWorker(): undefined {
    return undefined;
  }

  hasBars(): boolean {
    return false;
  }

  printLine(text: string): void {
    this.lines.push(text);
  }

  warn(message: string): void {
    this.warnings.push(message);
  }

  /** @throws Error where timers are left, or the program is held. */
  checkQuiet(): void {
    const { timers } = this.clock;
    if (timers.length > 0) throw new Error(`Timers are left, due in ${timers.join(', ')} ms.`);
    if (this.isHeld) throw new Error('The program is held although nothing is left to wait for.');
    if (!this.isClosed) throw new Error('What holds the program was not given back.');
  }
}
