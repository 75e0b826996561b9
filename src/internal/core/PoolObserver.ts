/** The interface of everything that watches a pool: measurements, progress bars and diagnostics. None of them changes what the pool does. */

import type { Insights } from '../../insights.js';
import type { CallSettings } from '../../options.js';
import type { WorkerEnd } from '../../StartMethod.js';
import type { Figures, HookMessage, RemoteBar } from '../protocol/messages.js';
import type { Chunk } from './job/Chunk.js';
import type { Job, JobEnd } from './job/Job.js';
import type { WorkerHandle } from './pool/WorkerHandle.js';

export interface PoolObserver {
  /** The measurements of the workers, with the option `insights`. */
  readonly measurements: { insights(): Insights; reset(): void } | undefined;
  /** @throws Error if the progress of a call cannot be shown. */
  checkCall(call: CallSettings): void;
  /** @param fail Called if the progress of the call cannot be shown. */
  onCallStart(job: Job, fail: (error: unknown) => void): void;
  onCallEnd(job: Job, end: JobEnd): void;
  onWorkerStart(worker: WorkerHandle): void;
  onWorkerReady(worker: WorkerHandle): void;
  onWorkerEnd(worker: WorkerHandle, end: WorkerEnd): void;
  /** An idle worker got a chunk at `time`. */
  onWorkerBusy(worker: WorkerHandle, time: number): void;
  /** What a worker has measured, told with `count` results. Called before these count as done. */
  onFigures(worker: WorkerHandle, chunk: Chunk, count: number, figures: Figures): void;
  /** An init or exit function has ended. */
  onHookEnd(worker: WorkerHandle, message: HookMessage): void;
  /** @param index The index of its value; if a chunk was lost, of the first one. */
  onTaskError(worker: WorkerHandle, index: number, error: unknown): void;
  /** A worker reports the progress of a call that was made inside it. */
  onRemoteBar(worker: WorkerHandle, bar: RemoteBar): void;
}
