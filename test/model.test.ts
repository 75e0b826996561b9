// Random scripts of all that can happen – values, pauses, errors, unsubscribing, signals, slow and failing tasks, values and
// results that cannot be sent or that move, calls that give several results, bounds that overflow, inputs that are pulled,
// workers that die – played on real workers and held against a plain model.
//
//   MODEL_RUNS=2000 npm test -- --only esm --grep 'model'     that many scripts of each kind
//   MODEL_SEED=…                                               the scripts of an earlier run
import fc from 'fast-check';
import { WorkerPool } from './support/library.js';
import { play, removeFolders, type PoolEnd } from './support/model/play.js';
import type { Script } from './support/model/script.js';
import { anyScript, boundScript, mergeScript, movingScript, pulledScript, script } from './support/model/scripts.js';
import { settled, snapshot } from './support/resources.js';
import { describeEach, startMethods } from './support/startMethods.js';

/** How many scripts of a kind are played with each start method; by default they share a number of them. */
const runsOf = (byDefault: number): number =>
  Number(process.env['MODEL_RUNS'] ?? Math.ceil(byDefault / startMethods.length));
const seed = process.env['MODEL_SEED'];
/** No script takes longer than a few seconds, on however busy a machine. */
const LIMIT = 15_000;

/** Shrinking runs a script hundreds of times; the one that failed is told as it is. */
const parameters = { endOnFailure: true, ...(seed === undefined ? {} : { seed: Number(seed) }) };

/** How a pool that several scripts share ends, if it does, after some milliseconds. */
const poolEnd = fc.option(fc.record({ by: fc.constantFrom('join', 'terminate'), after: fc.nat(60) }), {
  nil: undefined,
  freq: 2,
});

/** The kinds of scripts, each with the number of those that are played by default in all. */
const kinds: readonly (readonly [string, fc.Arbitrary<Script>, number])[] = [
  ['', script, 60],
  [' of calls that give several results', mergeScript, 16],
  [' of a source that overflows', boundScript, 16],
  [' of buffers that move', movingScript, 16],
  [' of an input that is pulled', pulledScript, 16],
];

after(removeFolders);

describeEach('the model', ({ name: startMethod }) => {
  // What copies come from lives as long as the program: it is there before anything is compared.
  before(async () => {
    await using pool = new WorkerPool({ nJobs: 1, startMethod });
    await pool.apply(() => undefined);
  });

  const runs = runsOf(60);
  const check = async <T>(property: fc.IAsyncProperty<T>, numRuns = runs): Promise<void> =>
    fc.assert(property, { ...parameters, numRuns });

  for (const [kind, scripts, byDefault] of kinds) {
    it(`holds for scripts${kind} on workers of their own`, async function () {
      this.timeout(runsOf(byDefault) * LIMIT);
      const before = snapshot();
      await check(
        fc.asyncProperty(scripts, fc.integer({ min: 1, max: 3 }), async (current, nJobs) => {
          await play(current, { nJobs, startMethod }, LIMIT);
          await settled(before);
        }),
        runsOf(byDefault),
      );
    });
  }

  it('holds for several scripts at once on one pool, which goes on', async function () {
    this.timeout(runs * LIMIT);
    const before = snapshot();
    const pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });
    try {
      await check(
        fc.asyncProperty(fc.array(anyScript, { minLength: 1, maxLength: 4 }), async (scripts) => {
          await Promise.all(scripts.map((current) => play(current, { pool, nJobs: 2, startMethod }, LIMIT)));
        }),
      );
    } finally {
      await pool.terminate();
    }
    await settled(before);
  });

  it('holds for several scripts on a pool that is joined or terminated meanwhile', async function () {
    this.timeout(runs * LIMIT);
    const before = snapshot();
    await check(
      fc.asyncProperty(
        fc.array(anyScript, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        poolEnd,
        async (scripts, keepAlive, end) => {
          const pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive });
          const ends = new Set<PoolEnd>();
          const ended = new Promise<void>((resolve, reject) => {
            if (end === undefined) {
              resolve();
              return;
            }
            setTimeout(() => {
              ends.add(end.by);
              (end.by === 'terminate' ? pool.terminate() : pool.stopAndJoin()).then(resolve, reject);
            }, end.after);
          });
          await Promise.all([
            ended,
            ...scripts.map((current) => play(current, { pool, nJobs: 2, startMethod, ends }, LIMIT)),
          ]);
          await pool.stopAndJoin();
          await settled(before);
        },
      ),
    );
  });
});
