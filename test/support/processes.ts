/** Processes, as the system sees them: Linux only. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';

export const canSeeProcesses = existsSync('/proc/self/stat');

/** The pids of the living children of a process. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat !== undefined && stat.state !== 'Z' && stat.parent === parent;
    });
}

/** The pids of all that a process has started, directly or not. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Whether a process of a group lives. */
export function aliveInGroup(group: number): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      const stat = statOf(Number(pid));
      return stat !== undefined && stat.state !== 'Z' && stat.group === group;
    });
}

/** Whether a process lives. A zombie does not. */
export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.state !== 'Z';
}

/** How long a process has computed, in hundredths of a second. */
export function cpuTicks(pid: number): number {
  return statOf(pid)?.ticks ?? 0;
}

function statOf(pid: number): { state: string; parent: number; group: number; ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything.
    const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [parent, group, , , , , , , , , user, system] = fields.map(Number) as number[];
    return {
      state: state as string,
      parent: parent as number,
      group: group as number,
      ticks: (user as number) + (system as number),
    };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** Resolves once a condition holds; looks every few milliseconds, and rejects after `limit`. */
export async function until(condition: () => boolean | Promise<boolean>, limit: number, what: string): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > limit) throw new Error(`Not within ${limit} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
