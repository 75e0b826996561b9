// The option `workerLifespan`: a worker that has done so many tasks leaves, and another one takes its place.
import { expect } from 'chai';
import { from } from 'rxjs';
import type { TaskContext, WorkerContext, WorkerPool } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, parallelMergeMap } from '../support/library.js';
import { loopForever, useGates } from '../support/gates.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { trackWorkers } from '../support/workers.js';

interface Life {
  readonly workerId: number;
  /** Which worker it was: no two have the same. */
  readonly serial: string;
  /** How many tasks it had done, with this one. */
  readonly tasks: number;
}

/** Says in whose life it runs, at once or after a while. */
const live = (n: number, { workerId, state }: TaskContext): Life | Promise<Life> => {
  state.serial ??= `${process.pid} ${Math.random()}`;
  state.tasks = (state.tasks ?? 0) + 1;
  const life = { workerId, serial: state.serial, tasks: state.tasks };
  return n >= 0 ? life : new Promise((resolve) => setTimeout(resolve, 2, life));
};

/** How many tasks each life had, and of which worker it was. */
function livesOf(all: readonly Life[]): { workerId: number; tasks: number }[] {
  const lives = new Map<string, { workerId: number; tasks: number }>();
  for (const { serial, workerId } of all) {
    const life = lives.get(serial);
    if (life === undefined) lives.set(serial, { workerId, tasks: 1 });
    else life.tasks++;
  }
  return [...lives.values()];
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

// Who counts is the pool; that a worker of each start method leaves and is replaced is in the suite after this one.
describeEach.of(['threading', 'fork'], 'workerLifespan, however tasks are run,', ({ name: startMethod }) => {
  afterEach(endPools);
  trackWorkers();

  const ways: Record<string, (pool: WorkerPool) => Promise<Life[]>> = {
    'map, in adaptive chunks': (pool) => pool.map(live, numbers(17), { workerLifespan: 5 }),
    'map in chunks of 3': (pool) => pool.map(live, numbers(17), { workerLifespan: 5, chunkSize: 3 }),
    'map in chunks of 100': (pool) => pool.map(live, numbers(17), { workerLifespan: 5, chunkSize: 100 }),
    'map of tasks that wait': (pool) =>
      pool.map(
        live,
        numbers(17).map((n) => -1 - n),
        { workerLifespan: 5 },
      ),
    'map with a taskTimeout': (pool) => pool.map(live, numbers(17), { workerLifespan: 5, taskTimeout: 60_000 }),
    parallelMap: async (pool) =>
      (await outcomeOf(from(numbers(17)).pipe(parallelMap(live, { pool, workerLifespan: 5 })))).values,
    parallelMergeMap: async (pool) => {
      const give = async function* (_: number, { workerId, state }: TaskContext): AsyncGenerator<Life> {
        state.serial ??= `${process.pid} ${Math.random()}`;
        yield { workerId, serial: state.serial as string, tasks: 0 };
      };
      return (await outcomeOf(from(numbers(17)).pipe(parallelMergeMap(give, { pool, workerLifespan: 5 })))).values;
    },
    parallelFrom: async (pool) =>
      (await outcomeOf(parallelFrom(numbers(17), live, { pool, workerLifespan: 5 }))).values,
  };
  for (const [way, run] of Object.entries(ways)) {
    it(`ends a life after exactly as many tasks: ${way}`, async () => {
      const results = await run(createPool({ nJobs: 1, startMethod }));
      expect(livesOf(results)).to.deep.equal([5, 5, 5, 2].map((tasks) => ({ workerId: 0, tasks })));
    });
  }
});

describeEach('the workers of a workerLifespan', ({ name: startMethod }) => {
  afterEach(endPools);
  const workers = trackWorkers(); // which looks when the pools have ended

  it('holds for each of several workers, which keep their numbers', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const lives = livesOf(await pool.map(live, numbers(60), { workerLifespan: 7 }));
    expect(lives.reduce((sum, { tasks }) => sum + tasks, 0)).to.equal(60);
    // All but the last one of each worker are whole.
    expect(lives.filter(({ tasks }) => tasks !== 7)).to.have.length.at.most(2);
    expect(Math.max(...lives.map(({ tasks }) => tasks))).to.equal(7);
    expect(lives.every(({ workerId }) => workerId === 0 || workerId === 1)).to.equal(true);
  });

  it('may be a single task', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const results = await pool.map(live, numbers(5), { workerLifespan: 1 });
    expect(results.map(({ tasks }) => tasks)).to.deep.equal([1, 1, 1, 1, 1]);
    expect(workers.started).to.equal(5);
  });

  it('runs init and exit functions in each life, and gathers the results of all', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const options = {
      workerLifespan: 4,
      workerInit: ({ state }: WorkerContext) => void (state.begun = (state.begun ?? 0) + 1),
      workerExit: async ({ state, workerId }: WorkerContext) => ({ workerId, ...state }) as unknown,
    };
    const count = (_: number, { state }: TaskContext) => (state.tasks = (state.tasks ?? 0) + 1);
    expect(await pool.map(count, numbers(10), options)).to.deep.equal([1, 2, 3, 4, 1, 2, 3, 4, 1, 2]);
    expect(pool.getExitResults()).to.deep.equal([4, 4, 2].map((tasks) => ({ workerId: 0, begun: 1, tasks })));
  });

  it('begins anew in a worker that takes the place of a dead one', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const exitAt3 = (n: number, { state }: TaskContext) => {
      if (n === 3) process.exit(1);
      return (state.tasks = (state.tasks ?? 0) + 1) as number;
    };
    const options = { workerLifespan: 5, settle: true, chunkSize: 1 } as const;
    const results = await pool.map(exitAt3, numbers(10), options);
    const values = results.map((result) => (result.status === 'fulfilled' ? result.value : 'died'));
    expect(values).to.deep.equal([1, 2, 3, 'died', 1, 2, 3, 4, 5, 1]);
  });
});

describeEach.of(['threading', 'forkserver'], 'workerLifespan', ({ name: startMethod }) => {
  afterEach(endPools);
  trackWorkers(); // which looks when the pools have ended
  const gates = useGates();

  it('is sound where chunks are sent ahead', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    await pool.map(live, numbers(1000), { chunkSize: 1 }); // chunks that go ahead from now on
    const results = await pool.map(live, numbers(30), { chunkSize: 1, workerLifespan: 8 });
    expect(livesOf(results)).to.deep.equal([8, 8, 8, 6].map((tasks) => ({ workerId: 0, tasks })));
  });

  it('fails the call with what an exit function throws at the end of a life', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const workerExit = () => {
      throw new RangeError('no exit');
    };
    const error = await rejection(pool.map(live, numbers(10), { workerLifespan: 3, workerExit }));
    expect(error).to.be.instanceOf(RangeError).with.property('message', 'no exit');
  });

  it('counts across calls with keepAlive', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const calls: Life[] = [];
    for (let call = 0; call < 4; call++) {
      calls.push(...(await pool.map(live, numbers(3), { workerLifespan: 5 })));
      calls.push(await pool.apply(live, [0], { workerLifespan: 5 }));
    }
    expect(livesOf(calls).map(({ tasks }) => tasks)).to.deep.equal([5, 5, 5, 1]);
  });

  for (const count of [5, 10]) {
    it(`replaces a worker at once that has done ${count} tasks, where 5 are the limit`, async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.map(live, numbers(count));
      const after = await pool.map(live, numbers(3), { workerLifespan: 5 });
      expect(livesOf(before)).to.have.length(1);
      expect(livesOf(after)).to.deep.equal([{ workerId: 0, tasks: 3 }]);
      expect(after[0]?.serial).to.not.equal(before[0]?.serial);
    });
  }

  it('counts the task that has failed, and none of those behind it that were not begun', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const failAt2 = (n: number, context: TaskContext) => {
      const life = live(n, context);
      if (n === 2) throw new Error('2');
      return life;
    };
    await rejection(pool.map(failAt2, numbers(100), { chunkSize: 100, captures: { live } }));
    const lives = livesOf(await pool.map(live, numbers(12), { workerLifespan: 5 }));
    expect(lives.map(({ tasks }) => tasks)).to.deep.equal([2, 5, 5]);
  });

  it('counts tasks that fail, where the call goes on', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const fail = (_: number, { state }: TaskContext) => {
      throw (state.tasks = (state.tasks ?? 0) + 1);
    };
    const results = await pool.map(fail, numbers(7), { workerLifespan: 3, settle: true });
    const reasons = results.map((result) => (result as PromiseRejectedResult).reason as number);
    expect(reasons).to.deep.equal([1, 2, 3, 1, 2, 3, 1]);
  });

  it('does not count what was asked back for an idle worker', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const liveFor = async (ms: number, { workerId, state }: TaskContext): Promise<Life> => {
      state.serial ??= `${process.pid} ${Math.random()}`;
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      return { workerId, serial: state.serial as string, tasks: 0 };
    };
    // So quick that several go into a chunk. A slow one before them has them asked back.
    await pool.map(liveFor, new Array<number>(20_000).fill(0));
    await pool.stopAndJoin();
    const results: Life[] = [];
    for (let call = 0; call < 12; call++) {
      results.push(...(await pool.mapUnordered(liveFor, [150, 0, 0, 0, 0, 0], { workerLifespan: 10 })));
    }
    const lives = livesOf(results);
    expect(lives.filter(({ tasks }) => tasks !== 10)).to.have.length.at.most(2);
  });

  it('leaves cancelled calls and the pool what they are', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const controller = new AbortController();
    const options = { workerLifespan: 2, signal: controller.signal, cancelTimeout: 0 };
    const call = pool.map(loopForever, [gates().value('a'), gates().value('b')], options);
    await gates().haveStarted('a', 'b');
    controller.abort('enough');
    expect(await rejection(call)).to.equal('enough');
    expect(await pool.map(live, numbers(6), { workerLifespan: 2 })).to.have.length(6);
  });
});
