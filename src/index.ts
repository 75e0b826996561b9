/**
 * The public surface of `rxjs-parallel-map`, and nothing else.
 *
 * @packageDocumentation
 */

export { parallelMap } from './parallelMap.js';
export { parallelMergeMap, type MergeOutput, type YieldOf } from './parallelMergeMap.js';
export { parallelFrom } from './parallelFrom.js';
export { WorkerPool } from './WorkerPool.js';
export { availableStartMethods, warmUp } from './startMethods.js';
export type { Insights } from './insights.js';
export { runWorker } from './runWorker.js';
export type {
  StartMethod,
  WorkerChannel,
  WorkerEnd,
  WorkerEvents,
  WorkerIdentity,
  WorkerLink,
  WorkerOption,
} from './StartMethod.js';
export { moduleTask, type ModuleTask } from './moduleTask.js';
export { perWorker } from './perWorker.js';
export { transfer, type Transferable } from './transfer.js';
export {
  BufferOverflowError,
  NestedPoolError,
  PoolTerminatedError,
  StartMethodUnavailableError,
  UnportableFunctionError,
  UnserializableError,
  WorkerDiedError,
  WorkerPoolError,
  WorkerStartError,
  WorkerTimeoutError,
} from './errors.js';
export type {
  AnyWorkerPool,
  ApplyOptions,
  CallOptions,
  FromOptions,
  MapOperatorOptions,
  MapOptions,
  Overflow,
  ProgressBarOptions,
  ProgressStream,
  ResourceLimits,
  StartMethodName,
  WorkerPoolOptions,
  WorkerResources,
} from './options.js';
export type {
  ApplyFunction,
  MapResult,
  Outcome,
  ReadableStreamLike,
  Task,
  TaskContext,
  TaskFunction,
  TaskInput,
  TaskProgress,
  TypedArray,
  WorkerContext,
  WorkerFunction,
  WorkerTask,
} from './taskTypes.js';
