// The scripts of model.test.ts in virtual time: real worker loops and a real pool in one thread, with messages that take random times. The
// same seed gives the same run, so what fails can be played again, and is made smaller.
//
//   SIMULATED_RUNS=20000 SEED=… npx mocha build/test/unit/core/simulation.test.js
import { Worker } from 'node:worker_threads';
import { kindNames } from '../../support/simulation/kinds.js';
import type { Simulation, SimulationOutcome } from '../../support/simulation/simulate.js';

const runs = Number(process.env['SIMULATED_RUNS'] ?? 100);
const seed = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 2 ** 31));

/** Plays scripts in a thread of their own. */
function simulate(simulation: Simulation): Promise<SimulationOutcome> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('../../support/simulation/simulate.js', import.meta.url), {
      workerData: simulation,
      env: { ...process.env, FORMAT: 'source' },
    });
    thread.once('message', resolve).once('error', reject);
    thread.once('exit', () => reject(new Error('It ended without an outcome: nothing was left to happen.')));
  });
}

describe('The model holds in virtual time', () => {
  for (const kind of kindNames) {
    it(`for ${kind}`, async function () {
      this.timeout(20_000 + runs * 100);
      const { failure } = await simulate({ kind, runs, seed, path: process.env['MODEL_PATH'] });
      if (failure !== undefined) throw new Error(failure);
    });
  }
});
