// The option `signal`.
import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { concat, EMPTY, NEVER, of, range, throwError } from 'rxjs';
import { parallelFrom, parallelMap, parallelMergeMap, transfer } from './support/library.js';
import { loopForever, useGates } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { trackWorkers } from './support/workers.js';
import { same } from './support/tasks.js';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describeEach.of(['threading', 'spawn'], 'signal', ({ name: startMethod }) => {
  const workers = trackWorkers();
  const gates = useGates();
  const options = { nJobs: 2, startMethod };

  it('that has fired already fails the call, and nothing is read or moved', async () => {
    const reason = new Error('before');
    const signal = AbortSignal.abort(reason);
    const bytes = new Uint8Array(8);
    let touched = false;
    const touch = <T>(value: T): T => {
      touched = true;
      return value;
    };
    const source = concat(of(touch), NEVER).pipe(() => {
      return of(transfer(bytes, [bytes.buffer]));
    });
    const expected = { values: [], end: 'error', error: reason };
    const first = source.pipe(parallelMap((value: Uint8Array) => value.length, { ...options, signal }));
    expect(await outcomeOf(first)).to.deep.equal(expected);
    const second = of(1).pipe(parallelMergeMap((n: number) => [n], { ...options, signal }));
    expect(await outcomeOf(second)).to.deep.equal(expected);
    const input = (function* () {
      yield touch(1);
    })();
    expect(await outcomeOf(parallelFrom(input, same, { ...options, signal }))).to.deep.equal(expected);
    expect({ touched, length: bytes.length, started: workers.started }).to.deep.equal({
      touched: false,
      length: 8,
      started: 0,
    });
    expect(listeners(signal)).to.equal(0);
  });

  it('that fires midway ends workers in endless loops, and its reason is the error', async () => {
    // The error waits for 100 ms at most, in which a machine that is busy with something else may not have ended the workers.
    for (let round = 0, waited = Infinity; round < 4 && waited >= 100; round++) {
      const controller = new AbortController();
      const [a, b] = [`a${round}`, `b${round}`];
      const source = concat(of(gates().value(a), gates().value(b)), NEVER);
      const outcome = outcomeOf(source.pipe(parallelMap(loopForever, { ...options, signal: controller.signal })));
      await gates().haveStarted(a, b);
      const reason = { any: 'value' };
      const abortedAt = performance.now();
      controller.abort(reason);
      const { values, error } = await outcome;
      waited = performance.now() - abortedAt;
      expect(values).to.deep.equal([]);
      expect(error).to.equal(reason);
      if (round === 3 || waited < 100) expect(workers.alive).to.equal(0);
      expect(listeners(controller.signal)).to.equal(0);
      await workers.ended();
    }
  });

  it('that fires without a reason gives the AbortError of the platform', async () => {
    const controller = new AbortController();
    const outcome = outcomeOf(NEVER.pipe(parallelMap(same, { ...options, signal: controller.signal })));
    controller.abort();
    const { error } = await outcome;
    expect(error).to.equal(controller.signal.reason).and.to.have.property('name', 'AbortError');
  });

  it('ends the reading of an input', async () => {
    const controller = new AbortController();
    let cleaned = false;
    function* input() {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        cleaned = true;
      }
    }
    const outcome = outcomeOf(parallelFrom(input(), same, { ...options, signal: controller.signal }));
    controller.abort('stop');
    expect(await outcome).to.deep.equal({ values: [], end: 'error', error: 'stop' });
    expect(cleaned).to.equal(true);
  });

  it('that fires inside next lets nothing follow but the error', async () => {
    const controller = new AbortController();
    const values: number[] = [];
    const error = await new Promise((resolve) => {
      range(0, 1000)
        .pipe(parallelMap(same, { ...options, chunkSize: 100, signal: controller.signal }))
        .subscribe({
          next(n) {
            values.push(n);
            if (n === 5) controller.abort('enough');
          },
          error: resolve,
          complete: () => resolve('completed'),
        });
    });
    expect(error).to.equal('enough');
    expect(values).to.deep.equal([0, 1, 2, 3, 4, 5]);
  });

  it('has one listener per subscription, and none after any kind of end', async () => {
    const { signal } = new AbortController();
    const operator = parallelMap(
      (n: number) => {
        if (n < 0) throw new Error('negative');
        return n;
      },
      { ...options, nJobs: 1, signal },
    );
    expect(listeners(signal)).to.equal(0);
    const subscription = NEVER.pipe(operator).subscribe();
    expect(listeners(signal)).to.equal(1);
    subscription.unsubscribe();
    expect(listeners(signal)).to.equal(0);
    for (const source of [of(1, 2), of(1, -1), EMPTY, throwError(() => new Error('source'))]) {
      await outcomeOf(source.pipe(operator));
      expect(listeners(signal)).to.equal(0);
    }
    await outcomeOf(parallelFrom([1, 2], same, { ...options, signal }));
    expect(listeners(signal)).to.equal(0);
  });

  it('that fires after the end does nothing', async () => {
    const controller = new AbortController();
    const outcome = await outcomeOf(of(1).pipe(parallelMap(same, { ...options, signal: controller.signal })));
    controller.abort();
    expect(outcome).to.deep.equal({ values: [1], end: 'complete' });
  });

  it('may belong to several subscriptions, and ends them all', async () => {
    const controller = new AbortController();
    const result = NEVER.pipe(parallelMap(same, { ...options, signal: controller.signal }));
    const outcomes = Promise.all([outcomeOf(result), outcomeOf(result)]);
    controller.abort('both');
    expect((await outcomes).map(({ error }) => error)).to.deep.equal(['both', 'both']);
  });

  it('has one listener for many subscriptions, so Node warns of no leak', () => {
    const { signal } = new AbortController();
    const result = NEVER.pipe(parallelMap(same, { ...options, signal }));
    const subscriptions = Array.from({ length: 20 }, () => result.subscribe());
    expect(listeners(signal)).to.equal(1);
    for (const subscription of subscriptions) {
      expect(listeners(signal)).to.equal(1);
      subscription.unsubscribe();
    }
    expect(listeners(signal)).to.equal(0);
  });
});
