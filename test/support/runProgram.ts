/** Runs programs in processes of their own, as a user would with `node`. */

import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The folder of the project, seen from build/test/support. */
export const projectFolder = fileURLToPath(new URL('../../../', import.meta.url));

export interface ProgramResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** Flags for node. */
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where its input comes from: nowhere, or, with `pipe`, what `onStart` writes to `child.stdin`. */
  readonly stdin?: 'ignore' | 'pipe';
  /** What the shell's `ulimit` is to limit for it, such as `-n 100`. */
  readonly ulimit?: string;
  /** Called once the program was started. */
  readonly onStart?: (child: ChildProcess) => void;
  /** For so many milliseconds nobody reads what it writes to stdout, so that the pipe fills up. */
  readonly readAfter?: number;
  /** A program that runs longer has hung: it is killed, which shows as `signal`. */
  readonly limit?: number;
}

/** The file of a program in test/programs. */
export function programFile(name: string): string {
  return `${projectFolder}test/programs/${name}`;
}

/** Runs `node` with arguments of any kind. */
export function runNode(args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const env: Record<string, string | undefined> = { ...process.env, ...options.env };
    // What mocha was started with is not the program's.
    delete env['NODE_OPTIONS'];
    const node = [process.execPath, ...(options.flags ?? []), ...args, ...(options.args ?? [])] as const;
    const { ulimit } = options;
    const [file, ...rest] =
      ulimit === undefined ? node : ['/bin/sh', '-c', `ulimit ${ulimit} && exec "$@"`, 'sh', ...node];
    const child = spawn(file, rest, {
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'] as ['pipe', 'pipe', 'pipe'],
      cwd: options.cwd ?? projectFolder,
      env: { ...env, ...options.env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    if (options.readAfter !== undefined) {
      child.stdout.pause();
      setTimeout(() => child.stdout.resume(), options.readAfter);
    }
    const hung = setTimeout(() => child.kill('SIGKILL'), options.limit ?? 15_000);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(hung);
      resolve({ code, signal, stdout, stderr });
    });
    options.onStart?.(child);
  });
}

/** Runs a program of test/programs. */
export function runProgram(name: string, options: ProgramOptions = {}): Promise<ProgramResult> {
  return runNode([programFile(name)], {
    ...options,
    flags: options.flags ?? [],
  });
}

/** Runs a program that is given as text: the body of an async function in which the names of `rxjs` and of the package are known. */
export function runScript(source: string, options: ProgramOptions = {}): Promise<ProgramResult> {
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
  return runNode(['--input-type=commonjs', '-e', program], options);
}
