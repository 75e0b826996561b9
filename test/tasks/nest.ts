/** Tasks that use the package themselves, in the format that the suite is run for. */

import type { StartMethodName } from 'rxjs-parallel-map';
import { lastValueFrom, range, toArray } from 'rxjs';
import { moduleTask, parallelMap, WorkerPool } from '../support/library.js';
import type * as inner from './inner.js';
import type { Mishap } from './inner.js';

const innerTask = <K extends keyof typeof inner>(name: K) =>
  moduleTask<(typeof inner)[K]>(new URL('./inner.js', import.meta.url), name);

/** How a run of `nested` goes: the last of four values meets the mishap, inside the inner pool. */
export interface NestedRun {
  readonly inner: StartMethodName;
  readonly mishap: Mishap;
}

/** The sum of 0, 1, 4 and 9 by an inner pool. */
export async function nested({ inner, mishap }: NestedRun): Promise<number> {
  await using pool = new WorkerPool({ nJobs: 2, startMethod: inner });
  const values = [0, 1, 2, 3].map((n) => [n, n === 3 ? mishap : 'none'] as const);
  const results = pool.map(innerTask('squareOrMishap'), values);
  // The worker goes in the middle of it: its inner pool has to go with it.
  if (mishap === 'leave') setImmediate(() => process.exit(4));
  return (await results).reduce<number>((sum, value) => sum + (value as number), 0);
}

/** The same by the operator. */
export async function nestedOperator(inner: StartMethodName): Promise<number[]> {
  return lastValueFrom(range(0, 4).pipe(parallelMap(innerTask('square'), 2, inner), toArray()));
}

/** Makes a pool, and nothing of it. */
export function makePool(startMethod: StartMethodName): string {
  return new WorkerPool({ startMethod }).constructor.name;
}

/** Subscribes to an operator, which makes a pool. */
export async function subscribe(startMethod: StartMethodName): Promise<number[]> {
  return nestedOperator(startMethod);
}

/** What makes the pool catches the error itself. */
export function catchRefusal(startMethod: StartMethodName): string {
  try {
    new WorkerPool({ startMethod });
    return 'made';
  } catch (error) {
    return (error as Error).name;
  }
}

/** The pool that `deep` uses for all its runs in this worker. */
let deeper: WorkerPool | undefined;

/** As many levels as there are methods, at least one; the innermost tells its number, or throws, which is the last run. */
export async function deep([methods, level, fails]: readonly [StartMethodName[], number, boolean]): Promise<number> {
  const [startMethod, ...inner] = methods as [StartMethodName, ...StartMethodName[]];
  const pool = (deeper ??= new WorkerPool({ nJobs: 1, startMethod, daemon: false, keepAlive: true }));
  try {
    const [result] =
      inner.length === 0
        ? await pool.map(innerTask('innermost'), [[level + 1, fails]])
        : await pool.map(moduleTask<typeof deep>(import.meta.url, 'deep'), [[inner, level + 1, fails]]);
    return result as number;
  } finally {
    if (fails) await pool.terminate();
  }
}

/** Uses a pool, and leaves it as it is, with its workers alive. In one chunk, so that its worker claims what it begins. */
export async function leaveOpen(inner: StartMethodName): Promise<number[]> {
  const pool = new WorkerPool({ nJobs: 2, startMethod: inner, keepAlive: true });
  return pool.map(innerTask('square'), [1, 2, 3], { chunkSize: 3 });
}

/** The same, and ends it. @returns What Node has warned of meanwhile. */
export async function useAndJoin(inner: StartMethodName): Promise<string[]> {
  const warnings: string[] = [];
  const warn = ({ message }: Error) => void warnings.push(message);
  process.on('warning', warn);
  const pool = new WorkerPool({ nJobs: 2, startMethod: inner, keepAlive: true });
  await pool.map(innerTask('square'), [1, 2, 3], { chunkSize: 3 });
  await pool.stopAndJoin();
  await new Promise(setImmediate); // a warning comes a little later than what it is about
  process.off('warning', warn);
  return warnings;
}

/** Joins a pool while its workers are being replaced, one after each value, and then terminates it in the middle of that. */
export async function endWhileReplacing(inner: StartMethodName): Promise<unknown[]> {
  const pool = new WorkerPool({ nJobs: 2, startMethod: inner, keepAlive: true });
  const run = () => pool.map(innerTask('square'), [1, 2, 3, 4], { workerLifespan: 1 });
  const joined = run();
  await pool.stopAndJoin();
  const terminated = run().catch((error: Error) => error.name);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await pool.terminate();
  return [await joined, await terminated];
}

/** The same as `leaveOpen`, while an endless loop runs in the pool that is left. */
export async function leaveLooping([inner, folder]: readonly [StartMethodName, string]): Promise<string> {
  const pool = new WorkerPool({ nJobs: 1, startMethod: inner, keepAlive: true });
  pool.apply(innerTask('beat') as never, [folder] as never).catch(() => undefined);
  return 'left';
}

/** Runs endless loops in an inner pool. */
export async function endless([inner, folder, nJobs = 2]: readonly [StartMethodName, string, number?]): Promise<void> {
  const pool = new WorkerPool({ nJobs, startMethod: inner, daemon: false });
  await pool.map(innerTask('beat'), Array<string>(nJobs).fill(folder));
}
