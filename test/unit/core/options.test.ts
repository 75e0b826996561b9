// Combinations of options: every pair that a call can have occurs, with values of all kinds, in virtual time. What comes of each is held
// against what a plain `map` would give. The same seed gives the same calls.
//
//   OPTION_RUNS=100000 OPTION_SEED=… npx mocha build/test/unit/core/options.test.js
//   OPTION_SEED=… OPTION_ONLY=17 npx mocha …       one of them
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import type { ChoiceOutcome, ChoiceRuns } from '../../support/options/simulateChoices.js';

const runs = Number(process.env['OPTION_RUNS'] ?? 300);
const seed = Number(process.env['OPTION_SEED'] ?? Math.trunc(Math.random() * 2 ** 31));
const only = process.env['OPTION_ONLY'] === undefined ? undefined : Number(process.env['OPTION_ONLY']);

describe('Combinations of options', () => {
  it('do what each of them says: every pair, in virtual time', async function () {
    this.timeout(60_000 + runs * 100);
    const thread = new Worker(new URL('../../support/options/simulateChoices.js', import.meta.url), {
      env: { ...process.env, FORMAT: 'source' },
    });
    try {
      thread.postMessage({ runs, seed, only } satisfies ChoiceRuns);
      const [{ missing, complete, failures }] = (await once(thread, 'message')) as [ChoiceOutcome];
      expect(failures, failures.join('\n\n')).to.have.length(0);
      expect(missing, 'pairs that have not occurred').to.deep.equal([]);
      if (process.env['OPTION_RUNS'] !== undefined) console.log(`      all pairs after ${complete} of ${runs} calls`);
    } finally {
      await thread.terminate();
    }
  });
});
