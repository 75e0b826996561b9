/**
 * What a table of functions is, and how its rows are tried.
 *
 * The files of this folder run in every form that a program may have: as ES modules and as CommonJS, compiled by tsc and as
 * they stand, through tsx. So they import nothing but each other, Node's modules and the package, and use no top-level await.
 */

import { inspect, isDeepStrictEqual } from 'node:util';
import { WorkerPool, type StartMethodName } from 'rxjs-parallel-map';

/** What it is; a function that uses it; what that returns, here as in a worker. */
export type Row = readonly [title: string, fn: () => unknown, result: unknown];

export type Tables = Readonly<Record<string, readonly Row[]>>;

/** What went wrong, by the title of the row; nothing, it should be. */
export type Failures = Record<string, string>;

/** The program: tries tables with the start method that its first argument names, and prints the failures as JSON. */
export async function tryTables(tables: Tables): Promise<void> {
  const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv[2] as StartMethodName, keepAlive: true });
  const failures: Record<string, Failures> = {};
  for (const [title, rows] of Object.entries(tables)) failures[title] = await tryRows(rows, pool);
  await pool.terminate();
  console.log(JSON.stringify(failures));
}

/** Calls each function in a worker and then here. */
async function tryRows(rows: readonly Row[], pool: WorkerPool): Promise<Failures> {
  const failures: Failures = {};
  const results = await Promise.allSettled(rows.map(([, fn]) => pool.apply(fn)));
  for (const [i, [title, fn, expected]] of rows.entries()) {
    const result = results[i] as PromiseSettledResult<unknown>;
    if (result.status === 'rejected') {
      failures[title] = String((result.reason as Error | undefined)?.stack ?? result.reason)
        .split('\n', 2)
        .join('');
      continue;
    }
    for (const [where, value] of [
      ['the worker', result.value],
      ['here', await fn()],
    ]) {
      if (isDeepStrictEqual(value, expected)) continue;
      failures[title] = `${where as string} gives ${inspect(value)}, expected ${inspect(expected)}`;
      break;
    }
  }
  return failures;
}
