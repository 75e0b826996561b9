// Who gets which values, and how many workers are started for them.
import { expect } from 'chai';
import {
  BufferOverflowError,
  StartMethodUnavailableError,
  UnserializableError,
  WorkerStartError,
} from '../../../src/errors.js';
import { CallMode } from '../../../src/internal/protocol/messages.js';
import { checkFakePools, fakePool, task, type FakePool } from '../../support/fake/fakePool.js';
import type { FakeWorker } from '../../support/fake/FakeWorker.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** All that each worker was given, by its number. */
const given = ({ started }: FakePool): unknown[][][] =>
  started.map(({ allChunks }) => allChunks.map(({ values }) => values));

/** Has workers do one chunk after the other until nothing is left. */
function work(pool: FakePool): void {
  for (let left = 1000; left > 0; left--) {
    const worker = pool.allReady().find(({ chunks }) => chunks.length > 0);
    if (worker === undefined) return;
    worker.chunk.finish();
  }
  throw new Error('It goes on for ever.');
}

describe('The dispatcher', () => {
  afterEach(checkFakePools);

  describe('starts workers', () => {
    it('for the first values, and no more than there are values', () => {
      const pool = fakePool({ nJobs: 4 });
      const call = pool.call([0, 1], { isOpen: true });
      expect(pool.started.map(({ id }) => id)).to.deep.equal([0, 1]);
      call.push(2);
      expect(pool.started.map(({ id }) => id)).to.deep.equal([0, 1, 2]);
      call.push(3, 4, 5);
      expect(pool.started.map(({ id }) => id)).to.deep.equal([0, 1, 2, 3]);
    });

    it('none where the values that wait are those of workers that are starting', () => {
      const pool = fakePool({ nJobs: 4 });
      const call = pool.call([0], { isOpen: true });
      pool.worker(0).ready();
      call.push(1);
      expect(pool.started).to.have.lengthOf(2);
      pool.worker(0).chunk.finish(); // and takes the second value
      call.push(2);
      expect(pool.started).to.have.lengthOf(2);
    });

    it('none for a call without values', () => {
      const pool = fakePool({ nJobs: 4 });
      const call = pool.call([]);
      pool.clock.turn();
      expect([pool.started.length, call.end]).to.deep.equal([0, 'completed']);
    });

    it('none while one that idles can take a value', () => {
      const pool = fakePool({ nJobs: 4, keepAlive: true });
      pool.call([0]);
      work(pool);
      pool.call([1]);
      expect(given(pool)).to.deep.equal([[[0], [1]]]);
    });

    it('no more than there are chunks where their size is given', () => {
      for (const [options, count] of [
        [{ chunkSize: 2 }, 2],
        [{ chunkSize: 3 }, 2],
        [{ chunkSize: 10 }, 1],
        [{ chunkSize: 1 }, 4],
        [{ chunkSize: 2, mode: CallMode.Merge }, 4],
      ] as const) {
        const pool = fakePool({ nJobs: 8 });
        pool.call(numbers(4), options);
        expect(pool.started, JSON.stringify(options)).to.have.lengthOf(count);
      }
    });
  });

  describe('where workers cannot be started', () => {
    it('fails the calls that wait for one with the reason, and tries again for the next call', () => {
      const pool = fakePool({ nJobs: 2, keepAlive: true });
      const reason = new Error('no room');
      pool.startMethod.failure = { error: reason };
      const calls = [pool.call([0]), pool.call([1])];
      for (const { error } of calls) {
        expect(error).to.be.instanceOf(WorkerStartError).and.to.include({ workerId: 0, cause: reason });
      }
      pool.startMethod.failure = undefined;
      const next = pool.call([2]);
      work(pool);
      expect(next.results).to.deep.equal([2]);
    });

    it('says so as it was said, where the start method is unavailable', () => {
      const pool = fakePool({ nJobs: 2 });
      const reason = new StartMethodUnavailableError({ startMethod: 'fake', reason: 'the moon is full' });
      pool.startMethod.failure = { error: reason };
      const call = pool.call([0]);
      pool.clock.turn();
      expect(call.error).to.equal(reason);
    });

    it('leaves the calls alone whose values all have a worker', () => {
      const pool = fakePool({ nJobs: 2 });
      const first = pool.call([0]);
      pool.allReady();
      pool.startMethod.failure = { error: new Error('no room') };
      const second = pool.call([1]);
      expect(second.error).to.be.instanceOf(WorkerStartError);
      pool.worker(0).chunk.finish();
      expect([first.results, first.end]).to.deep.equal([[0], undefined]);
      pool.clock.turn();
      expect(first.end).to.equal('completed');
    });
  });

  describe('gives values out', () => {
    it('at once where a worker idles', () => {
      const pool = fakePool({ nJobs: 2 });
      const call = pool.call([0, 1], { isOpen: true });
      work(pool);
      call.push(2);
      expect(pool.workers.flatMap(({ values }) => values)).to.deep.equal([[2]]);
    });

    it('to the worker that was busy last', () => {
      const pool = fakePool({ nJobs: 2 });
      const call = pool.call([0, 1], { isOpen: true });
      pool.allReady();
      pool.worker(0).chunk.finish();
      pool.worker(1).chunk.finish();
      call.push(2);
      expect(pool.worker(1).values).to.deep.equal([[2]]);
    });

    it('before the source pauses, where it emits more than the workers can take', () => {
      const pool = fakePool({ nJobs: 1 });
      const call = pool.call([0], { isOpen: true });
      work(pool);
      const { size } = call.job.task.pace;
      for (const value of numbers(2 * size)) call.job.push(value);
      expect(pool.worker(0).values.flat(), 'before any microtask').to.have.lengthOf(size);
      pool.clock.runMicrotasks();
    });

    it('in turns of the calls, and what is of two calls never to one worker', () => {
      const pool = fakePool({ nJobs: 1 });
      pool.call(['a0', 'a1', 'a2'], { chunkSize: 1 });
      pool.call(['b0', 'b1', 'b2'], { chunkSize: 1 });
      const [worker] = pool.allReady() as [FakeWorker];
      while (worker.chunks.length > 0) {
        expect(new Set(worker.values.flat().map((value) => (value as string)[0]))).to.have.lengthOf(1);
        worker.chunk.finish();
      }
      expect(given(pool).flat(2)).to.deep.equal(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
    });

    it('to a call that comes late after one chunk of each other one', () => {
      const pool = fakePool({ nJobs: 1 });
      pool.call(numbers(100), { chunkSize: 1 });
      const [worker] = pool.allReady() as [FakeWorker];
      worker.chunk.finish();
      const ahead = worker.values.length;
      pool.call(['late'], { fn: (value) => value });
      for (let i = 0; i < ahead + 1; i++) worker.chunk.finish();
      expect(given(pool).flat(2)).to.include('late');
    });

    it('no more than maxTasksActive at once, until their results are out', () => {
      const pool = fakePool({ nJobs: 4 });
      pool.call(numbers(5), { maxTasksActive: 2 });
      pool.allReady();
      expect(pool.workers.flatMap(({ values }) => values)).to.deep.equal([[0], [1]]);
      pool.workers.find(({ values }) => values[0]?.[0] === 1)?.chunk.finish(); // out only after the one before it
      expect(pool.workers.flatMap(({ values }) => values)).to.deep.equal([[0]]);
      pool.workers.find(({ values }) => values[0]?.[0] === 0)?.chunk.finish();
      expect(pool.workers.flatMap(({ values }) => values)).to.have.lengthOf(2);
    });

    it('in chunks of their size, the last one smaller', () => {
      const pool = fakePool({ nJobs: 1 });
      const call = pool.call(numbers(7), { chunkSize: 3 });
      work(pool);
      expect(given(pool)).to.deep.equal([[[0, 1, 2], [3, 4, 5], [6]]]);
      expect(call.results).to.deep.equal(numbers(7));
    });

    it('one by one where one of a chunk cannot be sent, which fails alone', () => {
      const pool = fakePool({ nJobs: 1 });
      const call = pool.call([0, () => 1, 2], { chunkSize: 3, settle: true });
      work(pool);
      expect(given(pool)).to.deep.equal([[[0], [2]]]);
      const [first, second, third] = call.results as PromiseSettledResult<unknown>[];
      expect([first, third]).to.deep.equal([0, 2].map((value) => ({ status: 'fulfilled', value })));
      expect((second as PromiseRejectedResult).reason)
        .to.be.instanceOf(UnserializableError)
        .and.to.include({ index: 1, direction: 'input' });
    });
  });

  describe('gives chunks ahead', () => {
    /** How many chunks a worker has ahead when calls take so long (milliseconds). */
    const aheadAfter = (elapsed: number): number => {
      const pool = fakePool({ nJobs: 1, keepAlive: true });
      pool.call(numbers(20), { chunkSize: 1 });
      const [worker] = pool.allReady() as [FakeWorker];
      expect(worker.chunks, 'before it is known how long they take').to.have.lengthOf(1);
      worker.chunk.finish(undefined, elapsed);
      return worker.chunks.length - 1;
    };

    it('one of those that take milliseconds, up to eight of quick ones, and none of slow ones', () => {
      expect([20, 8, 7, 1, 0.25, 0.1, 0.001].map(aheadAfter)).to.deep.equal([0, 0, 1, 1, 2, 5, 8]);
    });

    it('only where no worker could begin them', () => {
      const pool = fakePool({ nJobs: 2 });
      pool.call(numbers(5), { chunkSize: 1 });
      pool.worker(0).ready().chunk.finish();
      expect(pool.worker(0).chunks, 'while the other one starts').to.have.lengthOf(1);
      pool.worker(1).ready();
      expect(pool.workers.map(({ chunks }) => chunks.length)).to.deep.equal([2, 2]);
    });

    it('none where another call waits for its turn', () => {
      const pool = fakePool({ nJobs: 1 });
      pool.call(numbers(5), { chunkSize: 1 });
      pool.call(numbers(5), { chunkSize: 1 });
      const [worker] = pool.allReady() as [FakeWorker];
      for (let i = 0; i < 6; i++) {
        worker.chunk.finish();
        expect(worker.chunks).to.have.lengthOf(1);
      }
    });

    it('none of a call whose tasks have a timeout', () => {
      const pool = fakePool({ nJobs: 1 });
      pool.call(numbers(5), { taskTimeout: 1000 });
      const [worker] = pool.allReady() as [FakeWorker];
      worker.chunk.finish();
      expect(worker.values).to.deep.equal([[1]]);
    });
  });

  describe('with tasksPerWorker', () => {
    it('has every worker begin one task before any gets a second one', () => {
      const pool = fakePool({ nJobs: 2 });
      pool.call(numbers(7), { tasksPerWorker: 3 });
      pool.allReady();
      expect(pool.workers.map(({ values }) => values.flat())).to.deep.equal([
        [0, 2, 4],
        [1, 3, 5],
      ]);
    });

    it('gives the next value to the lane that is free', () => {
      const pool = fakePool({ nJobs: 1 });
      const call = pool.call(numbers(4), { tasksPerWorker: 2 });
      const [worker] = pool.allReady() as [FakeWorker];
      worker.chunks[1]!.finish();
      expect(worker.values).to.deep.equal([[0], [2]]);
      worker.chunks[1]!.finish();
      worker.chunks[1]!.finish();
      expect(call.results).to.deep.equal([]);
      worker.chunk.finish();
      expect(call.results).to.deep.equal(numbers(4));
    });

    it('gives what a worker has died of a worker for itself', () => {
      const pool = fakePool({ nJobs: 1 });
      const call = pool.call(numbers(3), { tasksPerWorker: 3, workerDeathRetries: 1, settle: true });
      const [first] = pool.allReady() as [FakeWorker];
      for (const chunk of first.chunks) chunk.begin();
      first.ends({ exitCode: 1 });
      const alone: unknown[][][] = [];
      while (call.end === undefined) {
        const [worker] = pool.allReady() as [FakeWorker];
        if (worker.chunks.length === 0) break;
        alone.push(worker.values);
        worker.chunk.finish();
      }
      expect(alone).to.deep.equal([[[0]], [[1]], [[2]]]);
    });
  });

  describe('with workerLifespan', () => {
    it('gives a worker no more tasks than that, and has another one take its place', () => {
      const pool = fakePool({ nJobs: 1 });
      const call = pool.call(numbers(5), { chunkSize: 5, workerLifespan: 2 });
      for (let i = 0; i < 3; i++) {
        work(pool);
        pool.clock.turn();
      }
      expect(given(pool)).to.deep.equal([[[0, 1]], [[2, 3]], [[4]]]);
      expect(call.results).to.deep.equal(numbers(5));
    });

    it('does not count what a worker has given back', () => {
      const pool = fakePool({ nJobs: 1 });
      pool.call(numbers(4), { chunkSize: 4, workerLifespan: 4 });
      const [worker] = pool.allReady() as [FakeWorker];
      worker.chunk.results([0]);
      worker.chunk.reclaimed();
      expect(worker.values).to.deep.equal([[1, 2, 3]]);
    });
  });

  describe('with orderTasks', () => {
    it('gives chunks to the workers in turns, whoever is free', () => {
      const pool = fakePool({ nJobs: 2, orderTasks: true });
      const call = pool.call(numbers(6), { chunkSize: 1 });
      pool.allReady();
      const fast = pool.worker(0);
      while (fast.chunks.length > 0) fast.chunk.finish();
      expect(call.results).to.deep.equal([0]);
      work(pool);
      expect(given(pool)).to.deep.equal([
        [[0], [2], [4]],
        [[1], [3], [5]],
      ]);
      expect(call.results).to.deep.equal(numbers(6));
    });

    it('gives what was lost with a worker to the one that takes its place', () => {
      const pool = fakePool({ nJobs: 2, orderTasks: true });
      const call = pool.call(numbers(4), { chunkSize: 1, workerDeathRetries: 1 });
      pool.allReady();
      pool.worker(1).chunk.begin();
      pool.worker(1).ends({ exitCode: 1 });
      while (pool.worker(0).chunks.length > 0) pool.worker(0).chunk.finish();
      work(pool);
      expect(call.results).to.deep.equal(numbers(4));
      expect(given(pool)).to.deep.equal([[[0], [2]], [[1]], [[1], [3]]]);
    });
  });

  describe('takes in a bounded number of values', () => {
    it('that workers which are starting will take, and bufferSize more', () => {
      for (const bufferSize of [0, 1, 3]) {
        const pool = fakePool({ nJobs: 2, keepAlive: true });
        const call = pool.call(numbers(2 + bufferSize), { bufferSize, isOpen: true });
        expect(call.end).to.equal(undefined);
        call.push('too many');
        expect(call.error).to.be.instanceOf(BufferOverflowError).and.to.include({ bufferSize });
      }
    });

    it('and drops the newest or the oldest ones, as it is asked to; indexes are those of the source', () => {
      for (const [overflow, indexes] of [
        ['drop-newest', [0, 1, 2]],
        ['drop-oldest', [2, 3, 4]],
      ] as const) {
        const pool = fakePool({ nJobs: 2 });
        const call = pool.call(numbers(5), { bufferSize: 1, overflow });
        work(pool);
        expect(call.results).to.deep.equal(indexes);
        const told = pool.started.flatMap(({ allChunks }) => allChunks.flatMap((chunk) => chunk.indexes));
        expect(told).to.have.members(indexes);
      }
    });

    it('no more where all workers are busy', () => {
      const pool = fakePool({ nJobs: 1 });
      const call = pool.call([0], { bufferSize: 1, isOpen: true });
      pool.allReady();
      call.push(1);
      expect(call.end).to.equal(undefined);
      call.push(2);
      pool.clock.turn();
      expect(call.error).to.be.instanceOf(BufferOverflowError);
    });
  });

  describe('with what workers have from the start', () => {
    it('sends neither functions nor shared objects that they were prepared for', () => {
      const pool = fakePool({ nJobs: 1, prepares: true, keepAlive: true, sharedObjects: { factor: 2 } });
      pool.call([0], { workerInit: () => undefined });
      const [worker] = pool.allReady() as [FakeWorker];
      expect(worker.log).to.deep.equal(['Init', 'Run [0]']);
      worker.defined().initDone().chunk.finish();
      pool.call([1], { fn: (value) => value });
      expect(worker.log).to.include('Define');
    });

    it('sends them to others, the shared objects first', () => {
      const pool = fakePool({ nJobs: 1, sharedObjects: { factor: 2 } });
      const call = pool.call([0], { fn: task });
      const [worker] = pool.allReady() as [FakeWorker];
      expect(worker.log).to.deep.equal(['Share', 'Define', 'Run [0]']);
      worker.shareFailed(new Error('they cannot be rebuilt'));
      expect(call.end).to.equal(undefined);
      pool.clock.turn();
      expect(call.error).to.be.instanceOf(WorkerStartError);
      expect((call.error as Error).message).to.include('they cannot be rebuilt');
    });
  });
});
