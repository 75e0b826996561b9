/**
 * Which values are taken back from a worker while another one idles and nothing waits: those behind a call that takes longer than
 * expected.
 *
 * The pool takes back what the worker has not claimed (`protocol/claims.ts`). Without claims it asks by `Reclaim`, which a worker inside a
 * call that blocks its thread hears only after that call.
 */

import { OVERDUE_TIME } from '../../protocol/tuning.js';
import type { Assignment, WorkerHandle } from './WorkerHandle.js';

/** Values to take back. */
export interface Steal {
  readonly worker: WorkerHandle;
  readonly assignment: Assignment;
  /** The worker keeps at least this many values. */
  readonly least: number;
}

/** The values that are overdue now, and the milliseconds until more may be. */
export function findOverdue(
  workers: readonly WorkerHandle[],
  time: number,
): { readonly steals: readonly Steal[]; readonly next: number } {
  const steals: Steal[] = [];
  let next = Infinity;
  for (const worker of workers) {
    if (worker.state !== 'ready') continue;
    const { assignments, running } = worker;
    // The last ones first: they wait longest.
    for (const [at, assignment] of [...assignments.entries()].reverse()) {
      const isRunning = at < running;
      if (!isShareable(worker, assignment, isRunning)) continue;
      const overdueAt = (isRunning ? assignment : (assignments[0] as Assignment)).heardAt + OVERDUE_TIME;
      if (time < overdueAt) next = Math.min(next, overdueAt - time);
      // Without any value, a worker that is loading or in an init function would count as idle.
      else steals.push({ worker, assignment, least: isRunning ? 1 : 0 });
    }
  }
  return { steals, next };
}

/** Whether another worker could take values of a chunk. */
function isShareable({ job }: WorkerHandle, assignment: Assignment, isRunning: boolean): boolean {
  const { chunk } = assignment;
  if (assignment.isReclaimed || assignment.isCancelled || chunk.moved) return false;
  if (!isRunning) return true;
  // A running chunk is shared only if we chose its size.
  return job?.isAdaptive === true && chunk.values.length - chunk.done > 1;
}
