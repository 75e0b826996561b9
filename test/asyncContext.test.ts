// Results are delivered in the `AsyncLocalStorage` context of the subscriber.
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from 'chai';
import { finalize, Observable, of, range, Subject } from 'rxjs';
import { parallelFrom, parallelMap, parallelMergeMap, WorkerPool } from './support/library.js';
import { rejection } from './support/rejection.js';
import { describeEach } from './support/startMethods.js';
import { until } from './support/until.js';
import { trackWorkers } from './support/workers.js';
import { same } from './support/tasks.js';

const failing = (n: number): number => {
  throw new Error(`task ${n}`);
};

describeEach.of(['threading', 'spawn'], 'the async context of a subscriber', ({ name: startMethod }) => {
  let pool: WorkerPool;
  beforeEach(() => {
    pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
  });
  afterEach(() => pool.terminate());
  trackWorkers();
  const context = new AsyncLocalStorage<string>();

  /** Subscribes in a context, and resolves with the contexts in which each notification came. */
  const contextsOf = (name: string, source: Observable<unknown>): Promise<string[]> =>
    new Promise((resolve) => {
      const seen: string[] = [];
      const see = (what: string): void => void seen.push(`${what} in ${context.getStore()}`);
      context.run(name, () => {
        source.subscribe({
          next: () => see('next'),
          error: () => {
            see('error');
            resolve(seen);
          },
          complete: () => {
            see('complete');
            resolve(seen);
          },
        });
      });
    });

  it('is that in which it gets values and completion', async () => {
    const options = { nJobs: 1, startMethod };
    const expected = ['next in mine', 'next in mine', 'complete in mine'];
    expect(await contextsOf('mine', of(1, 2).pipe(parallelMap(same, options)))).to.deep.equal(expected);
    const merged = of(1).pipe(parallelMergeMap((n: number) => [n, n], options));
    expect(await contextsOf('mine', merged)).to.deep.equal(expected);
    expect(await contextsOf('mine', parallelFrom([1, 2], same, options))).to.deep.equal(expected);
  });

  it('is that in which it gets an error', async () => {
    const result = of(1).pipe(parallelMap(failing, { nJobs: 1, startMethod }));
    expect(await contextsOf('mine', result)).to.deep.equal(['error in mine']);
  });

  it('is that of each subscriber, also where several share a worker', async () => {
    await context.run('starter', () => pool.map(same, [0]));
    const result = range(0, 3).pipe(parallelMap(same, { pool, chunkSize: 1 }));
    const all = await Promise.all(['a', 'b', 'c'].map((name) => contextsOf(name, result)));
    expect(all).to.deep.equal(
      ['a', 'b', 'c'].map((name) => [...Array<string>(3).fill(`next in ${name}`), `complete in ${name}`]),
    );
  });

  it('is not that of whoever emits the values', async () => {
    const source = new Subject<number>();
    const seen = contextsOf('subscriber', source.pipe(parallelMap(same, { pool })));
    context.run('emitter', () => {
      source.next(1);
      source.complete();
    });
    expect(await seen).to.deep.equal(['next in subscriber', 'complete in subscriber']);
  });

  it('is undefined for a subscriber outside of any', async () => {
    await context.run('starter', () => pool.map(same, [0]));
    const seen: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      context.exit(() => {
        of(1)
          .pipe(parallelMap(same, { pool }))
          .subscribe({
            next: () => seen.push(context.getStore()),
            error: reject,
            complete: resolve,
          });
      });
    });
    expect(seen).to.deep.equal([undefined]);
  });

  it('is that in which its input is read and cleaned up', async () => {
    const seen = new Set<string | undefined>();
    function* input() {
      try {
        for (let n = 0; n < 100; n++) {
          seen.add(context.getStore());
          yield n;
        }
      } finally {
        seen.add(context.getStore());
      }
    }
    const check = (n: number): number => {
      if (n === 50) throw new Error('fifty');
      return n;
    };
    await context.run('starter', () => pool.map(same, [0]));
    await contextsOf('mine', parallelFrom(input(), check, { pool, maxTasksActive: 2 }));
    expect([...seen]).to.deep.equal(['mine']);
  });

  it('is that in which the input of a call on a pool is read and cleaned up, too', async () => {
    await context.run('starter', () => pool.map(same, [0]));
    const seen: unknown[] = [];
    function* input() {
      try {
        for (let n = 0; n < 20; n++) {
          seen.push(context.getStore());
          yield n;
        }
      } finally {
        seen.push(context.getStore());
      }
    }
    const transferInput = () => {
      seen.push(context.getStore());
      return [];
    };
    const options = { maxTasksActive: 2, transferInput };
    await context.run('mine', () => pool.map(same, input(), options));
    await context.run('mine', () => rejection(pool.map(failing, input(), options)));
    await context.run('mine', async () => {
      for await (const n of pool.imap(same, input(), options)) if (n === 10) break;
    });
    expect(new Set(seen)).to.deep.equal(new Set(['mine']));
  });

  it('is that in which it is told of insights, while it runs and at the end', async () => {
    await pool.terminate();
    pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true, insights: { every: 5 } });
    await context.run('starter', () => pool.map(same, [0]));
    const seen: unknown[] = [];
    const wait = (n: number) => new Promise((resolve) => setTimeout(resolve, 1000, n));
    await contextsOf('mine', of(1).pipe(parallelMap(wait, { pool, onInsights: () => seen.push(context.getStore()) })));
    await contextsOf(
      'mine',
      of(1).pipe(parallelMap(failing, { pool, onInsights: () => seen.push(context.getStore()) })),
    );
    expect(seen.length).to.be.above(2);
    expect(new Set(seen)).to.deep.equal(new Set(['mine']));
  });

  it('is that in which the progress of a call is written to a stream of its own', async () => {
    await context.run('starter', () => pool.map(same, [0]));
    for (const isTTY of [false, true]) {
      /** Each text, behind the context in which it was written. */
      const seen: string[] = [];
      const stream = { isTTY, columns: 80, write: (text: string) => seen.push(`${context.getStore()}: ${text}`) };
      const start = (name: string) => {
        const source = new Subject<number>();
        const progressBar = { stream, throttle: 5, description: name };
        return { source, ended: contextsOf(name, source.pipe(parallelMap(same, { pool, progressBar }))) };
      };
      /** Emits where no call is, and waits for the picture, or line, of that. */
      const show = async ({ source }: ReturnType<typeof start>, name: string, count: number) => {
        source.next(1);
        await until(
          () => seen.some((text) => text.includes(name) && text.includes(`${count} values`)),
          `that of ${name}`,
        );
      };
      const first = start('first');
      const second = start('second');
      await show(first, 'first', 1);
      await show(second, 'second', 1);
      first.source.complete();
      await first.ended;
      const { length } = seen;
      await show(second, 'second', 2);
      second.source.complete();
      await second.ended;
      expect(seen.filter((text) => !/^(?:first|second): /.test(text))).to.deep.equal([]);
      expect(seen.filter((text) => text.includes('first: 1/1'))).to.have.length(1);
      expect(seen.find((text) => text.includes('first: 1/1'))).to.match(/^first: /);
      // From here on only the second call is there.
      expect(seen.slice(length).filter((text) => !text.startsWith('second: '))).to.deep.equal([]);
      expect(seen.at(-1)).to.contain('second: 2/2');
    }
  });

  it('is that in which the source is torn down after a task has failed', async () => {
    let seen: unknown = 'never';
    const source = new Observable<number>((subscriber) => subscriber.next(1)).pipe(
      finalize(() => {
        seen = context.getStore();
      }),
    );
    await context.run('starter', () => pool.map(same, [0]));
    await contextsOf('mine', source.pipe(parallelMap(failing, { pool })));
    expect(seen).to.equal('mine');
  });

  it('is that in which it is told of a signal that fires elsewhere', async () => {
    const controller = new AbortController();
    const source = new Subject<number>();
    const seen = contextsOf('mine', source.pipe(parallelMap(same, { pool, signal: controller.signal })));
    context.run('aborter', () => controller.abort());
    expect(await seen).to.deep.equal(['error in mine']);
  });
});
