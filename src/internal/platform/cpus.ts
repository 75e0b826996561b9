/**
 * Which CPUs there are. A build for browsers puts `navigator.hardwareConcurrency` in the place of their number, and does not know
 * theirs.
 */

import { createRequire } from 'node:module';

/** One of Node's modules, at first use: importing this package is to load next to nothing. */
const load = (name: string): unknown => createRequire(process.execPath)(name);

/** How many CPUs this program may use, at least 1: as many workers can run at once. */
export function cpuCount(): number {
  return (load('node:os') as typeof import('node:os')).availableParallelism();
}

/** The CPUs that this machine runs, by their numbers; `undefined` where that is not known. */
export function onlineCpus(): ReadonlySet<number> | undefined {
  let text: string;
  try {
    text = (load('node:fs') as typeof import('node:fs')).readFileSync('/sys/devices/system/cpu/online', 'latin1');
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
