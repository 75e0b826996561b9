/**
 * A hooks: what the init and exit functions of a call make of a worker. It begins in a worker before the first task of the call
 * there, and ends after the last one.
 *
 * A hooks is of one call, or is kept: then it is of all calls with the same functions, and lasts as long as its workers.
 */

import type { CallSettings } from '../../../options.js';
import { isSamePortable, type PortableFunction } from '../../protocol/portable.js';
import type { Job } from '../job/Job.js';
import type { TaskRecord } from './TaskRegistry.js';
import type { WorkerHandle } from './WorkerHandle.js';

export interface WorkerHooks {
  /** Unique in its pool, and never that of no hooks. */
  readonly id: number;
  readonly init: TaskRecord | undefined;
  readonly exit: TaskRecord | undefined;
  readonly isKept: boolean;
  /** The jobs that have it now; one at most, where it is not kept. */
  readonly jobs: Set<Job>;
  /** The workers in which it has begun, or is about to. */
  readonly workers: Set<WorkerHandle>;
  /** Milliseconds, as the last call with it says. */
  initTimeout: number;
  exitTimeout: number;
  /** Whether nobody takes it up any more: it is over when no worker has it. */
  isOver: boolean;
  /** Called when no worker has it any more: while its job waits for that. */
  onEnded: (() => void) | undefined;
}

/** What the hooks is made from. */
export interface HookFunctions {
  readonly init: PortableFunction | undefined;
  readonly exit: PortableFunction | undefined;
}

export function createHooks(
  id: number,
  init: TaskRecord | undefined,
  exit: TaskRecord | undefined,
  isKept: boolean,
): WorkerHooks {
  const timeouts = { initTimeout: Infinity, exitTimeout: Infinity };
  const empty = { jobs: new Set<Job>(), workers: new Set<WorkerHandle>(), isOver: false, onEnded: undefined };
  return { id, init, exit, isKept, ...timeouts, ...empty };
}

/** Whether modules are imported for it, of which each may do anything. */
export function importsModules({ init, exit }: WorkerHooks): boolean {
  return init?.portable.imports === true || exit?.portable.imports === true;
}

/** Whether the hooks has functions that do the same: of the same source, with equal values in their variables. */
export function hasFunctions(hooks: WorkerHooks, { init, exit }: HookFunctions): boolean {
  return isSame(hooks.init?.portable, init) && isSame(hooks.exit?.portable, exit);
}

function isSame(a: PortableFunction | undefined, b: PortableFunction | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind === 'module' && b.kind === 'module') return a.url === b.url && a.exportName === b.exportName;
  return isSamePortable(a, b);
}

/** The timeouts that a call gives to its hooks. */
export function setTimeouts(hooks: WorkerHooks, { workerInitTimeout, workerExitTimeout }: CallSettings): void {
  hooks.initTimeout = workerInitTimeout;
  hooks.exitTimeout = workerExitTimeout;
}

/** The functions that a worker needs for a job. */
export function functionsOf({ task, hooks }: Job): TaskRecord[] {
  return [task, hooks?.init, hooks?.exit].filter((record) => record !== undefined);
}
