// The option `settle`: a value that fails is a result like any other, and the call goes on.
import { expect } from 'chai';
import { concat, from, of, range, throwError, type Observable } from 'rxjs';
import type { TaskContext } from 'rxjs-parallel-map';
import {
  parallelFrom,
  parallelMap,
  parallelMergeMap,
  UnserializableError,
  WorkerDiedError,
  WorkerPool,
  WorkerStartError,
  WorkerTimeoutError,
  moduleTask,
} from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { loopForever, passGate, useGates, type Gated } from '../support/gates.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { trackWorkers } from '../support/workers.js';
import { collect } from '../support/collect.js';

/** Fails for odd numbers: at once, and after a while. */
const failOdd = (n: number): number | Promise<number> => {
  if (n % 4 === 1) throw Object.assign(new RangeError(`odd ${n}`), { code: n });
  if (n % 4 === 3) return Promise.reject(new TypeError(`later odd ${n}`));
  return n % 4 === 0 ? n : Promise.resolve(n);
};

/** A settled result as one word. */
const word = (result: PromiseSettledResult<unknown>): unknown =>
  result.status === 'fulfilled' ? result.value : (result.reason as Error).message;

const expected = (count: number): unknown[] =>
  Array.from({ length: count }, (_, n) => (n % 2 === 0 ? n : `${n % 4 === 1 ? '' : 'later '}odd ${n}`));

const byText = (a: unknown, b: unknown): number => String(a).localeCompare(String(b));

const numbers = Array.from({ length: 200 }, (_, n) => n);

describeEach.of(['threading', 'spawn'], 'settle, however tasks are run,', ({ name: startMethod }) => {
  let pool: WorkerPool;
  before(() => {
    pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });
  });
  after(() => pool.terminate());

  const ways: Record<string, (pool: WorkerPool) => Promise<PromiseSettledResult<number>[]>> = {
    map: (pool) => pool.map(failOdd, numbers, { settle: true }),
    mapUnordered: (pool) => pool.mapUnordered(failOdd, numbers, { settle: true }),
    imap: (pool) => collect(pool.imap(failOdd, numbers, { settle: true })),
    imapUnordered: (pool) => collect(pool.imapUnordered(failOdd, numbers, { settle: true })),
    'map in chunks of 7': (pool) => pool.map(failOdd, numbers, { settle: true, chunkSize: 7 }),
    'mapUnordered in chunks of 7': (pool) => pool.mapUnordered(failOdd, numbers, { settle: true, chunkSize: 7 }),
    parallelMap: (pool) => collectFrom(from(numbers).pipe(parallelMap(failOdd, { pool, settle: true }))),
    'parallelMap, ordered: false': (pool) =>
      collectFrom(from(numbers).pipe(parallelMap(failOdd, { pool, settle: true, ordered: false }))),
    parallelFrom: (pool) => collectFrom(parallelFrom(numbers, failOdd, { pool, settle: true })),
  };
  for (const [way, run] of Object.entries(ways)) {
    it(`gives a result or a reason for each value: ${way}`, async () => {
      const results = await run(pool);
      const words = results.map(word);
      if (/nordered|false/.test(way)) expect(words.sort(byText)).to.deep.equal(expected(200).sort(byText));
      else expect(words).to.deep.equal(expected(200));
      for (const result of results) {
        expect(Object.keys(result)).to.deep.equal(['status', result.status === 'fulfilled' ? 'value' : 'reason']);
      }
    });
  }
});

describeEach.of(['threading', 'forkserver'], 'settle', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);
  trackWorkers(); // which looks when the pools have ended
  const gates = useGates();

  it('is the record of one task for apply', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const [good, bad] = await Promise.all([
      pool.apply(failOdd, [2], { settle: true }),
      pool.apply(failOdd, [3], { settle: true }),
    ]);
    expect(good).to.deep.equal({ status: 'fulfilled', value: 2 });
    expect(word(bad)).to.equal('later odd 3');
  });

  it('keeps errors as they were thrown, with workerId and index', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const results = await pool.map(failOdd, [0, 5, 2, 1], { settle: true });
    const reasons = results.map((result) => (result.status === 'rejected' ? result.reason : undefined) as unknown);
    expect(reasons[1])
      .to.be.instanceOf(RangeError)
      .and.to.include({ message: 'odd 5', code: 5, workerId: 0, index: 1 });
    expect(reasons[3]).to.be.instanceOf(RangeError).and.to.include({ code: 1, index: 3 });
  });

  it('takes whatever is thrown for a reason', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const throwIt = (value: unknown) => {
      throw value;
    };
    expect(await pool.map(throwIt, [undefined, null, 'text', 0], { settle: true })).to.deep.equal([
      { status: 'rejected', reason: undefined },
      { status: 'rejected', reason: null },
      { status: 'rejected', reason: 'text' },
      { status: 'rejected', reason: 0 },
    ]);
  });

  it('runs every value once, and in the workers that it has, although all fail', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const before = await pool.apply(identity);
    const count = (_: unknown, { state }: { state: { runs?: number } }) => {
      state.runs = (state.runs ?? 0) + 1;
      throw new Error('never');
    };
    const results = await pool.map(count, numbers, { settle: true });
    expect(results.map(({ status }) => status)).to.deep.equal(numbers.map(() => 'rejected'));
    expect(await pool.apply(({ state }: { state: { runs: number } }) => state.runs)).to.equal(200);
    expect(await pool.apply(identity)).to.equal(before);
  });

  it('rejects only the values that a dead worker had begun', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const exitAt = (n: number) => (n === 6 ? process.exit(5) : n);
    const results = await pool.map(exitAt, numbers, { settle: true, chunkSize: 4 });
    const lost = results.flatMap((result, n) => (result.status === 'rejected' ? [n] : []));
    // Not 7, which it had, but had not begun.
    expect(lost).to.deep.equal([6]);
    const { reason } = results[6] as PromiseRejectedResult;
    expect(reason).to.be.instanceOf(WorkerDiedError);
    expect(reason).to.deep.include({ exitCode: 5, indexes: [6] });
  });

  it('starts the values of a dead worker again first, where that is allowed', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const exitAt = (n: number) => (n === 2 ? process.exit(5) : n);
    const options = { settle: true, chunkSize: 5, workerDeathRetries: 1 } as const;
    const results = await pool.map(exitAt, [0, 1, 2, 3, 4], options);
    expect(results.map(({ status }) => status === 'fulfilled')).to.deep.equal([true, true, false, true, true]);
    expect((results[2] as PromiseRejectedResult).reason).to.deep.include({ name: 'WorkerDiedError', indexes: [2] });
  });

  if (isProcess) {
    it('rejects the value of a worker that is killed, and a new one has its number', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const killAt1 = (n: number, { workerId }: { workerId: number }) => {
        if (n === 1) process.kill(process.pid, 'SIGKILL');
        return n === 1 ? new Promise<never>(() => undefined) : workerId;
      };
      const results = await pool.map(killAt1, [0, 1, 2], { settle: true, chunkSize: 1 });
      expect(results[0]).to.deep.equal({ status: 'fulfilled', value: 0 });
      expect((results[1] as PromiseRejectedResult).reason).to.include({ signal: 'SIGKILL', workerId: 0 });
      expect(results[2]).to.deep.equal({ status: 'fulfilled', value: 0 });
    });
  }

  it('rejects a value that takes longer than taskTimeout', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const loopAt2 = (n: number) => {
      while (n === 2);
      return n;
    };
    const results = await pool.map(loopAt2, [0, 1, 2, 3, 4], { settle: true, taskTimeout: 1000 });
    expect(results.map(({ status }) => status === 'fulfilled')).to.deep.equal([true, true, false, true, true]);
    const { reason } = results[2] as PromiseRejectedResult;
    expect(reason).to.be.instanceOf(WorkerTimeoutError);
    expect(reason).to.include({ index: 2, timeout: 1000, stage: 'task' });
  });

  it('does not start a value again that has taken longer than taskTimeout', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const loopAtA = (value: Gated, context: TaskContext) =>
      value.name === 'a' ? loopForever(value) : passGate(value, context);
    gates().openAll();
    const values = ['a', 'b', 'c'].map((name) => gates().value(name));
    const options = { settle: true, taskTimeout: 1000, captures: { loopForever, passGate } } as const;
    const results = await pool.mapUnordered(loopAtA, values, options);
    expect(results.map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled', 'fulfilled']);
    expect(gates().started).to.deep.equal(['a', 'b', 'c']);
  });

  for (const chunkSize of [1, 5, undefined]) {
    it(`rejects values and results that cannot be cloned, chunkSize ${chunkSize}`, async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      const give = (n: unknown) => (n === 1 ? { fn: () => n } : typeof n);
      const results = await pool.map(give, [0, 1, () => 2, 3, 1, 5], { settle: true, chunkSize });
      const rejected = results.map((result) => (result.status === 'rejected' ? (result.reason as object) : undefined));
      expect(rejected.map((reason) => reason !== undefined)).to.deep.equal([false, true, true, false, true, false]);
      for (const [index, direction] of [
        [1, 'result'],
        [2, 'input'],
        [4, 'result'],
      ] as const) {
        expect(rejected[index]).to.be.instanceOf(UnserializableError);
        expect(rejected[index]).to.include({ index, direction, path: direction === 'input' ? 'value' : 'value.fn' });
      }
      expect(await pool.apply(identity)).to.equal(before);
    });
  }

  for (const ordered of [true, false]) {
    it(`of parallelMergeMap: a rejection follows what the call gave, ordered: ${ordered}`, async () => {
      const give = function* (n: number) {
        if (n === 1) throw new Error('at once');
        yield n;
        if (n === 2) throw new Error('halfway');
        if (n === 3) yield () => undefined;
        yield -n;
      };
      const source = range(0, 5).pipe(parallelMergeMap(give, { nJobs: 2, startMethod, settle: true, ordered }));
      const { values, end } = await outcomeOf(source);
      const words = values.map((result) =>
        result.status === 'rejected' && result.reason instanceof UnserializableError
          ? `unserializable ${result.reason.index}`
          : word(result),
      );
      const all = [0, -0, 'at once', 2, 'halfway', 3, 'unserializable 3', 4, -4];
      expect(end).to.equal('complete');
      if (ordered) expect(words).to.deep.equal(all);
      else expect(words).to.have.members(all).and.to.have.length(all.length);
      expect(words.indexOf('halfway')).to.be.above(words.indexOf(2));
    });
  }

  it('leaves errors of the source what they are', async () => {
    const failure = new Error('source');
    const source = concat(
      of(0, 1),
      throwError(() => failure),
    ).pipe(parallelMap(failOdd, { nJobs: 1, startMethod, settle: true }));
    expect(await rejection(source.forEach(() => undefined))).to.equal(failure);
    const broken = (function* () {
      yield 1;
      throw failure;
    })();
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await rejection(pool.map(failOdd, broken, { settle: true }))).to.equal(failure);
  });

  it('ends with what the input throws, also where that would throw again and again', async () => {
    let asked = 0;
    const input = {
      [Symbol.iterator]: () => ({
        next(): IteratorResult<number> {
          throw new Error(`asked ${++asked} times`);
        },
      }),
    };
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await rejection(pool.map(failOdd, input, { settle: true }))).to.have.property('message', 'asked 1 times');
    const { end, error } = await outcomeOf(parallelFrom(input, failOdd, { nJobs: 1, startMethod, settle: true }));
    expect([end, error]).to.deep.equal(['error', new Error('asked 2 times')]);
    expect(asked).to.equal(2);
  });

  it('leaves errors of workerInit and workerExit what they are', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const fail = () => {
      throw new RangeError('no model');
    };
    for (const options of [{ workerInit: fail }, { workerExit: fail }]) {
      const error = await rejection(pool.map(failOdd, [1, 2, 3], { settle: true, ...options }));
      expect(error).to.be.instanceOf(RangeError).with.property('message', 'no model');
    }
    const die = () => process.exit(3);
    expect(await rejection(pool.map(failOdd, [1, 2, 3], { settle: true, workerInit: die }))).to.be.instanceOf(
      WorkerDiedError,
    );
  });

  it('leaves a worker that cannot load the function an error of the call', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const missing = moduleTask<(n: number) => number>(new URL('file:///nowhere/missing.js'), 'work');
    expect(await rejection(pool.map(missing, [1, 2], { settle: true }))).to.be.instanceOf(WorkerStartError);
  });

  it('leaves a signal that fires the end of the call', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const controller = new AbortController();
    const wait = () => new Promise<never>(() => undefined);
    const call = pool.map(wait, [1], { settle: true, signal: controller.signal });
    setTimeout(() => controller.abort('enough'), 20);
    expect(await rejection(call)).to.equal('enough');
  });

  it('lets whoever unsubscribes at a rejection hear nothing after it', async () => {
    const heard: unknown[] = [];
    await new Promise<void>((resolve) => {
      const subscription = from(numbers)
        .pipe(parallelMap(failOdd, { nJobs: 2, startMethod, settle: true }))
        .subscribe((result) => {
          heard.push(word(result));
          if (result.status === 'rejected') {
            subscription.unsubscribe();
            setTimeout(resolve, 100);
          }
        });
    });
    expect(heard).to.deep.equal([0, 'odd 1']);
  });
});

function collectFrom<T>(source: Observable<T>): Promise<T[]> {
  return outcomeOf(source).then(({ values, end, error }) => {
    if (end === 'error') throw error;
    return values;
  });
}
