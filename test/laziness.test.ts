// When workers are started, and how many.
import { expect } from 'chai';
import { EMPTY, from, NEVER, of, range, Subject, throwError } from 'rxjs';
import { parallelFrom, parallelMap, parallelMergeMap, WorkerPool } from './support/library.js';
import { loopForever, passGate, useGates, type Gated } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { until } from './support/until.js';
import { trackWorkers } from './support/workers.js';
import { same } from './support/tasks.js';

describeEach('workers are started as there is work', ({ name: startMethod }) => {
  const workers = trackWorkers();
  const gates = useGates();
  const options = { nJobs: 3, startMethod };

  it('not before somebody subscribes, and the source is not subscribed to either', () => {
    let subscribed = false;
    let read = false;
    const source = new Subject<number>();
    source.pipe(parallelMap(same, options));
    from([1]).pipe(parallelMergeMap((n: number) => [n], options));
    parallelFrom(
      (function* () {
        read = true;
        yield 1;
      })(),
      same,
      options,
    );
    subscribed = source.observed;
    expect({ subscribed, read, started: workers.started }).to.deep.equal({
      subscribed: false,
      read: false,
      started: 0,
    });
  });

  it('not by subscribing, only when a value comes', async () => {
    const source = new Subject<number>();
    const outcome = outcomeOf(source.pipe(parallelMap(same, options)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(workers.started).to.equal(0);
    source.next(7);
    await Promise.resolve();
    source.complete();
    expect(await outcome).to.deep.equal({ values: [7], end: 'complete' });
    expect(workers.started).to.equal(1);
  });

  it('none for an empty source', async () => {
    expect(await outcomeOf(EMPTY.pipe(parallelMap(same, options)))).to.deep.equal({ values: [], end: 'complete' });
    expect(await outcomeOf(parallelFrom([], same, options))).to.deep.equal({ values: [], end: 'complete' });
    expect(await outcomeOf(EMPTY.pipe(parallelMergeMap((n: number) => [n], options)))).to.deep.equal({
      values: [],
      end: 'complete',
    });
    expect(workers.started).to.equal(0);
  });

  it('none for a source that fails at once, or never emits', async () => {
    const error = new Error('source');
    const failing = throwError(() => error).pipe(parallelMap(same, options));
    expect(await outcomeOf(failing)).to.deep.equal({ values: [], end: 'error', error });
    NEVER.pipe(parallelMap(same, options)).subscribe().unsubscribe();
    expect(workers.started).to.equal(0);
  });

  it('one for one value', async () => {
    expect((await outcomeOf(of(1).pipe(parallelMap(same, options)))).values).to.deep.equal([1]);
    expect(workers.started).to.equal(1);
  });

  it('one where values come one after the other', async () => {
    const source = new Subject<number>();
    await new Promise<void>((resolve, reject) => {
      source.pipe(parallelMap(same, options)).subscribe({
        next: (n) => (n < 5 ? setTimeout(() => source.next(n + 1)) : source.complete()),
        error: reject,
        complete: resolve,
      });
      source.next(0);
    });
    expect(workers.started).to.equal(1);
  });

  for (const { count, expected } of [
    { count: 2, expected: 2 },
    { count: 10, expected: 3 },
  ]) {
    it(`${expected} of at most 3 for ${count} values at once`, async () => {
      const names = Array.from({ length: count }, (_, n) => n);
      const source = from(names.map((name) => gates().value(name)));
      const outcome = outcomeOf(source.pipe(parallelMap(passGate, options)));
      await gates().haveStarted(...names.slice(0, expected));
      expect(workers.started).to.equal(expected);
      gates().openAll();
      expect((await outcome).values).to.deep.equal(names.map(String));
      expect(workers.started).to.equal(expected);
    });
  }

  it('in a pool of its own for each subscription to one Observable', async () => {
    const result = from([gates().value('a')]).pipe(parallelMap(loopForever, { ...options, nJobs: 1 }));
    const first = result.subscribe();
    await gates().haveStarted('a');
    const second = result.subscribe();
    await until(() => gates().started.length === 2, 'the second subscription starts its task');
    expect(workers.alive).to.equal(2);
    first.unsubscribe();
    await until(() => workers.alive === 1, 'the first worker ends');
    await new Promise((resolve) => setTimeout(resolve, 150)); // the other one has no reason to
    expect(workers.alive).to.equal(1);
    second.unsubscribe();
    await workers.ended();
  });

  it('again for a second subscription, and ended before complete is delivered', async () => {
    const result = range(0, 3).pipe(parallelMap(same, { ...options, nJobs: 1 }));
    for (const expected of [1, 2]) {
      await new Promise<void>((resolve, reject) => {
        result.subscribe({
          error: reject,
          complete() {
            expect(workers.started).to.equal(expected);
            expect(workers.alive).to.equal(0);
            resolve();
          },
        });
      });
    }
  });

  it('and leave by themselves: exit listeners of user code run before complete', async () => {
    const noteExit = async ({ dir, name }: Gated): Promise<string> => {
      const { appendFileSync } = await import('node:fs');
      process.once('exit', (code) => appendFileSync(`${dir}/log`, `exit ${code}\n`));
      return name;
    };
    await new Promise<void>((resolve, reject) => {
      of(gates().value('a'))
        .pipe(parallelMap(noteExit, options))
        .subscribe({
          error: reject,
          complete() {
            expect(gates().log).to.deep.equal(['exit 0']);
            resolve();
          },
        });
    });
  });

  it('not by making a pool', async () => {
    const pool = new WorkerPool(options);
    await pool.terminate();
    expect(workers.started).to.equal(0);
  });
});
