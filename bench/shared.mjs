// shared: how much memory eight workers need that read all of 300 MB of shared objects. With `fork` they are in memory once.
//
// The proportional memory of a process (Pss, proc_pid_smaps(5)) counts a page that n processes share as the n-th part.

import { readdirSync, readFileSync } from 'node:fs';
import { availableStartMethods, WorkerPool } from 'rxjs-parallel-map';

const WORKERS = 8;
const RECORDS = 1_300_000;

const makeRecords = () =>
  Array.from({ length: RECORDS }, (_, id) => ({ id, name: `record ${id}`, parts: [id + 0.5, id + 1.5, id + 2.5] }));

/** Reads everything there is, and says when it has. */
async function read(_, { shared, progress }) {
  let sum = 0;
  for (const { id, name, parts } of shared.records) sum += id + name.length + parts[0] + parts[1] + parts[2];
  progress?.(0);
  await new Promise((resolve) => setTimeout(resolve, 1500)); // so that each worker takes one, and all live when memory is read
  return { sum, pid: process.pid, ppid: process.ppid };
}

function pss(pid) {
  return Number(/^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024;
}

/** The workers of a template, with the one that it makes ahead. */
function childrenOf(parent) {
  const isChild = (pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
    } catch {
      return false; // it has ended meanwhile
    }
  };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isChild(name));
}

async function measure(startMethod, records, expected) {
  const pool = new WorkerPool({ nJobs: WORKERS, startMethod, keepAlive: true, sharedObjects: { records } });
  try {
    const workers = new Map();
    let parent;
    while (workers.size < WORKERS) {
      const results = await pool.map(read, Array(WORKERS).fill(0), { chunkSize: 1 });
      for (const { sum, pid, ppid } of results) {
        if (sum !== expected) throw new Error(`${startMethod}: the sum is ${sum} instead of ${expected}`);
        workers.set(pid, true);
        parent = ppid;
      }
    }
    const template = startMethod === 'fork' ? pss(parent) : 0;
    const sizes = (startMethod === 'fork' ? childrenOf(parent) : [...workers.keys()]).map(pss);
    const total = sizes.reduce((sum, size) => sum + size, template);
    return { startMethod, workers: WORKERS, total, perWorker: total / WORKERS };
  } finally {
    await pool.terminate();
  }
}

/** The memory of a template alone. */
async function alone(records) {
  const pool = new WorkerPool({ nJobs: 1, startMethod: 'fork', keepAlive: true, sharedObjects: { records } });
  try {
    const ppid = await pool.apply(() => process.ppid);
    await new Promise((resolve) => setTimeout(resolve, 200)); // so that the worker that it makes ahead is there, too
    // What copies share with it is its own when they have gone.
    for (const pid of childrenOf(ppid)) process.kill(Number(pid), 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 200));
    return pss(ppid);
  } finally {
    await pool.terminate();
  }
}

export async function benchShared({ json, log }) {
  if (!availableStartMethods().includes('fork')) {
    console.log('\nshared: there is no fork here');
    return undefined;
  }
  log('shared: making the objects');
  const records = makeRecords();
  let expected = 0;
  for (const { id, name, parts } of records) expected += id + name.length + parts[0] + parts[1] + parts[2];
  log('shared: fork');
  const template = await alone(records);
  const fork = await measure('fork', records, expected);
  log('shared: spawn');
  const spawn = await measure('spawn', records, expected);
  log('');
  const ratio = fork.total / template;
  if (json) return { case: 'shared', template, fork, spawn, ratio };
  const mb = (size) => `${size.toFixed(0)} MB`;
  console.log(`\nshared: proportional memory of ${WORKERS} workers that have read ${RECORDS} shared records\n`);
  console.log(`  the template of fork alone      ${mb(template).padStart(8)}`);
  console.log(
    `  fork, template and workers      ${mb(fork.total).padStart(8)}   ${ratio.toFixed(2)} times the template`,
  );
  console.log(
    `  spawn, workers                  ${mb(spawn.total).padStart(8)}   ${(spawn.total / template).toFixed(2)} times\n`,
  );
  console.log(
    `  fork: goal ≤ 1.5 times the template alone, is ${ratio.toFixed(2)}: ${ratio <= 1.5 ? 'reached' : 'MISSED'}`,
  );
  return undefined;
}
