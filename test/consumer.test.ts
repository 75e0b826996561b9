// What a consumer may do while it is called: unsubscribe, feed the source, throw, subscribe again.
import { expect } from 'chai';
import { config, Observable, of, range, Subject, takeUntil, tap } from 'rxjs';
import { parallelFrom, parallelMap } from './support/library.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { trackWorkers } from './support/workers.js';
import { same } from './support/tasks.js';

describeEach.of(['threading', 'forkserver'], 'a consumer', ({ name: startMethod }) => {
  const workers = trackWorkers();
  const options = { nJobs: 2, startMethod };

  it('that unsubscribes inside next gets nothing more', async () => {
    for (const chunkSize of [1, 50]) {
      const values: number[] = [];
      await new Promise<void>((resolve) => {
        const subscription = range(0, 1000)
          .pipe(parallelMap(same, { ...options, chunkSize }))
          .subscribe({
            next(n) {
              values.push(n);
              if (n === 3) {
                subscription.unsubscribe();
                resolve();
              }
            },
            error: () => values.push(-1),
            complete: () => values.push(-2),
          });
      });
      await workers.ended();
      expect(values).to.deep.equal([0, 1, 2, 3]);
    }
  });

  it('that leaves while a synchronous source emits stops it, and starts no worker', () => {
    let emitted = 0;
    const leave = new Subject<void>();
    const source = new Observable<number>((subscriber) => {
      while (!subscriber.closed && emitted < 1000) {
        subscriber.next(emitted++);
        if (emitted === 10) leave.next();
      }
    });
    source.pipe(parallelMap(same, options), takeUntil(leave)).subscribe();
    expect(emitted).to.equal(10);
    expect(workers.started).to.equal(0);
  });

  it('that unsubscribes inside next stops a synchronous source', async () => {
    // A value that arrives makes the source emit a thousand others, in the middle of which the consumer leaves.
    const feed = new Subject<number>();
    let emitted = 0;
    const values: number[] = [];
    await new Promise<void>((resolve) => {
      const leave = new Subject<void>();
      const source = feed.pipe(
        tap((n) => {
          emitted++;
          if (n === 500) leave.next();
        }),
      );
      const subscription = source.pipe(parallelMap(same, options)).subscribe((n) => {
        values.push(n);
        for (let next = 1; next < 1000 && !subscription.closed; next++) feed.next(next);
        resolve();
      });
      leave.subscribe(() => subscription.unsubscribe());
      feed.next(0);
    });
    await workers.ended();
    expect({ values, emitted }).to.deep.equal({ values: [0], emitted: 501 });
    expect(feed.observed).to.equal(false);
  });

  it('that has unsubscribed makes no more input be read', async () => {
    let read = 0;
    let readAtTheEnd = -1;
    async function* input() {
      for (;;) {
        yield read++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await new Promise<void>((resolve) => {
      const subscription = parallelFrom(input(), same, options).subscribe((n) => {
        if (n < 20) return;
        subscription.unsubscribe();
        readAtTheEnd = read;
        resolve();
      });
    });
    await workers.ended();
    await new Promise((resolve) => setTimeout(resolve, 50));
    // One more may have been on its way.
    expect(read).to.be.within(readAtTheEnd, readAtTheEnd + 1);
  });

  it('may feed the source from inside next', async () => {
    const source = new Subject<number>();
    const values: number[] = [];
    await new Promise<void>((resolve, reject) => {
      source.pipe(parallelMap(same, options)).subscribe({
        next(n) {
          values.push(n);
          if (n >= 100) source.complete();
          else if (n % 10 === 0) for (let i = 1; i <= 10; i++) source.next(n + i);
        },
        error: reject,
        complete: resolve,
      });
      source.next(0);
    });
    expect(values).to.deep.equal(Array.from({ length: 101 }, (_, n) => n));
  });

  it('may end the source from inside next, and everything emitted before still comes', async () => {
    const source = new Subject<number>();
    const outcome = outcomeOf(
      source.pipe(
        parallelMap(same, options),
        tap((n) => {
          if (n !== 0) return;
          for (let i = 1; i <= 30; i++) source.next(i);
          source.complete();
        }),
      ),
    );
    source.next(0);
    expect((await outcome).values).to.deep.equal(Array.from({ length: 31 }, (_, n) => n));
  });

  it('may fail the source from inside next', async () => {
    const source = new Subject<number>();
    const error = new Error('from inside');
    const outcome = outcomeOf(
      source.pipe(
        parallelMap(same, options),
        tap(() => source.error(error)),
      ),
    );
    source.next(0);
    expect(await outcome).to.deep.equal({ values: [0], end: 'error', error });
  });

  it('may subscribe to the same Observable from inside next', async () => {
    const result = of(1).pipe(parallelMap(same, { ...options, nJobs: 1 }));
    const inner = new Promise((resolve) => {
      result.subscribe(() => resolve(outcomeOf(result)));
    });
    expect(await inner).to.deep.equal({ values: [1], end: 'complete' });
    expect(workers.started).to.equal(2);
  });

  it('that throws in next is reported, and gets the other values', async () => {
    const reported: unknown[] = [];
    const values: number[] = [];
    config.onUnhandledError = (error) => reported.push(error);
    try {
      await new Promise<void>((resolve, reject) => {
        of(1, 2, 3)
          .pipe(parallelMap(same, options))
          .subscribe({
            next(n) {
              values.push(n);
              if (n === 2) throw new Error('consumer');
            },
            error: reject,
            complete: resolve,
          });
      });
      await new Promise((resolve) => setTimeout(resolve, 10)); // rxjs reports from a timer
    } finally {
      config.onUnhandledError = null;
    }
    expect(values).to.deep.equal([1, 2, 3]);
    expect(reported.map(String)).to.deep.equal(['Error: consumer']);
  });

  it('that throws in complete or error does no harm to the pool', async () => {
    const reported: unknown[] = [];
    config.onUnhandledError = (error) => reported.push(error);
    const failing = (n: number): number => {
      throw new Error(`task ${n}`);
    };
    try {
      await new Promise<void>((resolve) => {
        of(1)
          .pipe(parallelMap(same, options))
          .subscribe({
            complete() {
              resolve();
              throw new Error('in complete');
            },
          });
      });
      await new Promise<void>((resolve) => {
        of(1)
          .pipe(parallelMap(failing, options))
          .subscribe({
            error() {
              resolve();
              throw new Error('in error');
            },
          });
      });
      await new Promise((resolve) => setTimeout(resolve, 10));
    } finally {
      config.onUnhandledError = null;
    }
    expect(reported.map(String)).to.deep.equal(['Error: in complete', 'Error: in error']);
    await workers.ended();
  });

  it('with an operator after it that throws gets that error, and the workers end', async () => {
    const error = new Error('projection');
    const { values, error: received } = await outcomeOf(
      range(0, 100).pipe(
        parallelMap(same, options),
        tap((n) => {
          if (n === 2) throw error;
        }),
      ),
    );
    expect(values).to.deep.equal([0, 1]);
    expect(received).to.equal(error);
    await workers.ended();
  });

  it('may unsubscribe inside complete and error, and twice', async () => {
    for (const source of [of(1), of(-1)]) {
      const check = (n: number): number => {
        if (n < 0) throw new Error('negative');
        return n;
      };
      await new Promise<void>((resolve) => {
        const end = (): void => {
          subscription.unsubscribe();
          subscription.unsubscribe();
          resolve();
        };
        const subscription = source.pipe(parallelMap(check, options)).subscribe({ error: end, complete: end });
      });
    }
    await workers.ended();
  });
});
