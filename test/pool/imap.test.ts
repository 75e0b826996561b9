import { expect } from 'chai';
import { getEventListeners } from 'node:events';
import { WorkerPool } from '../support/library.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { collect } from '../support/collect.js';

/** Numbers without end, which tell how many were taken and whether they were given back. */
function counter() {
  const state = { taken: 0, closed: 0 };
  const numbers = (function* () {
    try {
      for (;;) yield state.taken++;
    } finally {
      state.closed++;
    }
  })();
  return { state, numbers };
}

describeEach.of(['threading', 'forkserver'], 'imap', ({ name: startMethod }) => {
  afterEach(endPools);

  it('gives results in order, imapUnordered as they finish', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const wait = async (x: number) => {
      await new Promise((resolve) => setTimeout(resolve, x));
      return x;
    };
    expect(await collect(pool.imap(wait, [2000, 1, 2], { chunkSize: 1 }))).to.deep.equal([2000, 1, 2]);
    expect(await collect(pool.imapUnordered(wait, [2000, 1, 2], { chunkSize: 1 }))).to.deep.equal([1, 2, 2000]);
  });

  it('cancels what is left at the end of an `await using`', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const { state, numbers } = counter();
    {
      await using results = pool.imap((x: number) => x, numbers);
      expect(await results.next()).to.deep.equal({ done: false, value: 0 });
    }
    expect(state.closed).to.equal(1);
  });

  it('takes empty input and one item', async () => {
    const pool = createPool({ nJobs: 4, startMethod });
    expect(await collect(pool.imap((x: number) => x, []))).to.deep.equal([]);
    expect(await collect(pool.imapUnordered((x: number) => x, [9]))).to.deep.equal([9]);
  });

  it('reads nothing and starts no worker before the first next', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const { state, numbers } = counter();
    pool.imap((x: number) => x, numbers);
    await new Promise((resolve) => setImmediate(resolve));
    expect(state).to.deep.equal({ taken: 0, closed: 0 });
    // Nothing is under way, so a join has nothing to wait for.
    await pool.stopAndJoin();
  });

  it('stops reading while its consumer lags', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const { state, numbers } = counter();
    const results = pool.imap((x: number) => x, numbers, { maxTasksActive: 8 });
    expect((await results.next()).value).to.equal(0);
    // Longer than all that was read takes to be computed.
    await pool.apply(() => new Promise((resolve) => setTimeout(resolve, 100)));
    expect(state.taken).to.be.within(1, 9);
    for (let i = 1; i < 100; i++) {
      expect((await results.next()).value).to.equal(i);
      expect(state.taken).to.be.at.most(i + 1 + 8);
    }
    await results.return?.();
  });

  it('stops reading without maxTasksActive too', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const { state, numbers } = counter();
    const results = pool.imap((x: number) => x, numbers);
    await results.next();
    // Until the pace is known it reads more with every chunk; then two looks in a row find the same.
    let before = -1;
    while (state.taken !== before) {
      before = state.taken;
      expect(before).to.be.at.most(2 * 2 * 2 * 4096 + 1); // twice what two workers hold: a chunk each, and one ahead
      await pool.apply(() => new Promise((resolve) => setTimeout(resolve, 250)));
    }
    await results.return?.();
  });

  it('stops reading while the first value is late, though others are done', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const { state, numbers } = counter();
    const slowFirst = async (x: number) => {
      if (x === 0) await new Promise((resolve) => setTimeout(resolve, 300));
      return x;
    };
    const results = pool.imap(slowFirst, numbers, { maxTasksActive: 6 });
    expect((await results.next()).value).to.equal(0);
    expect(state.taken).to.be.at.most(12);
    await results.return?.();
  });

  it('runs no more tasks than maxTasksActive at once', async () => {
    const pool = createPool({ nJobs: 4, startMethod });
    const { state, numbers } = counter();
    const results = pool.imap((x: number) => x, numbers, { maxTasksActive: 1 });
    for (let i = 0; i < 10; i++) {
      expect((await results.next()).value).to.equal(i);
      expect(state.taken).to.be.at.most(i + 2);
    }
    await results.return?.();
  });

  it('break closes the input, reads no more, and leaves the pool usable', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const { state, numbers } = counter();
    for await (const result of pool.imap((x: number) => x, numbers)) if (result === 5) break;
    const { taken } = state;
    expect(state.closed).to.equal(1);
    expect(await pool.map((x: number) => x + 1, [1, 2])).to.deep.equal([2, 3]);
    expect(state).to.deep.equal({ taken, closed: 1 });
  });

  it('break ends a task inside an endless loop', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const stuck = (x: number) => {
      if (x === 1) for (;;);
      return x;
    };
    for await (const result of pool.imap(stuck, [0, 1, 2], { chunkSize: 1 })) {
      expect(result).to.equal(0);
      break;
    }
    await pool.stopAndJoin();
    expect(await pool.apply(() => 'again')).to.equal('again');
  });

  it('break aborts the signal of what runs, on a pool that stays', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const watch = (x: number, { signal }: { signal: AbortSignal }) => {
      if (x === 0) return 'first';
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          (globalThis as { heard?: boolean }).heard = true;
          resolve('aborted');
        });
      });
    };
    // One worker, which has the second value before the first result is delivered, and answers the map after it.
    for await (const _ of pool.imap(watch, [0, 1], { chunkSize: 1, cancelTimeout: Infinity })) break;
    const heard = await pool.map(() => (globalThis as { heard?: boolean }).heard === true, [1, 2, 3, 4, 5, 6]);
    expect(heard).to.include(true);
  });

  it('serves next calls that were made ahead, in order', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const results = pool.imap((x: number) => x * x, [1, 2, 3]);
    const answers = await Promise.all(Array.from({ length: 5 }, () => results.next()));
    expect(answers).to.deep.equal([
      { done: false, value: 1 },
      { done: false, value: 4 },
      { done: false, value: 9 },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it('tells an error once and is done then', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const fail = (x: number) => {
      if (x === 1) throw new RangeError('one');
      return x;
    };
    const results = pool.imap(fail, [0, 1, 2]);
    expect(await results.next()).to.deep.equal({ done: false, value: 0 });
    expect(await rejection(results.next())).to.be.instanceOf(RangeError);
    expect(await results.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('tells an error once that has come before it was asked for', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const controller = new AbortController();
    const results = pool.imap((x: number) => x, [0, 1, 2], { signal: controller.signal, maxTasksActive: 1 });
    expect(await results.next()).to.deep.equal({ done: false, value: 0 });
    controller.abort('enough');
    expect(await rejection(results.next())).to.equal('enough');
    expect(await results.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('return before the first next ends it without a start', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const { state, numbers } = counter();
    const early = pool.imap((x: number) => x, numbers);
    expect(await early.return?.()).to.deep.equal({ done: true, value: undefined });
    expect(await early.next()).to.deep.equal({ done: true, value: undefined });
    expect(state.taken).to.equal(0);

    const waiting = pool.imap(() => new Promise(() => setInterval(() => undefined, 1000)), [1]);
    const next = waiting.next();
    await waiting.return?.();
    expect(await next).to.deep.equal({ done: true, value: undefined });
  });

  it('throw ends it and rejects with the error', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const { state, numbers } = counter();
    const results = pool.imap((x: number) => x, numbers);
    await results.next();
    const error = new Error('from the consumer');
    expect(await rejection(results.throw?.(error) as Promise<unknown>)).to.equal(error);
    expect(state.closed).to.equal(1);
    expect(await results.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('holds many results of one batch until they are taken', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const results = pool.imap(
      (x: number) => x,
      Array.from({ length: 1000 }, (_, i) => i),
      { chunkSize: 100 },
    );
    await results.next();
    await pool.apply(() => 0);
    const rest = await collect(results);
    expect(rest).to.deep.equal(Array.from({ length: 999 }, (_, i) => i + 1));
  });
});

describe('imap and its input', () => {
  afterEach(endPools);
  const echo = (x: number) => x;

  it('tells an input that throws on item 1, on item 2, and while being closed apart', async () => {
    const pool = createPool({ nJobs: 1 });
    const first: Iterable<number> = {
      [Symbol.iterator]: () => ({
        next() {
          throw new RangeError('first');
        },
      }),
    };
    expect(await rejection(pool.map(echo, first))).to.have.property('message', 'first');

    const second = (function* (): Generator<number> {
      yield 1;
      throw new RangeError('second');
    })();
    expect(await rejection(pool.map(echo, second))).to.have.property('message', 'second');

    const closing = (function* (): Generator<number> {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        // eslint-disable-next-line no-unsafe-finally
        throw new RangeError('closing');
      }
    })();
    const failing = (x: number) => {
      if (x === 1) throw new TypeError('the task');
      return x;
    };
    expect(await rejection(pool.map(failing, closing))).to.have.property('message', 'the task');
    await pool.stopAndJoin();
  });

  it('an async input that throws, and one that throws while being closed', async () => {
    const pool = createPool({ nJobs: 1 });
    const second = (async function* (): AsyncGenerator<number> {
      yield 1;
      throw new RangeError('second');
    })();
    expect(await rejection(pool.map(echo, second))).to.have.property('message', 'second');

    const closing: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false, value: 1 }),
        return: () => {
          throw new RangeError('closing');
        },
      }),
    };
    const failing = () => {
      throw new TypeError('the task');
    };
    expect(await rejection(pool.map(failing, closing))).to.have.property('message', 'the task');
    await pool.stopAndJoin();
  });

  for (const [what, input] of [
    [
      'whose iterator cannot be made',
      () => ({
        [Symbol.iterator]() {
          throw new RangeError('no iterator');
        },
      }),
    ],
    [
      'that is a locked stream',
      () => {
        const stream = new ReadableStream();
        stream.getReader();
        return stream;
      },
    ],
  ] as const) {
    it(`an input ${what} rejects, and no join waits for it`, async () => {
      const pool = createPool({ nJobs: 1 });
      await rejection(pool.map(echo, input() as Iterable<number>));
      await rejection(pool.imap(echo, input() as Iterable<number>).next());
      await pool.stopAndJoin();
    });
  }

  it('an async input that never gives a value does not keep a terminated pool', async () => {
    const pool = createPool({ nJobs: 1 });
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    const pending = rejection(pool.map(echo, never));
    await pool.terminate();
    expect(await pending).to.have.property('name', 'PoolTerminatedError');
  });

  it('a web stream is cancelled when the loop is left', async () => {
    const pool = createPool({ nJobs: 1 });
    let cancelled!: () => void;
    const cancellation = new Promise<void>((resolve) => (cancelled = resolve));
    let at = 0;
    const stream = new ReadableStream<number>({
      pull: (controller) => controller.enqueue(at++),
      cancel: () => cancelled(),
    });
    for await (const _ of pool.imap(echo, stream)) break;
    await cancellation;
  });

  it('an input that itself uses the pool is fine', async () => {
    const pool = createPool({ nJobs: 2 });
    const inputs = async function* () {
      for (let i = 0; i < 5; i++) yield await pool.apply((x: number) => x * 10, [i]);
    };
    expect(await pool.map((x: number) => x + 1, inputs())).to.deep.equal([1, 11, 21, 31, 41]);
  });

  it('a signal that fires ends it with its reason', async () => {
    const pool = createPool({ nJobs: 1 });
    const controller = new AbortController();
    const results = pool.imap(() => new Promise(() => setInterval(() => undefined, 1000)), [1], {
      signal: controller.signal,
    });
    const next = rejection(results.next());
    controller.abort(new RangeError('enough'));
    expect(await next).to.have.property('message', 'enough');
  });

  it('leaves no listener on the signal', async () => {
    await using pool = new WorkerPool({ nJobs: 1 });
    const { signal } = new AbortController();
    await pool.map(echo, [1], { signal });
    for await (const _ of pool.imap(echo, [1, 2], { signal })) break;
    await pool.apply(() => 1, [], { signal });
    await rejection(
      pool.map(
        () => {
          throw new Error('fails');
        },
        [1],
        { signal },
      ),
    );
    expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0);
  });
});
