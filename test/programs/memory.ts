/**
 * Programs that would fill memory if anything were kept: `node --expose-gc memory.js <scenario> <start method> <size>`. Each prints
 * JSON: how much memory, in MB, it had early and at its end, the most it had between, and what it counted.
 */

import type { StartMethodName } from 'rxjs-parallel-map';
import { lastValueFrom, of } from 'rxjs';
import { getEventListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { parallelFrom, parallelMap, UnportableFunctionError, WorkerPool } from '../support/library.js';
import { childrenOf } from '../support/processes.js';
import { until } from '../support/until.js';

const [scenario, startMethod, sizeText] = process.argv.slice(2) as [string, StartMethodName, string];
const size = Number(sizeText);
const MB = 1024 * 1024;
const gc = globalThis.gc as () => void;

const resident = (): number => process.memoryUsage.rss() / MB;
const heap = (): number => {
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MB;
};

/** Memory at a tenth of the way, most of so many times after that, and at the end. */
class Curve {
  early = 0;
  peak = 0;
  readonly #measure: () => number;
  readonly #times: number;

  constructor(measure: () => number, times = 100) {
    this.#measure = measure;
    this.#times = times;
  }

  at(n: number, of: number): void {
    if (n < of / 10 || n % Math.ceil(of / this.#times) !== 0) return;
    const now = this.#measure();
    if (this.early === 0) this.early = now;
    this.peak = Math.max(this.peak, now);
  }

  report(rest: object): void {
    console.log(JSON.stringify({ early: this.early, peak: this.peak, end: this.#measure(), ...rest }));
  }
}

const padding = 'x'.repeat(50_000);
/** By then a pool has as many functions as it keeps. */
const FUNCTIONS_KEPT = 40;

/** A task: how much memory its worker has in use. */
const heapOfWorker = async (): Promise<number> => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed / (1024 * 1024);
};

let read = 0;
function* numbers(count: number): Generator<number> {
  while (read < count) yield read++;
}

const scenarios: Record<string, () => Promise<void>> = {
  /** A generator of so many values, and a consumer that counts. */
  async generator() {
    const curve = new Curve(resident);
    let count = 0;
    let sum = 0;
    await new Promise<void>((resolve, reject) => {
      parallelFrom(numbers(size), (n) => n + 1, { nJobs: 2, startMethod }).subscribe({
        next(n) {
          sum += n;
          curve.at(++count, size);
        },
        error: reject,
        complete: resolve,
      });
    });
    curve.report({ count, sum });
  },

  /** An iterator whose consumer takes a turn of the event loop for each hundred values. */
  async slowConsumer() {
    const curve = new Curve(resident);
    await using pool = new WorkerPool({ nJobs: 2, startMethod });
    let count = 0;
    let farthest = 0;
    for await (const n of pool.imap((n: number) => n, numbers(size))) {
      farthest = Math.max(farthest, read - n);
      curve.at(++count, size);
      if (count % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    curve.report({ count, farthest });
  },

  /** The first value takes long, the others no time: what can be read meanwhile? */
  async slowFirst() {
    const curve = new Curve(resident);
    const task = (n: number): number | Promise<number> =>
      n === 0 ? new Promise((resolve) => setTimeout(resolve, 1500, n)) : n;
    let count = 0;
    let readAtFirst = 0;
    await new Promise<void>((resolve, reject) => {
      parallelFrom(numbers(size), task, { nJobs: 2, startMethod }).subscribe({
        next(n) {
          if (n === 0) readAtFirst = read;
          curve.at(++count, size);
        },
        error: reject,
        complete: resolve,
      });
    });
    curve.report({ count, readAtFirst });
  },

  /** One subscription after the other, each with workers of its own. */
  async subscriptions() {
    const curve = new Curve(heap, 10);
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    let early = 0;
    for (let n = 0; n < size; n++) {
      if (n === Math.ceil(size / 10)) early = descriptors();
      await lastValueFrom(of(n).pipe(parallelMap((value: number) => value, { nJobs: 1, startMethod })));
      curve.at(n, size);
    }
    // The guard of worker processes leaves just after the last of them. The fork server stays as long as the program.
    const expected = startMethod === 'forkserver' ? 1 : 0;
    await until(() => childrenOf(process.pid).length === expected, 'no process is left', 5000);
    curve.report({ descriptors: descriptors() - early, children: childrenOf(process.pid).length - expected });
  },

  /** One subscription after the other, on one pool. */
  async subscriptionsOnPool() {
    const curve = new Curve(heap, 10);
    const { signal } = new AbortController();
    const pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });
    for (let n = 0; n < size; n++) {
      await lastValueFrom(of(n).pipe(parallelMap((value: number) => value, { pool, signal })));
      curve.at(n, size);
    }
    curve.report({ listeners: getEventListeners(signal, 'abort').length });
    await pool.terminate();
  },

  /** One function after the other, each with a source of 50 kB of its own, on workers that stay. */
  async functions() {
    const curve = new Curve(heap, 10);
    await using pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
    let earlyInWorker = 0;
    for (let n = 0; n < size; n++) {
      const fn = new Function('value', `return value + ${n}; // ${padding}`) as (value: number) => number;
      const result = await pool.apply(fn, [1]);
      if (result !== n + 1) throw new Error(`${result} instead of ${n + 1}`);
      if (n < FUNCTIONS_KEPT) continue;
      curve.at(n, size);
      if (n === FUNCTIONS_KEPT) earlyInWorker = await pool.apply(heapOfWorker);
    }
    curve.report({ earlyInWorker, inWorker: await pool.apply(heapOfWorker) });
  },

  /** The same with functions that cannot be loaded. */
  async brokenFunctions() {
    const curve = new Curve(heap, 10);
    await using pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
    let earlyInWorker = 0;
    let failed = 0;
    for (let n = 0; n < size; n++) {
      // A private name means nothing outside its class.
      const source = `return class { static #p; static method() { return this.#p; /* ${n} ${padding} */ } }.method`;
      const method = (new Function(source) as () => () => unknown)();
      await pool.apply(method).then(
        () => undefined,
        (error: unknown) => {
          if (!(error instanceof UnportableFunctionError)) throw error;
          failed++;
        },
      );
      if (n < FUNCTIONS_KEPT) continue;
      curve.at(n, size);
      if (n === FUNCTIONS_KEPT) earlyInWorker = await pool.apply(heapOfWorker);
    }
    curve.report({ failed, earlyInWorker, inWorker: await pool.apply(heapOfWorker) });
  },
};

await scenarios[scenario]?.();
