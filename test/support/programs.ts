/** Programs of test/programs/, run as a user would run them. */

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface Program {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly pid: number;
  /** Resolves with the program's exit code, or the signal that has ended it. */
  readonly ended: Promise<number | string>;
  /** Resolves with the next line that it prints. Rejects when it ends instead. */
  line(): Promise<string>;
}

export interface ProgramOptions {
  readonly execArgv?: readonly string[];
  readonly args?: readonly string[];
}

/** Starts a program, in a process group of its own. */
export function start(name: string, { execArgv = [], args = [] }: ProgramOptions = {}): Program {
  const file = fileURLToPath(new URL(`../programs/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', ...execArgv, file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const lines: string[] = [];
  const waiters: ((line: string) => void)[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() as string;
    for (const line of parts) {
      const waiter = waiters.shift();
      if (waiter === undefined) lines.push(line);
      else waiter(line);
    }
  });
  const next = (): Promise<string> => {
    const line = lines.shift();
    return line === undefined ? new Promise((resolve) => waiters.push(resolve)) : Promise.resolve(line);
  };
  const early = once(child, 'close').then(([code, signal]) => {
    throw new Error(`${name} has ended early: ${code ?? signal}`);
  });
  early.catch(() => undefined); // who waits for a line hears of it
  return { child, pid: child.pid as number, ended, line: () => Promise.race([next(), early]) };
}

/** Ends a program and whatever is left of its process group: for the clean-up after a test that has failed. */
export function destroy({ pid }: Program): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // nothing is left, as it should be
  }
}
