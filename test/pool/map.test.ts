import { expect } from 'chai';
import { Readable } from 'node:stream';
import { createPool, endPools, sharePools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

describeEach.of(['threading', 'fork', 'inline'], 'map', ({ name: startMethod }) => {
  afterEach(endPools);
  const share = sharePools();

  it('gives the results in the order of the values', async () => {
    const pool = share({ nJobs: 2, startMethod });
    const input = Array.from({ length: 500 }, (_, i) => i);
    expect(await pool.map((x: number) => x * 2, input)).to.deep.equal(input.map((x) => x * 2));
  });

  it('gives them in order, also when the first is the slowest of many', async () => {
    const pool = share({ nJobs: 2, startMethod });
    const slowFirst = async (x: number) => {
      if (x === 0) await new Promise((resolve) => setTimeout(resolve, 200));
      return x;
    };
    const input = Array.from({ length: 2000 }, (_, i) => i);
    expect(await pool.map(slowFirst, input, { maxTasksActive: 10 })).to.deep.equal(input);
  });

  it('passes the index and the worker to the function', async () => {
    const pool = share({ nJobs: 2, startMethod });
    const seen = await pool.map(
      (_: string, { index, workerId, signal }) => [index, workerId >= 0 && workerId < 2, signal.aborted] as const,
      ['a', 'b', 'c', 'd'],
    );
    expect(seen).to.deep.equal([0, 1, 2, 3].map((index) => [index, true, false]));
  });

  it('passes the index in the input also where results come out of order', async () => {
    const pool = share({ nJobs: 3, startMethod });
    const input = Array.from({ length: 30 }, (_, i) => i + 100);
    const pairs = await pool.mapUnordered(
      async (x: number, { index }) => {
        await new Promise((resolve) => setTimeout(resolve, (x * 7) % 5));
        return [x, index] as const;
      },
      input,
      { chunkSize: 1 },
    );
    expect(pairs).to.have.lengthOf(30);
    for (const [x, index] of pairs) expect(index).to.equal(x - 100);
  });

  it('mapUnordered gives every result, the quickest first', async () => {
    const pool = share({ nJobs: 2, startMethod });
    const wait = async (x: number) => {
      await new Promise((resolve) => setTimeout(resolve, x));
      return x;
    };
    expect(await pool.mapUnordered(wait, [2000, 1, 2, 3], { chunkSize: 1 })).to.deep.equal([1, 2, 3, 2000]);
  });

  it('takes empty input, one item, and fewer items than workers', async () => {
    const pool = share({ nJobs: 4, startMethod });
    expect(await pool.map((x: number) => x, [])).to.deep.equal([]);
    expect(await pool.mapUnordered((x: number) => x, [])).to.deep.equal([]);
    expect(await pool.map((x: number) => x + 1, [1])).to.deep.equal([2]);
    expect(await pool.map((x: number) => x + 1, [1, 2])).to.deep.equal([2, 3]);
  });

  for (const chunkSize of [1, 2, 3, 7, 64, 1000, Number.MAX_SAFE_INTEGER]) {
    it(`covers every value once with chunkSize ${chunkSize}`, async () => {
      const pool = share({ nJobs: 2, startMethod });
      const input = Array.from({ length: 100 }, (_, i) => i);
      expect(await pool.map((x: number) => x, input, { chunkSize })).to.deep.equal(input);
    });
  }

  it('reads any iterable: a string, a Set, a Map, a generator, a typed array', async () => {
    const pool = share({ nJobs: 2, startMethod });
    const echo = (x: unknown) => x;
    const generate = function* () {
      yield* [1, 2, 3];
    };
    expect(await pool.map(echo, 'añ😀')).to.deep.equal(['a', 'ñ', '😀']);
    expect(await pool.map(echo, new Set([1, 2]))).to.deep.equal([1, 2]);
    expect(await pool.map(echo, new Map([['k', 1]]))).to.deep.equal([['k', 1]]);
    expect(await pool.map(echo, generate())).to.deep.equal([1, 2, 3]);
  });

  it('reads async iterables, Node streams and web streams', async () => {
    const pool = share({ nJobs: 2, startMethod });
    const echo = (x: unknown) => x;
    const generate = async function* () {
      yield 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      yield 2;
    };
    const web = new ReadableStream<number>({
      start(controller) {
        controller.enqueue(7);
        controller.close();
      },
    });
    expect(await pool.map(echo, generate())).to.deep.equal([1, 2]);
    expect(await pool.map(echo, Readable.from(['x', 'y']))).to.deep.equal(['x', 'y']);
    expect(await pool.map(echo, web)).to.deep.equal([7]);
  });

  it('takes holes of a sparse array, undefined and null as values', async () => {
    const pool = share({ nJobs: 1, startMethod });
    const sparse: unknown[] = [];
    sparse[2] = null;
    expect(await pool.map((x: unknown) => [x], sparse)).to.deep.equal([[undefined], [undefined], [null]]);
  });

  it('`return undefined` is a result', async () => {
    const pool = share({ nJobs: 2, startMethod });
    expect(await pool.map(() => undefined, [1, 2, 3])).to.deep.equal([undefined, undefined, undefined]);
  });

  it('awaits whatever then-s, however the function was declared', async () => {
    const pool = share({ nJobs: 2, startMethod });
    expect(await pool.map((x: number) => Promise.resolve(x), [1])).to.deep.equal([1]);
    expect(await pool.map(async (x: number) => x, [2])).to.deep.equal([2]);
    // eslint-disable-next-line unicorn/no-thenable
    const thenable = (x: number) => ({ then: (resolve: (x: number) => void) => resolve(x) });
    expect(await pool.map(thenable, [3])).to.deep.equal([3]);
    const late = (x: number) => ({ then: (resolve: (x: number) => void) => void setTimeout(resolve, 5, x) });
    expect(await pool.map(late, [4, 5])).to.deep.equal([4, 5]);
    const nested = (x: number) => ({
      then: (resolve: (x: unknown) => void) => resolve({ then: (inner: (x: number) => void) => inner(x) }),
    });
    expect(await pool.map(nested, [6])).to.deep.equal([6]);
    const callable = (x: number) =>
      Object.assign(() => undefined, { then: (resolve: (x: number) => void) => resolve(x) });
    expect(await pool.map(callable, [7])).to.deep.equal([7] as unknown[]);
  });

  it('rejects where a thenable rejects, or where reading its then throws', async () => {
    const pool = share({ nJobs: 1, startMethod });
    const rejecting = () => ({
      then: (_: unknown, reject: (e: Error) => void) => reject(new RangeError('by then')),
    });
    expect(await rejection(pool.map(rejecting, [1])))
      .to.be.instanceOf(RangeError)
      .with.property('message', 'by then');
    const trap = () => ({
      get then(): unknown {
        throw new TypeError('then is a trap');
      },
    });
    expect(await rejection(pool.map(trap, [1]))).to.have.property('message', 'then is a trap');
    expect(await pool.map((x: number) => x, [1])).to.deep.equal([1]);
  });

  it('runs 10,000 trivial tasks one by one', async () => {
    const pool = share({ nJobs: 2, startMethod });
    const input = Array.from({ length: 10_000 }, (_, i) => i);
    const results = await pool.map((x: number) => x + 1, input, { chunkSize: 1 });
    expect(results).to.have.lengthOf(10_000);
    expect(results.every((x, i) => x === i + 1)).to.be.true;
  });

  it('keeps results apart from those that cannot be sent on the same worker', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const bad = async (x: number) => {
      if (x < 0) return x;
      const end = performance.now() + 5;
      while (performance.now() < end);
      return () => x;
    };
    const wait = async ([, time]: readonly [number, number], { index }: { index: number }) => {
      if (time > 0) await new Promise((resolve) => setTimeout(resolve, time));
      return index;
    };
    // Both functions are known to be quick, so that a chunk of the one waits on the worker behind a chunk of the other.
    for (let i = 0; i < 3; i++) {
      await pool.map(bad, [-1, -2, -3, -4]);
      await pool.map(wait, [
        [0, 0],
        [1, 0],
        [2, 0],
        [3, 0],
      ] as const);
    }
    const first = rejection(pool.map(bad, [1], { chunkSize: 1 }));
    const second = pool.map(
      wait,
      [
        [0, 60],
        [1, 1],
        [2, 1],
      ] as const,
      { chunkSize: 3 },
    );
    await first;
    expect(await second).to.deep.equal([0, 1, 2]);
  });
});
