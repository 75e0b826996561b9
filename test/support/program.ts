/** A program that uses the package, run to its end in a process of its own. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that has not ended after so many milliseconds hangs. */
const LIMIT = 15_000;

/** From build/test/support to the package's root, where its public name resolves. */
const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface ProgramOptions {
  /** What the shell's `ulimit` is to limit for it, such as `-n 100`. */
  readonly ulimit?: string;
  /** Flags for Node. */
  readonly flags?: readonly string[];
}

/**
 * Runs a program.
 *
 * @param source The program: the body of an async function in which the names of `rxjs` and of the package are known.
 * @returns How it ended: with signal `SIGKILL` where it hung.
 */
export function runProgram(source: string, { ulimit, flags = [] }: ProgramOptions = {}): Promise<ProgramEnd> {
  const load = (name: string): string =>
    process.env['FORMAT'] === 'cjs' ? `require('${name}')` : `await import('${name}')`;
  const program = `
    const run = async () => {
      const library = ${load('rxjs-parallel-map')};
      const rxjs = ${load('rxjs')};
      const { parallelMap, parallelMergeMap, parallelFrom, WorkerPool } = library;
      ${source}
    };
    run();
  `;
  return new Promise((resolve, reject) => {
    const node = [process.execPath, ...flags, '--input-type=commonjs', '-e', program] as const;
    const [file, ...args] =
      ulimit === undefined ? node : ['/bin/sh', '-c', `ulimit ${ulimit} && exec "$@"`, 'sh', ...node];
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}
