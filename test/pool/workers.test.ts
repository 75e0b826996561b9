import { expect } from 'chai';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { NestedPoolError, WorkerPool } from '../support/library.js';
import { useGates } from '../support/gates.js';
import { meet } from '../support/meeting.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

/** Who runs it, and as which worker. Waits until so many workers run one in this folder. */
const whoMeets = async ([dir, count]: readonly [string, number], { workerId }: { workerId: number }) => {
  const { threadId } = await import('node:worker_threads');
  await meet(dir, workerId, count);
  return { workerId, who: `${process.pid}/${threadId}` };
};

/** Counts the calls on this worker. */
const countCalls = () => {
  const state = globalThis as { calls?: number };
  return (state.calls = (state.calls ?? 0) + 1);
};

describeEach('workers', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);
  const gates = useGates();

  it(isProcess ? 'are processes of their own' : 'are threads of this process', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const [pid, thread] = (await pool.apply(identity)).split('/').map(Number);
    expect(pid === process.pid).to.equal(!isProcess);
    expect(thread === 0).to.equal(isProcess);
  });

  it('have ids from 0 to nJobs - 1, each taken once', async () => {
    const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
    const seen = await pool.map(
      whoMeets,
      Array.from({ length: 12 }, () => [gates().dir, 3] as const),
      { chunkSize: 1 },
    );
    const byId = new Map(seen.map(({ workerId, who }) => [workerId, who]));
    expect([...byId.keys()].sort((a, b) => a - b)).to.deep.equal([0, 1, 2]);
    expect(new Set(byId.values()).size).to.equal(3);
    for (const { workerId, who } of seen) expect(who).to.equal(byId.get(workerId));
  });

  it('can be more than there are CPUs', async () => {
    const nJobs = availableParallelism() + 4;
    const pool = createPool({ nJobs, startMethod });
    const seen = await pool.map(
      whoMeets,
      Array.from({ length: nJobs * 2 }, () => [gates().dir, nJobs] as const),
      { chunkSize: 1 },
    );
    const ids = new Set(seen.map(({ workerId }) => workerId));
    expect([...ids].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: nJobs }, (_, id) => id));
  });

  it('start only as there is work: one value, one worker', async () => {
    const pool = createPool({ nJobs: 4, startMethod, keepAlive: true });
    const { dir } = gates();
    const first = await pool.map(whoMeets, [[dir, 1]]);
    expect(first.map(({ workerId }) => workerId)).to.deep.equal([0]);
    const pair = [dir, 2] as const;
    const two = await pool.map(whoMeets, [pair, pair], { chunkSize: 1 });
    expect(two.map(({ workerId }) => workerId).sort((a, b) => a - b)).to.deep.equal([0, 1]);
  });

  it('keepAlive: the next call finds the same workers', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    expect(await pool.map(countCalls, [1, 2, 3])).to.deep.equal([1, 2, 3]);
    expect(await pool.map(countCalls, [1])).to.deep.equal([4]);
    expect(await pool.apply(countCalls)).to.equal(5);
  });

  it('without keepAlive: the next call finds new ones', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await pool.map(countCalls, [1, 2, 3])).to.deep.equal([1, 2, 3]);
    expect(await pool.map(countCalls, [1])).to.deep.equal([1]);
  });

  it('without keepAlive: they stay as long as another call runs', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const inputs = async function* () {
      yield 1;
      expect(await pool.apply(countCalls)).to.be.greaterThan(0);
      yield 2;
    };
    expect(await pool.map(countCalls, inputs())).to.deep.equal([1, 3]);
  });

  it('may not make pools where they are daemons, and may where they are not', async () => {
    const { href } = new URL('../support/library.js', import.meta.url);
    const nested = async (library: string) => {
      const { WorkerPool: Pool } = (await import(library)) as typeof import('../support/library.js');
      const pool = new Pool({ nJobs: 1 });
      const results = await pool.map((x: number) => x * 2, [1, 2]);
      await pool.terminate();
      return results;
    };
    const daemons = createPool({ nJobs: 1, startMethod });
    expect(await rejection(daemons.map(nested, [href]))).to.be.instanceOf(NestedPoolError);
    const others = createPool({ nJobs: 1, startMethod, daemon: false });
    expect(await others.map(nested, [href])).to.deep.equal([[2, 4]]);
  });
});

// What the pool gives to whom.
describeEach.of(['threading', 'spawn'], 'workers of several calls', ({ name: startMethod }) => {
  afterEach(endPools);

  it('keepAlive: another function on the same workers', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const who = await pool.apply(identity);
    for (let i = 0; i < 50; i++) {
      // A new function each time: the oldest are forgotten by the worker.
      const fn = new Function('x', `return x + ${i};`) as (x: number) => number;
      expect(await pool.map(fn, [1])).to.deep.equal([1 + i]);
    }
    expect(await pool.map((x: number) => -x, [1])).to.deep.equal([-1]);
    expect(await pool.apply(identity)).to.equal(who);
  });

  it('several calls at once are served in turns', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const wait = (x: number) => new Promise<number>((resolve) => setTimeout(resolve, 10, x));
    let longDone = false;
    const long = pool
      .map(
        wait,
        Array.from({ length: 300 }, (_, i) => i),
        { chunkSize: 1 },
      )
      .finally(() => (longDone = true));
    const short = await pool.map(wait, [1, 2, 3, 4], { chunkSize: 1 });
    expect(short).to.deep.equal([1, 2, 3, 4]);
    expect(longDone).to.be.false;
    expect(await long).to.have.lengthOf(300);
  });

  it('several calls at once keep their results apart', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const calls = Array.from({ length: 20 }, (_, call) =>
      pool.map(
        ([a, b]: readonly [number, number]) => `${a}.${b}`,
        Array.from({ length: 50 }, (_, i) => [call, i] as const),
      ),
    );
    const results = await Promise.all(calls);
    results.forEach((result, call) =>
      expect(result).to.deep.equal(Array.from({ length: 50 }, (_, i) => `${call}.${i}`)),
    );
  });
});

describe('nJobs', () => {
  const gates = useGates();

  it('is by default, and for null, the number of CPUs', async () => {
    const count = availableParallelism();
    for (const [round, options] of [undefined, {}, { nJobs: null }, { nJobs: undefined }].entries()) {
      await using pool = new WorkerPool(options);
      const dir = join(gates().dir, String(round));
      mkdirSync(dir);
      const seen = await pool.map(
        whoMeets,
        Array.from({ length: 4 * count }, () => [dir, count] as const),
        { chunkSize: 1 },
      );
      expect(new Set(seen.map(({ workerId }) => workerId)).size).to.equal(count);
    }
  });
});
