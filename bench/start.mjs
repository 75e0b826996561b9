// start: the time from asking for a worker to its first result, per start method, beside what Node and other pools need.
//
// Each round measures each of them once, one after the other. "warm" means that what workers are copies of is up already. The end of
// a worker is no part of it. "eight at once" is the time until the last of eight has something to say.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { availableStartMethods, moduleTask, warmUp, WorkerPool } from 'rxjs-parallel-map';
import { Tinypool } from 'tinypool';
import { median } from './report.mjs';

const tasks = new URL('./tasks.mjs', import.meta.url);
const increment = moduleTask(tasks, 'increment');
const incrementOrStay = moduleTask(tasks, 'incrementOrStay');
const echo = new URL('./peers/echo.mjs', import.meta.url);
const filename = tasks.href;

/** The parts of a measurement: what comes before the clock starts, what is measured, and what comes after. */
const ready = async () => undefined;

async function first(emitter, event) {
  return new Promise((resolve, reject) => emitter.once(event, resolve).once('error', reject));
}

const thread = {
  name: 'worker_threads',
  prepare: ready,
  async start() {
    const worker = new Worker(echo);
    worker.postMessage(1);
    return { result: await first(worker, 'message'), end: () => worker.terminate() };
  },
};

const childProcess = {
  name: 'child_process.fork',
  prepare: ready,
  async start() {
    const child = fork(fileURLToPath(echo));
    child.send(1);
    return { result: await first(child, 'message'), end: () => child.kill('SIGKILL') };
  },
};

const piscina = {
  name: 'piscina',
  prepare: ready,
  async start() {
    const pool = new Piscina({ filename, minThreads: 1, maxThreads: 1 });
    return { result: await pool.run(1, { name: 'increment' }), end: () => pool.destroy() };
  },
};

const tinypool = {
  name: 'tinypool',
  prepare: ready,
  async start() {
    const pool = new Tinypool({ filename, minThreads: 1, maxThreads: 1 });
    return { result: await pool.run(1, { name: 'increment' }), end: () => pool.destroy() };
  },
};

/** A pool of its own, with one worker, which it keeps: else a call would end with the worker. */
const ours = (startMethod, name = startMethod, prepare = ready) => ({
  name: `parallelMap (${name})`,
  prepare,
  async start() {
    const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
    return { result: await pool.apply(increment, [1]), end: () => pool.terminate() };
  },
});

/** One more worker of a pool whose first one is busy: its template is up. */
const another = {
  name: 'parallelMap (fork, warm)',
  async prepare() {
    this.pool = new WorkerPool({ nJobs: 2, startMethod: 'fork' });
    await occupy(this.pool);
  },
  async start() {
    return { result: await this.pool.apply(incrementOrStay, [1]), end: () => this.pool.terminate() };
  },
};

/** Keeps a worker busy for ever; resolves when it is. */
function occupy(pool) {
  return new Promise((resolve, reject) => {
    pool.apply(incrementOrStay, [-1], { onProgress: resolve }).catch(reject);
  });
}

const EIGHT = 8;
const eightThreads = {
  name: 'worker_threads, eight at once',
  prepare: ready,
  async start() {
    const workers = Array.from({ length: EIGHT }, () => new Worker(echo));
    for (const worker of workers) worker.postMessage(1);
    const [result] = await Promise.all(workers.map((worker) => first(worker, 'message')));
    return { result, end: () => Promise.all(workers.map((worker) => worker.terminate())) };
  },
};

/** @param busy How many workers are up before. */
const eight = (startMethod, busy = 0) => ({
  name: `parallelMap (${startMethod}, warm), eight at once`,
  base: eightThreads.name,
  expected: 'busy',
  async prepare() {
    if (startMethod === 'forkserver') await warmUp('forkserver');
    this.pool = new WorkerPool({ nJobs: busy + EIGHT, startMethod });
    for (let i = 0; i < busy; i++) await occupy(this.pool);
  },
  async start() {
    const reports = await Promise.all(Array.from({ length: EIGHT }, () => occupy(this.pool)));
    const workers = new Set(reports.map(({ workerId }) => workerId));
    return { result: workers.size === EIGHT && reports[0].value, end: () => this.pool.terminate() };
  },
});

export async function benchStart({ rounds, json, log }) {
  const available = availableStartMethods();
  const contestants = [thread, childProcess, piscina, tinypool, ours('threading'), ours('spawn')];
  if (available.includes('forkserver')) {
    contestants.push(
      ours('forkserver', 'forkserver, warm', () => warmUp('forkserver')),
      ours('fork', 'fork, with its template'),
      another,
      eightThreads,
      eight('forkserver'),
      eight('fork', 1),
    );
  }
  const rows = contestants.map((contestant) => ({ name: contestant.name, contestant, times: [] }));
  for (let round = -1; round < rounds; round++) {
    log(`start: round ${round + 1} of ${rounds}`);
    for (const { name, contestant, times } of rows) {
      await contestant.prepare();
      const begin = performance.now();
      const { result, end } = await contestant.start();
      const time = performance.now() - begin;
      const { expected = 2 } = contestant;
      if (result !== expected) throw new Error(`${name}: the result is ${result} instead of ${expected}`);
      await end();
      if (round >= 0) times.push(time); // the first one loads and compiles
    }
  }
  log('');
  const medianOf = (wanted) => median(rows.find(({ name }) => name === wanted).times);
  const summary = rows.map(({ name, contestant, times }) => ({
    name,
    median: median(times),
    lowest: Math.min(...times),
    highest: Math.max(...times),
    ratio: median(times) / medianOf(contestant.base ?? (contestant === eightThreads ? name : thread.name)),
  }));
  if (json) return { case: 'start', rows: summary };
  const ms = (time) => time.toFixed(1);
  console.log('\nstart: milliseconds from asking for a worker to its first result\n');
  console.log(`  ${''.padEnd(46)}${'ms'.padStart(8)}${'lowest – highest'.padStart(20)}${'× a thread'.padStart(12)}`);
  for (const { name, median: time, lowest, highest, ratio } of summary) {
    const range = `${ms(lowest)} – ${ms(highest)}`;
    console.log(`  ${name.padEnd(46)}${ms(time).padStart(8)}${range.padStart(20)}${ratio.toFixed(2).padStart(12)}`);
  }
  console.log();
  for (const { name, ratio } of summary.filter(({ name: each }) => each.endsWith('warm)'))) {
    console.log(
      `  ${name}: goal ≤ 0.2 of the time of a thread, is ${ratio.toFixed(2)}: ${ratio <= 0.2 ? 'reached' : 'MISSED'}`,
    );
  }
  return undefined;
}
