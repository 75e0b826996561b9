// When `parallelMergeMap` subscribes, emits and ends, in virtual time.
import { expect } from 'chai';
import { catchError, of, take, type Observable } from 'rxjs';
import { parallelMergeMap } from './support/library.js';
import { marbles } from './support/marbles.js';
import { virtualPool } from './support/virtualPool.js';

/** A task that gives each name an inner of its own. */
const innerOf =
  (inners: Record<string, Observable<string>>) =>
  (name: string): Observable<string> =>
    inners[name] as Observable<string>;

describe('parallelMergeMap in virtual time, unordered', () => {
  const merge = <T, O extends Observable<unknown>>(task: (value: T) => O, nJobs?: number) =>
    parallelMergeMap(task, { pool: virtualPool(nJobs), ordered: false });

  it(
    'completes with the last inner, where the source has completed before it',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x-y----|');
      const source = cold('  a--b--|');
      const sourceSubs = '   ^-----!';
      const innerSubs = ['   ^-------!', '---^-------!'];
      const expected = '     -x-yx-y----|';
      expectObservable(source.pipe(merge(() => inner))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      expectSubscriptions(inner.subscriptions).toBe(innerSubs);
    }),
  );

  it(
    'completes with both, where the source completes at the end of the last inner',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('-x-y----|');
      const source = cold('  a--b-------|');
      const sourceSubs = '   ^----------!';
      const expected = '     -x-yx-y----|';
      expectObservable(source.pipe(merge(() => inner))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    }),
  );

  it(
    'completes with the source, where the last inner has completed before it',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('-x-y----|');
      const source = cold('  a--b------------|');
      const sourceSubs = '   ^---------------!';
      const expected = '     -x-yx-y---------|';
      expectObservable(source.pipe(merge(() => inner))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    }),
  );

  it(
    'does not complete while the source does not, though all inners have',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('-x-y----|');
      const source = hot('   a--b---------');
      const sourceSubs = '   ^';
      const expected = '     -x-yx-y------';
      expectObservable(source.pipe(merge(() => inner))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    }),
  );

  it(
    'does not complete while one inner does not, though source and other inners have',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inners = { a: cold('-x-|'), b: cold('-y--') };
      const source = cold('  a--b--|');
      const expected = '     -x--y---';
      expectObservable(source.pipe(merge(innerOf(inners)))).toBe(expected);
      expectSubscriptions(inners.a.subscriptions).toBe('^--!');
      expectSubscriptions(inners.b.subscriptions).toBe('---^');
    }),
  );

  it(
    'completes at once with an empty source',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  |');
      expectObservable(source.pipe(merge(() => of(1)))).toBe('|');
      expectSubscriptions(source.subscriptions).toBe('(^!)');
    }),
  );

  it(
    'does nothing with a source that never emits',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -');
      expectObservable(source.pipe(merge(() => of(1)))).toBe('-');
      expectSubscriptions(source.subscriptions).toBe('^');
    }),
  );

  it(
    'fails at once with a source that fails at once',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  #');
      expectObservable(source.pipe(merge(() => of(1)))).toBe('#');
      expectSubscriptions(source.subscriptions).toBe('(^!)');
    }),
  );

  it(
    'emits nothing and completes with the last of inners that are empty',
    marbles(({ cold, expectObservable }) => {
      const inner = cold('   --|');
      const source = cold('  a--b|');
      const expected = '     -----|';
      expectObservable(source.pipe(merge(() => inner))).toBe(expected);
    }),
  );

  it(
    'merges inners that emit and complete synchronously',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  a----b----|');
      const expected = '     (xy)-(xy)-|';
      expectObservable(source.pipe(merge(() => of('x', 'y')))).toBe(expected);
    }),
  );

  it(
    'fails with the first inner that fails, and unsubscribes from all others',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inners = { a: cold('-x-#'), b: cold('-y-----|'), c: cold('z') };
      const source = cold('  ab---c|');
      const expected = '     -xy#';
      expectObservable(source.pipe(merge(innerOf(inners)))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^--!');
      expectSubscriptions(inners.a.subscriptions).toBe('^--!');
      expectSubscriptions(inners.b.subscriptions).toBe('-^-!');
      expectSubscriptions(inners.c.subscriptions).toBe([]);
    }),
  );

  it(
    'fails with the source that fails while inners run, and unsubscribes from those',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x-----|');
      const source = cold('  a---#');
      const expected = '     -x--#';
      expectObservable(source.pipe(merge(() => inner))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^---!');
      expectSubscriptions(inner.subscriptions).toBe('^---!');
    }),
  );

  it(
    'fails once, with the inner, where that fails before the source',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x-#', undefined, 'inner');
      const source = cold('  a-----#', undefined, 'source');
      expectObservable(source.pipe(merge(() => inner))).toBe('-x-#', undefined, 'inner');
      expectSubscriptions(source.subscriptions).toBe('^--!');
    }),
  );

  it(
    'fails once, with the source, where that fails before an inner',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x------#', undefined, 'inner');
      const source = cold('  a---#', undefined, 'source');
      expectObservable(source.pipe(merge(() => inner))).toBe('-x--#', undefined, 'source');
      expectSubscriptions(inner.subscriptions).toBe('^---!');
    }),
  );

  it(
    'fails with what the function throws, and unsubscribes from the inners before',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x------|');
      const source = cold('  a--b--c|');
      const task = (name: string) => {
        if (name === 'b') throw 'thrown';
        return inner;
      };
      expectObservable(source.pipe(merge(task))).toBe('-x-#', undefined, 'thrown');
      expectSubscriptions(source.subscriptions).toBe('^--!');
      expectSubscriptions(inner.subscriptions).toBe('^--!');
    }),
  );

  it(
    'unsubscribes from the source and all inners at once',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x-y---|');
      const source = cold('  a--b----c|');
      const unsubscribed = ' -----!';
      const expected = '     -x-yx-';
      expectObservable(source.pipe(merge(() => inner)), unsubscribed).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^----!');
      expectSubscriptions(inner.subscriptions).toBe(['^----!', '---^-!']);
    }),
  );

  it(
    'unsubscribes from everything when an operator after it has seen enough',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x-y---|');
      const source = cold('  a-b-----|');
      const expected = '     -x-(y|)';
      expectObservable(
        source.pipe(
          merge(() => inner),
          take(2),
        ),
      ).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^--!');
      expectSubscriptions(inner.subscriptions).toBe(['^--!', '--^!']);
    }),
  );

  it(
    'starts a value only when one of nJobs workers is free',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inners = { a: cold('--x|'), b: cold('----y|'), c: cold('--z|') };
      const source = cold('  (abc|)');
      const expected = '     --x-yz|';
      expectObservable(source.pipe(merge(innerOf(inners), 2))).toBe(expected);
      expectSubscriptions(inners.a.subscriptions).toBe('^--!');
      expectSubscriptions(inners.b.subscriptions).toBe('^----!');
      expectSubscriptions(inners.c.subscriptions).toBe('---^--!');
    }),
  );

  it(
    'takes one value after the other with one worker, as concatMap does',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x-|');
      const source = cold('  ab|');
      const expected = '     -x--x-|';
      expectObservable(source.pipe(merge(() => inner, 1))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^-!');
      expectSubscriptions(inner.subscriptions).toBe(['^--!', '---^--!']);
    }),
  );

  it(
    'drops the values that wait when it is unsubscribed from',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   ---x|');
      const source = cold('  abcd|');
      const unsubscribed = ' -----!';
      const expected = '     ---x--';
      expectObservable(source.pipe(merge(() => inner, 1)), unsubscribed).toBe(expected);
      expectSubscriptions(inner.subscriptions).toBe(['^---!', '----^!']);
    }),
  );

  it(
    'is independent in each subscription, also of a hot source',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x|');
      const source = hot('   a---b---|');
      const result = source.pipe(merge(() => inner));
      expectObservable(result, '  ^---').toBe('     -x---x--|');
      expectObservable(result, '  --^----!').toBe(' -----x-');
      expectSubscriptions(source.subscriptions).toBe(['^-------!', '--^----!']);
    }),
  );

  it(
    'runs again when it is subscribed to again',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold('   -x#');
      const source = cold('  a---|');
      const result = source.pipe(merge(() => inner));
      expectObservable(result.pipe(catchError((_error, again) => again.pipe(take(1))))).toBe('-x-(x|)');
      expectSubscriptions(source.subscriptions).toBe(['^-!', '--^!']);
    }),
  );
});

describe('parallelMergeMap in virtual time, ordered', () => {
  const merge = <T, O extends Observable<unknown>>(task: (value: T) => O, nJobs?: number) =>
    parallelMergeMap(task, { pool: virtualPool(nJobs) });

  it(
    'holds what later inners give until all before them have completed',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inners = { a: cold('----x|'), b: cold('-y-z|') };
      const source = cold('  (ab|)');
      const expected = '     ----x(yz|)';
      expectObservable(source.pipe(merge(innerOf(inners)))).toBe(expected);
      expectSubscriptions(inners.b.subscriptions).toBe('^---!');
    }),
  );

  it(
    'passes on what the inner whose turn it is gives, as it comes',
    marbles(({ cold, expectObservable }) => {
      const inners = { a: cold('-x-x-|'), b: cold('--y----y|') };
      const source = cold('  (ab|)');
      const expected = '     -x-x-y-y|';
      expectObservable(source.pipe(merge(innerOf(inners)))).toBe(expected);
    }),
  );

  it(
    'delivers in order what a failing inner gave, and starts nothing afterwards',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inners = { a: cold('-----x|'), b: cold('-y#'), c: cold('z|') };
      const source = cold('  ab--c--|');
      const expected = '     -----x(y#)';
      expectObservable(source.pipe(merge(innerOf(inners)))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^--!');
      expectSubscriptions(inners.a.subscriptions).toBe('^-----!');
      expectSubscriptions(inners.b.subscriptions).toBe('-^-!');
      expectSubscriptions(inners.c.subscriptions).toBe([]);
    }),
  );

  it(
    'stops later inners that run once a failure before them is known',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inners = { a: cold('-----x|'), b: cold('--#'), c: cold('z------z|') };
      const source = cold('  (abc|)');
      const expected = '     -----x#';
      expectObservable(source.pipe(merge(innerOf(inners)))).toBe(expected);
      expectSubscriptions(inners.c.subscriptions).toBe('^-!');
    }),
  );

  it(
    'fails with the smallest index of several that fail, not with the first in time',
    marbles(({ cold, expectObservable }) => {
      const inners = {
        a: cold('------x|'),
        b: cold('----#', undefined, 'b'),
        c: cold('--#', undefined, 'c'),
      };
      const source = cold('  (abc|)');
      const result = source.pipe(merge(innerOf(inners)));
      expectObservable(result).toBe('------x#', undefined, 'b');
    }),
  );
});

describe('the virtual pool of these tests', () => {
  it('fails a test whose marbles differ', () => {
    const wrong = marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a|').pipe(parallelMergeMap(() => of('x'), { pool: virtualPool() }))).toBe('-x|');
    });
    expect(wrong).to.throw(/to deeply equal/);
  });
});
