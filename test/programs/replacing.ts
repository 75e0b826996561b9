/**
 * A program whose workers are replaced without end, so that some are being started and one is made ahead at each moment:
 * `node replacing.js <start method>`.
 */

import type { StartMethodName } from 'rxjs-parallel-map';
import { WorkerPool } from '../support/library.js';

const pool = new WorkerPool({ nJobs: 3, startMethod: process.argv[2] as StartMethodName, keepAlive: true });
console.log('started');
for (;;) await pool.map((n: number) => n, [1, 2, 3, 4, 5, 6], { chunkSize: 1, workerLifespan: 1 });
