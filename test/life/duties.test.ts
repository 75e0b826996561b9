// Init and exit functions of several calls on one pool, and those of calls that end early: whom they concern, and what is left.
import { expect } from 'chai';
import { of, Subject, tap } from 'rxjs';
import type { TaskContext, WorkerContext } from 'rxjs-parallel-map';
import { parallelMap } from '../support/library.js';
import { passGate, useGates, type Gated } from '../support/gates.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { until } from '../support/until.js';
import { trackWorkers } from '../support/workers.js';
import { count, countsFrom } from '../support/counter.js';

describeEach.of(['threading', 'forkserver'], 'init and exit functions of several calls', ({ name: startMethod }) => {
  afterEach(endPools);
  const workers = trackWorkers();
  const gates = useGates();

  /** An exit function that says its name, and ends when it is let through. */
  const gatedExit = (name: string) => {
    const { dir } = gates();
    return async (): Promise<string> => {
      const { appendFileSync: append, existsSync: exists } = await import('node:fs');
      append(`${dir}/log`, `start ${name}\n`);
      while (!exists(`${dir}/${name}.open`)) await new Promise((resolve) => setTimeout(resolve, 2));
      append(`${dir}/log`, `end ${name}\n`);
      return name;
    };
  };

  it('an init function that fails in one worker fails only the call that it is for', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const workerInit = ({ workerId }: WorkerContext): void => {
      if (workerId === 1) throw new Error('not here');
    };
    const first = pool.map(passGate, [gates().value('a')], { workerInit });
    await gates().haveStarted('a');
    const second = pool.map(passGate, [gates().value('b')], { workerInit });
    expect(await rejection(second)).to.include({ message: 'not here', workerId: 1 });
    gates().open('a');
    expect(await first).to.deep.equal(['a']);
  });

  it('an exit function that waits for its worker does not run after a cancellation', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const source = new Subject<number>();
    const results = new Subject<number>();
    const workerExit = gatedExit('exit');
    const options = { pool, workerExit, onExitResults: () => undefined };
    const had = new Promise((resolve) => results.subscribe(resolve));
    const subscription = source.pipe(parallelMap((n: number) => n, options)).subscribe(results);
    source.next(1);
    await had;
    const other = pool.map(passGate, [gates().value('a')]);
    await gates().haveStarted('a');
    source.complete(); // the exit function is due, but the worker is busy
    subscription.unsubscribe();
    gates().open('a');
    await other;
    await pool.stopAndJoin();
    expect(gates().log).to.deep.equal(['start a', 'end a']);
  });

  it('an exit function is not lost with a worker that dies of another call', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const die = async (value: Gated, context: TaskContext): Promise<void> => {
      await passGate(value, context);
      process.exit(7);
    };
    for (const isDue of [false, true]) {
      const source = new Subject<number>();
      const results = new Subject<number>();
      const had = new Promise((resolve) => results.subscribe(resolve));
      const life = { pool, workerExit: () => 'left', onExitResults: (all: unknown[]) => exits.push(all) };
      const exits: unknown[][] = [];
      const ended = outcomeOf(
        source.pipe(
          parallelMap((n: number) => n, life),
          tap((n) => results.next(n)),
        ),
      );
      source.next(1);
      await had;
      const name = `dies ${isDue}`;
      const other = rejection(pool.map(die, [gates().value(name)], { captures: { passGate } }));
      await gates().haveStarted(name);
      if (isDue) source.complete();
      gates().open(name);
      expect(await other).to.have.property('name', 'WorkerDiedError');
      source.complete();
      expect(await ended).to.deep.include({ values: [1], end: 'complete' });
      expect(exits).to.deep.equal([[]]);
    }
  });

  it('what an exit function returns that nobody wants any more is no exit result', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const other = pool.map(passGate, [gates().value('a')]);
    await gates().haveStarted('a');
    const options = { pool, workerExit: gatedExit('exit'), cancelTimeout: Infinity };
    const subscription = of(1)
      .pipe(parallelMap((n: number) => n, options))
      .subscribe();
    await gates().haveStarted('exit');
    subscription.unsubscribe();
    for (const name of ['exit', 'a']) gates().open(name);
    await other;
    await pool.stopAndJoin();
    expect(gates().log).to.include('end exit');
    expect(pool.getExitResults()).to.deep.equal([]);
  });

  it('functions whose workers are just leaving begin anew, and are kept', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const first = { workerInit: countsFrom(10), workerExit: gatedExit('exit') };
    expect(await pool.map(count, [1], first)).to.deep.equal([11]);
    const source = new Subject<number>();
    const results: number[] = [];
    const options = { pool, workerInit: countsFrom(20) };
    source.pipe(parallelMap(count, options)).subscribe((n) => results.push(n)); // which has the worker replaced
    await gates().haveStarted('exit');
    source.next(1);
    const again = pool.map(count, [1], first);
    gates().open('exit');
    expect(await again).to.deep.equal([11]);
    expect(await pool.map(count, [1], first)).to.deep.equal([12]);
    source.complete();
    expect(results).to.deep.equal([21]);
    expect(workers.started).to.equal(2);
  });

  it('the state of a call is given back with it, though the worker stays', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    type Kept = { left?: WeakRef<object> };
    const workerInit = ({ state }: WorkerContext): void => {
      (globalThis as Kept).left = new WeakRef(state);
    };
    const isThere = async (): Promise<boolean> => {
      const { setFlagsFromString } = await import('node:v8');
      const { runInNewContext } = await import('node:vm');
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      await new Promise((resolve) => setTimeout(resolve, 20));
      collect();
      return (globalThis as Kept).left?.deref() !== undefined;
    };
    await new Promise<void>((resolve) => {
      const options = { pool, workerInit, onExitResults: () => undefined };
      of(1)
        .pipe(parallelMap((n: number) => n, options))
        .subscribe({ complete: resolve });
    });
    expect(await pool.apply(isThere)).to.equal(false);
    expect(workers.started).to.equal(1);
  });

  it('terminate cuts exit functions short, which is no error of stopAndJoin', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    await pool.map(count, [1], { workerInit: countsFrom(10), workerExit: gatedExit('exit') });
    const joined = pool.stopAndJoin();
    await gates().haveStarted('exit');
    await pool.terminate();
    await joined;
    expect(gates().log).to.deep.equal(['start exit']);
  });

  it('terminate resolves though an exit function has thrown; stopAndJoin rejects', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const hang = gatedExit('exit');
    const workerExit = ({ workerId }: WorkerContext): Promise<string> => {
      if (workerId === 0) throw new RangeError('no');
      return hang();
    };
    const call = pool.map(passGate, [gates().value('a'), gates().value('b')], { chunkSize: 1, workerExit });
    await gates().haveStarted('a', 'b');
    gates().openAll();
    await call;
    const joined = rejection(pool.stopAndJoin());
    await gates().haveStarted('exit');
    await until(() => workers.alive === 1, 'the end of the other worker');
    await pool.terminate();
    expect(await joined)
      .to.be.instanceOf(RangeError)
      .with.property('message', 'no');
  });
});
