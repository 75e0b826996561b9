// parallelMap beside other pools, on the same work, in one run.
//
//   npm run bench                              every case of these
//   npm run bench -- numbers objects           these cases (numbers, objects, buffers, break-even, capture, start, shared,
//                                              insights, import)
//   npm run bench -- --rounds 9 --json         more rounds than 5; the numbers as JSON instead of tables
//
// All pools of a case have the same number of workers, are up before the clock starts, and take turns: each round measures
// each of them once, in another order, so that a slow moment of the machine does not hit the same one always. The median of
// the rounds counts. A batch whose results do not add up ends the benchmark.

import os from 'node:os';
import { parseArgs } from 'node:util';
import { benchBreakEven } from './breakEven.mjs';
import { benchCapture } from './capture.mjs';
import { cases } from './cases.mjs';
import parallelMap, { adaptive, single } from './parallelMap.mjs';
import piscina from './peers/piscina.mjs';
import poolifier from './peers/poolifier.mjs';
import tinypool from './peers/tinypool.mjs';
import workerpool from './peers/workerpool.mjs';
import { benchImport } from './import.mjs';
import { benchInsights } from './insights.mjs';
import { benchShared } from './shared.mjs';
import { benchStart } from './start.mjs';
import { formatGoals, formatTable, summarise } from './report.mjs';

const WORKERS = 2;
/** A measurement repeats its batch for this many milliseconds. */
const SHORTEST = 300;

/** Cases that are no matter of rates. */
const others = {
  'break-even': benchBreakEven,
  capture: benchCapture,
  start: benchStart,
  shared: benchShared,
  insights: benchInsights,
  import: benchImport,
};

const contestants = [
  ...parallelMap.map((contestant) => ({ ...contestant, isPeer: false })),
  ...[piscina, tinypool, workerpool, poolifier].flat().map((contestant) => ({ ...contestant, isPeer: true })),
];

/** The rate of one pool, in values per second. */
async function measure({ name, pool }, theCase) {
  let batches = 0;
  const start = performance.now();
  let elapsed;
  do {
    const sum = await pool.run(theCase);
    if (sum !== theCase.expected) {
      throw new Error(`${name}, ${theCase.name}: the results add up to ${sum} instead of ${theCase.expected}`);
    }
    batches++;
    elapsed = performance.now() - start;
  } while (elapsed < SHORTEST);
  return (batches * theCase.values.length * 1000) / elapsed;
}

async function runCase(theCase, rounds, log) {
  const entries = contestants
    .filter(({ suits }) => suits(theCase))
    .map((contestant) => ({ ...contestant, pool: contestant.open(WORKERS), rates: [] }));
  try {
    for (const entry of entries) await measure(entry, theCase); // warms up
    for (let round = 0; round < rounds; round++) {
      log(`${theCase.name}: round ${round + 1} of ${rounds}`);
      const first = round % entries.length;
      for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) {
        entry.rates.push(await measure(entry, theCase));
      }
    }
  } finally {
    log('');
    for (const { pool } of entries) await pool.close();
  }
  return summarise(entries);
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
  });
  const names = [...cases.map(({ name }) => name), ...Object.keys(others)];
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new RangeError(`There is no case "${unknown}"; there are: ${names.join(', ')}.`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(`--rounds must be a positive integer, got ${values.rounds}.`);
  }
  return {
    rounds,
    json: values.json,
    chosenOthers: Object.keys(others).filter((name) => positionals.length === 0 || positionals.includes(name)),
    chosen: cases.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
  };
}

async function main({ rounds, json, chosen, chosenOthers }) {
  const machine = {
    node: process.version,
    cpu: os.cpus()[0]?.model,
    cpus: os.availableParallelism(),
    workers: WORKERS,
  };
  // One line that is rewritten, on a terminal.
  const log = (text) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  };
  if (!json) {
    console.log(`Node ${machine.node} on ${machine.cpus} × ${machine.cpu}, ${WORKERS} workers, ${rounds} rounds`);
  }
  const results = [];
  for (const theCase of chosen) {
    const { name, title, task, values, goal } = theCase;
    const summary = await runCase(theCase, rounds, log);
    results.push({ case: name, batch: values.length, ...summary });
    if (json) continue;
    console.log(`\n${title}: ${task.name}, ${values.length} values a batch\n\n${formatTable(summary)}\n`);
    if (goal !== undefined) console.log(formatGoals(summary, { [adaptive]: goal, [single]: 1 }));
  }
  for (const name of chosenOthers) {
    const result = await others[name]({ rounds: rounds * 2, json, log, workers: WORKERS });
    if (json) results.push(result);
  }
  if (json) console.log(JSON.stringify({ ...machine, rounds, results }, undefined, 2));
}

try {
  await main(readArguments());
} catch (error) {
  console.error(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS') ? error.message : error);
  process.exitCode = 1;
}
