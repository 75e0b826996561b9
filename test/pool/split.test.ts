// Who gets which values: `chunkSize`, `nSplits` and `orderTasks`.
import { expect } from 'chai';
import { from } from 'rxjs';
import type { CallOptions, TaskContext, TaskInput } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, transfer, WorkerPool } from '../support/library.js';
import { marked, messageOf, sizesOf, type Marked } from '../support/chunkSizes.js';
import { passGate, useGates } from '../support/gates.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { describeEach } from '../support/startMethods.js';
import { trackWorkers } from '../support/workers.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** The sizes of the chunks of a call, in their order. */
async function chunksOf(pool: WorkerPool, input: TaskInput<Marked>, options: CallOptions): Promise<number[]> {
  return sizesOf(await pool.map(messageOf, input, options));
}

async function* later(values: readonly number[]): AsyncGenerator<number> {
  for (const value of values) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield value;
  }
}

describeEach.of(['threading', 'forkserver'], 'chunks of a given size', ({ name: startMethod }) => {
  afterEach(endPools);
  trackWorkers(); // which looks when the pools have ended

  const inputs: Record<string, () => TaskInput<Marked>> = {
    'an array': () => marked(17),
    'a Set': () => new Set(marked(17)),
    'a generator': () => marked(17).values(),
  };
  for (const [what, input] of Object.entries(inputs)) {
    it(`have exactly that of ${what}, but for the last one`, async () => {
      const pool = createPool({ nJobs: 2, startMethod });
      expect(await chunksOf(pool, input(), { chunkSize: 5 })).to.deep.equal([5, 5, 5, 2]);
    });
  }

  it('are no larger than maxTasksActive', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    expect(await chunksOf(pool, marked(10), { chunkSize: 8, maxTasksActive: 3 })).to.deep.equal([3, 3, 3, 1]);
  });

  it('are whole where results come one by one, and room with them', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    // Tasks that wait have their results sent one by one.
    const whose = async (n: number, { state }: TaskContext): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (state.last !== n - 1) state.first = n;
      state.last = n;
      return state.first as number;
    };
    const firsts = await pool.map(whose, numbers(60), { chunkSize: 4, maxTasksActive: 8 });
    expect(firsts.every((first) => first % 4 === 0)).to.equal(true);
  });

  it('do not wait for values that come over time', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const results = pool.imap((n: number) => n, later(numbers(3)), { chunkSize: 1000 });
    for (const n of numbers(3)) expect((await results.next()).value).to.equal(n);
    expect((await results.next()).done).to.equal(true);
  });

  it('give all results, however consumed', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const seen: number[] = [];
    for await (const n of pool.imap((x: number) => x, numbers(100), { chunkSize: 7 })) seen.push(n);
    expect(seen).to.deep.equal(numbers(100));
    for (const options of [{ chunkSize: 7 }, { nSplits: 7 }, { chunkSize: 200 }, { nSplits: 3, maxTasksActive: 2 }]) {
      const { values } = await outcomeOf(parallelFrom(numbers(100), (x) => x, { pool, ...options }));
      expect(values).to.deep.equal(numbers(100));
      expect(await pool.map((x: number) => x, [], options)).to.deep.equal([]);
    }
  });
});

describeEach.of(['threading', 'spawn'], 'nSplits', ({ name: startMethod }) => {
  afterEach(endPools);
  trackWorkers();

  const cases: readonly [count: number, nSplits: number, sizes: number[]][] = [
    [10, 3, [3, 3, 4]],
    [9, 3, [3, 3, 3]],
    [3, 10, [1, 1, 1]],
    [11, 1, [11]],
  ];
  for (const [count, nSplits, sizes] of cases) {
    it(`${nSplits} of ${count} values gives chunks of ${sizes.join(', ')}`, async () => {
      const pool = createPool({ nJobs: 2, startMethod });
      const found = await chunksOf(pool, marked(count), { nSplits });
      expect(found).to.deep.equal(sizes);
    });
  }

  it('holds for sets and maps', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    expect(await chunksOf(pool, new Set(marked(6)), { nSplits: 2 })).to.deep.equal([3, 3]);
    const map = new Map(marked(6).map((value) => [value, undefined]));
    expect(sizesOf(await pool.map(messageOf, map, { nSplits: 2 }))).to.deep.equal([3, 3]);
  });

  it('gives way to chunkSize', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    expect(await chunksOf(pool, marked(6), { nSplits: 2, chunkSize: 2 })).to.deep.equal([2, 2, 2]);
  });

  it('has no effect where the length is not known', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    expect((await chunksOf(pool, marked(6).values(), { nSplits: 2 }))[0]).to.equal(1);
    const source = from(numbers(6)).pipe(parallelMap((n) => n, { pool, nSplits: 2 }));
    expect((await outcomeOf(source)).values).to.deep.equal(numbers(6));
  });
});

describeEach.of(['threading', 'fork'], 'orderTasks', ({ name: startMethod }) => {
  afterEach(endPools);
  const workers = trackWorkers();
  const gates = useGates();

  const whose = (_: unknown, { workerId }: TaskContext): number => workerId;

  it('gives chunk after chunk to workers 0, 1, 2, … and begins anew with each call', async () => {
    const pool = createPool({ nJobs: 3, startMethod, orderTasks: true, keepAlive: true });
    for (let call = 0; call < 3; call++) {
      const ids = await pool.map(whose, numbers(20), { chunkSize: 2 });
      expect(ids).to.deep.equal(numbers(20).map((n) => Math.floor(n / 2) % 3));
    }
    expect(workers.started).to.equal(3);
  });

  it('holds also where some tasks take longer', async () => {
    const pool = createPool({ nJobs: 2, startMethod, orderTasks: true });
    const slow = async (n: number, { workerId }: TaskContext): Promise<number> => {
      if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      return workerId;
    };
    const ids = await pool.map(slow, numbers(30), { chunkSize: 1 });
    expect(ids).to.deep.equal(numbers(30).map((n) => n % 2));
  });

  it('lets the other workers go on with theirs while one is at a long task', async () => {
    const pool = createPool({ nJobs: 2, startMethod, orderTasks: true });
    const values = numbers(8).map((n) => gates().value(n));
    const call = pool.map(passGate, values, { chunkSize: 1 });
    for (const n of [1, 3, 5]) gates().open(n);
    await gates().haveStarted(0, 7);
    expect(gates().started).to.deep.equal(['0', '1', '3', '5', '7']);
    gates().openAll();
    expect(await call).to.deep.equal(numbers(8).map(String));
  });

  it('holds for calls at the same time, for operators, and with nSplits', async () => {
    const pool = createPool({ nJobs: 2, startMethod, orderTasks: true });
    const calls = await Promise.all([
      pool.map(whose, numbers(8), { chunkSize: 2 }),
      pool.map(whose, numbers(6), { nSplits: 3 }),
    ]);
    expect(calls).to.deep.equal([
      [0, 0, 1, 1, 0, 0, 1, 1],
      [0, 0, 1, 1, 0, 0],
    ]);
    const source = from(numbers(6)).pipe(parallelMap(whose, { nJobs: 3, startMethod, orderTasks: true, chunkSize: 1 }));
    expect((await outcomeOf(source)).values).to.deep.equal([0, 1, 2, 0, 1, 2]);
  });

  it('holds for workers that take the place of others', async () => {
    const pool = createPool({ nJobs: 2, startMethod, orderTasks: true });
    expect(await pool.map(whose, numbers(12), { chunkSize: 3, workerLifespan: 2 })).to.deep.equal(
      numbers(12).map((n) => Math.floor(n / 3) % 2),
    );
    const dieAt4 = (n: number, { workerId }: TaskContext) => (n === 4 ? process.exit(1) : workerId);
    const results = await pool.map(dieAt4, numbers(8), { chunkSize: 1, settle: true });
    const ids = results.map((result) => (result.status === 'fulfilled' ? result.value : 'died'));
    expect(ids).to.deep.equal([0, 1, 0, 1, 'died', 1, 0, 1]);
  });

  it('holds for values that are transferred or cannot be sent', async () => {
    const pool = createPool({ nJobs: 2, startMethod, orderTasks: true });
    const value = (n: number): unknown => {
      const bytes = new Uint8Array(4);
      return n % 3 === 0 ? transfer(bytes, [bytes.buffer]) : n % 3 === 1 ? () => n : n;
    };
    const results = await pool.map(whose, numbers(12).map(value), { chunkSize: 2, settle: true });
    results.forEach((result, n) => {
      if (n % 3 === 1) expect(result.status).to.equal('rejected');
      else expect(result).to.deep.equal({ status: 'fulfilled', value: Math.floor(n / 2) % 2 });
    });
  });

  it('gives all results of many short tasks', async () => {
    const pool = createPool({ nJobs: 2, startMethod, orderTasks: true });
    const values = numbers(20_000);
    expect(await pool.map((n: number) => n, values)).to.deep.equal(values);
  });
});
