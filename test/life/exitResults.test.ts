// What `workerExit` returns: `getExitResults()` of a pool, and the option `onExitResults` of the operators.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { EMPTY, from, of, take, throwError } from 'rxjs';
import type { TaskContext, WorkerContext } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, parallelMergeMap, transfer } from '../support/library.js';
import { passGate, useGates, type Gated } from '../support/gates.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { describeEach } from '../support/startMethods.js';
import { useWorkerLog } from '../support/workerLog.js';
import { trackWorkers } from '../support/workers.js';

const add = (n: number, { state }: TaskContext<{ sum?: number }>): number => (state.sum = (state.sum ?? 0) + n);
const toSum = ({ state }: WorkerContext<{ sum: number }>): number => state.sum;

describeEach.of(['threading', 'spawn'], 'exit results', ({ name: startMethod }) => {
  afterEach(endPools);
  trackWorkers();
  const log = useWorkerLog();
  const gates = useGates();

  it('of a pool are those of the last call', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expect(pool.getExitResults()).to.deep.equal([]);
    await pool.map(add, [1, 2, 3], { workerExit: toSum });
    expect(pool.getExitResults()).to.deep.equal([6]);
    await pool.map(add, [4], { workerExit: toSum });
    expect(pool.getExitResults()).to.deep.equal([4]);
    await pool.map(add, [5]);
    expect(pool.getExitResults()).to.deep.equal([4]);
    await pool.map(add, [], { workerExit: toSum });
    expect(pool.getExitResults()).to.deep.equal([]);
  });

  it('of a pool are one for each worker, in the order of their ids', async () => {
    const pool = createPool({ nJobs: 3, startMethod });
    const work = async (value: Gated, context: TaskContext): Promise<number> => {
      await passGate(value, context);
      return add(1, context);
    };
    const values = Array.from({ length: 9 }, (_, name) => gates().value(name));
    const call = pool.map(work, values, {
      chunkSize: 1,
      async workerExit({ workerId, state }) {
        await new Promise((resolve) => setTimeout(resolve, 100 * (3 - workerId)));
        return { workerId, sum: state.sum };
      },
    });
    await gates().haveStarted(0, 1, 2); // in a worker each
    gates().openAll();
    await call;
    const results = pool.getExitResults() as { workerId: number; sum: number }[];
    expect(results.map(({ workerId }) => workerId)).to.deep.equal([0, 1, 2]);
    expect(results.reduce((total, { sum }) => total + sum, 0)).to.equal(9);
  });

  it('of a pool are a new array each time', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    await pool.map(add, [1], { workerExit: toSum });
    pool.getExitResults().push('mine');
    expect(pool.getExitResults()).to.deep.equal([1]);
  });

  it('may be undefined, may be large, and may be moved', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    await pool.map(add, [1], { workerExit: () => undefined });
    expect(pool.getExitResults()).to.deep.equal([undefined]);
    await pool.map(add, [1], { workerExit: () => new Uint8Array(3_000_000).fill(7) });
    expect(pool.getExitResults()[0]).to.deep.equal(new Uint8Array(3_000_000).fill(7));
    await pool.map(add, [1], {
      workerExit: () => {
        const bytes = new Uint8Array([1, 2, 3]);
        return transfer(bytes, [bytes.buffer]);
      },
    });
    expect(pool.getExitResults()).to.deep.equal([new Uint8Array([1, 2, 3])]);
  });

  it('of calls that are over are not kept, also where other calls always run', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    let last = pool.map(add, [0], { workerExit: toSum });
    for (let n = 1; n < 20; n++) {
      const next = pool.map(add, [n], { workerExit: toSum });
      await last;
      last = next;
    }
    await last;
    expect(pool.getExitResults().slice(-1)).to.deep.equal([19]);
    expect(pool.getExitResults().length).to.be.below(3);
  });

  describe('onExitResults', () => {
    const options = { nJobs: 1, startMethod, workerExit: toSum };

    for (const way of ['parallelMap', 'parallelMergeMap', 'parallelFrom'] as const) {
      it(`of ${way} is called once, after the last value and before the end`, async () => {
        const events: unknown[] = [];
        const life = { ...options, onExitResults: (results: unknown[]) => events.push(results) };
        const observable = {
          parallelMap: () => from([1, 2]).pipe(parallelMap(add, life)),
          parallelMergeMap: () => from([1, 2]).pipe(parallelMergeMap((n, context) => [add(n, context)], life)),
          parallelFrom: () => parallelFrom([1, 2], add, life),
        }[way]();
        await new Promise<void>((resolve, reject) => {
          observable.subscribe({
            next: (value) => events.push(value),
            error: reject,
            complete: () => {
              events.push('complete');
              resolve();
            },
          });
        });
        expect(events).to.deep.equal([1, 3, [3], 'complete']);
      });
    }

    it('gets an empty array where no worker has started, or there is no exit function', async () => {
      const all: unknown[] = [];
      const onExitResults = (results: unknown[]): number => all.push(results);
      await outcomeOf(EMPTY.pipe(parallelMap(add, { ...options, onExitResults })));
      await outcomeOf(of(1).pipe(parallelMap(add, { ...options, workerExit: undefined, onExitResults })));
      expect(all).to.deep.equal([[], []]);
    });

    it('is not called for what fails or is cut short', async () => {
      const onExitResults = (): never => {
        throw new Error('not expected');
      };
      const life = { ...options, onExitResults };
      const failed = await outcomeOf(throwError(() => 'source').pipe(parallelMap(add, life)));
      expect(failed).to.include({ end: 'error', error: 'source' });
      const cut = await outcomeOf(from([1, 2, 3]).pipe(parallelMap(add, life), take(1)));
      expect(cut).to.deep.equal({ values: [1], end: 'complete' });
    });

    it('may throw: that is the error of the Observable', async () => {
      const onExitResults = (): never => {
        throw new Error('mine');
      };
      const { values, error } = await outcomeOf(of(1).pipe(parallelMap(add, { ...options, onExitResults })));
      expect(values).to.deep.equal([1]);
      expect(error).to.have.property('message', 'mine');
    });

    it('gets all of its own also when another call begins while the workers leave', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const { file } = log();
      const slowToLeave = async (n: number, context: TaskContext): Promise<number> => {
        process.on('exit', () => {
          for (const end = performance.now() + 500; performance.now() < end;);
        });
        return add(n, context);
      };
      const workerExit = async ({ state }: WorkerContext): Promise<unknown> => {
        const { appendFileSync } = await import('node:fs');
        appendFileSync(file, 'exit\n');
        return state.sum;
      };
      const all: unknown[] = [];
      const onExitResults = (results: unknown[]): number => all.push(results);
      const first = outcomeOf(of(1).pipe(parallelMap(slowToLeave, { pool, workerExit, onExitResults })));
      await log().has('exit');
      await delay(100);
      await pool.map(add, [2], { workerExit: toSum });
      await first;
      expect(all).to.deep.equal([[1]]);
      expect(pool.getExitResults()).to.deep.equal([2]);
    });

    it("runs in the subscriber's async context", async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const onExitResults = (): number => seen.push(storage.getStore());
      await storage.run('mine', () => outcomeOf(of(1).pipe(parallelMap(add, { ...options, onExitResults }))));
      expect(seen).to.deep.equal(['mine']);
    });

    it('on a pool that stays, each subscription gets its own', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const all: unknown[] = [];
      const life = { pool, workerExit: toSum, onExitResults: (results: unknown[]) => all.push(results) };
      const observable = from([1, 2]).pipe(parallelMap(add, life));
      await outcomeOf(observable);
      await outcomeOf(observable);
      await Promise.all([outcomeOf(observable), outcomeOf(observable)]);
      expect(all).to.deep.equal([[3], [3], [3], [3]]);
    });
  });
});
