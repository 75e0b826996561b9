// Typed arrays as input: cut into pieces, and put together again by `map`.
import { expect } from 'chai';
import type { TaskContext } from 'rxjs-parallel-map';
import { parallelFrom } from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection, thrownBy } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { collect } from '../support/collect.js';

const double = (part: Float64Array): Float64Array => part.map((x) => 2 * x);
const lengthOf = (part: ArrayLike<unknown>): number => part.length;
const kindOf = (part: object): string => part.constructor.name;
const counted = (count: number): Float64Array => Float64Array.from({ length: count }, (_, n) => n);

describeEach.of(['threading', 'forkserver', 'inline'], 'a typed array', ({ name: startMethod, sharesMemory }) => {
  afterEach(endPools);

  it('is cut into typed arrays of chunkSize elements', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const input = counted(10);
    expect(await pool.map(lengthOf, input, { chunkSize: 4 })).to.deep.equal([4, 4, 2]);
    expect(await pool.map((part) => [...part], input, { chunkSize: 4 })).to.deep.equal([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(input).to.deep.equal(counted(10));
  });

  it('is cut into nSplits pieces, and by default into 64 for each worker', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    expect(await pool.map(lengthOf, counted(10), { nSplits: 3 })).to.deep.equal([3, 3, 4]);
    expect(await pool.map(lengthOf, counted(2), { nSplits: 3 })).to.deep.equal([1, 1]);
    expect(await pool.map(lengthOf, counted(256))).to.deep.equal(new Array<number>(128).fill(2));
    expect(await pool.map(lengthOf, counted(5))).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it('gives one typed array again, where the results are such', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    for (const options of [{}, { chunkSize: 7 }, { nSplits: 3 }, { chunkSize: 10_000 }]) {
      const result = await pool.map(double, counted(1000), options);
      expect(result).to.be.instanceOf(Float64Array);
      expect(result).to.deep.equal(counted(1000).map((x) => 2 * x));
    }
    const chosen = await pool.map((part) => Uint8Array.from(part.filter((x) => x % 2 === 0)), counted(9));
    expect(chosen).to.deep.equal(new Uint8Array([0, 2, 4, 6, 8]));
  });

  it('gives a list with concatenate: false, with settle, and of other results', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const input = counted(3);
    expect(await pool.map(double, input, { chunkSize: 2, concatenate: false })).to.deep.equal([
      new Float64Array([0, 2]),
      new Float64Array([4]),
    ]);
    expect(await pool.map(double, input, { chunkSize: 2, settle: true })).to.deep.equal([
      { status: 'fulfilled', value: new Float64Array([0, 2]) },
      { status: 'fulfilled', value: new Float64Array([4]) },
    ]);
    const mixed = (part: Float64Array) => (part[0] === 0 ? new Float64Array(1) : new Int8Array(1));
    const list = await pool.map<Float64Array, unknown>(mixed, input, { chunkSize: 2 });
    expect(list).to.deep.equal([new Float64Array(1), new Int8Array(1)]);
  });

  it('that is empty gives an empty one', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await pool.map(double, new Float64Array(0))).to.deep.equal(new Float64Array(0));
    expect(await pool.map(double, new Float64Array(0), { concatenate: false })).to.deep.equal([]);
    const none = await pool.map((part) => part, Buffer.alloc(0));
    expect([none.constructor, none.length]).to.deep.equal([Buffer, 0]); // as where there are bytes
  });

  it('that was transferred elsewhere is a TypeError, not taken for an empty one', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const gone = counted(4);
    structuredClone(0, { transfer: [gone.buffer as ArrayBuffer] });
    const message = '"input" is a typed array whose memory was transferred';
    for (const call of [pool.map(double, gone), pool.mapUnordered(double, gone)]) {
      const error = await rejection(call);
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include(message);
    }
    expect(() => pool.imap(double, gone)).to.throw(TypeError, message);
    expect(() => parallelFrom(gone, double, { pool })).to.throw(TypeError, message);
  });

  it('fails the call where there is no memory for its results', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const none = new RangeError('Array buffer allocation failed');
    const { constructor } = Float32Array.prototype;
    const useConstructor = (value: unknown) =>
      Object.defineProperty(Float32Array.prototype, 'constructor', { value, writable: true, configurable: true });
    useConstructor(function () {
      throw none;
    });
    try {
      const task = (part: Float64Array) => Float32Array.from(part);
      expect(await rejection(pool.map(task, counted(4), { chunkSize: 2 }))).to.equal(none);
    } finally {
      useConstructor(constructor);
    }
  });

  it('may be of any kind, also a part of a larger one', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const whole = new Uint16Array(100).fill(7);
    const part = whole.subarray(40, 44);
    // Only the piece travels, not all of the memory that it is a view of.
    const bytes = (piece: Uint16Array) => [...piece, piece.buffer.byteLength];
    expect(await pool.map(bytes, part, { chunkSize: 2 })).to.deep.equal([
      [7, 7, 4],
      [7, 7, 4],
    ]);
    for (const input of [new Int8Array(2), new Uint8ClampedArray(2), new BigInt64Array(2), new Float32Array(2)]) {
      expect(await pool.map(kindOf, input, { chunkSize: 2 })).to.deep.equal([input.constructor.name]);
    }
    const same = await pool.map((piece) => piece, new BigUint64Array([1n, 2n, 3n]), { chunkSize: 2 });
    expect(same).to.deep.equal(new BigUint64Array([1n, 2n, 3n]));
    const upper = (piece: Uint8Array) => piece.map((byte) => byte - 32);
    expect(Buffer.from(await pool.map(upper, Buffer.from('letters'), { chunkSize: 3 })).toString()).to.equal('LETTERS');
  });

  it('is cut by all methods, and by parallelFrom', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const options = { chunkSize: 4 };
    expect(await pool.mapUnordered(lengthOf, counted(10), options)).to.have.members([2, 4, 4]);
    expect(await collect(pool.imap(lengthOf, counted(10), options))).to.deep.equal([4, 4, 2]);
    expect(await collect(pool.imapUnordered(lengthOf, counted(10), options))).to.have.members([2, 4, 4]);
    const { values } = await outcomeOf(parallelFrom(counted(10), double, { pool, ...options }));
    expect(values.map((part) => [...part])).to.deep.equal([
      [0, 2, 4, 6],
      [8, 10, 12, 14],
      [16, 18],
    ]);
    expect(await pool.map(lengthOf, [counted(3), counted(5)], options)).to.deep.equal([3, 5]);
  });

  it(`of shared memory ${sharesMemory ? 'is worked on where it is' : 'is copied'}`, async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const shared = new Int32Array(new SharedArrayBuffer(40));
    await pool.map((part) => void part.fill(part.length), shared, { chunkSize: 4 });
    expect([...shared]).to.deep.equal(sharesMemory ? [4, 4, 4, 4, 4, 4, 4, 4, 2, 2] : new Array<number>(10).fill(0));
  });

  it('gives its pieces indexes, and deals them out in turn where that is asked for', async () => {
    const pool = createPool({ nJobs: 2, startMethod, orderTasks: true });
    const where = (_: unknown, { index, workerId }: TaskContext) => [index, workerId];
    expect(await pool.map(where, counted(8), { chunkSize: 2 })).to.deep.equal([
      [0, 0],
      [1, 1],
      [2, 0],
      [3, 1],
    ]);
  });
});

describe('the option concatenate', () => {
  afterEach(endPools);

  it('is true or false, and of map alone', async () => {
    const pool = createPool({ nJobs: 1 });
    const wrong = await rejection(pool.map(double, counted(1), { concatenate: 1 as never }));
    expect(wrong).to.be.instanceOf(TypeError);
    expect(wrong.message).to.equal('map: option "concatenate" must be true or false, got 1.');
    const options = { concatenate: true } as never;
    const misplaced = await rejection(pool.mapUnordered(double, counted(1), options));
    expect(misplaced.message).to.include('option "concatenate" is not accepted here, only by map of a pool');
    expect(thrownBy(() => pool.imap(double, counted(1), options))).to.be.instanceOf(TypeError);
    expect(thrownBy(() => parallelFrom(counted(1), double, options))).to.be.instanceOf(TypeError);
  });
});
