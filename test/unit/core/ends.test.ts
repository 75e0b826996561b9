// How calls and pools end, whatever their workers are at: cancelled, joined and terminated at each moment.
import { expect } from 'chai';
import { PoolTerminatedError } from '../../../src/errors.js';
import { CallMode } from '../../../src/internal/protocol/messages.js';
import {
  checkFakePools,
  fakePool,
  type FakeCall,
  type FakeCallSettings,
  type FakePool,
} from '../../support/fake/fakePool.js';
import type { FakeWorker } from '../../support/fake/FakeWorker.js';

const hooks = { workerInit: () => undefined, workerExit: () => undefined };

/** What a call with values 0 to 4 is at when something happens to it: the options that it needs, and how it gets there. */
const moments: Readonly<Record<string, readonly [FakeCallSettings, (workers: readonly FakeWorker[]) => void]>> = {
  'while workers start': [{}, () => undefined],
  'when one worker is up': [{}, ([first]) => first!.ready()],
  'while workers load': [{}, (workers) => workers.forEach((worker) => worker.ready())],
  'in init functions': [hooks, (workers) => workers.forEach((worker) => worker.ready().defined())],
  'after init functions': [hooks, (workers) => workers.forEach((worker) => worker.ready().defined().initDone())],
  'when tasks are begun': [{}, (workers) => workers.forEach((worker) => worker.ready().chunk.begin())],
  'when a chunk is done in part': [
    { chunkSize: 3 },
    ([first, second]) => {
      first!.ready().chunk.results([first!.chunk.values[0]]);
      second!.ready();
    },
  ],
  'when chunks wait behind others': [
    { chunkSize: 1 },
    ([first, second]) => {
      first!.ready().chunk.finish();
      second!.ready();
      expect([first, second].map((worker) => worker!.chunks.length)).to.include(2);
    },
  ],
  'when results wait for an earlier one': [
    { chunkSize: 1 },
    ([first, second]) => {
      first!.ready();
      const { chunk } = second!.ready();
      chunk.finish();
    },
  ],
  'when something was yielded': [
    { mode: CallMode.Merge },
    (workers) => workers.forEach((worker) => worker.ready().chunk.yields(['yielded'])),
  ],
  'with several tasks per worker': [
    { tasksPerWorker: 3 },
    (workers) => {
      workers.forEach((worker) => worker.ready());
      workers.forEach((worker) => worker.chunks.forEach((chunk) => chunk.begin()));
    },
  ],
};

interface Scene {
  readonly pool: FakePool;
  readonly call: FakeCall;
  readonly values: readonly number[];
}

function sceneOf(moment: string, options: { keepAlive?: boolean } & FakeCallSettings = {}): Scene {
  const [settings, reach] = moments[moment]!;
  const { keepAlive = false, ...call } = options;
  const pool = fakePool({ nJobs: 2, keepAlive });
  const values = [0, 1, 2, 3, 4];
  const begun = pool.call(values, { ...settings, ...call });
  reach(pool.workers);
  return { pool, call: begun, values };
}

/** Has all workers do what they have to. */
function finish({ pool }: Pick<Scene, 'pool'>): void {
  for (let rounds = 0; rounds < 50; rounds++) {
    pool.clock.turn();
    for (const worker of pool.allReady()) {
      if (worker.isKilled) continue;
      worker.defined();
      if (worker.isInInit) worker.initDone();
      worker.exits();
      const [chunk] = worker.chunks;
      if (chunk?.isCancelled === true) chunk.stopped();
      else chunk?.finish((value: number) => (chunk.message.mode === CallMode.Merge ? undefined : value));
    }
  }
}

/** What promises have to tell, once. */
const settled = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

for (const moment of Object.keys(moments)) {
  describe(`What happens ${moment}`, () => {
    afterEach(checkFakePools);

    it('nothing: the call completes, and the workers leave', () => {
      const scene = sceneOf(moment);
      finish(scene);
      expectResults(scene);
      expect(scene.call.end).to.equal('completed');
      expect(scene.pool.workers).to.deep.equal([]);
    });

    it('join: the call completes, the workers leave, and then it is done', async () => {
      for (const keepAlive of [false, true]) {
        const scene = sceneOf(moment, { keepAlive });
        scene.pool.join();
        await settled();
        expect(scene.pool.ends).to.deep.equal([]);
        finish(scene);
        await settled();
        expectResults(scene);
        expect([scene.call.end, scene.pool.ends]).to.deep.equal(['completed', ['joined']]);
        expect(scene.pool.workers).to.deep.equal([]);
        scene.pool.platform.checkQuiet();
      }
    });

    it('join, and a call that comes meanwhile: it is run by other workers, and the next join waits for it', async () => {
      const { pool } = sceneOf(moment);
      pool.join();
      const before = new Set(pool.workers);
      const late = pool.call(['late']);
      expect(pool.started.flatMap(({ allChunks }) => allChunks.flatMap(({ values }) => values))).to.not.include('late');
      finish({ pool });
      await settled();
      finish({ pool });
      await settled();
      expect([late.results, late.end]).to.deep.equal([['late'], 'completed']);
      expect(pool.ends[0]).to.equal('joined');
      const runs = pool.started.find(({ allChunks }) => allChunks.some(({ values }) => values[0] === 'late'));
      expect(before.has(runs!)).to.equal(false);
    });

    it('terminate: the call fails, the workers are killed, and then it is done', async () => {
      for (const keepAlive of [false, true]) {
        const { pool, call } = sceneOf(moment, { keepAlive });
        const workers = pool.workers;
        pool.terminate();
        expect(call.error).to.be.instanceOf(PoolTerminatedError);
        expect(workers.every(({ isKilled }) => isKilled)).to.equal(true);
        await settled();
        expect(pool.ends, 'before they have ended').to.deep.equal([]);
        pool.clock.turn();
        await settled();
        expect(pool.ends).to.deep.equal(['terminated']);
        pool.platform.checkQuiet();
        expect(() => pool.call([0])).to.throw(PoolTerminatedError);
      }
    });

    it('terminate while it is joined: both are done', async () => {
      const { pool, call } = sceneOf(moment);
      pool.join();
      pool.terminate();
      pool.clock.turn();
      await settled();
      expect(call.error).to.be.instanceOf(PoolTerminatedError);
      expect(pool.ends).to.have.members(['joined', 'terminated']);
    });

    it('a cancellation, where nobody else needs the workers: they are killed at once', () => {
      const { pool, call } = sceneOf(moment);
      const workers = pool.workers;
      call.cancel();
      expect(workers.every(({ isKilled }) => isKilled)).to.equal(true);
      pool.clock.turn();
      pool.platform.checkQuiet();
      expect(call.end).to.equal(undefined);
    });

    it('a cancellation, where workers are kept: they get cancelTimeout to stop, and the next call goes on', () => {
      for (const stops of [true, false]) {
        const { pool, call } = sceneOf(moment, { keepAlive: true, cancelTimeout: 20 });
        const { results } = call;
        const heard = results.length;
        const workers = pool.workers;
        const busy = workers.filter(({ chunks }) => chunks.length > 0);
        call.cancel();
        expect(busy.flatMap(({ chunks }) => chunks).every(({ isCancelled }) => isCancelled)).to.equal(true);
        pool.clock.advance(19);
        expect(workers.some(({ isKilled }) => isKilled)).to.equal(false);
        if (stops) {
          for (const worker of busy) {
            if (worker.isInInit) worker.defined().initDone();
            for (const chunk of worker.chunks) chunk.stopped();
          }
        }
        pool.clock.advance(1);
        expect(busy.every(({ isKilled }) => isKilled === !stops)).to.equal(true);
        const next = pool.call(['next'], { fn: (value) => value });
        finish({ pool });
        expect([next.results, next.end]).to.deep.equal([['next'], 'completed']);
        expect([results.length, call.end]).to.deep.equal([heard, undefined]);
      }
    });

    it('a cancellation with cancelTimeout 0, where workers are kept: those with a chunk are killed at once', () => {
      const { pool, call } = sceneOf(moment, { keepAlive: true, cancelTimeout: 0 });
      const busy = pool.workers.filter(({ chunks }) => chunks.length > 0);
      call.cancel();
      pool.clock.advance(1);
      expect(busy.every(({ isKilled }) => isKilled)).to.equal(true);
    });

    it('a signal: the call fails with its reason', () => {
      const controller = new AbortController();
      const { pool, call } = sceneOf(moment, { signal: controller.signal });
      const reason = new Error('aborted');
      controller.abort(reason);
      pool.clock.turn();
      expect(call.error).to.equal(reason);
      expect(pool.workers).to.deep.equal([]);
    });

    it('the death of all workers: the call fails, or goes on with others where it may', () => {
      const scene = sceneOf(moment, { workerDeathRetries: 2 });
      const { pool, call } = scene;
      const wasUp = pool.workers.every(({ isUp }) => isUp);
      for (const worker of pool.workers) worker.ends({ signal: 'SIGKILL' });
      finish(scene);
      const mayGoOn = wasUp && moment !== 'when something was yielded';
      expect(call.end).to.equal(mayGoOn ? 'completed' : 'failed');
      if (mayGoOn) expectResults(scene);
      expect(pool.workers).to.deep.equal([]);
    });
  });
}

/** All results, in order, each once. */
function expectResults({ call, values }: Scene): void {
  const isMerge = call.job.mode === CallMode.Merge;
  expect(call.results).to.deep.equal(isMerge ? ['yielded', 'yielded'] : values);
}

describe('The program', () => {
  afterEach(checkFakePools);

  it('is held while something waits for workers, also where these are daemons', () => {
    for (const daemon of [true, false]) {
      const pool = fakePool({ nJobs: 1, keepAlive: true, daemon });
      const call = pool.call([0]);
      expect(pool.platform.isHeld).to.equal(true);
      pool.allReady();
      pool.worker(0).chunk.finish();
      expect(call.end).to.equal('completed');
      expect(pool.platform.isHeld, 'by a worker that idles').to.equal(!daemon);
    }
  });

  it('is warned of a worker that dies of an error with nothing to do, and the pool goes on', () => {
    const pool = fakePool({ nJobs: 1, keepAlive: true });
    pool.call([0]);
    pool.allReady();
    pool.worker(0).chunk.finish();
    pool.worker(0).fatal(new RangeError('late')).ends({ exitCode: 1 });
    expect(pool.platform.warnings).to.have.lengthOf(1);
    expect(pool.platform.warnings[0]).to.include('late');
    const call = pool.call([1]);
    pool.allReady();
    pool.worker(0).chunk.finish();
    expect(call.results).to.deep.equal([1]);
  });
});
