// Values that fail: in which order that is told, and what it means for the others.
import { expect } from 'chai';
import { CallMode } from '../../../src/internal/protocol/messages.js';
import { checkFakePools, fakePool, type FakePool } from '../../support/fake/fakePool.js';
import type { FakeChunk } from '../../support/fake/FakeChunk.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const error = (text: string): Error => new RangeError(text);

/** The chunk that begins with a value. */
function chunkOf(pool: FakePool, value: unknown): FakeChunk {
  const chunk = pool.workers.flatMap(({ chunks }) => chunks).find(({ values }) => values[0] === value);
  if (chunk === undefined) throw new Error(`No worker has ${String(value)}.`);
  return chunk;
}

/** A call on as many workers as it has values, each with one. */
function spread(count: number, options: object = {}) {
  const pool = fakePool({ nJobs: count, keepAlive: true });
  const call = pool.call(numbers(count), { chunkSize: 1, ...options });
  pool.allReady();
  return { pool, call };
}

const message = ({ error: thrown }: { readonly error: unknown }): string | undefined =>
  (thrown as Error | undefined)?.message;

describe('A value that fails', () => {
  afterEach(checkFakePools);

  it('ends its call once all that comes before it is out', () => {
    const { pool, call } = spread(4);
    chunkOf(pool, 2).fails(error('two'));
    expect(call.isClosed, 'no more values are wanted').to.equal(true);
    chunkOf(pool, 0).finish();
    expect([call.results, call.end]).to.deep.equal([[0], undefined]);
    chunkOf(pool, 1).finish();
    expect([call.results, message(call)]).to.deep.equal([[0, 1], 'two']);
  });

  it('ends its call at once where order does not matter', () => {
    const { pool, call } = spread(3, { ordered: false });
    chunkOf(pool, 1).finish();
    chunkOf(pool, 2).fails(error('two'));
    expect([call.results, message(call)]).to.deep.equal([[1], 'two']);
  });

  it('gives way to one before it that fails later', () => {
    const { pool, call } = spread(4);
    chunkOf(pool, 3).fails(error('three'));
    chunkOf(pool, 1).fails(error('one'));
    chunkOf(pool, 0).finish();
    expect([call.results, message(call)]).to.deep.equal([[0], 'one']);
  });

  it('has what comes after it cancelled, and none of that is heard', () => {
    const { pool, call } = spread(4);
    const later = chunkOf(pool, 3);
    chunkOf(pool, 2).fails(error('two'));
    expect(later.isCancelled).to.equal(true);
    expect([0, 1].map((value) => chunkOf(pool, value).isCancelled)).to.deep.equal([false, false]);
    later.stopped();
    chunkOf(pool, 0).finish();
    chunkOf(pool, 1).finish();
    expect([call.results, message(call)]).to.deep.equal([[0, 1], 'two']);
  });

  it('has none started that comes after it', () => {
    const pool = fakePool({ nJobs: 2, keepAlive: true });
    const call = pool.call(numbers(10), { chunkSize: 1 });
    pool.allReady();
    chunkOf(pool, 1).fails(error('one'));
    expect(pool.workers.flatMap(({ values }) => values.flat())).to.deep.equal([0]);
    chunkOf(pool, 0).finish();
    expect([call.results, message(call)]).to.deep.equal([[0], 'one']);
  });

  it('gives the results of its chunk before it, and none after it', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call(numbers(5), { chunkSize: 5 });
    pool.allReady();
    const { chunk } = pool.worker(0);
    chunk.results([0, 1]);
    chunk.fails(error('two'));
    pool.clock.turn();
    expect([call.results, message(call)]).to.deep.equal([[0, 1], 'two']);
    expect(call.error).to.include({ index: 2, workerId: 0 });
  });

  it('while another call of its chunk is under way keeps the worker busy until that has stopped', () => {
    const pool = fakePool({ nJobs: 1, keepAlive: true });
    const call = pool.call(numbers(3), { chunkSize: 3 });
    pool.allReady();
    const worker = pool.worker(0);
    const { chunk } = worker;
    chunk.begin(2);
    chunk.fails(error('zero'), { isRunning: true });
    expect(message(call)).to.equal('zero');
    const next = pool.call(['next']);
    expect(worker.values.flat()).to.not.include('next');
    chunk.stopped();
    worker.chunk.finish();
    expect(next.results).to.deep.equal(['next']);
  });

  it('leaves other calls alone', () => {
    const pool = fakePool({ nJobs: 2 });
    const calls = [pool.call(['a']), pool.call(['b'])];
    pool.allReady();
    chunkOf(pool, 'a').fails(error('a'));
    chunkOf(pool, 'b').finish();
    pool.clock.turn();
    expect(calls.map(({ end }) => end)).to.deep.equal(['failed', 'completed']);
  });
});

describe('With settle', () => {
  afterEach(checkFakePools);

  it('a chunk goes on after a value that fails', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call(numbers(3), { chunkSize: 3, settle: true });
    pool.allReady();
    const { chunk } = pool.worker(0);
    chunk.results([0]);
    chunk.rejects(error('one'));
    chunk.results([2]);
    pool.clock.turn();
    expect(call.end).to.equal('completed');
    const [first, second, third] = call.results as PromiseSettledResult<unknown>[];
    expect([first, third]).to.deep.equal([0, 2].map((value) => ({ status: 'fulfilled', value })));
    expect((second as PromiseRejectedResult).reason).to.include({ message: 'one', index: 1 });
  });

  it('failures come in order, as results do', () => {
    const { pool, call } = spread(3, { settle: true });
    chunkOf(pool, 1).rejects(error('one'));
    chunkOf(pool, 2).finish();
    expect(call.results).to.deep.equal([]);
    chunkOf(pool, 0).rejects(error('zero'));
    const told = (call.results as PromiseSettledResult<unknown>[]).map((result) =>
      result.status === 'fulfilled' ? result.value : (result.reason as Error).message,
    );
    expect([told, call.end]).to.deep.equal([['zero', 'one', 2], 'completed']);
  });

  it('what a call has yielded comes before its failure', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0, 1], { mode: CallMode.Merge, settle: true });
    pool.allReady();
    const worker = pool.worker(0);
    worker.chunk.yields(['a', 'b']);
    worker.chunk.rejects(error('zero'));
    worker.chunk.yields(['c']);
    worker.chunk.finish(() => undefined);
    pool.clock.turn();
    const told = (call.results as PromiseSettledResult<unknown>[]).map((result) =>
      result.status === 'fulfilled' ? result.value : (result.reason as Error).message,
    );
    expect([told, call.end]).to.deep.equal([['a', 'b', 'zero', 'c'], 'completed']);
  });
});

describe('What a call reports', () => {
  afterEach(checkFakePools);

  it('is told with the index of its value, until the value is done', () => {
    const pool = fakePool({ nJobs: 1 });
    const told: unknown[] = [];
    pool.call(numbers(2), { chunkSize: 2, onProgress: (progress) => told.push(progress) });
    pool.allReady();
    const { chunk } = pool.worker(0);
    chunk.progresses('a');
    chunk.results([0]);
    chunk.progresses('b');
    chunk.results([1]);
    expect(told).to.deep.equal([
      { index: 0, workerId: 0, value: 'a' },
      { index: 1, workerId: 0, value: 'b' },
    ]);
  });

  it('fails its call where whoever is told throws', () => {
    const pool = fakePool({ nJobs: 1 });
    const thrown = error('listener');
    const call = pool.call([0], {
      onProgress: () => {
        throw thrown;
      },
    });
    pool.allReady();
    pool.worker(0).chunk.progresses('a');
    pool.clock.turn();
    expect(call.error).to.equal(thrown);
  });
});
