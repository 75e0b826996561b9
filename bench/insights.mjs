// insights: what measuring costs, on the case of small numbers, where there is least work to hide it.
//
// A pool that measures and one that does not take turns. What counts is the median of the ratios of neighbours, for the
// machine's own pace changes more than this.

import { cases } from './cases.mjs';
import { median } from './report.mjs';
import { from, lastValueFrom, reduce } from 'rxjs';
import { parallelMap, WorkerPool } from 'rxjs-parallel-map';

const GOAL = 1.05;
/** The batches of one measurement. */
const BATCHES = 10;

export async function benchInsights({ rounds, json, log, workers }) {
  const rows = [];
  for (const startMethod of ['threading', 'spawn']) {
    const pools = [false, true].map(
      (insights) => new WorkerPool({ nJobs: workers, startMethod, keepAlive: true, insights }),
    );
    const ratios = [];
    try {
      for (let round = -1; round < rounds; round++) {
        log(`insights (${startMethod}): round ${round + 1} of ${rounds}`);
        const times = [0, 0];
        const order = round % 2 === 0 ? [0, 1] : [1, 0];
        for (const which of order) times[which] = await timeOf(pools[which]);
        if (round >= 0) ratios.push(times[1] / times[0]); // the first one loads and compiles
      }
    } finally {
      await Promise.all(pools.map((pool) => pool.terminate()));
    }
    rows.push({ name: startMethod, ratio: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) });
  }
  log('');
  if (json) return { case: 'insights', rows };
  console.log('\ninsights: time with them, as a multiple of the time without\n');
  for (const { name, ratio, lowest, highest } of rows) {
    const verdict = `goal ≤ ${GOAL}: ${ratio <= GOAL ? 'reached' : 'MISSED'}`;
    console.log(`  ${name.padEnd(12)}${ratio.toFixed(3)}   ${lowest.toFixed(2)} – ${highest.toFixed(2)}   ${verdict}`);
  }
  return undefined;
}

async function timeOf(pool) {
  const { values, task, expected } = cases.find(({ name }) => name === 'numbers');
  const begin = performance.now();
  for (let batch = 0; batch < BATCHES; batch++) {
    const results$ = from(values).pipe(parallelMap(task, { pool }));
    const sum = await lastValueFrom(results$.pipe(reduce((total, result) => total + result, 0)));
    if (sum !== expected) throw new Error(`insights: the results add up to ${sum} instead of ${expected}`);
  }
  return performance.now() - begin;
}
