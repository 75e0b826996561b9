/**
 * The init and exit function of a call. In each worker the init function runs before the first task of the call, the exit function after the
 * last one, and the tasks in between share a state.
 *
 * Hooks belong to one call, or are kept: then all calls with the same functions use them, and they last as long as their workers. One worker
 * can have several hooks at once. If calls with different hooks had to replace each other's workers, they would do so forever.
 */

import type { CallSettings } from '../../../options.js';
import { isSamePortable, type PortableFunction } from '../../protocol/portable.js';
import type { TaskRecord } from './TaskRegistry.js';

export interface WorkerHooks {
  /** Unique in its pool, and never `NO_HOOKS`. */
  readonly id: number;
  readonly init: TaskRecord | undefined;
  readonly exit: TaskRecord | undefined;
  readonly isKept: boolean;
  /** In milliseconds. The last call with these hooks sets it. */
  initTimeout: number;
  exitTimeout: number;
}

/** The functions of hooks. */
export interface HookFunctions {
  readonly init: PortableFunction | undefined;
  readonly exit: PortableFunction | undefined;
}

/** Whether modules are imported for them, whose code may do anything. */
export function importsModules({ init, exit }: WorkerHooks): boolean {
  return init?.portable.imports === true || exit?.portable.imports === true;
}

/** Whether hooks have the same functions: with the same source, and equal values in their variables. */
export function hasFunctions(hooks: WorkerHooks, { init, exit }: HookFunctions): boolean {
  return isSame(hooks.init?.portable, init) && isSame(hooks.exit?.portable, exit);
}

function isSame(a: PortableFunction | undefined, b: PortableFunction | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind === 'module' && b.kind === 'module') return a.url === b.url && a.exportName === b.exportName;
  return isSamePortable(a, b);
}

/** Sets the timeouts of hooks to those of a call. */
export function setTimeouts(hooks: WorkerHooks, { workerInitTimeout, workerExitTimeout }: CallSettings): void {
  hooks.initTimeout = workerInitTimeout;
  hooks.exitTimeout = workerExitTimeout;
}
