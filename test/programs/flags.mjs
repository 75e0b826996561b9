// Runs a function and a module task in every start method, and prints what came of it, in one line of JSON.
import { moduleTask, WorkerPool } from './library.mjs';

const seen = {};
for (const startMethod of (process.env.START_METHODS ?? 'threading,spawn,forkserver,fork').split(',')) {
  const pool = new WorkerPool({ nJobs: 1, startMethod });
  const fn = (x) => [x * 2, typeof globalThis.gc];
  const named = moduleTask(new URL('./tasks.mjs', import.meta.url), 'triple');
  seen[startMethod] = [await pool.apply(fn, [2]), await pool.apply(named, [2])];
}
console.log(JSON.stringify(seen));
