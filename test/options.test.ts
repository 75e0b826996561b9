// The combinations of options of `unit/core/options.test.ts`, with real workers. Only if a number of calls is given, for it takes long:
//
//   OPTION_REAL_RUNS=300 OPTION_SEED=… START_METHODS=threading,fork npx mocha build/test/options.test.js
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerPool } from './support/library.js';
import { chanceOf, describe as textOf, plan } from './support/options/factors.js';
import { playChoice } from './support/options/playChoice.js';
import { describeEach } from './support/startMethods.js';

const runs = Number(process.env['OPTION_REAL_RUNS'] ?? 0);
const seed = Number(process.env['OPTION_SEED'] ?? Math.trunc(Math.random() * 2 ** 31));
const only = process.env['OPTION_ONLY'] === undefined ? undefined : Number(process.env['OPTION_ONLY']);

if (runs > 0) {
  describeEach('combinations of options', ({ name: startMethod }) => {
    it(`do what each of them says, in ${runs} calls (OPTION_SEED=${seed})`, async function () {
      this.timeout(60_000 + runs * 10_000);
      const choices = plan(chanceOf(seed));
      for (let i = 0; i < runs; i++) {
        const choice = choices.next().value;
        if (only !== undefined && only !== i) continue;
        const folder = mkdtempSync(join(tmpdir(), 'options-'));
        let pool: WorkerPool | undefined;
        try {
          await playChoice(choice, {
            openPool: (options) => (pool = new WorkerPool({ startMethod, ...options })),
            makeFolder: () => folder,
            taskTimeout: 2000,
          });
        } catch (error) {
          throw new Error(`OPTION_ONLY=${i}: ${textOf(choice)}`, { cause: error });
        } finally {
          await pool?.terminate();
          rmSync(folder, { recursive: true });
        }
      }
    });
  });
}
