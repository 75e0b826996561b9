/**
 * Shares work out anew: where a worker idles and nothing waits, values that wait on another worker, behind one that takes
 * longer than expected, are asked back.
 */

import { OVERDUE_TIME } from '../tuning.js';
import { clearTimeout, now, setTimeout } from '../globals.js';
import { ToWorker } from '../channel/messages.js';
import type { Chunk } from './Chunk.js';
import type { WorkerHandle } from './WorkerHandle.js';

export class Rebalancer {
  readonly #workers: () => WorkerHandle[];
  readonly #isNeeded: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  /** @param isNeeded Whether some worker has nothing to do while others have. */
  constructor(workers: () => WorkerHandle[], isNeeded: () => boolean) {
    this.#workers = workers;
    this.#isNeeded = isNeeded;
  }

  /** Asks those back that are overdue, and looks again when others will be. */
  update(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (!this.#isNeeded()) return;
    const time = now();
    let next = Infinity;
    for (const worker of this.#workers()) {
      const chunk = worker.chunks.at(-1);
      if (chunk === undefined || !isShareable(worker, chunk)) continue;
      const overdueAt = (worker.chunks[0] as Chunk).heardAt + OVERDUE_TIME;
      if (time >= overdueAt) {
        chunk.recalled = true;
        worker.send([ToWorker.Recall, chunk.id]);
      } else {
        next = Math.min(next, overdueAt - time);
      }
    }
    if (next === Infinity) return;
    this.#timer = setTimeout(() => this.update(), Math.ceil(next));
    this.#timer.unref();
  }
}

/** Whether a worker's last chunk has values that another worker could have. */
function isShareable(worker: WorkerHandle, chunk: Chunk): boolean {
  if (worker.state !== 'ready' || chunk.recalled || chunk.cancelled || chunk.moved) return false;
  if (worker.chunks.length > 1) return true;
  // A chunk that is being worked on is shared only where its size was ours to choose.
  return chunk.job.call.chunkSize === undefined && chunk.values.length - chunk.done > 1;
}
