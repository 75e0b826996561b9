/** Lists the available start methods, and warms one up. */

import { StartMethodUnavailableError } from './errors.js';
import { describeValue } from './internal/options/describeValue.js';
import type { StartMethodName } from './internal/options/poolOptions.js';
import { startMethodNames } from './internal/options/startMethodNames.js';
import { EventLoopRef } from './internal/platform/EventLoopRef.js';
import { startMethodOf } from './internal/start/table.js';

/**
 * The start methods that work here: `'threading'` and `'inline'` everywhere, `'spawn'` but in single-executable applications, `'forkserver'` and `'fork'` on Linux, if the
 * optional package `koffi` is installed and this build of Node has the functions that they call.
 *
 * It does not notice a sandbox that forbids them. That shows only when they are used: see {@link warmUp}.
 *
 * @returns Their names, in the order of the documentation.
 * @example
 * ```ts
 * const startMethod = availableStartMethods().includes('fork') ? 'fork' : 'threading';
 * const pool = new WorkerPool({ startMethod });
 * ```
 * It follows Python's `multiprocessing.get_all_start_methods()`.
 */
export function availableStartMethods(): StartMethodName[] {
  return startMethodNames.filter((name) => startMethodOf(name, true).whyUnavailable?.(true) === undefined);
}

/**
 * Starts the server process of `'forkserver'` ahead of time, so that the first worker starts as fast as the others. It does not keep the
 * program running.
 *
 * @param startMethod `'forkserver'`: no other start method has something that all pools share.
 * @returns A promise that resolves when the process is running; at once if it already is.
 * @throws RangeError for any other start method. The promise rejects with a `StartMethodUnavailableError` if the
 *   start method cannot work here, and with the cause if its process does not start.
 * @example
 * ```ts
 * await warmUp('forkserver');
 * ```
 * It follows Python's `multiprocessing.set_forkserver_preload()` and `forkserver.ensure_running()`.
 */
export function warmUp(startMethod: 'forkserver'): Promise<void> {
  const strategy = startMethodNames.includes(startMethod) ? startMethodOf(startMethod, true) : undefined;
  if (strategy?.warmUp === undefined) {
    throw new RangeError(
      `warmUp: "startMethod" must be 'forkserver', the one start method with something that all pools share, got ${describeValue(startMethod)}.`,
    );
  }
  const reason = strategy.whyUnavailable?.();
  if (reason !== undefined) return Promise.reject(new StartMethodUnavailableError({ startMethod, reason }));
  const loopRef = new EventLoopRef();
  loopRef.set(true);
  return strategy.warmUp().finally(() => loopRef.close());
}
