/**
 * A program that a terminal's Ctrl-C does not end: `node interrupted.js <start method>`. It says `ready` when its workers are up;
 * at each signal that asks for its end it says what they answer, and that they are still the same. A line on stdin ends it.
 */

import type { StartMethodName } from 'rxjs-parallel-map';
import { WorkerPool } from '../support/library.js';

const [startMethod] = process.argv.slice(2) as [StartMethodName];
const pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });

/** Where the workers are, by their answers: each has to take one of two calls. */
const workers = async (): Promise<string[]> => {
  const where = async (): Promise<string> => {
    const { threadId } = await import('node:worker_threads');
    await new Promise((resolve) => setTimeout(resolve, 200));
    return `${process.pid}-${threadId}`;
  };
  // One may have been done with both before the other one was up.
  for (;;) {
    const both = await Promise.all([pool.apply(where), pool.apply(where)]);
    if (both[0] !== both[1]) return both.sort();
  }
};

const before = await workers();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
  process.on(signal, () => {
    void workers().then((after) => console.log(after.join() === before.join() ? 'same workers' : 'other workers'));
  });
}
console.log('ready');
process.stdin.once('data', () => {
  process.stdin.destroy();
  void pool.terminate();
});
