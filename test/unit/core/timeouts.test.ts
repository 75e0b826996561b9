// When a task, an init function, an exit function or the end of a worker has taken too long: to the millisecond.
import { expect } from 'chai';
import { WorkerTimeoutError } from '../../../src/errors.js';
import { CallMode } from '../../../src/internal/protocol/messages.js';
import { CREDITS } from '../../../src/internal/protocol/tuning.js';
import { checkFakePools, fakePool } from '../../support/fake/fakePool.js';
import type { FakeWorker } from '../../support/fake/FakeWorker.js';

describe('The timeout of a task', () => {
  afterEach(checkFakePools);

  it('passes in its time, kills its worker, and names the value', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call(['a', 'b'], { taskTimeout: 50 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.finish();
    worker.chunk.begin();
    pool.clock.advance(49);
    expect([worker.isKilled, call.end]).to.deep.equal([false, undefined]);
    pool.clock.advance(1);
    expect(worker.isKilled).to.equal(true);
    expect(call.error)
      .to.be.instanceOf(WorkerTimeoutError)
      .and.to.include({ stage: 'task', timeout: 50, workerId: 0, index: 1 });
    expect(call.results).to.deep.equal(['a']);
  });

  it('counts whole milliseconds, and never passes early', () => {
    const pool = fakePool({ nJobs: 1 });
    pool.call([0], { taskTimeout: 2.5 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.begin();
    pool.clock.advance(2.5);
    expect(worker.isKilled).to.equal(false);
    pool.clock.advance(0.5);
    expect(worker.isKilled).to.equal(true);
  });

  it('begins when the function is loaded', () => {
    const pool = fakePool({ nJobs: 1 });
    pool.call([0], { taskTimeout: 50 });
    const [worker] = pool.allReady() as [FakeWorker];
    pool.clock.advance(1000);
    expect(worker.isKilled).to.equal(false);
    worker.defined();
    pool.clock.advance(49);
    expect(worker.isKilled).to.equal(false);
    pool.clock.advance(1);
    expect(worker.isKilled).to.equal(true);
  });

  it('begins when the init function is done', () => {
    const pool = fakePool({ nJobs: 1 });
    pool.call([0], { taskTimeout: 50, workerInit: () => undefined });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.defined();
    pool.clock.advance(1000);
    expect(worker.isKilled).to.equal(false);
    worker.initDone();
    pool.clock.advance(50);
    expect(worker.isKilled).to.equal(true);
  });

  it('is of each task by itself', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0, 1, 2], { taskTimeout: 50 });
    const [worker] = pool.allReady() as [FakeWorker];
    for (let i = 0; i < 3; i++) {
      expect(worker.values).to.deep.equal([[i]]);
      pool.clock.advance(49);
      worker.chunk.finish();
    }
    expect(call.results).to.deep.equal([0, 1, 2]);
  });

  it('does not pass where the result is among the messages that have come by then', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0], { taskTimeout: 50 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.begin();
    // After the timer, and before the turn of the event loop is over.
    pool.clock.setTimeout(() => worker.chunk.finish(), 50);
    pool.clock.advance(50);
    expect(call.results).to.deep.equal([0]);
    expect(worker.isKilled).to.equal(false);
  });

  it('is moved once by as long as the program was busy, and not twice', () => {
    const pool = fakePool({ nJobs: 1 });
    pool.call([0], { taskTimeout: 20 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.begin();
    pool.clock.block(320);
    pool.clock.advance(0);
    expect(worker.isKilled, 'the result may be on its way').to.equal(false);
    pool.clock.advance(299);
    expect(worker.isKilled).to.equal(false);
    pool.clock.block(500);
    pool.clock.advance(0);
    expect(worker.isKilled, 'a program that is always busy').to.equal(true);
  });

  it('has tasks travel alone, whatever chunkSize says and however quick they are', () => {
    for (const chunkSize of [undefined, 4]) {
      const pool = fakePool({ nJobs: 1 });
      pool.call([0, 1, 2, 3], { taskTimeout: 50, chunkSize });
      const [worker] = pool.allReady() as [FakeWorker];
      for (let i = 0; i < 4; i++) {
        expect(worker.values).to.deep.equal([[i]]);
        worker.chunk.finish(undefined, 0.001);
      }
    }
  });

  it('is over when the task is done, whatever its worker does then', () => {
    const pool = fakePool({ nJobs: 1, keepAlive: true });
    pool.call([0], { taskTimeout: 50 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.finish();
    expect(pool.clock.timers).to.deep.equal([]);
    pool.call([1]);
    worker.chunk.begin();
    pool.clock.advance(1000);
    expect(worker.isKilled).to.equal(false);
  });

  it('is there only where it is asked for, and Infinity is none', () => {
    for (const taskTimeout of [undefined, Infinity]) {
      const pool = fakePool({ nJobs: 1, keepAlive: true });
      pool.call([0], { taskTimeout });
      const [worker] = pool.allReady() as [FakeWorker];
      worker.chunk.begin();
      pool.clock.advance(1e9);
      expect(worker.isKilled).to.equal(false);
    }
  });

  it('has results before it come first, and a value that is started again has its whole time', () => {
    const pool = fakePool({ nJobs: 2 });
    const call = pool.call([0, 1, 2], { taskTimeout: 50, workerDeathRetries: 1 });
    const [first, second] = pool.allReady() as [FakeWorker, FakeWorker];
    for (const worker of [first, second]) worker.chunk.begin();
    pool.clock.advance(40);
    first.ends({ exitCode: 1 });
    pool.allReady();
    const again = pool.worker(0);
    again.chunk.begin();
    pool.clock.advance(10);
    expect([second.isKilled, call.end]).to.deep.equal([true, undefined]);
    pool.clock.advance(39);
    again.chunk.finish();
    expect(call.results).to.deep.equal([0]);
    pool.clock.turn();
    expect(call.error).to.include({ stage: 'task', index: 1 });
    expect(pool.started.flatMap(({ allChunks }) => allChunks.flatMap(({ values }) => values))).to.not.include(2);
  });

  it('ends the call at once where order does not matter', () => {
    const pool = fakePool({ nJobs: 2 });
    const call = pool.call([0, 1], { taskTimeout: 50, ordered: false });
    const [first, second] = pool.allReady() as [FakeWorker, FakeWorker];
    for (const worker of [first, second]) worker.chunk.begin();
    pool.clock.advance(49);
    second.chunk.finish();
    pool.clock.advance(1);
    pool.clock.turn();
    expect([call.results, call.end]).to.deep.equal([[1], 'failed']);
  });

  it('also of a call that has ended, where cancelTimeout would let it live longer', () => {
    const pool = fakePool({ nJobs: 1, keepAlive: true });
    const call = pool.call([0], { taskTimeout: 50, cancelTimeout: Infinity });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.begin();
    pool.clock.advance(10);
    call.cancel();
    pool.clock.advance(39);
    expect(worker.isKilled).to.equal(false);
    pool.clock.advance(1);
    expect(worker.isKilled).to.equal(true);
  });

  it('does not start the task again, whatever workerDeathRetries says', () => {
    const pool = fakePool({ nJobs: 1, keepAlive: true });
    const call = pool.call([0], { taskTimeout: 50, workerDeathRetries: 3 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.begin();
    pool.clock.advance(50);
    expect(call.error).to.be.instanceOf(WorkerTimeoutError);
    expect(pool.started).to.have.lengthOf(1);
  });

  it('passes for one worker, and leaves the others alone', () => {
    const pool = fakePool({ nJobs: 2 });
    const call = pool.call([0, 1], { taskTimeout: 50, settle: true });
    const [late, other] = pool.allReady() as [FakeWorker, FakeWorker];
    late.defined();
    pool.clock.advance(10);
    other.defined();
    pool.clock.advance(40);
    expect([late.isKilled, other.isKilled]).to.deep.equal([true, false]);
    other.chunk.finish();
    pool.clock.turn();
    const [first, second] = call.results as PromiseSettledResult<unknown>[];
    expect(first?.status).to.equal('rejected');
    expect(second).to.deep.equal({ status: 'fulfilled', value: 1 });
  });

  it('has the next value run by a worker that takes the place of the one that was killed', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0, 1], { taskTimeout: 50, settle: true });
    pool.allReady();
    pool.worker(0).defined();
    pool.clock.advance(50);
    pool.allReady();
    pool.worker(0).chunk.finish();
    expect(call.results.map((result) => (result as PromiseSettledResult<unknown>).status)).to.deep.equal([
      'rejected',
      'fulfilled',
    ]);
  });

  describe('of a call that yields', () => {
    it('goes on while the call may send more', () => {
      const pool = fakePool({ nJobs: 1 });
      const call = pool.call([0], { mode: CallMode.Merge, taskTimeout: 50 });
      const [worker] = pool.allReady() as [FakeWorker];
      for (let i = 0; i < 3 * CREDITS; i++) worker.chunk.yields([i]);
      expect(worker.chunk.credits).to.equal(3 * CREDITS);
      expect(call.results).to.have.lengthOf(3 * CREDITS);
      pool.clock.advance(50);
      expect(worker.isKilled).to.equal(true);
    });

    it('stands still while what it gave waits for an earlier call, and has its rest then', () => {
      const pool = fakePool({ nJobs: 2 });
      const call = pool.call([0, 1], { mode: CallMode.Merge, taskTimeout: 50 });
      const [first, second] = pool.allReady() as [FakeWorker, FakeWorker];
      second.defined();
      pool.clock.advance(30);
      for (let i = 0; i < CREDITS; i++) second.chunk.yields([i]);
      expect(second.chunk.credits, 'none of it is out').to.equal(0);
      pool.clock.advance(10_000);
      expect(second.isKilled).to.equal(false);
      first.chunk.finish(() => undefined);
      expect(second.chunk.credits).to.equal(CREDITS);
      expect(call.results).to.have.lengthOf(CREDITS);
      pool.clock.advance(19);
      expect(second.isKilled).to.equal(false);
      pool.clock.advance(1);
      expect(second.isKilled).to.equal(true);
      expect(call.error).to.include({ stage: 'task', index: 1 });
    });

    it('that stands still is gone with the call', () => {
      const pool = fakePool({ nJobs: 2 });
      pool.call([0, 1], { mode: CallMode.Merge, taskTimeout: 50, settle: true });
      const [first, second] = pool.allReady() as [FakeWorker, FakeWorker];
      second.defined();
      for (let i = 0; i < CREDITS; i++) second.chunk.yields([i]);
      second.chunk.rejects(new Error('over'));
      expect(pool.clock.timers).to.deep.equal([]);
      first.chunk.finish(() => undefined);
    });

    it('does not pass where the last of its credit is used up by what has come by then', () => {
      const pool = fakePool({ nJobs: 2 });
      const call = pool.call([0, 1], { mode: CallMode.Merge, taskTimeout: 50 });
      const [first, second] = pool.allReady() as [FakeWorker, FakeWorker];
      second.defined();
      pool.clock.setTimeout(() => {
        for (let i = 0; i < CREDITS; i++) second.chunk.yields([i]);
      }, 50);
      pool.clock.advance(1000);
      expect(second.isKilled).to.equal(false);
      for (const worker of [first, second]) worker.chunk.finish(() => undefined);
      expect(call.results).to.have.lengthOf(CREDITS);
    });
  });
});

describe('The timeout of an init function', () => {
  afterEach(checkFakePools);

  it('begins when the function is loaded, fails the call, and kills the worker', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0], { workerInit: () => undefined, workerInitTimeout: 30 });
    const [worker] = pool.allReady() as [FakeWorker];
    pool.clock.advance(1000);
    expect(worker.isKilled).to.equal(false);
    worker.defined();
    pool.clock.advance(29);
    expect(worker.isKilled).to.equal(false);
    pool.clock.advance(1);
    expect(worker.isKilled).to.equal(true);
    expect(call.error).to.be.instanceOf(WorkerTimeoutError).and.to.include({ stage: 'init', timeout: 30, workerId: 0 });
  });

  it('does not pass once the function is done', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0], { workerInit: () => undefined, workerInitTimeout: 30 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.defined();
    pool.clock.advance(29);
    worker.initDone();
    pool.clock.advance(1000);
    worker.chunk.finish();
    pool.clock.turn();
    expect(call.end).to.equal('completed');
  });

  it('is moved once by as long as the program was busy', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0], { workerInit: () => undefined, workerInitTimeout: 30 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.defined();
    pool.clock.block(1000);
    pool.clock.advance(0);
    expect(worker.isKilled).to.equal(false);
    worker.initDone().chunk.finish();
    expect(call.results).to.deep.equal([0]);
  });

  it('is there only where it is asked for', () => {
    const pool = fakePool({ nJobs: 1 });
    pool.call([0], { workerInit: () => undefined });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.defined();
    pool.clock.advance(1e9);
    expect(worker.isKilled).to.equal(false);
  });

  it('leaves other calls alone', () => {
    const pool = fakePool({ nJobs: 2 });
    const call = pool.call([0], { workerInit: () => undefined, workerInitTimeout: 30 });
    const other = pool.call([1]);
    pool.allReady();
    for (const worker of pool.workers) worker.defined();
    pool.clock.advance(30);
    expect([call.end, other.end]).to.deep.equal(['failed', undefined]);
    for (const worker of pool.workers) worker.chunk.finish();
    pool.clock.turn();
    expect([other.results, other.end]).to.deep.equal([[1], 'completed']);
  });
});

describe('The timeout of an exit function', () => {
  afterEach(checkFakePools);

  it('passes in its time, fails the call after all results, and kills the worker', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0], { workerExit: () => undefined, workerExitTimeout: 30 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.finish();
    expect([call.results, call.end]).to.deep.equal([[0], undefined]);
    pool.clock.advance(29);
    expect(worker.isKilled).to.equal(false);
    pool.clock.advance(1);
    expect(worker.isKilled).to.equal(true);
    expect(call.error).to.be.instanceOf(WorkerTimeoutError).and.to.include({ stage: 'exit', timeout: 30, workerId: 0 });
  });

  it('is told by join, where workers are kept and the call is over', async () => {
    const pool = fakePool({ nJobs: 1, keepAlive: true });
    const call = pool.call([0], { workerExit: () => undefined, workerExitTimeout: 30 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.finish();
    expect(call.end).to.equal('completed');
    pool.join();
    pool.clock.advance(30);
    expect(worker.isKilled).to.equal(true);
    await Promise.resolve();
    await Promise.resolve();
    expect(pool.ends).to.have.lengthOf(1);
    expect(pool.ends[0]).to.include('exit function of worker 0 took longer than its workerExitTimeout of 30 ms');
  });
});

describe('A worker that does not end', () => {
  afterEach(checkFakePools);

  it('is killed five seconds after it was asked to leave', () => {
    const pool = fakePool({ nJobs: 1, isStubborn: true });
    const call = pool.call([0]);
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.finish();
    expect(worker.isLeaving).to.equal(true);
    pool.clock.advance(4999);
    expect([worker.isKilled, call.end]).to.deep.equal([false, undefined]);
    pool.clock.advance(1);
    expect(worker.isKilled).to.equal(true);
    worker.ends({ signal: 'SIGKILL' });
    pool.clock.turn();
    expect(call.end).to.equal('completed');
  });

  it('when it is killed is given up after five seconds more, as join tells', async () => {
    const pool = fakePool({ nJobs: 1, isStubborn: true });
    const call = pool.call([0]);
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.begin();
    pool.terminate();
    expect(worker.isKilled).to.equal(true);
    pool.clock.advance(4999);
    await Promise.resolve();
    expect(pool.ends).to.deep.equal([]);
    pool.clock.advance(1);
    await Promise.resolve();
    await Promise.resolve();
    expect(pool.ends).to.have.lengthOf(1);
    expect(pool.ends[0]).to.include('has not ended within 5000 ms');
    expect(call.end).to.equal('failed');
    worker.ends({ exitCode: 1 }); // after all
  });

  it('does not hold back an error for more than 100 ms', () => {
    const pool = fakePool({ nJobs: 1, isStubborn: true });
    const call = pool.call([0]);
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.fails(new RangeError('thrown'));
    pool.clock.advance(99);
    expect(call.end).to.equal(undefined);
    pool.clock.advance(1);
    expect(call.end).to.equal('failed');
    worker.ends({ exitCode: 1 });
  });
});
