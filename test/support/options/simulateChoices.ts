/** A thread in virtual time, in which calls with chosen options are made: as many as it is told to. */

import { parentPort } from 'node:worker_threads';
import { VirtualTime } from '../simulation/VirtualTime.js';

export interface ChoiceRuns {
  readonly runs: number;
  readonly seed: number;
  /** Only the run with this number. */
  readonly only?: number | undefined;
}

export interface ChoiceOutcome {
  /** The pairs that did not occur. */
  readonly missing: readonly string[];
  /** How many runs were the first ones that had all pairs. */
  readonly complete: number | undefined;
  readonly failures: readonly string[];
}

/** More than these say no more. */
const MOST_FAILURES = 5;
/** In milliseconds of virtual time. */
const LIMIT = 120_000;

const time = new VirtualTime();
time.install();
// Only now: what is loaded keeps the globals that it finds.
const { simulateWorld, simulatedPool, forgetNotes } = await import('../simulation/simulatedPlace.js');
const { playChoice } = await import('./playChoice.js');
const { allPairs, chanceOf, describe, pairsOf, plan } = await import('./factors.js');

async function run({ runs, seed, only }: ChoiceRuns): Promise<ChoiceOutcome> {
  simulateWorld(time);
  const missing = allPairs();
  const choices = plan(chanceOf(seed));
  const failures: string[] = [];
  let complete: number | undefined;
  for (let i = 0; i < runs && failures.length < MOST_FAILURES; i++) {
    const choice = choices.next().value;
    if (missing.size > 0) {
      for (const pair of pairsOf(choice)) missing.delete(pair);
      if (missing.size === 0) complete = i + 1;
    }
    if (only !== undefined && only !== i) continue;
    const chance = chanceOf(seed + i);
    let folders = 0;
    const place = {
      openPool: (options: object) => simulatedPool(time, { next: chance }, options),
      makeFolder: () => `folder-${folders++}`,
      taskTimeout: 500,
    };
    try {
      await within(LIMIT, playChoice(choice, place));
      await quiet();
    } catch (error) {
      failures.push(`OPTION_SEED=${seed} OPTION_ONLY=${i}: ${describe(choice)}\n${(error as Error).stack}`);
      await quiet().catch(() => undefined);
    }
    forgetNotes();
  }
  return { missing: [...missing], complete, failures };
}

async function within(ms: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It is not done after ${ms} ms.`)), ms);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Nothing is to happen any more: what was asked to end gets a second for that. */
async function quiet(): Promise<void> {
  const end = performance.now() + 1000;
  while (time.pending > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
  if (time.pending > 0) throw new Error(`${time.pending} timers or messages are left behind.`);
}

parentPort?.on('message', (given: ChoiceRuns) => {
  time.schedule(time.program, 0, () => void run(given).then((outcome) => parentPort?.postMessage(outcome)));
});
