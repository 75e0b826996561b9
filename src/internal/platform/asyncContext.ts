/**
 * Which `AsyncLocalStorage` context code runs in. Without it, what a worker says would be heard in
 * the context in which the worker was started.
 */

import { AsyncResource } from 'node:async_hooks';

/** Binds a function to the context of this moment: called from anywhere, it runs in that. */
export function bindContext<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  return AsyncResource.bind(fn) as (...args: A) => R;
}

/** Runs `fn` in the context in which this module was loaded, so that what it starts keeps no caller's context alive. */
export const runInRootContext: <R>(fn: () => R) => R = AsyncResource.bind((fn: () => unknown) => fn()) as never;
