// What the function of `parallelMergeMap` may return, and how its values come.
import { expect } from 'chai';
import { of, range, Subject, take } from 'rxjs';
import { parallelMergeMap } from './support/library.js';
import { useGates } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { trackWorkers } from './support/workers.js';

describeEach.of(['threading', 'forkserver', 'inline'], 'parallelMergeMap', ({ name: startMethod }) => {
  const workers = trackWorkers();
  const gates = useGates();
  const options = { nJobs: 2, startMethod };

  const outputs: Record<string, (n: number) => never> = {
    'an array': ((n: number) => [n, n + 1]) as never,
    'a Set': ((n: number) => new Set([n, n + 1, n])) as never,
    'the values of a Map': ((n: number) => new Map([[n, n]]).values()) as never,
    'a typed array': ((n: number) => Uint8Array.of(n, n + 1)) as never,
    'a generator': function* (n: number) {
      yield n;
      yield n + 1;
    } as never,
    'an async generator': async function* (n: number) {
      yield n;
      await Promise.resolve();
      yield n + 1;
    } as never,
    'an async generator that yields promises': async function* (n: number) {
      yield Promise.resolve(n);
    } as never,
    'a promise of an array': (async (n: number) => [n, n + 1]) as never,
    'a promise of a generator': (async (n: number) =>
      (function* () {
        yield n;
      })()) as never,
    'an Observable': (async (n: number) => {
      const { of: values } = await import('rxjs');
      return values(n, n + 1);
    }) as never,
    'an Observable over time': (async (n: number) => {
      const { interval, map, take: first } = await import('rxjs');
      return interval(5).pipe(
        map((tick) => n + tick),
        first(2),
      );
    }) as never,
    'a web stream': ((n: number) =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(n);
          controller.enqueue(n + 1);
          controller.close();
        },
      })) as never,
    'a Node stream': (async (n: number) => {
      const { Readable } = await import('node:stream');
      return Readable.from([n, n + 1]);
    }) as never,
  };
  const single = ['the values of a Map', 'an async generator that yields promises', 'a promise of a generator'];
  for (const [what, task] of Object.entries(outputs)) {
    it(`emits each value of ${what}`, async () => {
      const expected = single.includes(what) ? [1, 10] : [1, 2, 10, 11];
      const outcome = await outcomeOf(of(1, 10).pipe(parallelMergeMap(task as (n: number) => number[], options)));
      expect(outcome).to.deep.equal({ values: expected, end: 'complete' });
    });
  }

  it('emits each character of a string', async () => {
    const { values } = await outcomeOf(of('ab', 'ç𝄞').pipe(parallelMergeMap((text: string) => text, options)));
    expect(values).to.deep.equal(['a', 'b', 'ç', '𝄞']);
  });

  it('emits nothing for what is empty, and completes', async () => {
    const task = (n: number) => (n === 1 ? [n] : []);
    expect(await outcomeOf(range(0, 20).pipe(parallelMergeMap(task, options)))).to.deep.equal({
      values: [1],
      end: 'complete',
    });
  });

  it('emits undefined and null that are yielded, and nothing that is returned', async () => {
    const task = function* () {
      yield undefined;
      yield null;
      return 'returned';
    };
    expect((await outcomeOf(of(0).pipe(parallelMergeMap(task, options)))).values).to.deep.equal([undefined, null]);
  });

  it('keeps the order of the source, with many values for each', async () => {
    const task = async function* (n: number, { index }: { index: number }) {
      for (let i = 0; i < 300; i++) {
        if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, (n * 7) % 5));
        yield [index, i];
      }
    };
    const { values } = await outcomeOf(range(0, 20).pipe(parallelMergeMap(task, options)));
    const expected = Array.from({ length: 20 * 300 }, (_, at) => [Math.floor(at / 300), at % 300]);
    expect(values).to.deep.equal(expected);
  });

  it('unordered: loses and doubles nothing, and keeps the order within each call', async () => {
    const task = function* (n: number) {
      for (let i = 0; i < 500; i++) yield [n, i] as const;
    };
    const { values } = await outcomeOf(range(0, 10).pipe(parallelMergeMap(task, { ...options, ordered: false })));
    expect(values).to.have.length(5000);
    for (let n = 0; n < 10; n++) {
      const own = values.filter(([of]) => of === n).map(([, i]) => i);
      expect(own).to.deep.equal(Array.from({ length: 500 }, (_, i) => i));
    }
  });

  for (const [what, task] of Object.entries({
    'an async generator': async function* (path: string) {
      const { existsSync } = await import('node:fs');
      yield 'first';
      yield 'second';
      while (!existsSync(`${path}/a.open`)) await new Promise((resolve) => setTimeout(resolve, 2));
      yield 'third';
    },
    'an Observable': async (path: string) => {
      const { existsSync } = await import('node:fs');
      const { concat, defer, filter, interval, map, of: values, take } = await import('rxjs');
      const opened = defer(() => interval(2)).pipe(
        filter(() => existsSync(`${path}/a.open`)),
        take(1),
      );
      return concat(values('first', 'second'), opened.pipe(map(() => 'third')));
    },
  } as unknown as Record<string, (path: string) => AsyncIterable<string>>)) {
    it(`streams: what ${what} has given is there while the function goes on`, async () => {
      const { dir } = gates().value('a');
      const values: string[] = [];
      await new Promise<void>((resolve, reject) => {
        of(dir)
          .pipe(parallelMergeMap(task, options))
          .subscribe({
            next(value) {
              values.push(value);
              if (value === 'second') gates().open('a');
            },
            error: reject,
            complete: resolve,
          });
      });
      expect(values).to.deep.equal(['first', 'second', 'third']);
    });
  }

  it('streams what a synchronous generator yields, while it computes the next value', async () => {
    const task = function* (path: string) {
      for (let n = 0; ; n++) {
        const end = performance.now() + 30;
        while (performance.now() < end);
        yield `${path}${n}`;
        if (n === 2) for (;;);
      }
    };
    const { values } = await outcomeOf(of('v').pipe(parallelMergeMap(task, options), take(3)));
    expect(values).to.deep.equal(['v0', 'v1', 'v2']);
    await workers.ended();
  });

  it('streams the call whose turn it is when ordered, while later ones run ahead', async () => {
    const task = async function* ({ dir, name }: { dir: string; name: string }) {
      const { appendFileSync, existsSync } = await import('node:fs');
      appendFileSync(`${dir}/log`, `start ${name}\n`);
      yield `${name}1`;
      while (!existsSync(`${dir}/${name}.open`)) await new Promise((resolve) => setTimeout(resolve, 2));
      yield `${name}2`;
    };
    const values: string[] = [];
    const source = of(gates().value('a'), gates().value('b'));
    await new Promise<void>((resolve, reject) => {
      source.pipe(parallelMergeMap(task, options)).subscribe({
        next(value) {
          values.push(value);
          if (value === 'a1') gates().open('b'); // which ends first
          if (value === 'a1')
            void gates()
              .haveStarted('b')
              .then(() => gates().open('a'));
        },
        error: reject,
        complete: resolve,
      });
    });
    expect(values).to.deep.equal(['a1', 'a2', 'b1', 'b2']);
  });

  it('takes a source that is fed with its own values', async () => {
    const source = new Subject<number>();
    const values: number[] = [];
    await new Promise<void>((resolve, reject) => {
      source
        .pipe(parallelMergeMap((n: number) => (n < 16 ? [2 * n, 2 * n + 1] : []), { ...options, ordered: false }))
        .subscribe({
          next(n) {
            values.push(n);
            source.next(n);
            if (values.length === 30) source.complete();
          },
          error: reject,
          complete: resolve,
        });
      source.next(1);
    });
    expect(values.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 30 }, (_, n) => n + 2));
  });
});
