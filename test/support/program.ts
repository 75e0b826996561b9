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

/**
 * Runs a program.
 *
 * @param source The program: the body of an async function in which the names of `rxjs` and of the package are known.
 * @returns How it ended: with signal `SIGKILL` where it hung.
 */
export function runProgram(source: string): Promise<ProgramEnd> {
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
    const child = spawn(process.execPath, ['--input-type=commonjs', '-e', program], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
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
