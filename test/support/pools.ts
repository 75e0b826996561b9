/** Pools for tests, which end with their test whatever becomes of it. */

import type { WorkerPoolOptions } from 'rxjs-parallel-map';
import { WorkerPool } from './library.js';

const open = new Set<WorkerPool>();

/** A pool that `endPools` terminates. */
export function createPool(options?: WorkerPoolOptions): WorkerPool {
  const pool = new WorkerPool(options);
  open.add(pool);
  return pool;
}

/** For `afterEach`: ends what the test has left. */
export async function endPools(): Promise<void> {
  const pools = [...open];
  open.clear();
  await Promise.all(pools.map((pool) => pool.terminate()));
}

/**
 * For a suite whose tests do not mind which workers they find, and leave them as they were: a pool with these options, whose workers
 * stay for the tests that follow. Not beside `trackWorkers`, which waits for all that a test has started.
 */
export function sharePools(): (options: WorkerPoolOptions) => WorkerPool {
  const pools = new Map<string, WorkerPool>();
  after(async () => {
    await Promise.all([...pools.values()].map((pool) => pool.terminate()));
    pools.clear();
  });
  return (options) => {
    const key = JSON.stringify(options);
    const pool = pools.get(key) ?? new WorkerPool({ ...options, keepAlive: true });
    pools.set(key, pool);
    return pool;
  };
}

/** A task function: who runs it. The same worker always answers the same, another one something else. */
export const identity = async (): Promise<string> => {
  const { threadId } = await import('node:worker_threads');
  return `${process.pid}/${threadId}`;
};
