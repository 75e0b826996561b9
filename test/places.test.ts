// The operators among others, over real workers: what happens in virtual time is in marbles.parallelMap.test.ts.
import { expect } from 'chai';
import {
  concat,
  concatMap,
  defer,
  from,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  retry,
  share,
  Subject,
  switchMap,
  take,
  takeUntil,
  throwError,
  toArray,
} from 'rxjs';
import { BufferOverflowError, parallelMap } from './support/library.js';
import { loopForever, passGate, useGates } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { trackWorkers } from './support/workers.js';

const double = (n: number): number => n * 2;

describeEach.of(['threading', 'spawn'], 'parallelMap among other operators', ({ name: startMethod }) => {
  const workers = trackWorkers();
  const gates = useGates();
  const options = { nJobs: 2, startMethod };

  it('takes a synchronous source', async () => {
    const { values } = await outcomeOf(of(1, 2, 3).pipe(parallelMap(double, options)));
    expect(values).to.deep.equal([2, 4, 6]);
  });

  it('takes undefined, null, NaN and -0 as values', async () => {
    const odd = [undefined, null, NaN, -0, 0, '', false];
    const { values } = await outcomeOf(from(odd).pipe(parallelMap((value: unknown) => value, options)));
    expect(values).to.deep.equal(odd);
  });

  it('takes a source that has no end: results come while it goes on', async () => {
    const source = concat(of(1, 2), NEVER);
    expect(await outcomeOf(source.pipe(parallelMap(double, options), take(2)))).to.deep.equal({
      values: [2, 4],
      end: 'complete',
    });
  });

  it('passes on the error of the source at once, and stops what runs', async () => {
    const source = new Subject<ReturnType<ReturnType<typeof gates>['value']>>();
    const error = new Error('source');
    const outcome = outcomeOf(source.pipe(parallelMap(loopForever, options)));
    source.next(gates().value('a'));
    await gates().haveStarted('a');
    source.error(error);
    expect((await outcome).error).to.equal(error);
    await workers.ended();
  });

  it('passes on what a source throws while it is being subscribed to', async () => {
    const error = new Error('subscribe');
    const source = new Observable<number>(() => {
      throw error;
    });
    expect(await outcomeOf(source.pipe(parallelMap(double, options)))).to.deep.equal({
      values: [],
      end: 'error',
      error,
    });
  });

  it('runs the teardown of the source once, however the subscription ends', async () => {
    let teardowns = 0;
    const source = (values: number[], ends: boolean) =>
      new Observable<number>((subscriber) => {
        for (const value of values) subscriber.next(value);
        if (ends) subscriber.complete();
        return () => teardowns++;
      });
    await outcomeOf(source([1], true).pipe(parallelMap(double, options)));
    expect(teardowns).to.equal(1);
    const failing = parallelMap((n: number) => {
      if (n === 1) throw new Error('task');
    }, options);
    expect((await outcomeOf(source([0, 1], false).pipe(failing))).end).to.equal('error');
    expect(teardowns).to.equal(2);
    source([1], false).pipe(parallelMap(double, options)).subscribe().unsubscribe();
    expect(teardowns).to.equal(3);
  });

  it('ignores what a source emits after its end', async () => {
    const source = new Observable<number>((subscriber) => {
      subscriber.next(1);
      subscriber.complete();
      subscriber.next(2);
      subscriber.error(new Error('late'));
    });
    expect(await outcomeOf(source.pipe(parallelMap(double, options)))).to.deep.equal({ values: [2], end: 'complete' });
  });

  it('stops with take, also where tasks never end', async () => {
    const source = concat(of(gates().value('a')), of(gates().value('b')), NEVER);
    gates().open('a');
    expect(await outcomeOf(source.pipe(parallelMap(passGate, options), take(1)))).to.deep.equal({
      values: ['a'],
      end: 'complete',
    });
    await workers.ended();
  });

  it('inside switchMap: the next value ends the workers of the one before', async () => {
    const outer = new Subject<string>();
    const outcome = outcomeOf(
      outer.pipe(
        switchMap((name) =>
          name === 'last' ? of('done') : of(gates().value(name)).pipe(parallelMap(loopForever, options)),
        ),
      ),
    );
    outer.next('a');
    await gates().haveStarted('a');
    outer.next('b');
    await gates().haveStarted('b');
    outer.next('last');
    outer.complete();
    expect((await outcome).values).to.deep.equal(['done']);
    await workers.ended();
    expect(workers.started).to.equal(2);
  });

  it('inside concatMap and mergeMap: each inner completes after its workers have left', async () => {
    const inner = (n: number) => range(n, 2).pipe(parallelMap(double, { ...options, nJobs: 1 }));
    expect((await outcomeOf(of(0, 10).pipe(concatMap(inner)))).values).to.deep.equal([0, 2, 20, 22]);
    const { values } = await outcomeOf(of(0, 10).pipe(mergeMap(inner)));
    expect([...values].sort((a, b) => a - b)).to.deep.equal([0, 2, 20, 22]);
    expect(workers.alive).to.equal(0);
  });

  it('under retry: a new pool for each attempt', async () => {
    let attempts = 0;
    const source = defer(() => (++attempts < 3 ? of(1, 2, -1) : of(1, 2, 3)));
    const checked = parallelMap((n: number) => {
      if (n < 0) throw new RangeError('negative');
      return n;
    }, options);
    const { values, end } = await outcomeOf(source.pipe(checked, retry(2)));
    expect({ values, end, attempts }).to.deep.equal({
      values: [1, 2, 1, 2, 1, 2, 3],
      end: 'complete',
      attempts: 3,
    });
  });

  it('under share: one pool for all subscribers, which ends with the last of them', async () => {
    const source = concat(of(gates().value('a')), NEVER);
    const shared = source.pipe(parallelMap(loopForever, { ...options, nJobs: 1 }), share());
    const first = shared.subscribe();
    const second = shared.subscribe();
    await gates().haveStarted('a');
    first.unsubscribe();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect({ started: workers.started, alive: workers.alive }).to.deep.equal({ started: 1, alive: 1 });
    second.unsubscribe();
    await workers.ended();
  });

  it('before takeUntil: the notifier ends the workers', async () => {
    const stop = new Subject<void>();
    const source = concat(of(gates().value('a')), NEVER);
    const outcome = outcomeOf(source.pipe(parallelMap(loopForever, options), takeUntil(stop)));
    await gates().haveStarted('a');
    stop.next();
    expect(await outcome).to.deep.equal({ values: [], end: 'complete' });
    await workers.ended();
  });

  it('twice in one pipe: the results of the first are the values of the second', async () => {
    const twice = range(0, 50).pipe(
      parallelMap(double, { ...options, nJobs: 1 }),
      parallelMap((n: number) => n + 1, { ...options, nJobs: 1 }),
      toArray(),
    );
    const { values } = await outcomeOf(twice);
    expect(values).to.deep.equal([Array.from({ length: 50 }, (_, n) => 2 * n + 1)]);
  });

  it('kept as an operator and used for several sources: nothing is shared between them', async () => {
    const operator = parallelMap((n: number, { index }) => n * 10 + index, { ...options, nJobs: 1 });
    const [first, second] = await Promise.all([outcomeOf(of(1, 2).pipe(operator)), outcomeOf(of(3).pipe(operator))]);
    expect([first.values, second.values]).to.deep.equal([[10, 21], [30]]);
  });

  it('takes its first options by position', async () => {
    const where = parallelMap(
      async (_value: number, { workerId }) => {
        const { isMainThread } = await import('node:worker_threads');
        return [isMainThread, workerId];
      },
      1,
      startMethod,
      true,
    );
    const { values } = await outcomeOf(of(1, 2).pipe(where));
    const isProcess = startMethod !== 'threading';
    expect(values).to.deep.equal([
      [isProcess, 0],
      [isProcess, 0],
    ]);
    expect((await outcomeOf(of(1).pipe(parallelMap(double, null, startMethod)))).values).to.deep.equal([2]);
  });

  it('with bufferSize fails at the first value too many', async () => {
    let emitted = 0;
    const source = range(0, 1_000_000).pipe(
      map((n) => {
        emitted++;
        return n;
      }),
    );
    const { values, error } = await outcomeOf(source.pipe(parallelMap(double, { ...options, bufferSize: 10 })));
    expect(error).to.be.instanceOf(BufferOverflowError).with.property('bufferSize', 10);
    expect(values).to.deep.equal([]);
    // Ten wait, and two are about to be taken by the two workers.
    expect(emitted).to.equal(13);
  });

  it('is not disturbed by a failing neighbour', async () => {
    const good = outcomeOf(range(0, 20).pipe(parallelMap(double, options)));
    const bad = outcomeOf(throwError(() => new Error('bad')).pipe(parallelMap(double, options)));
    expect((await bad).end).to.equal('error');
    expect((await good).values).to.have.length(20);
  });
});
