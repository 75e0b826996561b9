// Pools inside tasks.
//
//   NESTED_RUNS=1000 npm test      that many nested runs instead of a few
import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { lastValueFrom, of } from 'rxjs';
import type { StartMethodName } from 'rxjs-parallel-map';
import { beating, beatsFolder, silent } from './support/beats.js';
import {
  moduleTask,
  NestedPoolError,
  parallelMap,
  UnserializableError,
  warmUp,
  WorkerDiedError,
  WorkerPool,
} from './support/library.js';
import { settled, snapshot } from './support/resources.js';
import { allMixes, describeEach, mixes, runsAll, startMethods } from './support/startMethods.js';
import type * as nest from './tasks/nest.js';
import type { Mishap } from './tasks/inner.js';
import { rejection } from './support/rejection.js';

const task = <K extends keyof typeof nest>(name: K) =>
  moduleTask<(typeof nest)[K]>(new URL('./tasks/nest.js', import.meta.url), name);

/** What is to end has ended after so many milliseconds, on a busy machine too; what is not ended loops for ever. */
const SOON = 5000;
const names = startMethods.map(({ name }) => name);
/** By default one of four mishaps in each mix: so each start method meets each mishap, outside and inside. Good runs are above. */
const nestedRuns = Number(process.env['NESTED_RUNS'] ?? allMixes.length);

describeEach('a pool inside a worker that is a daemon', ({ name: startMethod }) => {
  let pool: WorkerPool;
  before(() => {
    pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
  });
  after(() => pool.terminate());

  for (const { name: inner } of startMethods) {
    it(`is refused with a NestedPoolError where it is made (${inner})`, async () => {
      const [caught] = await pool.map(task('catchRefusal'), [inner]);
      expect(caught).to.equal('NestedPoolError');
    });

    it(`fails the task with that error, as the class it is (${inner})`, async () => {
      const error = await rejection(pool.map(task('makePool'), [inner]));
      expect(error).to.be.instanceOf(NestedPoolError);
      expect((error as Error).message).to.include('Set "daemon" to false');
    });

    it(`is refused when an operator makes it, too (${inner})`, async () => {
      expect(await rejection(pool.map(task('subscribe'), [inner]))).to.be.instanceOf(NestedPoolError);
    });
  }

  it('is refused in the workers of an operator, too', async () => {
    const result = lastValueFrom(of(startMethod).pipe(parallelMap(task('makePool'), { nJobs: 1, startMethod })));
    expect(await rejection(result)).to.be.instanceOf(NestedPoolError);
  });
});

for (const { outer, inner } of mixes) {
  describe(`a pool inside a worker that is no daemon (${inner} in ${outer})`, () => {
    let left: ReturnType<typeof snapshot>;
    let pool: WorkerPool;
    before(() => {
      left = snapshot();
      pool = new WorkerPool({ nJobs: 2, startMethod: outer, daemon: false, keepAlive: true });
    });
    after(async () => {
      await pool.terminate();
      await settled(left);
    });

    it('runs', async () => {
      const runs = [1, 2, 3, 4].map(() => ({ inner, mishap: 'none' as const }));
      // At once, so that the same workers serve both.
      const results = await Promise.all([pool.map(task('nested'), runs), pool.map(task('nestedOperator'), [inner])]);
      expect(results).to.deep.equal([[14, 14, 14, 14], [[0, 1, 4, 9]]]);
    });

    it('delivers an error that is thrown inside to the outside', async () => {
      const error = await rejection(pool.map(task('nested'), [{ inner, mishap: 'throw' }]));
      expect(error).to.be.instanceOf(RangeError).with.property('message', 'inner 3');
    });

    it('tells the outside that a worker inside has died', async () => {
      const error = await rejection(pool.map(task('nested'), [{ inner, mishap: 'exit' }]));
      expect(error).to.be.instanceOf(WorkerDiedError).with.property('exitCode', 3);
    });

    it('is of no consequence when a task leaves it open', async () => {
      expect(await pool.map(task('leaveOpen'), [inner, inner])).to.deep.equal([
        [1, 4, 9],
        [1, 4, 9],
      ]);
    });

    it('can be joined and terminated while its workers are being replaced', async () => {
      for (const outcome of await pool.map(task('endWhileReplacing'), [inner, inner], { workerLifespan: 1 })) {
        const [joined, terminated] = outcome;
        expect(joined).to.deep.equal([1, 4, 9, 16]);
        // Where all was done by then, there was nothing left to terminate.
        expect(terminated).to.deep.equal(Array.isArray(terminated) ? [1, 4, 9, 16] : 'PoolTerminatedError');
      }
    });

    it('that is joined gives Node nothing to warn of', async () => {
      expect(await pool.map(task('useAndJoin'), [inner])).to.deep.equal([[]]);
    });

    it('dies with the worker that has left it open, also in an endless loop', async () => {
      const folder = beatsFolder();
      expect(await pool.map(task('leaveLooping'), [[inner, folder]])).to.deep.equal(['left']);
      await beating(folder, 1);
      await pool.stopAndJoin();
      await silent(folder, SOON);
      rmSync(folder, { recursive: true });
    });

    it('dies with the worker when that is terminated, also in an endless loop', async () => {
      const folder = beatsFolder();
      const terminated = new WorkerPool({ nJobs: 1, startMethod: outer, daemon: false });
      const end = rejection(terminated.map(task('endless'), [[inner, folder]]));
      await beating(folder, 2);
      await terminated.terminate();
      await silent(folder, SOON);
      await end;
      rmSync(folder, { recursive: true });
    });

    it('dies with the worker when the subscriber leaves, also in an endless loop', async () => {
      const folder = beatsFolder();
      const options = { nJobs: 1, startMethod: outer, daemon: false };
      const subscription = of([inner, folder] as const)
        .pipe(parallelMap(task('endless'), options))
        .subscribe();
      await beating(folder, 2);
      subscription.unsubscribe();
      await silent(folder, SOON);
      rmSync(folder, { recursive: true });
    });
  });
}

describe('pools three levels deep', () => {
  // Of all triples so many that each two kinds of start methods meet on each two of the levels. The one kind of copy and the
  // other take turns by level, so that the mixes that are left out above are here.
  const levelWithout = (copy: StartMethodName) => names.filter((name) => runsAll || names.length < 4 || name !== copy);
  const [tops, middles, bottoms] = [levelWithout('fork'), levelWithout('forkserver'), levelWithout('fork')];
  const paths = tops.flatMap((a, i) => middles.map((b, k) => [a, b, bottoms[(i + k) % bottoms.length]]));
  for (const path of paths) {
    const [first, ...rest] = path as [StartMethodName, ...StartMethodName[]];
    it(`work, and deliver errors (${path.join(' > ')})`, async () => {
      await using pool = new WorkerPool({ nJobs: 1, startMethod: first, daemon: false, keepAlive: true });
      expect(await pool.map(task('deep'), [[rest, 1, false]])).to.deep.equal([3]);
      const error = await rejection(pool.map(task('deep'), [[rest, 1, true]]));
      expect(error).to.be.instanceOf(RangeError).with.property('message', 'level 3');
    });
  }
});

describe('many nested runs, some of them failing inside', () => {
  const mishaps: Mishap[] = ['throw', 'exit', 'uncloneable', 'leave'];

  it(`all end as they should: ${nestedRuns} runs over all mixes of start methods`, async function () {
    this.timeout(30_000 + nestedRuns * 1000);
    // One per program, which stays.
    if (names.includes('forkserver')) await warmUp('forkserver');
    const before = snapshot();
    const runsOfMix = Math.ceil(nestedRuns / allMixes.length);
    for (const outer of names) {
      const pool = new WorkerPool({ nJobs: 2, startMethod: outer, daemon: false, keepAlive: true });
      const runs = names.flatMap((inner) => {
        const turn = names.indexOf(outer) + names.indexOf(inner);
        return Array.from({ length: runsOfMix }, (_, n) => ({
          inner,
          mishap: n % 3 === 0 ? (mishaps[(n / 3 + turn) % mishaps.length] as Mishap) : 'none',
        }));
      });
      const results = await Promise.allSettled(
        runs.map(async (run) => (await pool.map(task('nested'), [run]))[0] as number),
      );
      results.forEach((result, n) => expectResult(runs[n]?.mishap as Mishap, result));
      await pool.terminate();
      await settled(before);
    }
  });

  function expectResult(mishap: Mishap, result: PromiseSettledResult<number>): void {
    if (mishap === 'none') {
      expect(result).to.deep.equal({ status: 'fulfilled', value: 14 });
      return;
    }
    const error: unknown = result.status === 'rejected' ? result.reason : expect.fail(`${mishap} has not failed`);
    switch (mishap) {
      case 'throw':
        expect(error).to.be.instanceOf(RangeError);
        break;
      case 'uncloneable':
        expect(error).to.be.instanceOf(UnserializableError).with.property('path', 'value.deep');
        break;
      case 'exit':
        expect(error).to.be.instanceOf(WorkerDiedError).with.property('exitCode', 3);
        break;
      case 'leave':
        expect(error).to.be.instanceOf(WorkerDiedError).with.property('exitCode', 4);
    }
  }
});
