/**
 * Globals as they were when this package was loaded. User code may replace them, in a worker as in the program: fake timers of
 * test tools do so, and no worker is to be kept waiting by a clock that stands still.
 */

export const setTimeout = globalThis.setTimeout;
export const clearTimeout = globalThis.clearTimeout;
export const setInterval = globalThis.setInterval;
export const clearInterval = globalThis.clearInterval;
export const setImmediate = globalThis.setImmediate;
export const queueMicrotask = globalThis.queueMicrotask;
export const structuredClone = globalThis.structuredClone;
export const AbortController = globalThis.AbortController;
export const ReferenceError = globalThis.ReferenceError;

/** `performance.now`, in milliseconds. */
export const now: () => number = globalThis.performance.now.bind(globalThis.performance);
