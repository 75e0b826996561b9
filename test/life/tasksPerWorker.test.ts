// The option `tasksPerWorker`: several tasks that wait at once in one worker.
import { expect } from 'chai';
import { from, Subject } from 'rxjs';
import type { TaskContext } from 'rxjs-parallel-map';
import {
  BufferOverflowError,
  parallelMap,
  parallelMergeMap,
  WorkerDiedError,
  WorkerTimeoutError,
} from '../support/library.js';
import { passGate, useGates, type Gated } from '../support/gates.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { until } from '../support/until.js';
import { trackWorkers } from '../support/workers.js';

const names = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));

describeEach('tasksPerWorker', ({ name: startMethod }) => {
  afterEach(endPools);
  const workers = trackWorkers();
  const gates = useGates();
  const gated = (count: number): Gated[] => names(count).map((name) => gates().value(name));

  it('has so many tasks under way in each worker, and no more', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const call = pool.map(passGate, gated(10), { tasksPerWorker: 3 });
    await gates().haveStarted(...names(6).map(Number));
    expect(gates().started).to.have.lengthOf(6);
    gates().open(4);
    await gates().haveStarted(6);
    expect(gates().started).to.have.lengthOf(7);
    gates().openAll();
    expect(await call).to.deep.equal(names(10));
    expect(workers.started).to.equal(2);
  });

  it('gives values to all workers before one has two of them', async () => {
    const pool = createPool({ nJobs: 3, startMethod });
    const whose = async (value: Gated, context: TaskContext): Promise<number> => {
      await passGate(value, context);
      return context.workerId;
    };
    const call = pool.map(whose, gated(3), { tasksPerWorker: 3, captures: { passGate } });
    await gates().haveStarted(0, 1, 2);
    gates().openAll();
    expect(await call).to.have.members([0, 1, 2]);
  });

  it('counts what workers could take beside what they have, before a value waits or is one too many', async () => {
    const source = new Subject<Gated>();
    const options = { nJobs: 2, startMethod, tasksPerWorker: 2, bufferSize: 0 };
    const results = outcomeOf(source.pipe(parallelMap(passGate, options)));
    const [a, b, c, d, tooMany] = gated(5) as [Gated, Gated, Gated, Gated, Gated];
    source.next(a);
    source.next(b);
    await gates().haveStarted(0, 1);
    source.next(c);
    source.next(d);
    await gates().haveStarted(2, 3);
    source.next(tooMany);
    expect(await results).to.deep.include({ values: [], end: 'error' });
    expect((await results).error).to.be.instanceOf(BufferOverflowError);
  });

  it('is one, unless more are asked for', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const call = pool.map(passGate, gated(2));
    await gates().haveStarted(0);
    gates().open(0);
    await gates().haveStarted(1);
    gates().openAll();
    await call;
    expect(gates().log.slice(0, 3)).to.deep.equal(['start 0', 'end 0', 'start 1']);
  });

  it('is one also where chunks wait ahead on a worker', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const count = async (_: number, { state }: TaskContext<{ now?: number; most?: number }>): Promise<number> => {
      state.now = (state.now ?? 0) + 1;
      state.most = Math.max(state.most ?? 0, state.now);
      await Promise.resolve();
      state.now--;
      return state.most;
    };
    expect(Math.max(...(await pool.map(count, Array(2000).fill(0), { chunkSize: 1 })))).to.equal(1);
  });

  it('keeps the order of results, and gives them as they come where that is not wanted', async () => {
    const results$ = (ordered: boolean) =>
      from(gated(3)).pipe(parallelMap(passGate, { nJobs: 1, startMethod, ordered, tasksPerWorker: 3 }));
    const unordered: string[] = [];
    await new Promise<void>((resolve, reject) => {
      results$(false).subscribe({
        next: (name) => {
          unordered.push(name);
          if (unordered.length < 3) gates().open(2 - unordered.length);
        },
        error: reject,
        complete: resolve,
      });
      void gates()
        .haveStarted(0, 1, 2)
        .then(() => gates().open(2));
    });
    expect(unordered).to.deep.equal(['2', '1', '0']);
    expect((await outcomeOf(results$(true))).values).to.deep.equal(['0', '1', '2']);
  });

  it('aborts all of them when nobody wants the results any more', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const controller = new AbortController();
    const values = names(3).map((name) => gates().value(name, { heedsSignal: true }));
    const call = pool.map(passGate, values, { tasksPerWorker: 3, signal: controller.signal, cancelTimeout: Infinity });
    await gates().haveStarted(0, 1, 2);
    controller.abort(new Error('no longer'));
    expect((await rejection<Error>(call)).message).to.equal('no longer');
    for (const name of names(3)) await gates().hasSaid(`end ${name}`);
    expect(gates().log).to.include.members(['abort 0', 'abort 1', 'abort 2']);
    // The worker goes on.
    expect(await pool.apply((n: number) => n, [5])).to.equal(5);
    expect(workers.started).to.equal(1);
  });

  it('ends the call with the error of one of them', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const values = [gates().value(0), gates().value(1, { fails: 'no luck' }), gates().value(2)];
    const call = pool.mapUnordered(passGate, values, { tasksPerWorker: 3 });
    await gates().haveStarted(0, 1, 2);
    gates().open(1);
    expect((await rejection<Error>(call)).message).to.equal('no luck');
  });

  it('starts a task again that was beside one which took too long', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const call = pool.map(passGate, gated(3), { tasksPerWorker: 2, taskTimeout: 2000, settle: true });
    await gates().haveStarted(0, 1);
    await new Promise((resolve) => setTimeout(resolve, 1000)); // so that the clock of 2 is far behind that of 1
    gates().open(0);
    await gates().haveStarted(2);
    const isAgain = () => gates().started.filter((name) => name === '2').length === 2;
    await until(isAgain, 'the second start of 2');
    gates().open(2);
    const [first, second, third] = await call;
    expect(first).to.deep.equal({ status: 'fulfilled', value: '0' });
    expect((second as PromiseRejectedResult).reason).to.be.instanceOf(WorkerTimeoutError);
    expect(third).to.deep.equal({ status: 'fulfilled', value: '2' });
  });

  it('starts each task by itself again that a dead worker had, so that only the culprit runs out of retries', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const task = async (value: Gated, context: TaskContext): Promise<string> => {
      if (value.name !== '1') return passGate(value, context);
      const { appendFileSync, readFileSync } = await import('node:fs');
      appendFileSync(`${value.dir}/log`, 'start 1\n');
      // Where others are beside it, it takes them along.
      while (!/start 0/.test(readFileSync(`${value.dir}/log`, 'utf8'))) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      process.exit(3);
    };
    const options = { tasksPerWorker: 3, settle: true, workerDeathRetries: 2, captures: { passGate } } as const;
    const call = pool.map(task, gated(4), options);
    await gates().haveStarted(0);
    await until(() => workers.started > 1, 'another worker');
    gates().openAll();
    const results = await call;
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    const { reason } = results[1] as PromiseRejectedResult;
    expect(reason).to.be.instanceOf(WorkerDiedError);
    expect((reason as Error).message).to.include('All retries that "workerDeathRetries" allows (2) are used up.');
    expect(gates().started.filter((name) => name === '1')).to.have.lengthOf(3);
  });

  it('tells of each that a dead worker had, and starts all of them again where that is allowed', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const task = async (value: Gated, context: TaskContext): Promise<string> => {
      if (value.name !== '1') return passGate(value, context);
      const { appendFileSync, existsSync } = await import('node:fs');
      if (existsSync(`${value.dir}/died`)) return 'lives';
      while (!existsSync(`${value.dir}/1.open`)) await new Promise((resolve) => setTimeout(resolve, 2));
      appendFileSync(`${value.dir}/died`, '');
      process.exit(3);
    };
    const options = { tasksPerWorker: 3, captures: { passGate } };
    const call = pool.map(task, gated(3), { ...options, settle: true });
    await gates().haveStarted(0, 2);
    gates().open(1);
    const results = (await call) as PromiseRejectedResult[];
    for (const [n, { reason }] of results.entries()) {
      expect(reason).to.be.instanceOf(WorkerDiedError);
      expect(reason).to.deep.include({ indexes: [n], exitCode: 3 });
    }
    gates().openAll();
    expect(await pool.map(task, gated(3), { ...options, workerDeathRetries: 1 })).to.deep.equal(['0', 'lives', '2']);
  });

  it('holds for init functions, life spans, calls that give several values, and short tasks', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const init = ({ state }: { state: { base?: number } }) => {
      state.base = 100;
    };
    const add = async (n: number, { state }: { state: { base: number } }): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return n + state.base;
    };
    const values = Array.from({ length: 40 }, (_, n) => n);
    const options = { tasksPerWorker: 4, workerInit: init, workerLifespan: 7 };
    expect(await pool.map(add, values, options)).to.deep.equal(values.map((n) => n + 100));
    const twice$ = from(values).pipe(
      parallelMergeMap((n: number) => [n, n], { nJobs: 2, startMethod, tasksPerWorker: 3 }),
    );
    expect((await outcomeOf(twice$)).values).to.deep.equal(values.flatMap((n) => [n, n]));
    const many = Array.from({ length: 20_000 }, (_, n) => n);
    expect(await pool.map((n: number) => n + 1, many, { tasksPerWorker: 3 })).to.deep.equal(many.map((n) => n + 1));
  });
});
