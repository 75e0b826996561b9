/**
 * The kernel's own way to end a process with the one that has started it: a signal that the process asks for itself
 * (`PR_SET_PDEATHSIG`, prctl(2)). Node cannot, but `setpriv` of util-linux can, and then becomes the program that it is given, with the
 * same pid. It reaches a worker inside an endless loop, and those of a thread when that ends.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const SETPRIV = '/usr/bin/setpriv';
const asking = ['--pdeathsig', 'KILL'];

let available: boolean | undefined;

/** Whether there is a `setpriv` that knows this. */
function isAvailable(): boolean {
  if (available !== undefined) return available;
  if (process.platform !== 'linux' || !existsSync(SETPRIV)) return (available = false);
  const { status, error } = spawnSync(SETPRIV, [...asking, '--version'], { stdio: 'ignore' });
  if (error !== undefined) return false; // such as too many open files: the next worker may have one
  return (available = status === 0);
}

/** The command that starts a program so that it dies with this process or thread; the program itself where there is no such command. */
export function withDeathSignal(file: string, args: readonly string[]): readonly [file: string, args: string[]] {
  // A program that does not exist is an error that the caller hears from `spawn` only if nothing comes between.
  if (!isAvailable() || !existsSync(file)) return [file, [...args]];
  return [SETPRIV, [...asking, '--', file, ...args]];
}
