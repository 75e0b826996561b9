// The scripts of model.test.ts in virtual time: real worker loops and a real pool in one thread, with messages that take random times. The
// same seed gives the same run, so what fails can be played again, and is made smaller.
//
//   SIMULATED_RUNS=20000 SEED=… npx mocha build/test/unit/core/simulation.test.js
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { kindNames } from '../../support/simulation/kinds.js';
import type { Simulation, SimulationOutcome } from '../../support/simulation/simulate.js';

const runs = Number(process.env['SIMULATED_RUNS'] ?? 100);
const seed = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 2 ** 31));

describe('The model holds in virtual time', () => {
  let thread: Worker;
  before(() => {
    thread = new Worker(new URL('../../support/simulation/simulate.js', import.meta.url), {
      env: { ...process.env, FORMAT: 'source' },
    });
  });
  after(() => thread.terminate());

  for (const kind of kindNames) {
    it(`for ${kind}`, async function () {
      this.timeout(60_000 + runs * 500);
      thread.postMessage({ kind, runs, seed, path: process.env['MODEL_PATH'] } satisfies Simulation);
      const [{ failure }] = (await once(thread, 'message')) as [SimulationOutcome];
      if (failure !== undefined) throw new Error(failure);
    });
  }
});
