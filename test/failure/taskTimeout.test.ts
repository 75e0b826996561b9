// The option `taskTimeout`: a task that takes too long ends with its worker.
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { concat, from, NEVER, of } from 'rxjs';
import type { WorkerPool, WorkerTimeoutError as TimedOut } from 'rxjs-parallel-map';
import { moduleTask, parallelFrom, parallelMap, parallelMergeMap, WorkerTimeoutError } from '../support/library.js';
import { loopForever, passGate, useGates } from '../support/gates.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { runScript } from '../support/runProgram.js';
import { rejection } from '../support/rejection.js';
import { settled, snapshot } from '../support/resources.js';
import { describeEach } from '../support/startMethods.js';
import { trackWorkers } from '../support/workers.js';
import { collect } from '../support/collect.js';

/** Loops at 2, else gives the value back. */
const loopAt2 = (n: number): number => {
  while (n === 2);
  return n;
};

const neverSettles = (): Promise<never> => new Promise(() => undefined);

function expectTimeout(error: unknown, fields: { timeout: number; index: number }): void {
  expect(error).to.be.instanceOf(WorkerTimeoutError);
  expect(error).to.include({ name: 'WorkerTimeoutError', stage: 'task', ...fields });
  const { message, workerId } = error as TimedOut;
  expect(message).to.equal(
    `The task for the value with index ${fields.index} on worker ${workerId} took longer than its taskTimeout of ${fields.timeout} ms, ` +
      'so the worker was killed.',
  );
}

/** Blocks this thread for so many milliseconds at least, and until `condition` holds. */
function block(milliseconds: number, condition = (): boolean => true): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end || !condition());
}

/** For calls of which each task runs into it. */
const timed = { taskTimeout: 150 };

/** For calls with other tasks beside: a busy machine may not give their worker a turn of a CPU for a while. */
const generous = { taskTimeout: 1000 };

describeEach.of(['threading', 'fork'], 'taskTimeout, however tasks are run,', ({ name: startMethod }) => {
  afterEach(endPools);
  const workers = trackWorkers();

  /** Each way to run tasks, over 1, 2 and 3; fails with what the call fails with. */
  const input = [1, 2, 3];
  const ways: Record<string, (pool: WorkerPool) => Promise<unknown>> = {
    map: (pool) => pool.map(loopAt2, input, generous),
    mapUnordered: (pool) => pool.mapUnordered(loopAt2, input, generous),
    imap: (pool) => collect(pool.imap(loopAt2, input, generous)),
    imapUnordered: (pool) => collect(pool.imapUnordered(loopAt2, input, generous)),
    parallelMap: (pool) => failureOf(from(input).pipe(parallelMap(loopAt2, { pool, ...generous }))),
    'parallelMap, unordered': (pool) =>
      failureOf(from(input).pipe(parallelMap(loopAt2, { pool, ordered: false, ...generous }))),
    parallelFrom: (pool) => failureOf(parallelFrom(input, loopAt2, { pool, ...generous })),
    parallelMergeMap: (pool) =>
      failureOf(
        from(input).pipe(
          parallelMergeMap(
            function* (n: number) {
              yield n;
              while (n === 2);
            },
            { pool, ...generous },
          ),
        ),
      ),
  };
  async function failureOf(source: Parameters<typeof outcomeOf>[0]): Promise<void> {
    const { end, error } = await outcomeOf(source);
    if (end === 'error') throw error;
  }

  for (const [way, run] of Object.entries(ways)) {
    it(`ends an endless loop in ${way}, and the pool goes on`, async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      expectTimeout(await rejection(run(pool)), { timeout: 1000, index: 1 });
      expect(await pool.apply(identity)).to.not.equal(before);
      expect(workers.started).to.equal(2);
    });
  }
});

// The clock is the pool's, whatever its workers are. When it begins, stands still and passes: unit/core/timeouts.test.ts.
describeEach.of(['threading', 'forkserver'], 'the time of a task with taskTimeout', ({ name: startMethod }) => {
  afterEach(endPools);
  trackWorkers();
  const gates = useGates();

  it('ends a promise that never settles, and an inner Observable that never ends', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expectTimeout(await rejection(pool.apply(neverSettles, [], timed)), { timeout: 150, index: 0 });
    const never = async function* () {
      yield 1;
      await new Promise(() => undefined);
    };
    const outcome = await outcomeOf(of(0).pipe(parallelMergeMap(never, { nJobs: 1, startMethod, ...timed })));
    expect(outcome.values).to.deep.equal([1]);
    expectTimeout(outcome.error, { timeout: 150, index: 0 });
  });

  it('leaves no timer of tasks that were done in time', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const before = snapshot();
    expect(await pool.map(loopAt2, [0, 1, 3], { taskTimeout: 60_000 })).to.deep.equal([0, 1, 3]);
    const died = pool.map(() => process.exit(1), [0], { taskTimeout: 60_000 });
    expect(await rejection(died)).to.have.property('name', 'WorkerDiedError');
    await settled(before);
  });

  it('begins with the task where the module was slow to load', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const module = new URL('../tasks/slowToLoad.js', import.meta.url);
    const loop = moduleTask<(n: number) => never>(module, 'loop');
    const { loadTime } = (await import(module.href)) as { loadTime: number };
    const start = performance.now();
    expectTimeout(await rejection(pool.map(loop, [1], timed)), { timeout: 150, index: 0 });
    expect(performance.now() - start).to.be.above(loadTime + 150 - 5);
  });

  it('does not start the task again, whatever workerDeathRetries says', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const error = await rejection(pool.apply(loopForever, [gates().value('a')], { ...timed, workerDeathRetries: 3 }));
    expectTimeout(error, { timeout: 150, index: 0 });
    expect(await pool.apply(() => 'next')).to.equal('next');
    expect(gates().started).to.deep.equal(['a']);
  });

  it('is not noticed by other calls on the pool', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const other = outcomeOf(
      from(['a', 'b', 'c'].map((name) => gates().value(name))).pipe(parallelMap(passGate, { pool, maxTasksActive: 1 })),
    );
    await gates().haveStarted('a');
    expectTimeout(await rejection(pool.apply(loopAt2, [2], timed)), { timeout: 150, index: 0 });
    gates().openAll();
    expect(await other).to.deep.equal({ values: ['a', 'b', 'c'], end: 'complete' });
    expect(gates().started).to.deep.equal(['a', 'b', 'c']);
  });

  it('gives back the only worker to a call that waits for it', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const stuck = rejection(pool.apply(loopAt2, [2], timed));
    const waiting = pool.map(loopAt2, [4, 5, 6]);
    expectTimeout(await stuck, { timeout: 150, index: 0 });
    expect(await waiting).to.deep.equal([4, 5, 6]);
  });

  it('neither holds the program open nor lets it end before its time', async () => {
    const end = await runScript(`
      const pool = new WorkerPool({ nJobs: 1, startMethod: '${startMethod}', keepAlive: true });
      await pool.apply((n) => n, [1], { taskTimeout: 1e6 });
      await pool.apply(() => new Promise(() => {}), [], { taskTimeout: 200 }).catch((error) => console.log(error.name));
    `);
    expect(end).to.deep.equal({ code: 0, signal: null, stdout: 'WorkerTimeoutError\n', stderr: '' });
  });
});

describeEach('taskTimeout', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);
  const workers = trackWorkers(); // which looks when the pools have ended
  const gates = useGates();

  it('ends an endless loop in apply', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const error = await rejection<TimedOut>(pool.apply(loopAt2, [2], timed));
    expectTimeout(error, { timeout: 150, index: 0 });
    expect(error.workerId).to.equal(0);
    expect(await pool.apply(loopAt2, [3], { taskTimeout: 5000 })).to.equal(3);
  });

  it("ends all workers of an operator's own pool, and leaves nothing", async () => {
    const before = snapshot();
    const source = concat(of(1, 3, 2), NEVER);
    const { values, error } = await outcomeOf(
      source.pipe(parallelMap(loopAt2, { nJobs: 2, startMethod, ...generous })),
    );
    expect(values).to.deep.equal([1, 3]);
    expectTimeout(error, { timeout: 1000, index: 2 });
    await settled(before);
  });

  it('does not count the start of the worker, nor the loading of the module', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const module = new URL('../tasks/slowToLoad.js', import.meta.url);
    expect(await pool.map<number, number>(module, [1, 2], generous)).to.deep.equal([2, 4]);
  });

  // The second result is more than a pipe holds: a process sends it only while somebody reads.
  for (const size of [1, 8 * 1024 * 1024]) {
    it(`spares a result of ${size} bytes that a busy program has not read yet`, async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const task = async ({ dir, bytes }: { dir: string; bytes: number }): Promise<Uint8Array> => {
        const { appendFileSync } = await import('node:fs');
        const result = new Uint8Array(bytes);
        appendFileSync(`${dir}/log`, `end ${bytes}\n`);
        return result;
      };
      const { dir } = gates();
      await pool.apply(task, [{ dir, bytes: 0 }]);
      const result = pool.apply(task, [{ dir, bytes: size }], generous);
      await turn(); // it is on its way
      // As long as it was late, it has for reading.
      block(size === 1 ? 1200 : 3000, () => gates().log.includes(`end ${size}`));
      expect((await result).byteLength).to.equal(size);
    });
  }

  it('ends an endless loop also when the program was busy itself', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    await pool.apply(loopAt2, [1]);
    const stuck = rejection(pool.apply(loopAt2, [2], timed));
    await turn();
    block(300);
    expectTimeout(await stuck, { timeout: 150, index: 0 });
  });

  if (!isProcess) {
    it('fails the call also where a thread is inside native code', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const inNativeCode = async (): Promise<void> => {
        const { execSync } = await import('node:child_process');
        execSync('sleep 2');
      };
      expectTimeout(await rejection(pool.apply(inNativeCode, [], timed)), { timeout: 150, index: 0 });
      expect(workers.alive).to.equal(1);
    });
  }
});
