// Random programs of scopes in scopes – functions, blocks, loops, catch clauses, classes – each with a task that uses what is
// around it. A worker has to give what calling the task here gives, and both what an interpreter of its own says that the
// program means, for several inputs one after the other: what a call changes is seen by the next.
//
//   CLOSURE_RUNS=20000 npm test -- --only esm --grep 'random'     that many programs
//   CLOSURE_SEED=…                                                 the programs of an earlier run
import { isDeepStrictEqual } from 'node:util';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { WorkerPool as Pool } from 'rxjs-parallel-map';
import { evaluate } from '../support/closures/evaluate.js';
import { grow } from '../support/closures/grow.js';
import { kinds, load, printed, removeFiles, type Kind, type Task } from '../support/closures/load.js';
import type { Program } from '../support/closures/tree.js';
import { WorkerPool } from '../support/library.js';
import { describeEach, startMethods } from '../support/startMethods.js';

const runs = Number(process.env['CLOSURE_RUNS'] ?? 2000);
const seed = process.env['CLOSURE_SEED'];
/** Programs in one file: V8 tells of every file there is whenever a function is captured. */
const PER_FILE = 25;
const inputs = [3, 0, 8, 3];

const program = fc.noBias(fc.array(fc.nat(0xffff), { maxLength: 700, size: 'max' })).map(grow);
const programs = fc.array(program, { minLength: PER_FILE, maxLength: PER_FILE });
const numRuns = Math.ceil(runs / (startMethods.length * kinds.length * PER_FILE));

after(removeFiles);

describeEach('a function of a random program', ({ name: startMethod }) => {
  let pool: Pool;
  before(() => {
    pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
  });
  after(() => pool.terminate());

  for (const kind of kinds) {
    it(`gives in a worker what it gives here, and what it means (${kind})`, async function () {
      this.timeout(numRuns * PER_FILE * 200 + 60_000);
      await fc.assert(
        fc.asyncProperty(programs, (all) => check(pool, kind, all)),
        { numRuns, interruptAfterTimeLimit: numRuns * PER_FILE * 200 + 30_000, ...(seed === undefined ? {} : { seed: Number(seed) }) },
      );
    });
  }
});

async function check(pool: Pool, kind: Kind, all: readonly Program[]): Promise<void> {
  const [here, sent] = [await load(kind, all), await load(kind, all)];
  for (const [i, each] of all.entries()) {
    const expected = inputs.map(evaluate(each));
    const called: unknown[] = [];
    for (const input of inputs) called.push(await (here[i] as Task)(input));
    compare(each, 'The interpreter and the program', expected, called);
    const mapped = await pool.map(sent[i] as Task, inputs).catch((error: unknown) => {
      throw new Error(`A worker has failed in\n${printed(each)}`, { cause: error });
    });
    compare(each, 'The program and a worker', called, mapped);
  }
}

function compare(tree: Program, who: string, expected: unknown, actual: unknown): void {
  if (isDeepStrictEqual(expected, actual)) return;
  const [left, right] = [expected, actual].map((value) => inspect(value, { depth: null, breakLength: 200 }));
  throw new Error(`${who} differ:\n${left}\n${right}\n${printed(tree)}`);
}
