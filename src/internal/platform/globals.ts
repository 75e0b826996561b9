/**
 * Globals as they were when this package was loaded. User code may replace them, in a worker as in the program: fake timers of
 * test tools do so, and no worker is to be kept waiting by a clock that stands still.
 */

export const setTimeout = globalThis.setTimeout;
export const clearTimeout = globalThis.clearTimeout;
export const setInterval = globalThis.setInterval;
export const clearInterval = globalThis.clearInterval;
export const setImmediate = globalThis.setImmediate;
export const clearImmediate = globalThis.clearImmediate;
export const queueMicrotask = globalThis.queueMicrotask;
export const structuredClone = globalThis.structuredClone;
export const ReferenceError = globalThis.ReferenceError;
export const Uint8Array = globalThis.Uint8Array;
export const Buffer = globalThis.Buffer;
/** What Node throws for what cannot be cloned; made by its two arguments, message and name. */
export const DataCloneError = globalThis.DOMException;

const { hrtime } = process;

/** A clock in milliseconds, as `performance.now`; but that brings a lot of Node's code with it when it is first looked at. */
export function now(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
