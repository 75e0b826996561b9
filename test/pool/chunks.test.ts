// How values are grouped on their way to the workers: by what they cost, and never at the expense of an idle worker.
import { expect } from 'chai';
import { transfer } from '../support/library.js';
import { createPool, endPools } from '../support/pools.js';
import { marked, messageOf, sizesOf } from '../support/chunkSizes.js';
import { describeEach } from '../support/startMethods.js';

/** Sleeps for so many milliseconds, and not at all for 0. */
const task = (ms: number): number | Promise<number> => {
  return ms === 0 ? 0 : new Promise((resolve) => setTimeout(resolve, ms, ms));
};
/** The same, but keeps its worker's thread busy for so long. */
const compute = (ms: number): number => {
  for (const end = performance.now() + ms; performance.now() < end;);
  return ms;
};
/** So many calls that take no time, from which the pool learns that. */
const quick = (count: number): number[] => new Array<number>(count).fill(0);

describeEach.of(['threading', 'spawn'], 'chunks', ({ name: startMethod }) => {
  afterEach(endPools);

  it('hold many values where calls are quick', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const sizes = sizesOf(await pool.map(messageOf, marked(30_000)));
    expect(Math.max(...sizes)).to.be.above(10);
  });

  it('hold one value before it is known how long the calls take', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expect(sizesOf(await pool.map(messageOf, marked(1000)))[0]).to.equal(1);
  });

  it('hold no more than a fair share of what waits', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    await pool.map(messageOf, marked(30_000));
    const sizes = sizesOf(await pool.map(messageOf, marked(8)));
    expect(sizes[0]).to.be.within(1, 2);
    expect(Math.max(...sizes)).to.be.at.most(2);
  });

  it('have the size that is asked for', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const sizes = sizesOf(await pool.map(messageOf, marked(100), { chunkSize: 7 }));
    expect(sizes).to.deep.equal([...new Array<number>(14).fill(7), 2]);
  });

  it('are sent ahead where calls are short, so workers go on beside a busy program', async () => {
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
      while (Date.now() < begin + 100 * 2 ** round);
      const end = Date.now();
      await results.return?.();
      most = (await pool.apply(starts))?.filter((at) => at > begin && at <= end).length ?? 0;
    }
    expect(most).to.be.at.least(2);
  });

  it('wait for a worker that is not started yet rather than behind another value', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    for (let n = 0; n < 20; n++) await pool.map(compute, [0]);
    expect(await pool.mapUnordered(compute, [2000, 0], { chunkSize: 1 })).to.deep.equal([0, 2000]);
  });

  it('with something transferred wait for an idle worker', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const either = (value: number | Uint8Array): number | Promise<number> => {
      if (typeof value !== 'number') return -1;
      return value === 0 ? 0 : new Promise((resolve) => setTimeout(resolve, value, value));
    };
    await pool.map(either, quick(1000), { chunkSize: 1 });
    const bytes = new Uint8Array(8);
    const values = [2000, 300, transfer(bytes, [bytes.buffer])];
    expect(await pool.mapUnordered(either, values, { chunkSize: 1 })).to.deep.equal([300, -1, 2000]);
  });

  it('are shared out anew behind a value that takes longer than expected', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    await pool.map(task, quick(30_000));
    const results = await pool.mapUnordered(task, [2000, ...quick(7)]);
    expect(results).to.deep.equal([...quick(7), 2000]);
  });

  it('are shared out anew behind a call that blocks its worker', async () => {
    const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
    await pool.map(compute, quick(30_000));
    const values = Array.from({ length: 2000 }, (_, n) => n);
    const blocked = [5, 900];
    const task = (n: number): number => {
      if (n === 5 || n === 900) for (const end = performance.now() + 1500; performance.now() < end;);
      return n;
    };
    await pool.map(task, values.slice(6, 900));
    const results = await pool.mapUnordered(task, values);
    expect(results).to.have.lengthOf(2000);
    const late = new Set(results.slice(results.findIndex((n) => blocked.includes(n))));
    // What such a call was made after is done, and told with it.
    for (const n of late) expect(blocked.includes(n) || late.has(n + 1), `value ${n}`).to.equal(true);
  });

  it('of a given size are taken back as a whole behind a call that blocks its worker', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    await pool.map(compute, quick(1000), { chunkSize: 1 });
    const values = quick(100);
    values[50] = 1500;
    expect(await pool.mapUnordered(compute, values, { chunkSize: 1 })).to.deep.equal([...quick(99), 1500]);
  });

  it('are taken back also from a worker at its first call', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    // One at a time: nothing waits on a worker, but their pace is known.
    await pool.map(compute, quick(500), { chunkSize: 1, maxTasksActive: 1 });
    await pool.map(compute, [50, 50], { chunkSize: 1 }); // both are up
    await pool.map(compute, quick(1000), { chunkSize: 1, maxTasksActive: 1 });
    const results = await pool.mapUnordered(compute, [1500, ...quick(100)], { chunkSize: 1 });
    expect(results).to.deep.equal([...quick(100), 1500]);
  });

  it('are taken back also when many before could not be sent', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    await pool.map(compute, quick(1000), { chunkSize: 1 });
    const unsendable = Array.from({ length: 200 }, () => [0, () => 0] as never[]).flat();
    const outcomes = await pool.map(compute, unsendable, { chunkSize: 2, settle: true });
    expect(outcomes.filter(({ status }) => status === 'rejected')).to.have.lengthOf(200);
    const values = quick(100);
    values[50] = 1500;
    expect(await pool.mapUnordered(compute, values, { chunkSize: 1 })).to.deep.equal([...quick(99), 1500]);
  });

  it('that were taken back are done once, however often that happens', async () => {
    const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
    const values = Array.from({ length: 3000 }, (_, n) => n);
    // Calls that look quick, with long ones among them everywhere.
    const task = (n: number): number => {
      if (n % 97 === 0) for (const end = performance.now() + 25; performance.now() < end;);
      return n;
    };
    await pool.map(compute, quick(30_000));
    for (let round = 0; round < 3; round++) {
      expect((await pool.mapUnordered(task, values)).sort((a, b) => a - b)).to.deep.equal(values);
    }
  });
});
