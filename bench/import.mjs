// import: what importing a pool costs, beside other pools. Each in a fresh process that has loaded rxjs already, as a program with
// Observables has. They take turns, in another order in each round.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './report.mjs';

const ours = 'rxjs-parallel-map';
const packages = [ours, 'piscina', 'tinypool', 'workerpool', 'poolifier'];

/** The least number of runs: a process is a small sample. */
const FEWEST_ROUNDS = 20;

const program = fileURLToPath(new URL('./importOne.mjs', import.meta.url));

function measure(name) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, name], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} cannot be imported: ${stderr}`);
  return Number(stdout);
}

export async function benchImport({ rounds: asked, json, log }) {
  const rounds = Math.max(asked, FEWEST_ROUNDS);
  const rows = packages.map((name) => ({ name, times: [] }));
  for (let round = -1; round < rounds; round++) {
    log(`import: round ${round + 1} of ${rounds}`);
    const first = Math.max(round, 0) % rows.length;
    for (const { name, times } of [...rows.slice(first), ...rows.slice(0, first)]) {
      const time = measure(name);
      if (round >= 0) times.push(time); // the first one has the system read the files
    }
  }
  log('');
  const summary = rows.map(({ name, times }) => ({
    name,
    median: median(times),
    lowest: Math.min(...times),
    highest: Math.max(...times),
  }));
  const fastest = summary.filter(({ name }) => name !== ours).reduce((a, b) => (b.median < a.median ? b : a));
  for (const row of summary) row.ratio = row.median / fastest.median;
  if (json) return { case: 'import', rows: summary };
  const ms = (time) => time.toFixed(1);
  console.log(`\nimport: milliseconds to import a package, median of ${rounds} processes\n`);
  console.log(
    `  ${''.padEnd(24)}${'ms'.padStart(8)}${'lowest – highest'.padStart(20)}${'× fastest peer'.padStart(16)}`,
  );
  for (const { name, median: time, lowest, highest, ratio } of summary) {
    const range = `${ms(lowest)} – ${ms(highest)}`;
    console.log(`  ${name.padEnd(24)}${ms(time).padStart(8)}${range.padStart(20)}${ratio.toFixed(2).padStart(16)}`);
  }
  const [{ ratio }] = summary;
  console.log(
    `\n  goal ≤ 1 of the time of the fastest peer, ${fastest.name}, is ${ratio.toFixed(2)}: ${ratio <= 1 ? 'reached' : 'MISSED'}`,
  );
  return undefined;
}
