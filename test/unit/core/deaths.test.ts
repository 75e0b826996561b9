// The same table as in fate.test.ts, played on a pool: what the user gets, and which values are started again.
import { expect } from 'chai';
import { PoolTerminatedError, WorkerDiedError, WorkerStartError, WorkerTimeoutError } from '../../../src/errors.js';
import type { WorkerEnd } from '../../../src/StartMethod.js';
import { transfer } from '../../../src/transfer.js';
import { CallMode } from '../../../src/internal/protocol/messages.js';
import { deathsByEnding, type ChunkState, type DeathCase, type Ending } from '../../support/fake/deathTable.js';
import type { FakeChunk } from '../../support/fake/FakeChunk.js';
import {
  checkFakePools,
  fakePool,
  importing,
  type FakeCall,
  type FakeCallSettings,
  type FakePool,
} from '../../support/fake/fakePool.js';
import type { FakeWorker } from '../../support/fake/FakeWorker.js';

const crash = new RangeError('nobody has caught it');

const ends: Readonly<Record<Ending['by'], Partial<WorkerEnd>>> = {
  us: { exitCode: 1 },
  SIGKILL: { signal: 'SIGKILL' },
  SIGINT: { signal: 'SIGINT' },
  exit: { exitCode: 7 },
  error: { exitCode: 1 },
};

/** A case that was played up to the worker's end. */
interface Scene {
  readonly pool: FakePool;
  readonly call: FakeCall;
  /** The worker that is to end. */
  readonly worker: FakeWorker;
  /** The values that are lost with it, if any are. */
  readonly lost: readonly number[];
  /** Those of the same chunk that it has certainly not begun. */
  readonly unbegun: readonly number[];
}

/** A pool and a call, as a case says. */
function begin(
  { ending, isRetried, hasClaims, state }: DeathCase,
  values: readonly unknown[],
  options: FakeCallSettings,
  nJobs = 1,
): { pool: FakePool; call: FakeCall; workers: FakeWorker[] } {
  const pool = fakePool({ nJobs, hasClaims });
  const fn = (value: unknown): unknown => value;
  const call = pool.call(values, {
    fn: ending.importsModules ? importing(fn) : fn,
    workerDeathRetries: (isRetried ? 1 : 0) + (state === 'given again' ? 1 : 0),
    ...(ending.stage === 'init' ? { workerInit: () => undefined } : {}),
    ...options,
  });
  return { pool, call, workers: pool.allReady() };
}

/** Brings a worker to where it is when it ends. */
function bringTo(worker: FakeWorker, { stage }: Ending): void {
  if (stage !== 'loading') worker.defined();
}

/** Where claims tell, a value that was not begun is not lost. */
function lostOf({ hasClaims, ending }: DeathCase, count: number, begun: number): Pick<Scene, 'lost' | 'unbegun'> {
  const values = Array.from({ length: count }, (_, i) => i);
  const lost = hasClaims && ending.stage === 'tasks' ? begun : count;
  return { lost: values.slice(0, lost), unbegun: values.slice(lost) };
}

function moving(id: number): unknown {
  const bytes = new Uint8Array([id]);
  return transfer(bytes, [bytes.buffer]);
}

/** How a case is played, by what the chunk was at. Where its call goes on after a failure it is one with `settle`. */
const scenes: Readonly<Record<ChunkState, (deathCase: DeathCase) => Scene>> = {
  cancelled(deathCase) {
    const { pool, call, workers } = begin(deathCase, [0, 1, 2], { chunkSize: 1 }, 3);
    const [first, second, worker] = workers as [FakeWorker, FakeWorker, FakeWorker];
    bringTo(worker, deathCase.ending);
    for (const other of [first, second]) reachTasks(other);
    // What comes after it is not wanted any more; but what comes before it is.
    second.chunk.fails(crash);
    expect(worker.chunk.isCancelled).to.equal(true);
    return { pool, call, worker, lost: [], unbegun: [] };
  },

  waiting(deathCase) {
    const { pool, call, workers } = begin(deathCase, [0, 1, 2, 3, 4], { chunkSize: 1, settle: true }, 2);
    const [other, worker] = workers as [FakeWorker, FakeWorker];
    bringTo(worker, deathCase.ending);
    reachTasks(other);
    other.chunk.finish(); // it is quick, so both get one ahead
    expect(worker.values).to.deep.equal([[1], [4]]);
    if (deathCase.ending.stage === 'tasks') worker.chunk.begin();
    return { pool, call, worker, lost: [1], unbegun: [4] };
  },

  given(deathCase) {
    const { pool, call, workers } = begin(deathCase, [0, 1, 2], { chunkSize: 3 });
    const [worker] = workers as [FakeWorker];
    bringTo(worker, deathCase.ending);
    // Where the worker was at no value, the next one is to blame, if one has to be.
    return { pool, call, worker, ...lostOf(deathCase, 3, deathCase.fate === 'start again' ? 3 : 1) };
  },

  'given again'(deathCase) {
    const { pool, call, workers } = begin(deathCase, [0, 1, 2], { chunkSize: 3 });
    const [first] = workers as [FakeWorker];
    first.ends({ signal: 'SIGKILL' });
    const [worker] = pool.allReady() as [FakeWorker];
    expect(worker.values).to.deep.equal([[0, 1, 2]]);
    bringTo(worker, deathCase.ending);
    return { pool, call, worker, ...lostOf(deathCase, 3, 1) };
  },

  begun(deathCase) {
    const { pool, call, workers } = begin(deathCase, [0, 1, 2], { chunkSize: 3 });
    const [worker] = workers as [FakeWorker];
    worker.chunk.begin(2);
    return { pool, call, worker, ...lostOf(deathCase, 3, 2) };
  },

  'in part'(deathCase) {
    const { pool, call, workers } = begin(deathCase, [0, 1, 2, 3], { chunkSize: 4 });
    const [worker] = workers as [FakeWorker];
    worker.chunk.results([0]);
    worker.chunk.begin();
    const { lost, unbegun } = lostOf(deathCase, 4, 2);
    return { pool, call, worker, lost: lost.slice(1), unbegun };
  },

  yielded(deathCase) {
    const { pool, call, workers } = begin(deathCase, [0], { mode: CallMode.Merge });
    const [worker] = workers as [FakeWorker];
    worker.chunk.yields(['yielded']);
    return { pool, call, worker, lost: [0], unbegun: [] };
  },

  moved(deathCase) {
    const { pool, call, workers } = begin(deathCase, [moving(0)], {});
    const [worker] = workers as [FakeWorker];
    bringTo(worker, deathCase.ending);
    if (deathCase.ending.stage === 'tasks') worker.chunk.begin();
    return { pool, call, worker, lost: [0], unbegun: [] };
  },
};

/** The same where we kill the worker: for a task beside it that is out of time, or since its caller has left. */
function killedByUs(deathCase: DeathCase): Scene {
  const { state, hasClaims, isRetried } = deathCase;
  if (state === 'cancelled') {
    const pool = fakePool({ nJobs: 1, hasClaims, keepAlive: true });
    const call = pool.call([0], { cancelTimeout: 5 });
    const [worker] = pool.allReady() as [FakeWorker];
    worker.chunk.begin();
    call.cancel();
    pool.clock.advance(5);
    return { pool, call, worker, lost: [], unbegun: [] };
  }
  const pool = fakePool({ nJobs: 1, hasClaims });
  const call = pool.call([0], {
    isOpen: true,
    settle: true,
    mode: state === 'yielded' ? CallMode.Merge : CallMode.Map,
    tasksPerWorker: 2,
    taskTimeout: 50,
    workerDeathRetries: isRetried ? 1 : 0,
  });
  const [worker] = pool.allReady() as [FakeWorker];
  worker.chunk.begin();
  pool.clock.advance(20);
  call.push(state === 'moved' ? moving(1) : 1);
  call.complete();
  const beside = worker.chunks[1] as FakeChunk;
  if (state === 'yielded') beside.yields(['yielded']);
  else if (state !== 'waiting') beside.begin();
  pool.clock.advance(30);
  expect(worker.isKilled).to.equal(true);
  return { pool, call, worker, lost: [1], unbegun: [] };
}

/** Loads what there is to load, and gets through the init function. */
function reachTasks(worker: FakeWorker): void {
  worker.defined();
  if (worker.isInInit) worker.initDone();
}

/** Does all that is left to do. */
function finish({ pool, call }: Scene): void {
  for (let rounds = 0; call.end === undefined && rounds < 20; rounds++) {
    pool.clock.turn();
    for (const worker of pool.allReady()) {
      reachTasks(worker);
      const [chunk] = worker.chunks;
      if (chunk?.isCancelled === true) chunk.stopped();
      else chunk?.finish();
    }
  }
}

/** All chunks that workers were ever given. */
const allGiven = ({ started }: FakePool): FakeChunk[] => started.flatMap(({ allChunks }) => allChunks);

/** A chunk that was lost, as it is to be started again. */
const asOne = ({ lost, unbegun }: Scene): unknown[][] => [[...lost, ...unbegun]];
const oneByOne = ({ lost, unbegun }: Scene): unknown[][] => [
  ...lost.map((value) => [value]),
  ...(unbegun.length > 0 ? [[...unbegun]] : []),
];

for (const [how, cases] of deathsByEnding()) {
  describe(`A worker that ends (${how}) while it has a chunk`, () => {
    afterEach(checkFakePools);

    for (const deathCase of cases) {
      const { ending, state, fate, title } = deathCase;
      // What runs beside a task with a timeout travels alone, and is sent last.
      if (ending.by === 'us' && ['given', 'given again', 'in part'].includes(state)) continue;
      it(title, () => {
        const played = ending.by === 'us' ? killedByUs(deathCase) : scenes[state](deathCase);
        const { pool, call, worker, lost } = played;
        const before = new Set(allGiven(pool));
        if (ending.by === 'error') worker.fatal(crash);
        if (!worker.hasEnded) worker.ends(ends[ending.by]);
        finish(played);
        const again = allGiven(pool).flatMap((chunk) => (before.has(chunk) ? [] : [chunk.values]));

        if (state === 'cancelled') {
          expect(again).to.deep.equal([]);
          if (ending.by === 'us') expect([call.results, call.end]).to.deep.equal([[], undefined]);
          else expect([call.results, (call.error as Error).message]).to.deep.equal([[0], crash.message]);
        } else if (state === 'waiting' || ending.by === 'us') {
          checkSettled(deathCase, played, again);
        } else if (fate === 'start again' || fate === 'retry') {
          expect(again).to.deep.equal(fate === 'retry' ? oneByOne(played) : asOne(played));
          expect([call.end, call.error]).to.deep.equal(['completed', undefined]);
          const count = state === 'in part' ? 4 : 3;
          expect(call.results).to.deep.equal(Array.from({ length: count }, (_, i) => i));
        } else {
          expect(again).to.deep.equal([]);
          const done = { 'in part': [0], yielded: ['yielded'] };
          expect(call.results).to.deep.equal(done[state as keyof typeof done] ?? []);
          checkError(deathCase, call.error, worker, lost);
        }
      });
    }
  });
}

/** The error that a fate leads to. */
function checkError(deathCase: DeathCase, error: unknown, worker: FakeWorker, lost: readonly number[]): void {
  const { fate, ending } = deathCase;
  const cause = ending.by === 'error' ? crash : undefined;
  if (fate === 'fail loading') {
    expect(error).to.be.instanceOf(WorkerStartError).and.to.include({ workerId: worker.id });
    if (cause === undefined) expect((error as Error).cause).to.be.instanceOf(WorkerDiedError);
    else expect((error as Error).cause).to.deep.include({ message: crash.message });
    return;
  }
  expect(error).to.be.instanceOf(WorkerDiedError);
  const { exitCode = null, signal = null } = ends[ending.by];
  const option = fate === 'fail init' ? 'workerInit' : undefined;
  const { indexes, cause: told, ...died } = error as WorkerDiedError;
  expect(indexes).to.deep.equal(lost);
  expect(died.workerId).to.equal(worker.id);
  expect([died.exitCode, died.signal, died.option]).to.deep.equal([exitCode, signal, option]);
  expect((told as Error | undefined)?.message).to.equal(cause?.message);
  expect((error as Error).message).to.include(whyLost(deathCase));
}

/** What the error says about another start. */
function whyLost({ state, isRetried, ending }: DeathCase): string {
  if (state === 'moved') return 'A transferred value is not tried again.';
  if (state === 'yielded') return 'A call that has already given results is not tried again.';
  const retries = (isRetried ? 1 : 0) + (state === 'given again' && ending.by !== 'us' ? 1 : 0);
  if (retries === 0) return 'set "workerDeathRetries"';
  return `All retries of "workerDeathRetries" (${retries}) are used up.`;
}

/** Of a call with `settle`, which goes on whatever becomes of a value, but for what is no value's fault. */
function checkSettled(deathCase: DeathCase, { call, worker, lost }: Scene, again: readonly unknown[][]): void {
  const { ending, isRetried, state, fate } = deathCase;
  const results = call.results as PromiseSettledResult<unknown>[];
  const rejected = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const fulfilled = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (ending.by === 'us') {
    const isReturned = fate === 'return';
    expect(again).to.deep.equal(isReturned ? [[1]] : []);
    expect(call.end).to.equal('completed');
    expect(fulfilled).to.deep.equal(isReturned ? [1] : state === 'yielded' ? ['yielded'] : []);
    expect(rejected[0]).to.be.instanceOf(WorkerTimeoutError).and.to.include({ index: 0, stage: 'task', timeout: 50 });
    if (isReturned) expect(rejected).to.have.lengthOf(1);
    else checkError(deathCase, rejected[1], worker, lost);
    return;
  }
  // The chunk before the one that waits has a fate of its own.
  const isLoading = ending.importsModules && (ending.by === 'exit' || ending.by === 'error');
  if (isLoading || (ending.stage === 'init' && !isRetried)) {
    checkError({ ...deathCase, fate: isLoading ? 'fail loading' : 'fail init' }, call.error, worker, lost);
    return;
  }
  const isLost = ending.stage === 'tasks' && !isRetried;
  expect(again).to.have.deep.members(isLost ? [[4]] : [[1], [4]]);
  expect(call.end).to.equal('completed');
  expect(fulfilled).to.deep.equal(isLost ? [0, 2, 3, 4] : [0, 1, 2, 3, 4]);
  if (isLost) checkError({ ...deathCase, fate: 'fail' }, rejected[0], worker, lost);
}

describe('A worker that ends while it starts', () => {
  afterEach(checkFakePools);

  for (const [by, end] of Object.entries(ends)) {
    if (by === 'us' || by === 'SIGINT') continue;
    it(`by ${by} fails the calls that wait, once, and starts no other one`, () => {
      const pool = fakePool({ nJobs: 2 });
      const call = pool.call([0, 1]);
      expect(pool.started).to.have.lengthOf(2);
      pool.worker(1).ends(by === 'error' ? { ...end, error: crash } : end);
      pool.clock.turn();
      expect(call.error).to.be.instanceOf(WorkerStartError).and.to.include({ workerId: 1 });
      const { cause } = call.error as Error;
      if (by === 'error') expect(cause).to.equal(crash);
      else expect(cause).to.be.instanceOf(WorkerDiedError);
      expect(pool.started).to.have.lengthOf(2);
    });
  }

  it('by SIGINT is replaced: that is for the program to answer', () => {
    const pool = fakePool({ nJobs: 1 });
    const call = pool.call([0]);
    pool.worker(0).ends({ signal: 'SIGINT' });
    expect(pool.started).to.have.lengthOf(2);
    pool.worker(0).ready().chunk.finish();
    expect(call.results).to.deep.equal([0]);
  });

  it('because we have killed it takes no other call along', () => {
    const pool = fakePool({ nJobs: 1, keepAlive: true });
    const first = pool.call([0]);
    pool.terminate();
    pool.clock.turn();
    expect(first.error).to.be.instanceOf(PoolTerminatedError);
    expect(pool.started).to.have.lengthOf(1);
  });

  it('leaves the calls alone whose values others have', () => {
    const pool = fakePool({ nJobs: 2 });
    const call = pool.call([0], { isOpen: true });
    const [first] = pool.allReady() as [FakeWorker];
    call.push(1);
    first.chunk.finish();
    // The second one starts for a value that the first one has taken meanwhile.
    pool.worker(1).ends({ exitCode: 3 });
    first.chunk.finish();
    call.complete();
    pool.clock.turn();
    expect([call.results, call.end]).to.deep.equal([[0, 1], 'completed']);
  });
});
