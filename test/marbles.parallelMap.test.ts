// When `parallelMap` starts, emits, drops and ends, in virtual time.
import type { ColdObservable } from 'rxjs/internal/testing/ColdObservable';
import { catchError, concatMap, merge, of, retry, share, switchMap, take, takeUntil } from 'rxjs';
import { parallelMap, type MapOperatorOptions } from './support/library.js';
import { marbles } from './support/marbles.js';
import { virtualPool } from './support/virtualPool.js';

type Cold = (marbles: string, values?: Record<string, unknown>) => ColdObservable<unknown>;

/** A task that takes so many frames for each name, and gives the name and its index: `a0`. */
const taking = (cold: Cold, frames: Record<string, number>) => (name: string, context: { index: number }) =>
  cold(`${'-'.repeat(frames[name] ?? 0)}(r|)`, { r: `${name}${context.index}` });

/** Names as the task above gives them. */
const results = { a: 'a0', b: 'b1', c: 'c2', d: 'd3', e: 'e4' };

const map = (task: unknown, nJobs?: number, options: MapOperatorOptions = {}) =>
  parallelMap(task as (name: string) => unknown, { pool: virtualPool(nJobs), ...options });

describe('parallelMap in virtual time: order', () => {
  it(
    'emits results in the order of the values, when all before them are out',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abc|');
      const expected = '     ------(abc|)';
      expectObservable(source.pipe(map(taking(cold, { a: 6, b: 2, c: 2 })))).toBe(expected, results);
    }),
  );

  it(
    'emits results as they come when unordered, each with the index of its value',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abc|');
      const expected = '     ---bc-(a|)';
      const task = taking(cold, { a: 6, b: 2, c: 2 });
      expectObservable(source.pipe(map(task, Infinity, { ordered: false }))).toBe(expected, results);
    }),
  );

  it(
    'starts no more than maxTasksActive values before the first is out',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  (abcd|)');
      const expected = '     ----(ab)(cd|)';
      const task = taking(cold, { a: 4, b: 1, c: 4, d: 4 });
      expectObservable(source.pipe(map(task, 4, { maxTasksActive: 2 }))).toBe(expected, results);
    }),
  );

  it(
    'starts another of maxTasksActive values as soon as any is out when unordered',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  (abc|)');
      const expected = '     -b-c-(a|)';
      const task = taking(cold, { a: 5, b: 1, c: 2 });
      const options = { maxTasksActive: 2, ordered: false };
      expectObservable(source.pipe(map(task, 4, options))).toBe(expected, results);
    }),
  );
});

describe('parallelMap in virtual time: overflow', () => {
  const overflowing = (cold: Cold, options: MapOperatorOptions) =>
    map(taking(cold, { a: 5, b: 5, c: 5, d: 5, e: 5 }), 1, options);

  it(
    'fails with the first value that finds bufferSize others waiting',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  abcd---|');
      const result = source.pipe(
        overflowing(cold, { bufferSize: 1 }),
        catchError((error: Error) => of(error.name)),
      );
      expectObservable(result).toBe('--(o|)', { o: 'BufferOverflowError' });
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }),
  );

  it(
    'drops the values that arrive with drop-newest, and still counts them in indexes',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abcd--e|');
      const expected = '     -----a----b----(e|)';
      expectObservable(source.pipe(overflowing(cold, { bufferSize: 1, overflow: 'drop-newest' }))).toBe(
        expected,
        results,
      );
    }),
  );

  it(
    'drops the value that waits longest with drop-oldest',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abcd--e|');
      const expected = '     -----a----d----(e|)';
      expectObservable(source.pipe(overflowing(cold, { bufferSize: 1, overflow: 'drop-oldest' }))).toBe(
        expected,
        results,
      );
    }),
  );

  it(
    'keeps the oldest with drop-newest, and the newest with drop-oldest',
    marbles(({ cold, expectObservable }) => {
      const newest = cold('  abcde|').pipe(overflowing(cold, { bufferSize: 2, overflow: 'drop-newest' }));
      const oldest = cold('  abcde|').pipe(overflowing(cold, { bufferSize: 2, overflow: 'drop-oldest' }));
      expectObservable(newest).toBe('-----a----b----(c|)', results);
      expectObservable(oldest).toBe('-----a----d----(e|)', results);
    }),
  );

  it(
    'lets nothing wait with bufferSize 0',
    marbles(({ cold, expectObservable }) => {
      const expected = '     -----a-----(e|)';
      const dropping = { bufferSize: 0, overflow: 'drop-newest' } as const;
      expectObservable(cold('abcd--e|').pipe(overflowing(cold, dropping))).toBe(expected, results);
      const oldest = { bufferSize: 0, overflow: 'drop-oldest' } as const;
      expectObservable(cold('abcd--e|').pipe(overflowing(cold, oldest))).toBe(expected, results);
    }),
  );

  it(
    'drops nothing with the default bufferSize',
    marbles(({ cold, expectObservable }) => {
      const expected = '     -----a----b----c----d----(e|)';
      expectObservable(cold('abcde|').pipe(overflowing(cold, {}))).toBe(expected, results);
    }),
  );
});

describe('parallelMap in virtual time: among other operators', () => {
  it(
    'inside switchMap, stops in the frame in which the next value comes',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const work = cold('    ---(r|)');
      const outer = cold('   a-b----|');
      const expected = '     -----r-|';
      expectObservable(outer.pipe(switchMap(() => of('x').pipe(map(() => work))))).toBe(expected);
      expectSubscriptions(work.subscriptions).toBe(['^-!', '--^--!']);
    }),
  );

  it(
    'inside concatMap, one after the other',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const work = cold('    ---(r|)');
      const outer = cold('   ab|');
      const expected = '     ---r--(r|)';
      expectObservable(outer.pipe(concatMap(() => of('x').pipe(map(() => work))))).toBe(expected);
      expectSubscriptions(work.subscriptions).toBe(['^--!', '---^--!']);
    }),
  );

  it(
    'before takeUntil, stops with the notifier',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const work = cold('    --(r|)');
      const source = cold('  a--b--c');
      const notifier = cold('----n');
      const expected = '     --r-|';
      expectObservable(
        source.pipe(
          map(() => work),
          takeUntil(notifier),
        ),
      ).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^---!');
      expectSubscriptions(work.subscriptions).toBe(['^-!', '---^!']);
    }),
  );

  it(
    'after takeUntil, finishes what has arrived',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  a--b--c');
      const notifier = cold('----n');
      const expected = '     --r--(r|)';
      expectObservable(
        source.pipe(
          takeUntil(notifier),
          map(() => cold('--(r|)')),
        ),
      ).toBe(expected);
    }),
  );

  it(
    'before retry, runs the source again',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  a--#');
      const work = cold('    -(r|)');
      const expected = '     -r--r-#';
      expectObservable(
        source.pipe(
          map(() => work),
          retry(1),
        ),
      ).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(['^--!', '---^--!']);
    }),
  );

  it(
    'before share, runs once for several subscribers, and stops with the last',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  a--b---c');
      const work = cold('    -(r|)');
      const shared = source.pipe(
        map(() => work),
        share(),
      );
      expectObservable(shared, '^--!').toBe('     -r--');
      expectObservable(shared, '--^---!').toBe('  ----r-');
      expectSubscriptions(source.subscriptions).toBe('^-----!');
    }),
  );

  it(
    'before take, stops with the last result that is wanted',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  a-b-c-d');
      const work = cold('    -(r|)');
      const expected = '     -r-(r|)';
      expectObservable(
        source.pipe(
          map(() => work),
          take(2),
        ),
      ).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    }),
  );

  it(
    'twice in one pipe, on one pool',
    marbles(({ cold, expectObservable }) => {
      const pool = virtualPool(2);
      const work = (name: unknown) => cold('--(r|)', { r: `${String(name)}'` });
      const step = () => parallelMap(work as never, { pool });
      expectObservable(merge(cold('a---b|')).pipe(step(), step())).toBe('----a---(b|)', { a: "a''", b: "b''" });
    }),
  );
});
