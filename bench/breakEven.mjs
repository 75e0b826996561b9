// break-even: how much work a value must be for workers to overtake RxJS `map` in the main thread.
//
// The same values go through `map` and through `parallelMap` on a pool that is up, in turns, with more and more work for each. Where the
// ratio of the times crosses 1, between two amounts of work, is the break-even. Of each, the shortest time counts: a round in which something
// else had one of the CPUs says nothing.

import { from, lastValueFrom, map, reduce } from 'rxjs';
import { parallelMap, WorkerPool } from 'rxjs-parallel-map';

/** How often the loop of a task turns. */
const AMOUNTS = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200];
/** A batch takes about this long in the main thread, in milliseconds. */
const BATCH_TIME = 30;
const LARGEST_BATCH = 50_000;

function work(turns) {
  let hash = 1;
  for (let i = 0; i < turns; i++) hash = (Math.imul(hash, 31) + i) | 0;
  return hash & 1;
}

const kinds = [
  {
    name: 'numbers',
    valueOf: (turns) => turns,
    task: (turns) => work(turns),
    toNumber: (result) => result,
  },
  {
    name: 'small objects',
    valueOf: (turns, id) => ({ id, name: `item ${id % 100}`, tags: ['new', 'sale'], turns }),
    task: ({ id, name, tags, turns }) => ({ id, label: `${name} ${tags[0]}`, parity: work(turns) }),
    toNumber: ({ label, parity }) => label.length + parity,
  },
];

export async function benchBreakEven({ rounds, json, log, workers }) {
  const rows = [];
  for (const kind of kinds) {
    for (const startMethod of ['threading', 'spawn']) {
      const pool = new WorkerPool({ nJobs: workers, startMethod, keepAlive: true });
      try {
        log(`break-even: ${kind.name}, ${startMethod}`);
        rows.push({ kind: kind.name, startMethod, microseconds: await breakEvenOf(kind, pool, rounds) });
      } finally {
        await pool.terminate();
      }
    }
  }
  log('');
  if (json) return { case: 'break-even', rows };
  console.log(`\nbreak-even: work per value, in microseconds, at which ${workers} workers overtake \`map\`\n`);
  for (const { kind, startMethod, microseconds } of rows) {
    console.log(`  ${kind.padEnd(16)}${startMethod.padEnd(12)}${microseconds.toFixed(1)}`);
  }
  return undefined;
}

async function breakEvenOf(kind, pool, rounds) {
  let before;
  for (const turns of AMOUNTS) {
    const microseconds = workTime(turns);
    const count = Math.max(500, Math.min(LARGEST_BATCH, Math.round((BATCH_TIME * 1000) / (microseconds + 0.5))));
    const values = Array.from({ length: count }, (_, id) => kind.valueOf(turns, id));
    const shortest = { here: Infinity, there: Infinity };
    for (let round = 0; round < 3 * rounds; round++) {
      const here = await timeOf(kind, map(kind.task), values);
      const there = await timeOf(kind, parallelMap(kind.task, { pool }), values);
      if (here.sum !== there.sum)
        throw new Error(`break-even: the results add up to ${there.sum} instead of ${here.sum}`);
      shortest.here = Math.min(shortest.here, here.time);
      shortest.there = Math.min(shortest.there, there.time);
    }
    const ratio = shortest.there / shortest.here;
    // Logarithmically between the two: amounts double.
    if (ratio <= 1) {
      if (before === undefined) return microseconds;
      const share = Math.log(before.ratio) / Math.log(before.ratio / ratio);
      return before.microseconds + share * (microseconds - before.microseconds);
    }
    before = { microseconds, ratio };
  }
  return Infinity;
}

async function timeOf({ toNumber }, operator, values) {
  const begin = performance.now();
  const sum = await lastValueFrom(
    from(values).pipe(
      operator,
      reduce((total, result) => total + toNumber(result), 0),
    ),
  );
  return { sum, time: performance.now() - begin };
}

/** The microseconds of one turn-taking task: the shortest of several runs. */
function workTime(turns) {
  const calls = Math.max(20, Math.round(200_000 / (turns + 50)));
  let shortest = Infinity;
  for (let run = 0; run < 20; run++) {
    const begin = performance.now();
    let sum = 0;
    for (let i = 0; i < calls; i++) sum += work(turns);
    const time = performance.now() - begin;
    if (sum >= 0) shortest = Math.min(shortest, (time * 1000) / calls);
  }
  return shortest;
}
