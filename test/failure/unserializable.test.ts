import { expect } from 'chai';
import { UnserializableError, type UnserializableError as Unserializable } from '../support/library.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

class Connection {
  readonly handler = () => undefined;
}

describeEach.of(['threading', 'spawn'], 'a value that cannot be sent', ({ name: startMethod, sharesMemory }) => {
  afterEach(endPools);

  const inputs: readonly [string, () => unknown, string, string][] = [
    ['a function', () => ({ user: { greet: () => 1 } }), 'value.user.greet', 'function greet'],
    ['a symbol', () => [1, Symbol('id')], 'value[1]', 'Symbol(id)'],
    ['a promise', () => ({ a: [Promise.resolve()] }), 'value.a[0]', 'Promise'],
    ['a WeakMap', () => ({ cache: new WeakMap() }), 'value.cache', 'WeakMap'],
    ['in a map', () => ({ m: new Map([['key', () => 1]]) }), 'value.m.get("key")', 'function'],
    ['in a class', () => new Connection(), 'value.handler', 'function handler'],
    ['the value itself', () => Symbol('all'), 'value', 'Symbol(all)'],
    [
      'a getter that throws',
      () => ({
        get bad(): unknown {
          throw new RangeError('no reading');
        },
      }),
      'value.bad',
      'no reading',
    ],
  ];
  for (const [what, make, path, kind] of inputs) {
    it(`on its way in, ${what}: an UnserializableError with the path`, async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      const error = await rejection<Unserializable>(pool.map((x: unknown) => typeof x, [1, make(), 3]));
      expect(error).to.be.instanceOf(UnserializableError);
      expect(error).to.include({ path, index: 1, direction: 'input' });
      expect(error.message).to.include(path).and.to.include(kind).and.to.include('index 1');
      expect(await pool.apply(identity)).to.equal(before);
    });
  }

  it('a socket', async () => {
    const { Socket } = await import('node:net');
    const socket = new Socket();
    const pool = createPool({ nJobs: 1, startMethod });
    const error = await rejection<Unserializable>(pool.map((x: unknown) => x, [{ user: { socket } }]));
    expect(error).to.include({ path: 'value.user.socket', direction: 'input' });
    expect(error.message).to.include('Socket');
    socket.destroy();
  });

  it('one of many in a chunk: those before it give their results', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const input = Array.from({ length: 20 }, (_, i) => (i === 13 ? () => i : i));
    const seen: unknown[] = [];
    let error: unknown;
    try {
      for await (const x of pool.imap((x: unknown) => x, input, { chunkSize: 10 })) seen.push(x);
    } catch (reason) {
      error = reason;
    }
    expect(seen).to.deep.equal(input.slice(0, 13));
    expect(error).to.be.instanceOf(UnserializableError).and.include({ index: 13, path: 'value' });
  });

  it('among the arguments of apply', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const take = (...args: unknown[]) => args.length;
    const error = await rejection<Unserializable>(pool.apply(take, [1, { callback: () => 1 }]));
    expect(error).to.be.instanceOf(UnserializableError).with.property('direction', 'input');
    expect(error.path).to.match(/\[1\]\.callback$/);
    expect(await pool.apply(take, [1])).to.equal(2);
  });

  const results: readonly [string, () => unknown, string, string][] = [
    ['a function', () => ({ user: { greet: () => 1 } }), 'value.user.greet', 'function greet'],
    ['a symbol', () => Symbol('id'), 'value', 'Symbol(id)'],
    ['a promise in it', () => ({ later: Promise.resolve(1) }), 'value.later', 'Promise'],
    ['a WeakSet', () => [new WeakSet()], 'value[0]', 'WeakSet'],
    ['by an async function', async () => ({ list: [0, () => 1] }), 'value.list[1]', 'function'],
    [
      'a getter that throws',
      () => ({
        get bad(): unknown {
          throw new RangeError('no reading');
        },
      }),
      'value.bad',
      'no reading',
    ],
    ['a generator object', () => (function* () {})(), 'value', ''],
  ];
  for (const [what, task, path, kind] of results) {
    it(`as a result, ${what}: an error with the path, and the worker lives`, async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      if (what !== 'a generator object') {
        const error = await rejection<Unserializable>(pool.map(task, [1]));
        expect(error).to.be.instanceOf(UnserializableError);
        expect(error).to.include({ path, index: 0, direction: 'result' });
        expect(error.message).to.include(path).and.to.include(kind);
        const again = await rejection<Unserializable>(pool.apply(task));
        expect(again).to.be.instanceOf(UnserializableError).with.property('path', path);
      } else {
        // Structured clone makes an empty object of it on some channels, and refuses it on others: no hang, in any case.
        await Promise.allSettled([pool.map(task, [1])]);
      }
      expect(await pool.apply(identity)).to.equal(before);
    });
  }

  it('one result of a chunk: those before it count', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const task = (x: number) => (x === 6 ? { x, bad: () => x } : x);
    const seen: unknown[] = [];
    let error: unknown;
    try {
      for await (const x of pool.imap(task, [0, 1, 2, 3, 4, 5, 6, 7, 8], { chunkSize: 9 })) seen.push(x);
    } catch (reason) {
      error = reason;
    }
    expect(seen).to.deep.equal([0, 1, 2, 3, 4, 5]);
    expect(error).to.be.instanceOf(UnserializableError).and.include({ index: 6, path: 'value.bad' });
  });

  it('a result that waits in a batch while the next value takes its time', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const task = async (x: number) => {
      if (x === 1) return () => x;
      if (x === 2) await new Promise((resolve) => setTimeout(resolve, 60_000));
      return x;
    };
    const start = performance.now();
    const error = await rejection<Unserializable>(pool.map(task, [0, 1, 2, 3], { chunkSize: 4 }));
    expect(error).to.be.instanceOf(UnserializableError).and.include({ index: 1, direction: 'result' });
    expect(await pool.map((x: number) => x, [5, 6])).to.deep.equal([5, 6]);
    expect(performance.now() - start).to.be.below(10_000);
  });

  it('as a result: a call behind it that is running harms no other call', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const task = async (n: number): Promise<unknown> => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      return process.exit(40 + n);
    };
    const either = (n: number) => (n === 0 ? () => n : task(n));
    const call = pool.map(either, [0, 1], { chunkSize: 2, captures: { task } });
    expect(await rejection(call)).to.be.instanceOf(UnserializableError);
    // It would be at a value when the worker ends.
    const slow = (n: number) => new Promise((resolve) => setTimeout(resolve, 60, n));
    expect(await pool.map(slow, [5, 6])).to.deep.equal([5, 6]);
  });

  it('a SharedArrayBuffer', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const shared = new SharedArrayBuffer(4);
    const write = (view: Int32Array) => {
      view[0] = 42;
    };
    const call = pool.map(write, [new Int32Array(shared)]);
    if (sharesMemory) {
      await call;
      expect(new Int32Array(shared)[0]).to.equal(42);
    } else {
      expect(await rejection(call))
        .to.be.instanceOf(UnserializableError)
        .with.property('direction', 'input');
      const nested = pool.map((x: object) => x, [{ a: [1, { view: new Int32Array(shared) }] }]);
      expect((await rejection<Unserializable>(nested)).path).to.match(/^value\.a\[1\]\.view/);
    }
  });
});
