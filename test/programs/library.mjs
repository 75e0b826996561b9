// The package in the format that the environment variable FORMAT names.
import { createRequire } from 'node:module';

export const library =
  process.env.FORMAT === 'cjs'
    ? createRequire(import.meta.url)('rxjs-parallel-map')
    : await import('rxjs-parallel-map');
export const { WorkerPool, moduleTask, transfer, parallelMap } = library;
