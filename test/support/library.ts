// The package as its users get it, in the format that the environment variable FORMAT names: 'cjs' takes it by
// `require`, anything else by `import`. A test imports from here, so that the same test covers both. 'source' is what
// simulations take, which put pools together from the files that are not public.
import { createRequire } from 'node:module';
import type * as Library from 'rxjs-parallel-map';

const load = async (): Promise<typeof Library> => {
  switch (process.env['FORMAT']) {
    case 'cjs':
      return createRequire(import.meta.url)('rxjs-parallel-map') as typeof Library;
    case 'source':
      return (await import('../../src/index.js')) as unknown as typeof Library;
    default:
      return import('rxjs-parallel-map');
  }
};

const library = await load();

export const {
  parallelMap,
  parallelMergeMap,
  parallelFrom,
  WorkerPool,
  availableStartMethods,
  warmUp,
  moduleTask,
  perWorker,
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
