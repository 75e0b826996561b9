/** Which start methods there are here, and how to have one ready ahead of time. */

import { StartMethodUnavailableError } from './errors.js';
import { describeValue } from './internal/options/describeValue.js';
import type { StartMethodName } from './internal/options/poolOptions.js';
import { startMethodNames } from './internal/options/startMethodNames.js';
import { EventLoopRef } from './internal/platform/EventLoopRef.js';
import { startMethodOf } from './internal/start/table.js';

/**
 * The start methods that can be used here: `'threading'`, `'spawn'` and `'inline'` everywhere, `'forkserver'` and `'fork'` on Linux, where the
 * optional package `koffi` is installed and this Node has what they call.
 *
 * A sandbox that forbids what they do at run time shows only when they are used: see {@link warmUp}.
 *
 * @returns Their names, in the order in which the documentation has them.
 * @example
 * ```ts
 * const startMethod = availableStartMethods().includes('fork') ? 'fork' : 'threading';
 * const pool = new WorkerPool({ startMethod });
 * ```
 * The idea is that of Python's `multiprocessing.get_all_start_methods()`.
 */
export function availableStartMethods(): StartMethodName[] {
  return startMethodNames.filter((name) => startMethodOf(name, true).whyUnavailable?.(true) === undefined);
}

/**
 * Starts ahead of time what all workers of a start method need, so that the first of them starts as fast as the others: the
 * server process of `'forkserver'`. It does not keep the program running.
 *
 * @param startMethod `'forkserver'`: the others have nothing that pools share.
 * @returns A promise that resolves when it is up; at once where it is up already.
 * @throws RangeError where there is nothing to warm up. The promise rejects with a `StartMethodUnavailableError` where the
 *   start method cannot work here, and with the cause where its process does not start.
 * @example
 * ```ts
 * await warmUp('forkserver');
 * ```
 * The idea is that of Python's `multiprocessing.set_forkserver_preload()` and `forkserver.ensure_running()`.
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
