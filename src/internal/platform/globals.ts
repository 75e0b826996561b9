/**
 * Globals as they were when this package was loaded. User code may replace them, in a worker as in the program: fake timers of
 * test tools do so, and no worker is to be kept waiting by a clock that stands still. Where they are replaced already, Node's own.
 */

import { createRequire } from 'node:module';
import { timersOfSockets, type Timers } from './timersOfSockets.js';

/** Whether a function is Node's: it calls what its text shows. Where another one is taken instead, nothing is lost. */
const isNodes = (fn: unknown, calls: RegExp): boolean => calls.test(Function.prototype.toString.call(fn));

function findTimers(): Timers {
  if (isNodes(globalThis.setTimeout, /new Timeout\(/)) return globalThis;
  const module = createRequire(process.execPath)('node:timers') as Timers; // the globals of a test may be others than Node's
  return isNodes(module.setTimeout, /new Timeout\(/) ? module : (timersOfSockets() ?? globalThis);
}

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = findTimers();
export const queueMicrotask = isNodes(globalThis.queueMicrotask, /microtask\(/i)
  ? globalThis.queueMicrotask
  : (task: () => void): void => void Promise.resolve().then(task);
export const structuredClone = globalThis.structuredClone;
export const ReferenceError = globalThis.ReferenceError;
export const Uint8Array = globalThis.Uint8Array;
export const Buffer = globalThis.Buffer;
/** What Node throws for what cannot be cloned; made by its two arguments, message and name. */
export const DataCloneError = globalThis.DOMException;

const { hrtime, uptime } = process;

/**
 * A clock in milliseconds, as `performance.now`; but that brings a lot of Node's code with it when it is first looked at. Nobody replaces
 * `uptime`, which takes three times as long.
 */
export const now = isNodes(hrtime, /\.hrtime\(/)
  ? (): number => {
      const [seconds, nanoseconds] = hrtime();
      return seconds * 1000 + nanoseconds / 1e6;
    }
  : (): number => uptime() * 1000;
