/**
 * A program whose workers are in endless loops: `node looping.js <folder> <start method> [<inner start method>]`. The loops beat
 * in the folder; see test/support/beats.ts. With `SIGINT` in the environment it counts the interrupts it gets, and goes on.
 */

import type { StartMethod } from 'rxjs-parallel-map';
import { moduleTask, WorkerPool } from '../support/library.js';
import type { beat } from '../tasks/inner.js';
import type { endless } from '../tasks/nest.js';

const [folder, startMethod, inner] = process.argv.slice(2) as [string, StartMethod, StartMethod | undefined];

const pool = new WorkerPool({ nJobs: 2, startMethod, daemon: inner === undefined });
if (inner === undefined) {
  const task = moduleTask<typeof beat>(new URL('../tasks/inner.js', import.meta.url), 'beat');
  await pool.map(task, [folder, folder]);
} else {
  const task = moduleTask<typeof endless>(new URL('../tasks/nest.js', import.meta.url), 'endless');
  await pool.map(task, [
    [inner, folder],
    [inner, folder],
  ]);
}
