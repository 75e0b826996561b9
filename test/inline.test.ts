// The start method `inline`: no worker, the program's own functions, one value per turn of the event loop.
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from 'chai';
import { from, lastValueFrom, of, Subject, toArray } from 'rxjs';
import type { TaskContext } from 'rxjs-parallel-map';
import { availableStartMethods, parallelMap, parallelMergeMap, WorkerPool } from './support/library.js';
import { outcomeOf } from './support/outcome.js';
import { createPool, endPools } from './support/pools.js';
import { rejection } from './support/rejection.js';
import { trackWorkers } from './support/workers.js';

const startMethod = 'inline';

describe('inline', () => {
  const workers = trackWorkers();
  afterEach(endPools);

  it('is available everywhere', () => {
    expect(availableStartMethods()).to.include('inline');
  });

  it('calls the function itself, with the variables of the program', async () => {
    let calls = 0;
    const results = await lastValueFrom(
      from([1, 2, 3]).pipe(
        parallelMap((n) => n * ++calls, { startMethod, nJobs: 1 }),
        toArray(),
      ),
    );
    expect(results).to.deep.equal([1, 4, 9]);
    expect(calls).to.equal(3);
  });

  it('takes functions that could not travel', async () => {
    const pending = Promise.resolve(2);
    const pool = createPool({ startMethod });
    expect(await pool.map(async (n: number) => n * (await pending), [1, 2])).to.deep.equal([2, 4]);
    expect(await pool.map(Math.abs.bind(Math), [-1])).to.deep.equal([1]);
  });

  it('calls nothing before the subscription, and nothing while that is made', async () => {
    const called: number[] = [];
    const task = (n: number) => called.push(n);
    const values$ = of(1, 2).pipe(parallelMap(task, { startMethod }));
    expect(called).to.deep.equal([]);
    const outcome = outcomeOf(values$);
    expect(called).to.deep.equal([]);
    expect((await outcome).end).to.equal('complete');
    expect(called).to.deep.equal([1, 2]);
  });

  for (const chunkSize of [1, 7, undefined]) {
    it(`lets the event loop turn between values (chunkSize: ${chunkSize})`, async () => {
      let turns = 0;
      let isOver = false;
      const turn = (): void => {
        turns++;
        if (!isOver) setImmediate(turn);
      };
      const pool = createPool({ startMethod, nJobs: 1 });
      await pool.map((n: number) => n, Array(100).fill(0)); // so that its pace is known
      turn();
      const seen = await pool.map(() => turns, Array(20).fill(0), { chunkSize });
      isOver = true;
      expect(new Set(seen).size).to.equal(20);
    });
  }

  it('gives clones of values and results, as elsewhere', async () => {
    const value = { n: 0 };
    const kept: object[] = [];
    const pool = createPool({ startMethod });
    const task = (v: { n: number }) => {
      v.n++;
      kept.push(v);
      return v;
    };
    const results = await pool.map(task, [value, value]);
    expect(results).to.deep.equal([{ n: 1 }, { n: 1 }]);
    expect(value.n).to.equal(0);
    expect([...results, ...kept, value]).to.satisfy((all: object[]) => new Set(all).size === 5);
  });

  it('has as many asynchronous tasks under way as nJobs and tasksPerWorker say', async () => {
    let most = 0;
    let running = 0;
    const pool = createPool({ startMethod, nJobs: 2 });
    const task = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    };
    await pool.map(task, Array(12).fill(0));
    expect(most).to.equal(2);
    most = 0;
    await pool.map(task, Array(12).fill(0), { tasksPerWorker: 3 });
    expect(most).to.equal(6);
  });

  it('has init and exit functions, state, shared objects, progress and insights', async () => {
    const sharedObjects = { factor: 10, live: new Map<number, number>() };
    const pool = createPool({ startMethod, nJobs: 2, sharedObjects, insights: true });
    const reports: unknown[] = [];
    const results = await pool.map(
      (n: number, { state, shared, progress }: TaskContext) => {
        progress(n);
        shared.live.set(n, n);
        state.sum += n;
        return n * shared.factor;
      },
      [1, 2, 3],
      {
        workerInit: ({ state }) => {
          state.sum = 0;
        },
        workerExit: ({ state }) => state.sum,
        onProgress: ({ value }) => reports.push(value),
      },
    );
    expect(results).to.deep.equal([10, 20, 30]);
    expect(reports).to.have.members([1, 2, 3]);
    expect(pool.getExitResults().reduce((a: number, b: number) => a + b)).to.equal(6);
    expect([...sharedObjects.live.keys()]).to.have.members([1, 2, 3]);
    expect(pool.getInsights().nCompletedTasks.reduce((a, b) => a + b)).to.equal(3);
  });

  it('settles, and gives errors with their values', async () => {
    const pool = createPool({ startMethod });
    const task = (n: number) => {
      if (n === 2) throw new RangeError('two');
      return n;
    };
    const settled = await pool.map(task, [1, 2, 3], { settle: true });
    expect(settled.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
    const error = await rejection<RangeError & { index: number }>(pool.map(task, [1, 2, 3]));
    expect(error).to.be.instanceOf(RangeError);
    expect(error).to.include({ message: 'two', index: 1 });
  });

  it('ends at once when nobody listens, tells the task, and drops its result', async () => {
    const told: string[] = [];
    const source = new Subject<number>();
    const values: unknown[] = [];
    let begun: () => void;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const task = (n: number, { signal }: TaskContext) =>
      new Promise((resolve) => {
        begun();
        signal.addEventListener('abort', () => {
          told.push('abort');
          resolve(n);
        });
      });
    const subscription = source.pipe(parallelMap(task, { startMethod })).subscribe((value) => values.push(value));
    source.next(1);
    await hasBegun;
    subscription.unsubscribe();
    expect(told).to.deep.equal(['abort']);
    await workers.ended();
    expect(values).to.deep.equal([]);
  });

  it('ends an asynchronous task that takes too long', async () => {
    const pool = createPool({ startMethod });
    const error = await rejection(pool.map(() => new Promise(() => undefined), [1], { taskTimeout: 50 }));
    expect(error).to.include({ name: 'WorkerTimeoutError', stage: 'task' });
    expect(await pool.map((n: number) => n, [1])).to.deep.equal([1]);
  });

  it('yields the values of generators', async () => {
    const yields = from([2, 3]).pipe(
      parallelMergeMap(
        function* (n) {
          for (let i = 0; i < n; i++) yield i;
        },
        { startMethod },
      ),
      toArray(),
    );
    expect(await lastValueFrom(yields)).to.deep.equal([0, 1, 0, 1, 2]);
  });

  it('runs tasks outside of the async context of whoever has called', async () => {
    const storage = new AsyncLocalStorage<string>();
    const pool = createPool({ startMethod });
    expect(await storage.run('caller', () => pool.map(() => storage.getStore(), [1]))).to.deep.equal([undefined]);
  });

  it('allows pools inside of tasks', async () => {
    const pool = createPool({ startMethod });
    const inner = async (n: number) => {
      const own = new WorkerPool({ startMethod, nJobs: 1 });
      return (await own.map((m: number) => m + 1, [n]))[0];
    };
    expect(await pool.map(inner, [1, 2])).to.deep.equal([2, 3]);
  });

  it('refuses by name what needs a worker', async () => {
    const refused = { env: {}, argv: [], execArgv: [], resourceLimits: {}, cpuIds: [0], name: 'x' };
    for (const [name, value] of Object.entries(refused)) {
      expect(() => new WorkerPool({ startMethod, [name]: value })).to.throw(
        TypeError,
        `WorkerPool: the start method "inline" does not support the option "${name}". Leave it out.`,
      );
      expect(() => parallelMap(String, { startMethod, [name]: value })).to.throw(TypeError, `"${name}"`);
    }
    const pool = createPool({ startMethod });
    const error = await rejection(pool.map((n: number) => n, [1], { captures: { a: 1 } }));
    expect(error).to.be.instanceOf(TypeError);
    expect(error).to.have.property('message').that.includes('"captures"');
  });
});
