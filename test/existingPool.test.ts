// The option `pool`: an operator on a pool of the caller's.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { concat, from, NEVER, of, range, take } from 'rxjs';
import type { TaskContext } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, parallelMergeMap, PoolTerminatedError, WorkerPool } from './support/library.js';
import { loopForever, passGate, useGates, type Gated } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { until } from './support/until.js';
import { trackWorkers } from './support/workers.js';
import { same, spin } from './support/tasks.js';

/** Says when its signal fires; then it goes on, or hangs. */
const listening = async (
  { dir, name, hangs }: Gated & { hangs?: boolean },
  { signal }: TaskContext,
): Promise<string> => {
  const { appendFileSync } = await import('node:fs');
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      appendFileSync(`${dir}/log`, `abort ${name}\n`);
      if (hangs === true) for (;;);
      resolve();
    });
    appendFileSync(`${dir}/log`, `start ${name}\n`);
  });
  return name;
};

describeEach.of(['threading', 'forkserver'], 'an existing pool', ({ name: startMethod }) => {
  let pool: WorkerPool;
  beforeEach(() => {
    pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
  });
  afterEach(() => pool.terminate());
  const workers = trackWorkers(); // which looks after the pool has been terminated
  const gates = useGates();

  it('is neither started nor ended by an operator: several use one worker', async () => {
    const operator = parallelMap(same, { pool });
    expect(workers.started).to.equal(0);
    for (let run = 0; run < 3; run++) {
      expect((await outcomeOf(range(0, 10).pipe(operator))).values).to.have.length(10);
    }
    const merged = of(1).pipe(parallelMergeMap((n: number) => [n, n], { pool }));
    expect((await outcomeOf(merged)).values).to.deep.equal([1, 1]);
    expect((await outcomeOf(parallelFrom([1, 2], same, { pool }))).values).to.deep.equal([1, 2]);
    expect(await pool.map(same, [3])).to.deep.equal([3]);
    expect({ started: workers.started, alive: workers.alive }).to.deep.equal({ started: 1, alive: 1 });
  });

  it('survives a task that fails, and a source that fails', async () => {
    const failing = parallelMap(
      (n: number) => {
        throw new Error(`task ${n}`);
      },
      { pool },
    );
    expect((await outcomeOf(range(0, 10).pipe(failing))).error).to.have.property('message', 'task 0');
    expect((await outcomeOf(of(5).pipe(parallelMap(same, { pool })))).values).to.deep.equal([5]);
    expect(workers.started).to.equal(1);
  });

  it('that has been terminated is an error of the subscription', async () => {
    await pool.terminate();
    const { values, error } = await outcomeOf(of(1).pipe(parallelMap(same, { pool })));
    expect(values).to.deep.equal([]);
    expect(error).to.be.instanceOf(PoolTerminatedError);
  });

  it('that is terminated midway ends the subscription with an error', async () => {
    const outcome = outcomeOf(of(gates().value('a')).pipe(parallelMap(loopForever, { pool })));
    await gates().haveStarted('a');
    await pool.terminate();
    expect((await outcome).error).to.be.instanceOf(PoolTerminatedError);
  });

  it('that is terminated inside next lets nothing follow but the error', async () => {
    const values: number[] = [];
    const error = await new Promise((resolve) => {
      range(0, 300)
        .pipe(parallelMap(same, { pool, chunkSize: 100 }))
        .subscribe({
          next(n) {
            values.push(n);
            if (n === 5) void pool.terminate();
          },
          error: resolve,
          complete: () => resolve('completed'),
        });
    });
    expect(error).to.be.instanceOf(PoolTerminatedError);
    expect(values).to.deep.equal([0, 1, 2, 3, 4, 5]);
  });

  it('runs the next call while a cancelled task is still ending', async () => {
    const subscription = of(gates().value('a'))
      .pipe(parallelMap(listening, { pool, cancelTimeout: Infinity }))
      .subscribe();
    await gates().haveStarted('a');
    subscription.unsubscribe();
    expect(await pool.map(same, [1])).to.deep.equal([1]);
    expect(gates().log).to.deep.equal(['start a', 'abort a']);
    expect(workers.started).to.equal(1);
  });

  it('gives a cancelled worker no new task before it answers', async () => {
    const value = gates().value('a');
    const subscription = of(value)
      .pipe(parallelMap(passGate, { pool, cancelTimeout: Infinity }))
      .subscribe();
    await gates().haveStarted('a');
    subscription.unsubscribe();
    const next = pool.map(passGate, [gates().value('b')]);
    await gates().hasSaid('abort a');
    await delay(50);
    expect(gates().started).to.deep.equal(['a']);
    gates().open('a');
    gates().open('b');
    expect(await next).to.deep.equal(['b']);
    expect(gates().log).to.deep.equal(['start a', 'abort a', 'end a', 'start b', 'end b']);
    expect(workers.started).to.equal(1);
  });

  it('kills a cancelled endless loop after cancelTimeout, and the next task runs', async () => {
    const subscription = of(gates().value('a'))
      .pipe(parallelMap(loopForever, { pool, cancelTimeout: 50 }))
      .subscribe();
    await gates().haveStarted('a');
    const next = pool.map(same, [1, 2, 3]);
    subscription.unsubscribe();
    expect(await next).to.deep.equal([1, 2, 3]);
    expect(workers.started).to.equal(2);
  });

  it('cuts off a listener for the cancellation that itself hangs', async () => {
    // Enough for the listener to begin: a busy machine may not give the worker a turn within 50 ms.
    const subscription = of({ ...gates().value('a'), hangs: true })
      .pipe(parallelMap(listening, { pool, cancelTimeout: 1000 }))
      .subscribe();
    await gates().haveStarted('a');
    subscription.unsubscribe();
    await gates().hasSaid('abort a');
    expect(await pool.map(same, [1])).to.deep.equal([1]);
    expect(workers.started).to.equal(2);
  });

  it('lets what a listener for the cancellation writes arrive', async () => {
    const subscription = of(gates().value('a'))
      .pipe(parallelMap(listening, { pool, cancelTimeout: 5000 }))
      .subscribe();
    await gates().haveStarted('a');
    subscription.unsubscribe();
    await gates().hasSaid('abort a');
  });

  it('leaves a running task alone when one behind it is cancelled', async () => {
    const first = pool.map(passGate, [gates().value('a')]);
    await gates().haveStarted('a');
    const controller = new AbortController();
    const waiting = outcomeOf(
      of(gates().value('b')).pipe(parallelMap(passGate, { pool, signal: controller.signal, cancelTimeout: 0 })),
    );
    const last = pool.map(passGate, [gates().value('c')]);
    controller.abort('cancelled');
    expect((await waiting).error).to.equal('cancelled');
    gates().openAll();
    expect(await first).to.deep.equal(['a']);
    expect(await last).to.deep.equal(['c']);
    expect(gates().started).to.deep.equal(['a', 'c']);
    expect(workers.started).to.equal(1);
  });

  it('leaves a running task alone when one sent ahead to its worker is cancelled', async () => {
    // So short that the pool sends the next ones ahead.
    for (let round = 0; round < 20; round++) await pool.map(spin, [0, 0, 0, 0, 0, 0, 0]);
    const long = pool.map(spin, [600]);
    const short = of(0)
      .pipe(parallelMap(spin, { pool, cancelTimeout: 0 }))
      .subscribe();
    await delay(100);
    short.unsubscribe();
    expect(await long).to.deep.equal([600]);
    expect(workers.started).to.equal(1);
  });

  it('lets a cancelled call share its worker with no other one', async () => {
    await pool.terminate();
    pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });
    const other = pool.map(passGate, [gates().value('other')]);
    await gates().haveStarted('other');
    const subscription = of(gates().value('a'))
      .pipe(parallelMap(loopForever, { pool, cancelTimeout: 0 }))
      .subscribe();
    await gates().haveStarted('a');
    subscription.unsubscribe();
    await until(() => workers.alive === 1, 'the looping worker is killed');
    gates().open('other');
    expect(await other).to.deep.equal(['other']);
  });

  it('serves two subscriptions in turns: a long one does not keep out a short one', async () => {
    const long = concat(range(0, 1_000_000), NEVER).pipe(parallelMap(same, { pool }));
    const subscription = long.subscribe();
    const { values } = await outcomeOf(range(0, 10).pipe(parallelMap(same, { pool })));
    expect(values).to.have.length(10);
    subscription.unsubscribe();
  });

  it('unsubscribing one of two ends only its tasks', async () => {
    await pool.terminate();
    pool = new WorkerPool({ nJobs: 2, startMethod });
    const operator = parallelMap(passGate, { pool, cancelTimeout: 0 });
    const first = concat(of(gates().value('a')), NEVER)
      .pipe(operator)
      .subscribe();
    const second = outcomeOf(of(gates().value('b')).pipe(operator));
    await gates().haveStarted('a', 'b');
    first.unsubscribe();
    await until(() => workers.alive === 1, 'the worker of the first ends');
    gates().open('b');
    expect(await second).to.deep.equal({ values: ['b'], end: 'complete' });
  });

  it('take on it cancels the rest, and the pool is as good as before', async () => {
    const values = ['a', 'b', 'c', 'd'].map((name) => gates().value(name));
    gates().open('a');
    const result = from(values).pipe(parallelMap(passGate, { pool, cancelTimeout: 0 }), take(1));
    expect((await outcomeOf(result)).values).to.deep.equal(['a']);
    expect(await pool.map(same, [1])).to.deep.equal([1]);
    expect(gates().started.filter((name) => name > 'b')).to.deep.equal([]);
  });

  it('without keepAlive has its workers leave before the last call completes', async () => {
    await pool.terminate();
    pool = new WorkerPool({ nJobs: 2, startMethod });
    await new Promise<void>((resolve, reject) => {
      range(0, 10)
        .pipe(parallelMap(same, { pool }))
        .subscribe({
          error: reject,
          complete() {
            expect(workers.alive).to.equal(0);
            resolve();
          },
        });
    });
    expect(await pool.map(same, [1])).to.deep.equal([1]);
  });
});
