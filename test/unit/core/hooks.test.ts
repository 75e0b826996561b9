// What runs before the first and after the last task of a call in each worker, and what its failures and deaths mean.
import { expect } from 'chai';
import { WorkerDiedError, WorkerStartError } from '../../../src/errors.js';
import { checkFakePools, fakePool, type FakePool } from '../../support/fake/fakePool.js';
import type { FakeWorker } from '../../support/fake/FakeWorker.js';

const init = (): void => undefined;
const exit = (): void => undefined;
const both = { workerInit: init, workerExit: exit };

/** What a worker was sent but for functions. */
const actsOf = ({ log }: FakeWorker): string[] => log.filter((entry) => entry !== 'Define');

/** One worker which has done the only value of a call on a pool that keeps it. */
function keptWorker(options: object = both): { pool: FakePool; worker: FakeWorker } {
  const pool = fakePool({ nJobs: 1, keepAlive: true });
  const call = pool.call([0], options);
  const [worker] = pool.allReady() as [FakeWorker];
  worker.defined();
  if (worker.isInInit) worker.initDone();
  worker.chunk.finish();
  expect(call.end).to.equal('completed');
  return { pool, worker };
}

describe('Init and exit functions', () => {
  afterEach(checkFakePools);

  it('frame the tasks of a call, in each worker', () => {
    const pool = fakePool({ nJobs: 2 });
    const call = pool.call([0, 1, 2], { ...both, chunkSize: 1 });
    pool.allReady();
    for (const worker of pool.workers) worker.defined().initDone();
    const [first, second] = pool.workers as [FakeWorker, FakeWorker];
    first.chunk.finish();
    first.chunk.finish();
    expect(first.isInExit, 'while tasks run').to.equal(false);
    second.chunk.finish();
    expect(pool.workers.map(({ isInExit }) => isInExit)).to.deep.equal([true, true]);
    second.exitDone('b');
    expect(call.end).to.equal(undefined);
    first.exitDone('a');
    pool.clock.turn();
    expect([call.results, call.end]).to.deep.equal([[0, 1, 2], 'completed']);
    expect(pool.scheduler.exitResults()).to.deep.equal(['a', 'b']);
    expect(actsOf(second)).to.deep.equal(['Init', 'Run [1]', 'Exit', 'Leave']);
  });

  it('run in no worker that has had no task of the call', () => {
    const pool = fakePool({ nJobs: 2, keepAlive: true });
    pool.call([0, 1]);
    pool.allReady();
    const [first, second] = pool.workers as [FakeWorker, FakeWorker];
    second.chunk.finish();
    first.chunk.finish();
    const call = pool.call(['hooked'], both);
    const [hooked, other] = first.chunks.length > 0 ? [first, second] : [second, first];
    hooked.defined().initDone().chunk.finish();
    expect(call.end).to.equal('completed');
    expect(actsOf(other).join()).to.not.include('Init');
    pool.join();
    expect([hooked.isInExit, other.isInExit]).to.deep.equal([true, false]);
    hooked.exitDone();
  });

  it('have their call fail where one throws, with what it has thrown', () => {
    const thrown = new RangeError('thrown');
    const pool = fakePool({ nJobs: 1 });
    const inInit = pool.call([0], both);
    pool.allReady();
    pool.worker(0).defined().initFailed(thrown);
    pool.clock.turn();
    expect(inInit.error).to.include({ name: 'RangeError', message: 'thrown' });

    const other = fakePool({ nJobs: 1 });
    const inExit = other.call([0], both);
    other.allReady();
    other.worker(0).defined().initDone().chunk.finish();
    other.worker(0).exitFailed(thrown);
    other.clock.turn();
    expect(inExit.error).to.include({ name: 'RangeError', message: 'thrown' });
    expect(inExit.results).to.deep.equal([0]);
  });

  it('have their call fail where they cannot be loaded', () => {
    for (const option of ['workerInit', 'workerExit'] as const) {
      const pool = fakePool({ nJobs: 1 });
      const call = pool.call([0], { [option]: () => undefined });
      pool.allReady();
      // Those of the call come before the function of its tasks.
      pool.worker(0).defineFailed(new Error('no such thing'), 0);
      pool.clock.turn();
      expect(call.error).to.be.instanceOf(WorkerStartError).and.to.include({ option });
    }
  });

  it('name the exit function where a worker dies in it', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0], both);
    pool.allReady();
    const worker = pool.worker(0).defined().initDone();
    worker.chunk.finish();
    worker.ends({ exitCode: 5 });
    pool.clock.turn();
    expect(call.error).to.be.instanceOf(WorkerDiedError).and.to.include({ option: 'workerExit', exitCode: 5 });
  });

  it('run again for a worker that takes the place of one that has died', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0], { ...both, workerDeathRetries: 1 });
    pool.allReady();
    pool.worker(0).defined().initDone().chunk.begin();
    pool.worker(0).ends({ exitCode: 5 });
    pool.allReady();
    pool.worker(0).defined().initDone().chunk.finish();
    pool.worker(0).exitDone('second');
    pool.clock.turn();
    expect([call.results, call.end]).to.deep.equal([[0], 'completed']);
    expect(pool.scheduler.exitResults()).to.deep.equal(['second']);
  });

  it('leave nobody waiting where the call is cancelled in one of them', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0], both);
    pool.allReady();
    pool.worker(0).defined();
    call.cancel();
    expect(pool.worker(0).isKilled).to.equal(true);
    pool.clock.turn();
    expect(pool.workers).to.deep.equal([]);
  });
});

describe('Init and exit functions of workers that are kept', () => {
  afterEach(checkFakePools);

  it('run once for all calls that have the same ones', () => {
    const { pool, worker } = keptWorker();
    const next = pool.call([1], both);
    worker.chunk.finish();
    expect(next.end).to.equal('completed');
    expect(actsOf(worker)).to.deep.equal(['Init', 'Run [0]', 'Run [1]']);
    pool.join();
    worker.exitDone('result');
    pool.clock.turn();
    expect(pool.scheduler.exitResults()).to.deep.equal(['result']);
  });

  it('replace the worker for a call that has others', () => {
    const { pool, worker } = keptWorker();
    const next = pool.call([1], { workerInit: () => 1 });
    expect(worker.isInExit).to.equal(true);
    worker.exitDone();
    pool.clock.turn();
    expect(worker.hasEnded).to.equal(true);
    pool.allReady();
    pool.worker(0).defined().initDone().chunk.finish();
    expect(next.results).to.deep.equal([1]);
  });

  it('leave a worker to a call that has none', () => {
    const { pool, worker } = keptWorker();
    const next = pool.call([1]);
    worker.chunk.finish();
    expect(next.results).to.deep.equal([1]);
    expect(actsOf(worker)).to.deep.equal(['Init', 'Run [0]', 'Run [1]']);
  });

  it('are several in one worker, where calls that have different ones run at once', () => {
    const pool = fakePool({ nJobs: 1, keepAlive: true });
    const first = pool.call([0, 2], { ...both, chunkSize: 1 });
    const second = pool.call([1, 3], { workerInit: () => 1, workerExit: () => 2, chunkSize: 1 });
    const [worker] = pool.allReady() as [FakeWorker];
    for (let i = 0; i < 4; i++) {
      worker.defined();
      if (worker.isInInit) worker.initDone();
      worker.chunk.finish();
    }
    expect([first.results, second.results]).to.deep.equal([
      [0, 2],
      [1, 3],
    ]);
    expect(actsOf(worker)).to.deep.equal(['Init', 'Run [0]', 'Init', 'Run [1]', 'Run [2]', 'Run [3]']);
    pool.join();
    worker.exitDone('first');
    worker.exitDone('second');
    pool.clock.turn();
    expect(pool.scheduler.exitResults()).to.deep.equal(['first', 'second']);
    expect(worker.hasEnded).to.equal(true);
  });

  it('have join tell what an exit function has thrown, once', async () => {
    const { pool, worker } = keptWorker();
    pool.join();
    worker.exitFailed(new RangeError('thrown'));
    pool.clock.turn();
    await Promise.resolve();
    await Promise.resolve();
    expect(pool.ends).to.deep.equal(['joined: RangeError: thrown']);
    pool.join();
    await Promise.resolve();
    await Promise.resolve();
    expect(pool.ends.at(-1)).to.equal('joined');
  });

  it('have an exit function that fails concern no call that runs meanwhile', () => {
    const { pool, worker } = keptWorker();
    const next = pool.call([1], { workerInit: () => 1 });
    worker.exitFailed(new RangeError('thrown'));
    pool.clock.turn();
    pool.allReady();
    pool.worker(0).defined().initDone().chunk.finish();
    expect([next.results, next.end]).to.deep.equal([[1], 'completed']);
  });

  it('end their worker at the end of its life', () => {
    const pool = fakePool({ nJobs: 1, keepAlive: true });
    pool.call([0, 1], { ...both, chunkSize: 1, workerLifespan: 1 });
    for (let i = 0; i < 2; i++) {
      pool.allReady();
      const worker = pool.worker(0).defined().initDone();
      worker.chunk.finish();
      expect(worker.isInExit).to.equal(true);
      worker.exitDone(i);
      pool.clock.turn();
      expect(worker.hasEnded).to.equal(true);
    }
    expect(pool.scheduler.exitResults()).to.deep.equal([0, 1]);
  });
});

describe('An exit function that nobody waits for any more', () => {
  afterEach(checkFakePools);

  it('gets cancelTimeout, and then its worker is killed', () => {
    const pool = fakePool({ nJobs: 2, keepAlive: true });
    const call = pool.call([0], { ...both, wantsExitResults: true, cancelTimeout: 20 });
    pool.allReady();
    const worker = pool.worker(0).defined().initDone();
    worker.chunk.finish();
    expect(worker.isInExit).to.equal(true);
    call.cancel();
    pool.clock.advance(19);
    expect(worker.isKilled).to.equal(false);
    pool.clock.advance(1);
    expect(worker.isKilled).to.equal(true);
  });

  it('keeps its worker where it ends in that time', () => {
    const pool = fakePool({ nJobs: 2, keepAlive: true });
    const call = pool.call([0], { ...both, wantsExitResults: true, cancelTimeout: 20 });
    pool.allReady();
    const worker = pool.worker(0).defined().initDone();
    worker.chunk.finish();
    call.cancel();
    pool.clock.advance(19);
    worker.exitDone();
    pool.clock.advance(1000);
    expect(worker.isKilled).to.equal(false);
    pool.call([1]);
    expect(worker.values).to.deep.equal([[1]]);
  });
});
