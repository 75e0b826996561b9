// What is taken back from a worker that is slow, where another one idles.
import { expect } from 'chai';
import { transfer } from '../../../src/transfer.js';
import { OVERDUE_TIME } from '../../../src/internal/protocol/tuning.js';
import {
  checkFakePools,
  fakePool,
  type FakeCall,
  type FakeCallSettings,
  type FakePool,
} from '../../support/fake/fakePool.js';
import type { FakeWorker } from '../../support/fake/FakeWorker.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

interface Pair {
  readonly pool: FakePool;
  readonly call: FakeCall;
  readonly slow: FakeWorker;
  readonly fast: FakeWorker;
}

/** Two workers, of which one has done all that it was given, and the other one nothing; nothing waits. */
function pair(settings: { hasClaims: boolean } & FakeCallSettings, values: readonly unknown[] = numbers(40)): Pair {
  const { hasClaims, ...options } = settings;
  const pool = fakePool({ nJobs: 2, hasClaims });
  const call = pool.call(values, options);
  const [fast, slow] = pool.allReady() as [FakeWorker, FakeWorker];
  while (fast.chunks.length > 0) fast.chunk.finish(undefined, fast.chunk.values.length);
  return { pool, call, slow, fast };
}

/** Does the rest, and holds that each value has its result, in order, and was begun once. */
function expectAll({ pool, call, slow, fast }: Pair, count: number): void {
  for (const worker of [slow, fast, slow, fast, slow, fast]) {
    for (const chunk of worker.chunks) {
      while (chunk.isOpen) {
        if (chunk.begun > chunk.done || chunk.begin()) chunk.results(chunk.values.slice(chunk.done, chunk.done + 1));
        else chunk.reclaimed();
      }
    }
    pool.clock.advance(OVERDUE_TIME);
  }
  expect(call.results).to.deep.equal(numbers(count));
  expect(call.end).to.equal('completed');
}

for (const hasClaims of [true, false]) {
  describe(`Stealing ${hasClaims ? 'by claims' : 'by messages'}`, () => {
    afterEach(checkFakePools);

    /** How many values a worker that idles has got back from the other one, after the time. */
    const stolen = ({ slow, fast }: Pair): unknown[] => {
      if (!hasClaims) for (const chunk of slow.chunks.slice(1)) if (chunk.isReclaimed) chunk.stopped();
      return fast.values.flat();
    };

    it('takes a chunk that waits, when its worker was not heard of for some time, and not before', () => {
      const both = pair({ hasClaims });
      const waiting = both.slow.values.slice(1).flat();
      expect(waiting).to.not.have.lengthOf(0);
      both.pool.clock.advance(OVERDUE_TIME - 1);
      expect(stolen(both)).to.deep.equal([]);
      both.pool.clock.advance(1);
      expect(stolen(both)).to.deep.equal(waiting);
      expect(both.slow.log.some((entry) => entry.startsWith('Reclaim'))).to.equal(!hasClaims);
      expectAll(both, 40);
    });

    it('waits again when the worker was heard of', () => {
      const both = pair({ hasClaims, chunkSize: 2 });
      both.pool.clock.advance(OVERDUE_TIME - 1);
      both.slow.chunk.results([both.slow.chunk.values[0]]);
      both.pool.clock.advance(OVERDUE_TIME - 1);
      expect(stolen(both)).to.deep.equal([]);
      both.pool.clock.advance(1);
      expect(stolen(both)).to.not.have.lengthOf(0);
      expectAll(both, 40);
    });

    it('takes what is not begun of the chunk that is being worked on, where its size was ours to choose', () => {
      const both = pair({ hasClaims });
      const { slow, fast, pool } = both;
      slow.chunk.finish(undefined, 0.1);
      expect(slow.chunk.values.length).to.be.above(2);
      const [first, ...others] = slow.chunk.values;
      slow.chunk.begin();
      pool.clock.advance(OVERDUE_TIME);
      if (hasClaims) {
        expect(slow.log.join()).to.not.include('Reclaim');
        expect(slow.chunk.begin(), 'the next value').to.equal(false);
      }
      slow.chunk.reclaimed();
      expect(fast.values.flat()).to.deep.equal(others);
      expect(slow.values).to.deep.equal([[first]]);
      expectAll(both, 40);
    });

    it('leaves a chunk of a fixed size whole', () => {
      const both = pair({ hasClaims, chunkSize: 4 });
      const running = both.slow.chunk.values.length;
      both.slow.chunk.begin();
      both.pool.clock.advance(5 * OVERDUE_TIME);
      stolen(both);
      expect(both.slow.chunk.values).to.have.lengthOf(running);
      expectAll(both, 40);
    });

    it('leaves the worker one value, also where it is loading or in an init function', () => {
      const pool = fakePool({ nJobs: 2, hasClaims });
      const call = pool.call(numbers(40), { workerInit: () => undefined });
      const [fast, slow] = pool.allReady() as [FakeWorker, FakeWorker];
      fast.defined().initDone();
      while (fast.chunks.length > 0) fast.chunk.finish(undefined, fast.chunk.values.length);
      pool.clock.advance(OVERDUE_TIME);
      if (!hasClaims) for (const chunk of slow.chunks.slice(1)) if (chunk.isReclaimed) chunk.stopped();
      expect(slow.values).to.have.lengthOf(hasClaims ? 2 : 1);
      while (fast.chunks.length > 0) fast.chunk.finish();
      slow.defined().initDone();
      expect(slow.chunk.values).to.have.lengthOf(1);
      slow.chunk.finish();
      if (hasClaims) for (const chunk of slow.chunks) chunk.reclaimed(0);
      expect(call.results).to.deep.equal(numbers(40));
    });

    it('takes nothing with orderTasks', () => {
      const pool = fakePool({ nJobs: 2, hasClaims, orderTasks: true });
      pool.call(numbers(10), { chunkSize: 2 });
      const [fast, slow] = pool.allReady() as [FakeWorker, FakeWorker];
      while (fast.chunks.length > 0) fast.chunk.finish(undefined, 0.1);
      const before = slow.values.map((values) => [...values]);
      pool.clock.advance(10 * OVERDUE_TIME);
      expect([slow.values, fast.values]).to.deep.equal([before, []]);
      expect(slow.log.join()).to.not.include('Reclaim');
    });

    it('takes nothing that was moved', () => {
      const moving = (): unknown => {
        const bytes = new Uint8Array(1);
        return transfer(bytes, [bytes.buffer]);
      };
      const { pool, slow } = pair({ hasClaims }, [moving(), moving(), moving()]);
      pool.clock.advance(10 * OVERDUE_TIME);
      expect(slow.values.flat()).to.have.lengthOf(1);
      expect(slow.log.join()).to.not.include('Reclaim');
    });

    it('takes nothing where no worker idles', () => {
      const pool = fakePool({ nJobs: 2, hasClaims });
      pool.call(numbers(40));
      const [fast, slow] = pool.allReady() as [FakeWorker, FakeWorker];
      fast.chunk.finish(undefined, 0.1);
      pool.clock.advance(10 * OVERDUE_TIME);
      expect(slow.log.join()).to.not.include('Reclaim');
      expect(pool.clock.timers).to.deep.equal([]);
    });
  });
}

describe('Stealing', () => {
  afterEach(checkFakePools);

  it('asks a worker for one chunk at a time', () => {
    const pool = fakePool({ nJobs: 2, hasClaims: false });
    pool.call(numbers(40), { chunkSize: 1 });
    const [fast, slow] = pool.allReady() as [FakeWorker, FakeWorker];
    while (fast.chunks.length > 0) fast.chunk.finish(undefined, 0.01);
    const { length } = slow.chunks;
    expect(length).to.be.above(2);
    pool.clock.advance(OVERDUE_TIME);
    expect(slow.chunks.filter(({ isReclaimed }) => isReclaimed)).to.have.lengthOf(1);
    slow.chunks.at(-1)!.stopped(); // it has been heard of, so the next one has its time
    fast.chunk.finish();
    pool.clock.advance(OVERDUE_TIME);
    expect(slow.chunks.filter(({ isReclaimed }) => isReclaimed)).to.have.lengthOf(1);
  });

  it('goes back to asking where a worker cannot claim', () => {
    const both = pair({ hasClaims: true });
    both.slow.claimFailed();
    both.pool.clock.advance(OVERDUE_TIME);
    expect(both.slow.log.join()).to.include('Reclaim');
  });
});
