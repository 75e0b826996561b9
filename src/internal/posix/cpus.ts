/** Keeping a worker on some CPUs. */

import { readdirSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { loadLibc } from './libc.js';

/**
 * Keeps this thread on some CPUs, or this whole process: then each of its threads, for an affinity is a thread's, and those to come
 * inherit it.
 *
 * @throws Error where the system refuses.
 */
export function pin(cpuIds: readonly number[], what: 'thread' | 'process'): void {
  const libc = loadLibc();
  const mask = Buffer.alloc(Math.max(128, (Math.max(...cpuIds) >> 3) + 1)); // 1,024 CPUs, as in the C library
  for (const cpu of cpuIds) mask[cpu >> 3] = (mask[cpu >> 3] as number) | (1 << (cpu & 7));
  const threads = what === 'thread' ? [0] : readdirSync('/proc/self/task').map(Number);
  for (const thread of threads) {
    if (libc.sched_setaffinity(thread, mask.length, mask) === 0) continue;
    const name = getSystemErrorName(-libc.errno());
    if (name === 'ESRCH') continue; // that thread has ended
    throw new Error(`"cpuIds": the system does not run this worker on CPU ${cpuIds.join(' or ')} (${name}).`);
  }
}
