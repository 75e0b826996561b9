// How values are grouped on their way to the workers: by what they cost, and never at the expense of an idle worker.
import { expect } from 'chai';
import { transfer, WorkerDiedError } from '../support/library.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

/** Sleeps for so many milliseconds, and not at all for 0; a negative number ends the worker. */
const task = (ms: number): number | Promise<number> => {
  if (ms < 0) process.exit(1);
  return ms === 0 ? 0 : new Promise((resolve) => setTimeout(resolve, ms, ms));
};
/** So many calls that take no time, from which the pool learns that. */
const quick = (count: number): number[] => new Array<number>(count).fill(0);

describeEach.distinct('chunks', ({ name: startMethod }) => {
  afterEach(endPools);

  it('hold many values where calls are quick', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const values = quick(30_000);
    values[20_000] = -1;
    const { indexes } = await rejection<WorkerDiedError>(pool.map(task, values));
    // What was lost is the rest of the chunk that the worker was at.
    expect(indexes[0]).to.equal(20_000);
    expect(indexes).to.have.length.above(10);
  });

  it('hold one value before it is known how long the calls take', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const { indexes } = await rejection<WorkerDiedError>(pool.map(task, [-1, ...quick(1000)]));
    expect(indexes).to.deep.equal([0]);
  });

  it('hold no more than a fair share of what waits', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    await pool.map(task, quick(30_000));
    const { indexes } = await rejection<WorkerDiedError>(pool.map(task, [-1, ...quick(7)]));
    expect(indexes).to.have.length.within(1, 2);
  });

  it('have the size that is asked for', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const { indexes } = await rejection<WorkerDiedError>(pool.map(task, [-1, ...quick(99)], { chunkSize: 7 }));
    expect(indexes).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
  });

  it('are sent ahead where calls are short: a worker goes on while the program itself is busy', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const note = (): void => {
      const kept = globalThis as { starts?: number[] };
      (kept.starts ??= []).push(Date.now());
    };
    const starts = () => (globalThis as { starts?: number[] }).starts;
    let most = 0;
    // A machine that stalls makes calls look long: then once more.
    for (let round = 0; round < 5 && most < 2; round++) {
      await pool.map(note, quick(1000), { chunkSize: 1 });
      const results = pool.imap(note, quick(100), { chunkSize: 1 });
      await results.next();
      const begin = Date.now();
      while (Date.now() < begin + 100);
      const end = Date.now();
      await results.return?.();
      most = (await pool.apply(starts))?.filter((at) => at > begin && at <= end).length ?? 0;
    }
    expect(most).to.be.at.least(2);
  });

  it('wait for a worker that is not started yet rather than behind another value', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const compute = (ms: number): number => {
      for (const end = performance.now() + ms; performance.now() < end;);
      return ms;
    };
    for (let n = 0; n < 20; n++) await pool.map(compute, [0]);
    expect(await pool.mapUnordered(compute, [1500, 0], { chunkSize: 1 })).to.deep.equal([0, 1500]);
  });

  it('with something that moves wait for an idle worker, for nobody could give them back', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const either = (value: number | Uint8Array): number | Promise<number> => {
      if (typeof value !== 'number') return -1;
      return value === 0 ? 0 : new Promise((resolve) => setTimeout(resolve, value, value));
    };
    await pool.map(either, quick(1000), { chunkSize: 1 });
    const bytes = new Uint8Array(8);
    const values = [1500, 300, transfer(bytes, [bytes.buffer])];
    expect(await pool.mapUnordered(either, values, { chunkSize: 1 })).to.deep.equal([300, -1, 1500]);
  });

  it('are shared out anew where a value takes longer than expected: those behind it do not wait', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    await pool.map(task, quick(30_000));
    const results = await pool.mapUnordered(task, [1000, ...quick(7)]);
    expect(results).to.deep.equal([...quick(7), 1000]);
  });
});
