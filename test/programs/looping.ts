/**
 * A program whose workers are in endless loops: `node looping.js <folder> <start method> [<inner start methods>]`. The loops beat
 * in the folder; see test/support/beats.ts. Two loops run, or four in two inner pools, or, where several inner start
 * methods are given, one in an inner pool of each.
 */

import type { StartMethodName } from 'rxjs-parallel-map';
import { moduleTask, WorkerPool } from '../support/library.js';
import type { beat } from '../tasks/inner.js';
import type { endless } from '../tasks/nest.js';

const [folder, startMethod, ...inner] = process.argv.slice(2) as [string, StartMethodName, ...StartMethodName[]];

if (inner.length === 0) {
  const pool = new WorkerPool({ nJobs: 2, startMethod });
  const task = moduleTask<typeof beat>(new URL('../tasks/inner.js', import.meta.url), 'beat');
  await pool.map(task, [folder, folder]);
} else {
  const [only] = inner;
  const runs =
    inner.length > 1
      ? inner.map((method) => [method, folder, 1] as const)
      : [1, 2].map(() => [only as StartMethodName, folder, 2] as const);
  const pool = new WorkerPool({ nJobs: runs.length, startMethod, daemon: false });
  const task = moduleTask<typeof endless>(new URL('../tasks/nest.js', import.meta.url), 'endless');
  await pool.map(task, runs, { chunkSize: 1 });
}
