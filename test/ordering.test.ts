// In which order results come, and which index a value has.
import { expect } from 'chai';
import { from, lastValueFrom, range, Subject, toArray } from 'rxjs';
import { parallelFrom, parallelMap } from './support/library.js';
import { passGate, useGates } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { createPool, endPools } from './support/pools.js';
import { describeEach } from './support/startMethods.js';
import { until } from './support/until.js';
import { trackWorkers } from './support/workers.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describeEach.of(['threading', 'forkserver', 'inline'], 'order', ({ name: startMethod }) => {
  afterEach(endPools);
  trackWorkers();
  const gates = useGates();
  const options = { nJobs: 3, startMethod };

  it('is that of the values by default, though they finish the other way round', async () => {
    const source = from(['a', 'b', 'c'].map((name) => gates().value(name)));
    const outcome = outcomeOf(source.pipe(parallelMap(passGate, options)));
    await gates().haveStarted('a', 'b', 'c');
    for (const name of ['c', 'b', 'a']) {
      gates().open(name);
      await gates().hasSaid(`end ${name}`);
    }
    expect(await outcome).to.deep.equal({ values: ['a', 'b', 'c'], end: 'complete' });
  });

  it('is that in which they finish with ordered: false', async () => {
    const values: string[] = [];
    const source = from(['a', 'b', 'c'].map((name) => gates().value(name)));
    const ended = new Promise<void>((resolve, reject) => {
      source.pipe(parallelMap(passGate, { ...options, ordered: false })).subscribe({
        next(name) {
          values.push(name);
          gates().open(name === 'c' ? 'b' : 'a');
        },
        error: reject,
        complete: resolve,
      });
    });
    await gates().haveStarted('a', 'b', 'c');
    gates().open('c');
    await ended;
    expect(values).to.deep.equal(['c', 'b', 'a']);
  });

  it('delivers an early result while later ones are computed', async () => {
    const values: string[] = [];
    const source = from(['a', 'b'].map((name) => gates().value(name)));
    await new Promise<void>((resolve, reject) => {
      source.pipe(parallelMap(passGate, options)).subscribe({
        next(name) {
          values.push(name);
          gates().open('b'); // which has waited for a's result
        },
        error: reject,
        complete: resolve,
      });
      gates().open('a');
    });
    expect(values).to.deep.equal(['a', 'b']);
  });

  for (const ordered of [true, false]) {
    it(`tells the task the index of its value in the source (ordered: ${ordered})`, async () => {
      const results = await lastValueFrom(
        range(0, 500).pipe(
          parallelMap((n: number, { index }) => [n, index], { ...options, ordered }),
          toArray(),
        ),
      );
      expect(results.sort((a, b) => a[0]! - b[0]!)).to.deep.equal(numbers(500).map((n) => [n, n]));
    });
  }

  for (const chunkSize of [1, 2, 7, 99, 1000, undefined]) {
    it(`covers every value exactly once in chunks of ${chunkSize ?? 'adaptive size'}`, async () => {
      for (const count of [7, 100]) {
        const { values } = await outcomeOf(
          range(0, count).pipe(parallelMap((n: number, { index }) => n + index, { ...options, chunkSize })),
        );
        expect(values).to.deep.equal(numbers(count).map((n) => 2 * n));
      }
    });
  }

  it('is kept in a bounded window where the first value is the slowest', async () => {
    let read = 0;
    let readWhenFirstCame = -1;
    function* input() {
      for (let n = 0; n < 20_000; n++) {
        read++;
        yield n === 0 ? gates().value(0) : n;
      }
    }
    // As passGate for the first value; the others are through at once.
    const task = async (value: ReturnType<ReturnType<typeof gates>['value']> | number): Promise<number> => {
      if (typeof value === 'number') return value;
      const { existsSync, appendFileSync } = await import('node:fs');
      appendFileSync(`${value.dir}/log`, 'start 0\n');
      while (!existsSync(`${value.dir}/0.open`)) await new Promise((resolve) => setTimeout(resolve, 2));
      return 0;
    };
    const values: number[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      parallelFrom(input(), task, { ...options, maxTasksActive: 60, chunkSize: 4 }).subscribe({
        next(value) {
          if (values.length === 0) readWhenFirstCame = read;
          values.push(value);
        },
        error: reject,
        complete: resolve,
      });
    });
    await gates().haveStarted(0);
    await until(() => read >= 60, 'the window is read');
    // It is through when the workers have nothing more to do.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(values).to.deep.equal([]);
    expect(read).to.equal(60);
    gates().open(0);
    await ended;
    expect(readWhenFirstCame).to.equal(60);
    expect(values).to.deep.equal(numbers(20_000));
  });

  it('has a bounded window by default, too', async () => {
    let read = 0;
    const dir = gates().dir;
    function* input() {
      for (;;) {
        read++;
        yield dir;
      }
    }
    const task = async (path: string, { index }: { index: number }): Promise<number> => {
      if (index > 0) return index;
      const { existsSync } = await import('node:fs');
      while (!existsSync(`${path}/0.open`)) await new Promise((resolve) => setTimeout(resolve, 2));
      return index;
    };
    let wasRead = 0;
    const subscription = parallelFrom(input(), task, options).subscribe();
    await until(() => read >= 4 * options.nJobs, 'more than the workers can have at once');
    // Until it has come to rest.
    do {
      wasRead = read;
      await new Promise((resolve) => setTimeout(resolve, 400));
    } while (read !== wasRead);
    subscription.unsubscribe();
    gates().open(0); // without a worker nobody else ends the task
    expect(read).to.be.at.most(4 * options.nJobs * 4096);
  });

  it('keeps concurrency with async input and a window larger than nJobs', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    async function* input() {
      for (const name of names) {
        await Promise.resolve();
        yield gates().value(name);
      }
    }
    const outcome = outcomeOf(parallelFrom(input(), passGate, { ...options, maxTasksActive: 5 }));
    await gates().haveStarted('a', 'b', 'c');
    expect(gates().started).to.deep.equal(['a', 'b', 'c']);
    gates().openAll();
    expect((await outcome).values).to.deep.equal(names);
  });

  it('is kept, without next inside of next, where a subscriber pushes bad values', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const task = (n: unknown) => n;
    for (let i = 0; i < 3; i++) await pool.map(task, Array(3000).fill(0)); // so that its pace is known
    const source = new Subject<unknown>();
    const results: unknown[] = [];
    let depth = 0;
    await new Promise<void>((complete, error) => {
      source.pipe(parallelMap(task, { pool, settle: true })).subscribe({
        next(result) {
          if (++depth > 1) error(new Error('next inside of next'));
          results.push(result.status === 'fulfilled' ? result.value : 'refused');
          if (results.length === 1) {
            for (let i = 0; i < 4000; i++) source.next(() => 1);
            source.complete();
          }
          depth--;
        },
        error,
        complete,
      });
      for (let i = 0; i < 8; i++) source.next(i);
    });
    expect(results).to.deep.equal([...numbers(8), ...Array<string>(4000).fill('refused')]);
  });

  it('begins after the subscription, also with values that cannot be sent', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const task = (n: unknown) => {
      for (const end = Date.now() + 5; Date.now() < end;);
      return n;
    };
    for (let i = 0; i < 3; i++) await pool.map(task, [0, 0]);
    const said: string[] = [];
    await new Promise<void>((complete) => {
      from(Array(8).fill(() => 1))
        .pipe(parallelMap(task, { pool, settle: true }))
        .subscribe({ next: () => said.push('next'), complete });
      said.push('subscribed');
    });
    expect(said).to.deep.equal(['subscribed', ...Array<string>(8).fill('next')]);
  });
});
