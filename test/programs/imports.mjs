// A plain function that imports a module. Argument: the start method.
import { WorkerPool } from './library.mjs';

const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv[2] });
const baseName = async (path) => (await import('node:path')).basename(path);
console.log(await pool.apply(baseName, ['/a/b']));
