/** What watches a pool: measurements, progress bars and diagnostics are all behind this. None of it changes what the pool does. */

import type { Insights } from '../../insights.js';
import type { CallSettings } from '../../options.js';
import type { WorkerEnd } from '../../StartMethod.js';
import type { Figures, HookMessage, RemoteBar } from '../protocol/messages.js';
import type { Chunk } from './job/Chunk.js';
import type { Job, JobEnd } from './job/Job.js';
import type { WorkerHandle } from './pool/WorkerHandle.js';

export interface PoolObserver {
  /** What is measured of the workers, where that is asked for. */
  readonly measurements: { insights(): Insights; reset(): void } | undefined;
  /** @throws Error where a call asks for what cannot be shown. */
  checkCall(call: CallSettings): void;
  /** @param fail Called where the progress of the call cannot be shown. */
  onCallStart(job: Job, fail: (error: unknown) => void): void;
  onCallEnd(job: Job, end: JobEnd): void;
  onWorkerStart(worker: WorkerHandle): void;
  onWorkerReady(worker: WorkerHandle): void;
  onWorkerEnd(worker: WorkerHandle, end: WorkerEnd): void;
  /** A worker without chunks was given one, at that time. */
  onWorkerBusy(worker: WorkerHandle, time: number): void;
  /** Measurements of a worker, with `count` results, or 0. The chunk does not count these yet. */
  onFigures(worker: WorkerHandle, chunk: Chunk, count: number, figures: Figures): void;
  /** An init or exit function has ended. */
  onHookEnd(worker: WorkerHandle, message: HookMessage): void;
  /** @param index That of its value; of the first one where a chunk was lost. */
  onTaskError(worker: WorkerHandle, index: number, error: unknown): void;
  /** A worker tells how far a call is that was made inside of it. */
  onRemoteBar(worker: WorkerHandle, bar: RemoteBar): void;
}
