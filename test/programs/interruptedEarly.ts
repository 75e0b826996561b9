/**
 * A program that handles SIGINT, and is sent it, with its whole process group, so many milliseconds after its first workers were
 * asked for: `node interruptedEarly.js <start method> <milliseconds>`. It prints the results, once it has heard of the signal.
 */

import type { StartMethodName } from 'rxjs-parallel-map';
import { WorkerPool } from '../support/library.js';

const [startMethod, delay] = process.argv.slice(2) as [StartMethodName, string];
let heard = 0;
process.on('SIGINT', () => heard++);
setTimeout(() => process.kill(-process.pid, 'SIGINT'), Number(delay));
const pool = new WorkerPool({ nJobs: 2, startMethod });
const slow = (n: number): Promise<number> => new Promise((resolve) => setTimeout(resolve, 150, n));
const results = await pool.map(slow, [1, 2, 3]);
while (heard === 0) await new Promise((resolve) => setTimeout(resolve, 5));
console.log(results.join(), `SIGINT ${heard}`);
