/**
 * What a pool needs from its runtime. `node/nodePlatform.ts` implements it for Node; tests have one with a clock of their own.
 *
 * Timers do not keep the program running. Only the `EventLoopRef` does.
 */

import type { WorkerIdentity } from '../protocol/messages.js';

export interface Platform {
  /** A clock in milliseconds. */
  now(): number;
  /** Calls back after some milliseconds. */
  setTimeout(callback: () => void, delay: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
  /** Calls back when the event loop has turned, after messages that have already arrived. */
  setImmediate(callback: () => void): void;
  queueMicrotask(callback: () => void): void;
  /** What keeps the program running while it waits for workers. */
  openEventLoopRef(): EventLoopRef;
  /** Binds a function to the current async context. */
  bindContext<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R;
  /** Runs a function outside any call's async context, so that nothing it starts keeps one alive. */
  runInRootContext<R>(fn: () => R): R;
  /** How many workers can run at once. */
  cpuCount(): number;
  /** The worker that this code runs in; `undefined` in the program. */
  currentWorker(): WorkerIdentity | undefined;
  /** Whether the program has a terminal where progress bars can be drawn. */
  hasBars(): boolean;
  /** Prints a line on the program's error output, also from inside a worker. */
  printLine(text: string): void;
  /** Warns the program's author. */
  warn(message: string): void;
}

/** Stands for a timer; made by `setTimeout`. */
export type Timer = object | number;

export interface EventLoopRef {
  /** Whether to keep the program running. */
  set(isHeld: boolean): void;
  /** The last worker has gone. */
  close(): void;
}
