/**
 * Shares work out anew: where a worker idles and nothing waits, values that wait on another worker, behind one that takes
 * longer than expected, are taken back.
 *
 * From a worker that claims its values they are taken at once, also where a call blocks it; another one is asked for them.
 */

import { OVERDUE_TIME } from '../../protocol/tuning.js';
import { clearTimeout, now, setTimeout } from '../../platform/globals.js';
import { ToWorker } from '../../protocol/messages.js';
import type { Chunk } from '../job/Chunk.js';
import type { WorkerHandle } from './WorkerHandle.js';

export interface WorkStealerHost {
  workers(): WorkerHandle[];
  /** Whether some worker has nothing to do while others have. */
  isNeeded(): boolean;
  /** The first `kept` values of a chunk stay where they are; the others are to be given out again. */
  onShortened(worker: WorkerHandle, chunk: Chunk, kept: number): void;
}

export class WorkStealer {
  readonly #host: WorkStealerHost;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: WorkStealerHost) {
    this.#host = host;
  }

  /** Takes back what is overdue, and looks again when more will be. */
  update(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (!this.#host.isNeeded()) return;
    const time = now();
    let next = Infinity;
    for (const worker of this.#host.workers()) {
      if (worker.state !== 'ready') continue;
      const { running } = worker;
      // The last ones first: they wait longest.
      for (const [at, chunk] of [...worker.chunks.entries()].reverse()) {
        const isRunning = at < running;
        if (!isShareable(chunk, isRunning)) continue;
        const overdueAt = (isRunning ? chunk : (worker.chunks[0] as Chunk)).heardAt + OVERDUE_TIME;
        if (time < overdueAt) next = Math.min(next, overdueAt - time);
        else if (this.#reclaim(worker, chunk, isRunning)) break;
      }
    }
    if (next === Infinity) return;
    this.#timer = setTimeout(() => this.update(), Math.ceil(next));
    this.#timer.unref();
  }

  /** True where the worker has to answer first. */
  #reclaim(worker: WorkerHandle, chunk: Chunk, isRunning: boolean): boolean {
    chunk.reclaimed = true;
    // A worker that is loading or in an init function would pass for idle without any value.
    const kept = worker.claimBook?.limit(chunk, isRunning ? 1 : 0);
    if (kept === undefined) {
      worker.send([ToWorker.Reclaim, chunk.id]);
      return true;
    }
    if (kept < chunk.values.length) this.#host.onShortened(worker, chunk, kept);
    return false;
  }
}

/** Whether a chunk has values that another worker could have. */
function isShareable(chunk: Chunk, isRunning: boolean): boolean {
  if (chunk.reclaimed || chunk.cancelled || chunk.moved) return false;
  if (!isRunning) return true;
  // A chunk that is being worked on is shared only where its size was ours to choose.
  return chunk.job.isAdaptive && chunk.values.length - chunk.done > 1;
}
