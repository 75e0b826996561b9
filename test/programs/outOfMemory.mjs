// A task that uses up the memory of its worker.
import { WorkerPool } from './library.mjs';

const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv[2] });
const eat = () => {
  const all = [];
  for (;;) all.push(new Array(1000).fill(all.length));
};
await pool.apply(eat).catch((error) => console.log(`${error.name}: ${error.message.replaceAll('\n', ' ')}`));
console.log(await pool.apply(() => 'still there'));
