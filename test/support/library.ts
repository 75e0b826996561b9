// The package as its users get it, in the format that the environment variable FORMAT names: 'cjs' takes it by
// `require`, anything else by `import`. A test imports from here, so that the same test covers both.
import { createRequire } from 'node:module';
import type * as Library from 'rxjs-parallel-map';

const library: typeof Library =
  process.env['FORMAT'] === 'cjs'
    ? createRequire(import.meta.url)('rxjs-parallel-map')
    : await import('rxjs-parallel-map');

export const {
  parallelMap,
  parallelMergeMap,
  parallelFrom,
  WorkerPool,
  availableStartMethods,
  warmUp,
  moduleTask,
  runWorker,
  transfer,
  WorkerPoolError,
  WorkerTimeoutError,
  WorkerDiedError,
  WorkerStartError,
  UnserializableError,
  UnportableFunctionError,
  BufferOverflowError,
  NestedPoolError,
  PoolTerminatedError,
  StartMethodUnavailableError,
} = library;

// Classes are types, too; a name exported above hides the one of `export type *`.
export type WorkerPool = Library.WorkerPool;
export type WorkerPoolError = Library.WorkerPoolError;
export type WorkerTimeoutError = Library.WorkerTimeoutError;
export type WorkerDiedError = Library.WorkerDiedError;
export type WorkerStartError = Library.WorkerStartError;
export type UnserializableError = Library.UnserializableError;
export type UnportableFunctionError = Library.UnportableFunctionError;
export type BufferOverflowError = Library.BufferOverflowError;
export type NestedPoolError = Library.NestedPoolError;
export type PoolTerminatedError = Library.PoolTerminatedError;
export type StartMethodUnavailableError = Library.StartMethodUnavailableError;
export type * from 'rxjs-parallel-map';
