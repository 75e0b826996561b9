/** Random scripts of all kinds, each played in virtual time and held against the model; what is left behind fails one, too. */

import fc from 'fast-check';
import type { WorkerPool } from 'rxjs-parallel-map';
import type { PoolEnd } from '../model/place.js';
import { play } from '../model/play.js';
import type { Script } from '../model/script.js';
import { anyScript, boundScript, mergeScript, movingScript, pulledScript, script } from '../model/scripts.js';
import type { Kind } from './kinds.js';
import type { Simulation, SimulationOutcome } from './simulate.js';
import { forgetNotes, simulatedPlace, simulatedPool, simulateWorld } from './simulatedPlace.js';
import type { Chance } from './SimulatedWorker.js';
import type { VirtualTime } from './VirtualTime.js';

/** No script takes longer than a few seconds of its time. */
const LIMIT = 60_000;

const nJobs = fc.integer({ min: 1, max: 3 });
const chances = fc.noShrink(fc.integer({ min: 1, max: 2 ** 31 - 1 }));

/** How a pool that several scripts share ends, if it does, after some milliseconds. */
const poolEnd = fc.option(fc.record({ by: fc.constantFrom<PoolEnd[]>('join', 'terminate'), after: fc.nat(60) }), {
  nil: undefined,
  freq: 2,
});

export async function simulateScripts(time: VirtualTime, given: Simulation): Promise<SimulationOutcome> {
  simulateWorld(time);
  const property = propertyOf(given.kind, time);
  const { seed, runs: numRuns, path } = given;
  const details = await fc.check(property, { seed, numRuns, ...(path === undefined ? {} : { path }) });
  const { failed, errorInstance } = details;
  const cause = errorInstance instanceof Error ? textOf(errorInstance) : String(errorInstance);
  const failure = failed ? `${cause}\n\n${fc.defaultReportMessage(details)}` : undefined;
  return { runs: details.numRuns, failure };
}

/** An error with its causes. */
function textOf({ stack, cause }: Error): string {
  return cause instanceof Error ? `${stack}\nThe cause: ${textOf(cause)}` : String(stack);
}

/** Kinds of scripts that are played on workers of their own. */
const kinds: Partial<Record<Kind, fc.Arbitrary<Script>>> = {
  'one result for each value': script,
  'several results for each value': mergeScript,
  'sources that overflow': boundScript,
  'buffers that move': movingScript,
  'inputs that are pulled': pulledScript,
};

function propertyOf(kind: Kind, time: VirtualTime): fc.IAsyncProperty<unknown> {
  const own = kinds[kind];
  if (own !== undefined) {
    return fc.asyncProperty(own, nJobs, chances, async (current, count, seed) => {
      await play(current, simulatedPlace(time, chanceOf(seed), count), LIMIT);
      await expectQuiet(time);
    }) as fc.IAsyncProperty<unknown>;
  }
  const scripts = fc.array(anyScript, { minLength: 1, maxLength: 4 });
  const isEnded = kind === 'scripts on a pool that ends meanwhile';
  return fc.asyncProperty(scripts, fc.boolean(), poolEnd, chances, async (several, keepAlive, end, seed) => {
    const chance = chanceOf(seed);
    const pool = simulatedPool(time, chance, { nJobs: 2, keepAlive: keepAlive || !isEnded });
    const ends = new Set<PoolEnd>();
    const ended = isEnded && end !== undefined ? endLater(pool, ends, end) : undefined;
    await Promise.all([
      ended,
      ...several.map((current) => play(current, simulatedPlace(time, chance, 2, pool, ends), LIMIT)),
    ]);
    await pool.terminate();
    await expectQuiet(time);
  }) as fc.IAsyncProperty<unknown>;
}

/** Ends a pool after some milliseconds. */
function endLater(
  pool: WorkerPool,
  ends: Set<PoolEnd>,
  { by, after }: { readonly by: PoolEnd; readonly after: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    setTimeout(() => {
      ends.add(by);
      (by === 'terminate' ? pool.terminate() : pool.stopAndJoin()).then(resolve, reject);
    }, after);
  });
}

/** Nothing is to happen any more: what was asked to end gets a second for that. */
async function expectQuiet(time: VirtualTime): Promise<void> {
  const end = performance.now() + 1000;
  while (time.pending > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
  forgetNotes();
  if (time.pending > 0) throw new Error(`${time.pending} timers or messages are left behind`);
}

/** Chance by a seed: mulberry32. */
function chanceOf(seed: number): Chance {
  let state = seed;
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
