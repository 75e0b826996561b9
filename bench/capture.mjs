// capture: how long a subscription takes that captures a function of 20 lines, with variables, helpers, a class and an import:
// the first time in a process, where the parser has to be loaded, and again, with other values.
//
// Each round is a process of its own, which is given by this file itself.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EMPTY } from 'rxjs';
import { parallelMap, WorkerPool } from 'rxjs-parallel-map';
import { median } from './report.mjs';

/** Milliseconds. */
const GOALS = { first: 60, again: 2 };
const AGAIN = 50;

const salt = 'pepper';
let factor = 3;
const weights = new Map([
  ['a', 1],
  ['b', 2],
]);
class Total {
  #sum = 0;
  add(n) {
    this.#sum += n;
    return this;
  }
  get sum() {
    return this.#sum;
  }
}
const scale = (n) => n * factor;

function score(text) {
  const total = new Total();
  const counts = new Map();
  for (const letter of text.toLowerCase()) {
    if (letter === ' ') continue;
    counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  for (const [letter, times] of counts) {
    const weight = weights.get(letter) ?? 1;
    total.add(scale(weight * times));
  }
  const hash = createHash('sha1');
  hash.update(salt);
  hash.update(text);
  const digest = hash.digest('hex');
  return {
    digest: digest.slice(0, 8),
    score: total.sum,
    letters: counts.size,
  };
}

/** In a process of its own: the time of the first subscription, and of the later ones. */
async function measure() {
  const pool = new WorkerPool({ nJobs: 1, keepAlive: true });
  // The pool is up, and there is no value: to subscribe is to capture.
  const subscribe = () => {
    factor++;
    const begin = performance.now();
    const subscription = EMPTY.pipe(parallelMap(score, { pool })).subscribe();
    const time = performance.now() - begin;
    subscription.unsubscribe();
    return time;
  };
  const first = subscribe();
  const again = Array.from({ length: AGAIN }, subscribe);
  const { score: result } = await pool.apply(score, ['ab']);
  const expected = score('ab').score;
  if (result !== expected) throw new Error(`capture: the score is ${result} instead of ${expected}`);
  await pool.terminate();
  console.log(JSON.stringify({ first, again: median(again) }));
}

export async function benchCapture({ rounds, json, log }) {
  const times = { first: [], again: [] };
  for (let round = 0; round < rounds; round++) {
    log(`capture: round ${round + 1} of ${rounds}`);
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url)]);
    for (const [name, time] of Object.entries(JSON.parse(stdout))) times[name].push(time);
  }
  log('');
  const rows = Object.entries(times).map(([name, each]) => ({
    name,
    median: median(each),
    lowest: Math.min(...each),
    highest: Math.max(...each),
  }));
  if (json) return { case: 'capture', rows };
  console.log('\ncapture: milliseconds of a subscription that captures a function of 20 lines\n');
  for (const { name, median: time, lowest, highest } of rows) {
    const range = `${lowest.toFixed(2)} – ${highest.toFixed(2)}`;
    console.log(`  ${name.padEnd(8)}${time.toFixed(2).padStart(8)}${range.padStart(20)}`);
  }
  console.log();
  for (const { name, median: time } of rows) {
    const goal = GOALS[name];
    console.log(`  ${name}: goal < ${goal} ms, is ${time.toFixed(2)}: ${time < goal ? 'reached' : 'MISSED'}`);
  }
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await measure();
