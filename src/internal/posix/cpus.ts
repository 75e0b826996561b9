/** Keeping a worker on some CPUs. */

import { readdirSync, readFileSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { loadLibc } from './libc.js';

/** The CPUs that this machine runs, by their numbers; `undefined` where nobody can tell. */
export function onlineCpus(): ReadonlySet<number> | undefined {
  let text: string;
  try {
    text = readFileSync('/sys/devices/system/cpu/online', 'latin1');
  } catch {
    return undefined;
  }
  const cpus = new Set<number>();
  for (const range of text.trim().split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return cpus;
}

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
