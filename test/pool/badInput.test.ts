import { expect } from 'chai';
import { WorkerPool } from '../support/library.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection, thrownBy } from '../support/rejection.js';
import { same } from '../support/tasks.js';

type AnyPool = Record<string, (...args: unknown[]) => unknown>;

describe('new WorkerPool', () => {
  const bad: readonly [object, ErrorConstructor, RegExp][] = [
    [{ nJobs: 0 }, RangeError, /"nJobs".*positive integer.*0/],
    [{ nJobs: -1 }, RangeError, /"nJobs".*-1/],
    [{ nJobs: 1.5 }, RangeError, /"nJobs".*1\.5/],
    [{ nJobs: NaN }, RangeError, /"nJobs".*NaN/],
    [{ nJobs: Infinity }, RangeError, /"nJobs".*Infinity/],
    [{ nJobs: '4' }, TypeError, /"nJobs".*'4'/],
    [{ nJobs: true }, TypeError, /"nJobs"/],
    [{ nJobs: 4n }, TypeError, /"nJobs"/],
    [
      { startMethod: 'thread' },
      RangeError,
      /"startMethod".*'threading'.*'spawn'.*'thread'.*[Dd]id you mean 'threading'/,
    ],
    [{ startMethod: '' }, RangeError, /"startMethod"/],
    [{ startMethod: 1 }, TypeError, /"startMethod"/],
    [{ startMethod: null }, TypeError, /"startMethod"/],
    [{ startMethod: 'toString' }, RangeError, /"startMethod"/],
    [{ startMethod: '__proto__' }, RangeError, /"startMethod"/],
    [{ daemon: 'yes' }, TypeError, /"daemon".*true or false/],
    [{ daemon: null }, TypeError, /"daemon"/],
    [{ transferInput: () => [] }, TypeError, /"transferInput" is not accepted here/],
    [{ orderTasks: 1 }, TypeError, /"orderTasks".*true or false/],
    [{ keepAlive: 1 }, TypeError, /"keepAlive".*1/],
    [{ njobs: 4 }, TypeError, /njobs.*Did you mean "nJobs"/],
    [{ keepalive: true }, TypeError, /Did you mean "keepAlive"/],
    [{ chunkSize: 4 }, TypeError, /"chunkSize" is not accepted here/],
    [{ ordered: true }, TypeError, /"ordered" is not accepted here/],
    [JSON.parse('{"__proto__": {}}') as object, TypeError, /__proto__/],
    [{ constructor: 1 }, TypeError, /constructor/],
  ];
  for (const [options, Class, message] of bad) {
    const [[name, value]] = Object.entries(options) as [[string, unknown]];
    it(`refuses ${name}: ${typeof value === 'bigint' ? '4n' : (JSON.stringify(value) ?? String(value))}`, () => {
      const error = thrownBy(() => new WorkerPool(options));
      expect(error).to.be.instanceOf(Class);
      expect(error.message)
        .to.match(message)
        .and.to.match(/^WorkerPool: /);
    });
  }

  it('refuses what is no object of options', () => {
    for (const options of [null, 4, 'spawn', true, [], () => undefined, new Map(), Symbol('s')] as never[]) {
      expect(thrownBy(() => new WorkerPool(options))).to.be.instanceOf(TypeError);
    }
  });

  it('takes options without a prototype, and none that are inherited', async () => {
    const options = Object.assign(Object.create(null) as object, { nJobs: 1 });
    await using pool = new WorkerPool(options);
    expect(await pool.map(same, [1])).to.deep.equal([1]);
    const prototype = Object.prototype as { nJobs?: unknown };
    prototype.nJobs = -5;
    try {
      expect(new WorkerPool({})).to.be.instanceOf(WorkerPool);
    } finally {
      delete prototype.nJobs;
    }
  });
});

describe('a call with a bad argument', () => {
  afterEach(endPools);

  /** The error of a call, whichever way the method tells it. */
  async function errorOf(method: string, ...args: unknown[]): Promise<Error> {
    const pool = createPool({ nJobs: 1 });
    const call = (pool as unknown as AnyPool)[method]?.bind(pool) as (...all: unknown[]) => unknown;
    return method.startsWith('imap') ? thrownBy(() => call(...args)) : rejection(call(...args) as Promise<unknown>);
  }

  for (const method of ['map', 'mapUnordered', 'imap', 'imapUnordered', 'apply']) {
    const input = method === 'apply' ? [] : [1];

    it(`${method} refuses what is no function`, async () => {
      for (const fn of [undefined, null, 5, 'x => x', {}, [], Symbol('fn'), Promise.resolve(same)]) {
        const error = await errorOf(method, fn, input);
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.include(`${method}: "fn"`);
      }
    });

    for (const [options, Class, message] of [
      [{ signal: {} }, TypeError, /"signal".*AbortSignal/],
      [{ signal: new AbortController() }, TypeError, /"signal".*signal property/],
      [{ signal: null }, TypeError, /"signal"/],
      [{ workerDeathRetries: -1 }, RangeError, /"workerDeathRetries"/],
      [{ workerDeathRetries: 0.5 }, RangeError, /"workerDeathRetries"/],
      [{ workerDeathRetries: '1' }, TypeError, /"workerDeathRetries"/],
      [{ taskTimeout: 0 }, RangeError, /"taskTimeout"/],
      [{ taskTimeout: '1s' }, TypeError, /"taskTimeout"/],
      [{ onProgress: console }, TypeError, /"onProgress".*a function/],
      [{ workerLifespan: 0 }, RangeError, /"workerLifespan".*positive integer/],
      [{ workerLifespan: '5' }, TypeError, /"workerLifespan"/],
      [{ settle: 'yes' }, TypeError, /"settle".*true or false/],
      [{ cancelTimeout: -1 }, RangeError, /"cancelTimeout"/],
      [{ cancelTimeout: NaN }, RangeError, /"cancelTimeout"/],
      [{ nJobs: 4 }, TypeError, /"nJobs" is not accepted here/],
      [{ chunksize: 4 }, TypeError, /chunksize/],
      [null, TypeError, /options must be an object/],
      [5, TypeError, /options must be an object/],
    ] as const) {
      it(`${method} refuses options ${typeof options === 'object' && options !== null ? Object.keys(options)[0] + ': ' + JSON.stringify(Object.values(options)[0]) : String(options)}`, async () => {
        const error = await errorOf(method, same, input, options);
        expect(error).to.be.instanceOf(Class);
        expect(error.message).to.match(message).and.to.include(`${method}: `);
      });
    }
    if (method === 'apply') continue;

    it(`${method} refuses what is no input`, async () => {
      for (const bad of [undefined, null, 5, true, {}, () => [1], Promise.resolve([1]), { subscribe() {} }]) {
        const error = await errorOf(method, same, bad);
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.include(`${method}: "input"`);
      }
    });

    it(`${method} refuses a chunkSize and a maxTasksActive that are none`, async () => {
      for (const option of ['chunkSize', 'maxTasksActive']) {
        for (const value of [0, -1, 1.5, NaN, Infinity]) {
          const error = await errorOf(method, same, input, { [option]: value });
          expect(error).to.be.instanceOf(RangeError);
          expect(error.message).to.include(`"${option}"`).and.to.include(String(value));
        }
        for (const value of ['1', null, true, {}]) {
          expect(await errorOf(method, same, input, { [option]: value })).to.be.instanceOf(TypeError);
        }
      }
    });
  }

  it('apply refuses arguments that are no array, and options of a map', async () => {
    for (const args of [5, 'text', {}, null, new Set([1])]) {
      const error = await errorOf('apply', same, args);
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include('apply: "args"');
    }
    expect(await errorOf('apply', same, [], { chunkSize: 1 }))
      .to.be.instanceOf(TypeError)
      .with.property('message')
      .that.includes('"chunkSize" is not accepted here');
  });

  it('starts nothing, reads nothing, and leaves the pool as it was', async () => {
    const pool = createPool({ nJobs: 1 });
    let read = 0;
    const input = {
      *[Symbol.iterator]() {
        read++;
        yield 1;
      },
    };
    await rejection(pool.map(same, input, { chunkSize: 0 }));
    await rejection(pool.map(5 as never, input));
    thrownBy(() => pool.imap(same, input, { chunkSize: 0 }));
    expect(read).to.equal(0);
    expect(process.getActiveResourcesInfo()).to.not.include('MessagePort');
    await pool.stopAndJoin();
    expect(await pool.map(same, input)).to.deep.equal([1]);
  });

  it('undefined options are their defaults', async () => {
    const pool = createPool({ nJobs: undefined, startMethod: undefined, daemon: undefined, keepAlive: undefined });
    const none = { chunkSize: undefined, maxTasksActive: undefined, signal: undefined, workerDeathRetries: undefined };
    expect(await pool.map(same, [1], none)).to.deep.equal([1]);
    expect(await pool.map(same, [1], undefined)).to.deep.equal([1]);
  });
});
