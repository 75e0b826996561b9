// `workerInit`, `workerExit` and `context.state` on a pool whose workers stay.
import { expect } from 'chai';
import { lastValueFrom, of } from 'rxjs';
import type { TaskContext, WorkerContext } from 'rxjs-parallel-map';
import { parallelMap } from '../support/library.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { trackWorkers } from '../support/workers.js';
import { type Counter, count, countsFrom, toCount } from '../support/counter.js';

// The pool decides which worker stays for whom; that one ends, in whichever way, is in pool/lifecycle and failure/deadWorkers.
describeEach.of(['threading', 'spawn'], 'keepAlive', ({ name: startMethod }) => {
  afterEach(endPools);
  const workers = trackWorkers();
  const create = () => createPool({ nJobs: 1, startMethod, keepAlive: true });

  it('keeps the state of a worker from call to call, also without init function', async () => {
    const pool = create();
    const remember = (n: number, { state }: TaskContext<{ all?: number[] }>): number[] => (state.all ??= []).concat(state.all.push(n)); // prettier-ignore
    const all = (_n: number, { state }: TaskContext<{ all?: number[] }>): number[] | undefined => state.all;
    await pool.map(remember, [1, 2]);
    await pool.map(remember, [3]);
    expect(await pool.map(all, [0])).to.deep.equal([[1, 2, 3]]);
    await pool.stopAndJoin();
    expect(await pool.map(all, [0])).to.deep.equal([undefined]);
  });

  it('runs workerInit once per worker, and workerExit when the worker leaves', async () => {
    const pool = create();
    const life = { workerInit: countsFrom(10), workerExit: toCount };
    expect(await pool.map(count, [1, 2], life)).to.deep.equal([11, 12]);
    expect(await lastValueFrom(of(3).pipe(parallelMap(count, { pool, ...life })))).to.equal(13);
    expect(await pool.apply(({ state }: TaskContext<Counter>) => state.tasks, [], life)).to.equal(13);
    expect(pool.getExitResults()).to.deep.equal([]);
    await pool.stopAndJoin();
    expect(pool.getExitResults()).to.deep.equal([13]);
    expect(await pool.map(count, [1], life)).to.deep.equal([11]);
    await pool.join();
    expect(pool.getExitResults()).to.deep.equal([11]);
    expect(workers.started).to.equal(2);
  });

  it('takes functions of the same source with equal variables as the same', async () => {
    const pool = create();
    expect(await pool.map(count, [1], { workerInit: countsFrom(10) })).to.deep.equal([11]);
    expect(await pool.map(count, [1], { workerInit: countsFrom(10) })).to.deep.equal([12]);
    expect(workers.started).to.equal(1);
  });

  it('replaces the workers where the functions are others', async () => {
    const pool = create();
    const lives = [
      { workerInit: countsFrom(10), workerExit: toCount },
      { workerInit: countsFrom(20), workerExit: toCount },
      { workerInit: countsFrom(20), workerExit: ({ state }: WorkerContext<Counter>) => state.tasks * 2 },
    ];
    const names = new Set<string>();
    for (const [at, life] of lives.entries()) {
      expect(await pool.map(count, [1], life)).to.deep.equal([at === 0 ? 11 : 21]);
      names.add(await pool.apply(identity));
    }
    expect(names.size).to.equal(3);
    await pool.stopAndJoin();
    expect(pool.getExitResults()).to.deep.equal([11, 21, 42]);
  });

  it('leaves the workers to calls that give no functions', async () => {
    const pool = create();
    const life = { workerInit: countsFrom(10), workerExit: toCount };
    await pool.map(count, [1], life);
    expect(await pool.map((n) => n, [1, 2])).to.deep.equal([1, 2]);
    expect(await pool.map(count, [1], life)).to.deep.equal([12]);
    expect(workers.started).to.equal(1);
  });

  it('serves calls with different functions at once, on the same worker', async () => {
    const pool = create();
    const runs = [10, 20, 30].map((first) =>
      pool.map(count, [1, 2, 3], { chunkSize: 1, workerInit: countsFrom(first), workerExit: toCount }),
    );
    expect(await Promise.all(runs)).to.deep.equal([10, 20, 30].map((first) => [first + 1, first + 2, first + 3]));
    expect(workers.started).to.equal(1);
    await pool.stopAndJoin();
    expect(pool.getExitResults()).to.deep.equal([13, 23, 33]);
  });

  it('replaces workers only when other calls are through with them', async () => {
    const pool = create();
    await pool.map(count, [1], { workerInit: countsFrom(10), workerExit: toCount });
    const slowly = async (n: number): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return n;
    };
    const other = pool.map(slowly, [1, 2, 3], { chunkSize: 1 });
    const changed = pool.map(count, [1, 2], { workerInit: countsFrom(20), workerExit: toCount });
    expect(await Promise.all([other, changed])).to.deep.equal([
      [1, 2, 3],
      [21, 22],
    ]);
    await pool.stopAndJoin();
    expect(pool.getExitResults()).to.deep.equal([11, 22]);
    expect(workers.started).to.equal(2);
  });

  it('stopAndJoin rejects with what an exit function throws, and the pool goes on', async () => {
    const pool = create();
    const workerExit = (): never => {
      throw new RangeError('no');
    };
    expect(await pool.map((n) => n, [1], { workerExit })).to.deep.equal([1]);
    const error = await rejection(pool.stopAndJoin());
    expect(error).to.be.instanceOf(RangeError).with.property('workerId', 0);
    expect(await pool.map((n) => n, [2])).to.deep.equal([2]);
    await pool.stopAndJoin();
  });

  it('stopAndJoin waits for a slow exit function, up to workerExitTimeout', async () => {
    const pool = create();
    const workerExit = async (): Promise<string> => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return 'done';
    };
    await pool.map((n) => n, [1], { workerExit });
    await pool.stopAndJoin();
    expect(pool.getExitResults()).to.deep.equal(['done']);
    const forever = (): Promise<never> => new Promise(() => undefined);
    await pool.map((n) => n, [1], { workerExit: forever, workerExitTimeout: 50 });
    const error = await rejection(pool.stopAndJoin());
    expect(error).to.include({ name: 'WorkerTimeoutError', stage: 'exit', timeout: 50 });
  });

  it('after a worker has died, begins anew in the next one', async () => {
    const pool = create();
    const life = { workerInit: countsFrom(10), workerExit: toCount };
    await pool.map(count, [1, 2], life);
    await rejection(pool.apply(() => process.exit(1)));
    expect(await pool.map(count, [1], life)).to.deep.equal([11]);
    await pool.stopAndJoin();
    expect(pool.getExitResults()).to.deep.equal([11]);
  });

  it('after an init function has failed, calls it again', async () => {
    const pool = create();
    const fails = true;
    const workerInit = ({ state }: WorkerContext<Counter>): void => {
      if (fails) throw new Error('not yet');
      state.tasks = 1;
    };
    const good = { workerInit, captures: { fails: false } };
    for (let i = 0; i < 2; i++) {
      expect(await rejection(pool.map(count, [1], { workerInit }))).to.have.property('message', 'not yet');
    }
    expect(await pool.map(count, [1], good)).to.deep.equal([2]);
  });

  it('twenty calls with functions of their own leave no worker behind', async () => {
    const pool = create();
    for (let first = 0; first < 20; first++) {
      const life = { workerInit: countsFrom(first), workerExit: toCount };
      expect(await pool.map(count, [1], life)).to.deep.equal([first + 1]);
    }
    await pool.stopAndJoin();
    expect(pool.getExitResults()).to.deep.equal(Array.from({ length: 20 }, (_, first) => first + 1));
    expect(workers.alive).to.equal(0);
  });
});
