// Random programs of scopes in scopes – functions, blocks, loops, catch clauses, classes – each with a task that uses what is
// around it. A worker has to give what calling the task here gives, and both what an interpreter of its own says that the
// program means, for several inputs one after the other: what a call changes is seen by the next.
//
// 800 programs over the kinds and the start methods, of which a normal run has two, and so half of the programs:
//
//   CLOSURE_RUNS=20000 npm test -- --only esm --grep 'random program'     that many
//   CLOSURE_SEED=…                                                         the programs of an earlier run
//   CLOSURE_SHRINK=1                                                       a program that fails is made smaller, which takes minutes
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { WorkerPool as Pool } from 'rxjs-parallel-map';
import { evaluate } from '../support/closures/evaluate.js';
import { grow } from '../support/closures/grow.js';
import { kinds, load, printed, removeFiles, type Kind, type Task } from '../support/closures/load.js';
import type { Program } from '../support/closures/tree.js';
import { WorkerPool } from '../support/library.js';
import { describeEach, startMethods } from '../support/startMethods.js';

const runs = Number(process.env['CLOSURE_RUNS'] ?? 800);
const seed = process.env['CLOSURE_SEED'];
/** Programs in one file, of which one travels alone and the others together: to begin a capture takes longer than a program. */
const PER_FILE = 25;
/** How long a program may take, in milliseconds, on however busy a machine. */
const LIMIT = 500;
/** One of them comes again, when more has happened. */
const inputs = [3, 0, 8, 3];

const program = fc.noBias(fc.array(fc.nat(0xffff), { maxLength: 300, size: 'max' })).map(grow);
const programs = fc.array(program, { minLength: PER_FILE, maxLength: PER_FILE });
const numRuns = Math.ceil(runs / (startMethods.length * kinds.length * PER_FILE));

after(removeFiles);

describeEach.of(['threading', 'spawn', 'fork'], 'a task of a random program', ({ name: startMethod }) => {
  let pool: Pool;
  before(() => {
    pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
  });
  after(() => pool.terminate());

  for (const kind of kinds) {
    it(`gives in a worker what it gives here, and what it means (${kind})`, async function () {
      const shrinks = process.env['CLOSURE_SHRINK'] !== undefined;
      this.timeout(shrinks ? 0 : numRuns * PER_FILE * LIMIT + 60_000);
      const outcome = await fc.check(
        fc.asyncProperty(programs, (all) => check(pool, kind, all)),
        { numRuns, endOnFailure: !shrinks, ...(seed === undefined ? {} : { seed: Number(seed) }) },
      );
      if (!outcome.failed) return;
      const { numRuns: at, seed: again, errorInstance: cause } = outcome;
      throw new Error(`File ${at} fails with CLOSURE_SEED=${again} CLOSURE_RUNS=${runs}`, { cause });
    });
  }
});

async function check(pool: Pool, kind: Kind, all: readonly Program[]): Promise<void> {
  // What is called here is not what travels: it would have changed its variables.
  const [here, sent] = [await load(kind, all), await load(kind, all)];
  const expected: unknown[][] = [];
  for (const [at, each] of all.entries()) {
    const meant = inputs.map(evaluate(each));
    const called: unknown[] = [];
    for (const input of inputs) called.push(await (here[at] as Task)(input));
    compare(each, 'The interpreter and the program differ', meant, called);
    expected.push(called);
  }
  const [first, ...others] = sent as [Task, ...Task[]];
  const alone = await pool.map(first, inputs).catch((error: unknown) => fail(all[0] as Program, error));
  compare(all[0] as Program, 'The program and a worker differ', expected[0], alone);
  const pairs = others.flatMap((_, at) => inputs.map((input) => [at, input] as const));
  const results = await pool
    .map(([at, input]) => others[at]?.(input), pairs)
    .catch(async (error: unknown) => {
      await findCulprit(pool, kind, all);
      throw new Error('A worker has failed, with programs of which each one alone does not.', { cause: error });
    });
  for (const at of others.keys()) {
    const mapped = results.slice(at * inputs.length, (at + 1) * inputs.length);
    compare(all[at + 1] as Program, 'The program and a worker differ', expected[at + 1], mapped);
  }
}

/** Runs each program alone; throws for the first that fails in a worker. */
async function findCulprit(pool: Pool, kind: Kind, all: readonly Program[]): Promise<void> {
  for (const each of all) {
    const [task] = await load(kind, [each]);
    await pool.map(task as Task, inputs).catch((error: unknown) => fail(each, error));
  }
}

function fail(tree: Program, cause: unknown): never {
  throw new Error(`A worker has failed at\n${printed(tree)}`, { cause });
}

function compare(tree: Program, message: string, expected: unknown, actual: unknown): void {
  if (isDeepStrictEqual(expected, actual)) return;
  const [left, right] = [expected, actual].map((value) =>
    inspect(value, { depth: null, breakLength: Infinity, compact: true }),
  );
  throw new Error(`${message}:\n${left}\n${right}\n${printed(tree)}`);
}
