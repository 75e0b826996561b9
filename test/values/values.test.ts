import { expect } from 'chai';
import type { WorkerPool as Pool } from 'rxjs-parallel-map';
import { WorkerPool } from '../support/library.js';
import { createPool, endPools } from '../support/pools.js';
import { describeEach } from '../support/startMethods.js';

describeEach.of(['threading', 'fork', 'inline'], 'a value that is sent', ({ name: startMethod }) => {
  afterEach(endPools);
  let kept: Pool;
  before(() => {
    kept = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
  });
  after(() => kept.terminate());
  const echo = (x: unknown) => x;
  /** To a worker and back. */
  const trip = async <T>(value: T): Promise<T> => {
    const [result] = await kept.map(echo, [value]);
    return result as T;
  };

  it('a Map, a Set, a Date, a RegExp, a bigint', async () => {
    const value = {
      map: new Map<unknown, unknown>([
        ['a', 1],
        [{ key: 1 }, new Set([1])],
      ]),
      set: new Set(['x', { y: 1 }]),
      date: new Date(86_400_000),
      invalid: new Date(NaN),
      regexp: /ab+c/gi,
      big: 2n ** 70n,
    };
    const arrived = await trip(value);
    expect(arrived.map).to.deep.equal(value.map);
    expect(arrived.set).to.deep.equal(value.set);
    expect(arrived.date).to.deep.equal(value.date);
    expect(arrived.invalid.getTime()).to.be.NaN;
    expect(String(arrived.regexp)).to.equal('/ab+c/gi');
    expect(arrived.big).to.equal(value.big);
  });

  for (const Class of [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ]) {
    it(`a ${Class.name}`, async () => {
      const arrived = await trip(Class.from([1, 2, 3]));
      expect(arrived).to.be.instanceOf(Class);
      expect([...arrived]).to.deep.equal([1, 2, 3]);
    });
  }

  it('a BigInt64Array, a DataView, an ArrayBuffer', async () => {
    const big = await trip(BigInt64Array.from([1n, -1n]));
    expect(big).to.be.instanceOf(BigInt64Array);
    expect([...big]).to.deep.equal([1n, -1n]);
    const view = await trip(new DataView(Uint8Array.from([1, 2, 3, 4]).buffer, 1, 2));
    expect(view).to.be.instanceOf(DataView);
    expect([view.byteLength, view.getUint8(0)]).to.deep.equal([2, 2]);
    const buffer = await trip(Uint8Array.from([5, 6]).buffer);
    expect(buffer).to.be.instanceOf(ArrayBuffer);
    expect([...new Uint8Array(buffer)]).to.deep.equal([5, 6]);
  });

  it('views of one buffer stay views of one buffer', async () => {
    const buffer = new ArrayBuffer(8);
    const [bytes, words] = await trip([new Uint8Array(buffer, 2, 4), new Uint16Array(buffer)] as const);
    expect(bytes.buffer).to.equal(words.buffer);
    expect([bytes.byteOffset, bytes.length, words.length]).to.deep.equal([2, 4, 4]);
  });

  it('a small view does not bring the memory of others along', async () => {
    const arrived = await trip(Buffer.from('small'));
    expect(arrived).to.be.instanceOf(Buffer);
    expect(arrived.toString()).to.equal('small');
  });

  it('-0, NaN, the infinities, undefined, null', async () => {
    const arrived = await trip([-0, NaN, Infinity, -Infinity, undefined, null, { a: undefined }] as const);
    expect(Object.is(arrived[0], -0)).to.be.true;
    expect(arrived.slice(1)).to.deep.equal([NaN, Infinity, -Infinity, undefined, null, { a: undefined }]);
    expect(Object.keys(arrived[6])).to.deep.equal(['a']);
  });

  it('sparse arrays stay sparse', async () => {
    const sparse: number[] = [];
    sparse[1000] = 1;
    const arrived = await trip(sparse);
    expect(arrived).to.have.lengthOf(1001);
    expect(Object.keys(arrived)).to.deep.equal(['1000']);
  });

  it('circles and shared objects', async () => {
    const shared = { s: 1 };
    const circle: Record<string, unknown> = { a: shared, b: shared };
    circle['self'] = circle;
    const arrived = await trip(circle);
    expect(arrived['self']).to.equal(arrived);
    expect(arrived['a']).to.equal(arrived['b']);
  });

  it('errors among the values, with their class', async () => {
    const arrived = await trip({ error: new RangeError('as a value') });
    expect(arrived.error).to.be.instanceOf(RangeError).with.property('message', 'as a value');
  });

  it('an error that is a result is a result', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const [result] = await pool.map(() => new TypeError('returned'), [1]);
    expect(result).to.be.instanceOf(TypeError).with.property('message', 'returned');
  });

  it('odd strings: lone surrogates, NUL, latin1, 10 million characters', async () => {
    for (const text of ['\ud800', 'a\0b', 'é', '😀', '', 'x'.repeat(10_000_000), 'ÿ€'.repeat(100_000)]) {
      expect((await trip(text)) === text).to.be.true;
    }
  });

  it('objects with odd keys', async () => {
    const value = JSON.parse('{"__proto__": 1, "": 2, "a b": 3, "0": 4}') as Record<string, number>;
    const arrived = await trip(value);
    expect(Object.keys(arrived)).to.deep.equal(Object.keys(value));
    expect(Object.getPrototypeOf(arrived)).to.equal(Object.prototype);
  });

  it('a buffer of 50 MB, both ways', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const bytes = new Uint8Array(50 * 2 ** 20);
    bytes[0] = 1;
    bytes[bytes.length - 1] = 2;
    const [result] = (await pool.map((x: Uint8Array) => x, [bytes])) as [Uint8Array];
    expect([result.length, result[0], result.at(-1)]).to.deep.equal([bytes.length, 1, 2]);
    expect(bytes.length).to.equal(50 * 2 ** 20);
  });

  it('many buffers at once', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const input = Array.from({ length: 40 }, (_, i) => new Uint8Array(2 ** 18).fill(i));
    const sums = await pool.map((x: Uint8Array) => [x.length, x[0], x.at(-1)], input);
    expect(sums).to.deep.equal(input.map((x, i) => [x.length, i, i]));
  });
});
