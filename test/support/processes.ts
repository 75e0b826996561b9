/** Processes, as the system sees them: Linux only. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';

export const canSeeProcesses = existsSync('/proc/self/stat');

/** The pids of the living children of a process. */
export function childrenOf(parent: number): number[] {
  return childrenIncludingZombies(parent).filter(isAlive);
}

/** The pids of the children of a process, also of those that have ended and that it has not asked for yet. */
export function childrenIncludingZombies(parent: number): number[] {
  return pids().filter((pid) => statOf(pid)?.parent === parent);
}

/** The pids of all that a process has started, directly or not. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Whether a process of a group lives. */
export function aliveInGroup(group: number): boolean {
  return pids().some((pid) => isAlive(pid) && statOf(pid)?.group === group);
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

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
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
