/**
 * A program that handles a signal, and is sent it, with its whole process group, so many milliseconds after its first workers were
 * asked for: `node interruptedEarly.js <start method> <milliseconds> <signal>`. It prints the results, once it has heard of the signal.
 */

import type { StartMethodName } from 'rxjs-parallel-map';
import { WorkerPool } from '../support/library.js';

const [startMethod, delay, signal] = process.argv.slice(2) as [StartMethodName, string, NodeJS.Signals];
let heard = 0;
process.on(signal, () => heard++);
setTimeout(() => process.kill(-process.pid, signal), Number(delay));
const pool = new WorkerPool({ nJobs: 2, startMethod });
const slow = (n: number): Promise<number> => new Promise((resolve) => setTimeout(resolve, 150, n));
const results = await pool.map(slow, [1, 2, 3]);
while (heard === 0) await new Promise((resolve) => setTimeout(resolve, 5));
console.log(results.join(), `${signal} ${heard}`);
