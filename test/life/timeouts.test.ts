// The options `workerInitTimeout` and `workerExitTimeout` on real workers. When their time begins and ends: unit/core/timeouts.test.ts.
import { expect } from 'chai';
import { from, of } from 'rxjs';
import type { TaskContext } from 'rxjs-parallel-map';
import { moduleTask, parallelMap, WorkerTimeoutError } from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { settled, snapshot } from '../support/resources.js';
import { describeEach } from '../support/startMethods.js';
import { trackWorkers } from '../support/workers.js';
import { loop } from '../support/tasks.js';

const never = (): Promise<never> => new Promise(() => undefined);

const OPTIONS = { init: 'workerInitTimeout', exit: 'workerExitTimeout' } as const;

function expectTimeout(error: unknown, stage: 'init' | 'exit', timeout: number): void {
  expect(error).to.be.instanceOf(WorkerTimeoutError);
  expect(error).to.include({ stage, timeout, workerId: 0 });
  expect(error).to.not.have.property('index');
  expect((error as Error).message).to.equal(
    `The ${stage} function of worker 0 took longer than its ${OPTIONS[stage]} of ${timeout} ms, so the worker was killed.`,
  );
}

describeEach('workerInitTimeout and workerExitTimeout', ({ name: startMethod }) => {
  afterEach(endPools);
  trackWorkers();

  const cases = { 'an endless loop': loop, 'a promise that never settles': never };
  for (const [title, stuck] of Object.entries(cases)) {
    it(`end ${title} in an init function, and the pool goes on`, async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const options = { workerInit: stuck, workerInitTimeout: 150 };
      expectTimeout(await rejection(pool.map((n) => n, [1, 2], options)), 'init', 150);
      expect(await pool.map((n) => n, [1, 2])).to.deep.equal([1, 2]);
      const { values, error } = await outcomeOf(
        from([1, 2]).pipe(parallelMap((n) => n, { nJobs: 1, startMethod, ...options })),
      );
      expect(values).to.deep.equal([]);
      expectTimeout(error, 'init', 150);
    });

    it(`end ${title} in an exit function, and the pool goes on`, async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const options = { workerExit: stuck, workerExitTimeout: 150 };
      expectTimeout(await rejection(pool.map((n) => n, [1, 2], options)), 'exit', 150);
      expect(await pool.map((n) => n, [1, 2])).to.deep.equal([1, 2]);
      const { values, error } = await outcomeOf(
        from([1, 2]).pipe(parallelMap((n) => n, { nJobs: 1, startMethod, ...options })),
      );
      expect(values).to.deep.equal([1, 2]);
      expectTimeout(error, 'exit', 150);
    });
  }
});

// The clocks are the pool's, whatever its workers are.
describeEach.of(['threading', 'forkserver'], 'workerInitTimeout and workerExitTimeout', ({ name: startMethod }) => {
  afterEach(endPools);
  trackWorkers();

  it('do not count the loading of a module, nor that of the task', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const slowToLoad = new URL('../tasks/slowToLoad.js', import.meta.url);
    const life = moduleTask<() => unknown>(new URL('../tasks/life.js', import.meta.url), 'exit');
    const options = { workerInit: () => undefined, workerExit: life, workerInitTimeout: 1000, workerExitTimeout: 1000 };
    expect(await pool.map<number, number>(slowToLoad, [1], options)).to.deep.equal([2]);
    const slow = moduleTask<() => unknown>(slowToLoad);
    const asInit = { workerInit: slow, workerInitTimeout: 1000, taskTimeout: 1000 };
    expect(await pool.map((n: number) => n, [1], asInit)).to.deep.equal([1]);
  });

  it('leave no timer behind', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const before = snapshot();
    const nothing = (): void => undefined;
    const limits = { workerInitTimeout: 60_000, workerExitTimeout: 60_000 };
    await pool.map((n) => n, [1], { workerInit: nothing, workerExit: nothing, ...limits });
    await rejection(pool.map((n) => n, [1], { workerInit: () => process.exit(1), ...limits }));
    await rejection(pool.map((n) => n, [1], { workerExit: () => process.exit(1), ...limits }));
    const task = (n: number, { state }: TaskContext): unknown => (state.n = n);
    await outcomeOf(of(1).pipe(parallelMap(task, { nJobs: 1, startMethod, workerInit: nothing, ...limits })));
    await settled(before);
  });
});
