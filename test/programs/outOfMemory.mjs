// A task that uses up the memory of its worker: all that the program may have, or so many megabytes.
import { WorkerPool } from './library.mjs';

const [startMethod, megabytes] = process.argv.slice(2);
const resourceLimits = megabytes === undefined ? undefined : { maxOldGenerationSizeMb: Number(megabytes) };
const pool = new WorkerPool({ nJobs: 1, startMethod, resourceLimits });
const eat = () => {
  const all = [];
  for (;;) all.push(new Array(1000).fill(all.length));
};
await pool.apply(eat).catch((error) => console.log(`${error.name}: ${error.message.replaceAll('\n', ' ')}`));
console.log(await pool.apply(() => 'still there'));
