// What the compiler infers and refuses: this file fails to compile where that changes.
import { expect } from 'chai';
import { of, type Observable, type OperatorFunction } from 'rxjs';
import type { ModuleTask, Task, TaskContext, TaskFunction } from 'rxjs-parallel-map';
import { moduleTask, parallelFrom, parallelMap, parallelMergeMap, perWorker, WorkerPool } from './support/library.js';

/** True only for the very same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only where `value` has exactly the type `Expected`, and gives it back. */
const typed =
  <Expected>() =>
  <Actual>(value: Actual & (Same<Actual, Expected> extends true ? unknown : never)): Actual =>
    value;

const url = new URL('file:///work.js');

describe('types: parallelMap', () => {
  it('can be wrapped in a generic function, with and without options', () => {
    const pool = undefined as unknown as WorkerPool;
    const plain = <T, R>(fn: (x: T) => R): OperatorFunction<T, Awaited<R>> => parallelMap(fn);
    const withOptions = <T, R>(fn: (x: T) => R): OperatorFunction<T, Awaited<R>> => parallelMap(fn, { nJobs: 2 });
    const settled = <T, R>(fn: (x: T) => R): OperatorFunction<T, PromiseSettledResult<Awaited<R>>> =>
      parallelMap(fn, { settle: true });
    const same = <T extends { id: string }>(source: Observable<T>): Observable<T> => source.pipe(parallelMap((x) => x));
    const merge = <T, R>(fn: (x: T) => R[]): OperatorFunction<T, R> => parallelMergeMap(fn, {});
    const from_ = <T, R>(xs: T[], fn: (x: T) => R): Observable<Awaited<R>> => parallelFrom(xs, fn, {});
    const map = <T, R>(xs: T[], fn: (x: T) => R): Promise<Awaited<R>[]> => pool.map(fn, xs, {});
    const unordered = <T, R>(xs: T[], fn: (x: T) => R): Promise<Awaited<R>[]> => pool.mapUnordered(fn, xs, {});
    const iterate = <T, R>(xs: T[], fn: (x: T) => R): AsyncIterableIterator<Awaited<R>> => pool.imap(fn, xs, {});
    const apply = <T, R>(x: T, fn: (x: T) => R): Promise<Awaited<R>> => pool.apply(fn, [x], {});
    for (const each of [plain, withOptions, settled, same, merge, from_, map, unordered, iterate, apply]) {
      expect(each).to.be.a('function');
    }
  });

  it('gives both kinds of results where the type of `settle` is boolean', () => {
    const settle = Math.random() < 2;
    const operator = parallelMap((x: number) => String(x), { settle });
    expect(typed<OperatorFunction<number, string | PromiseSettledResult<string>>>()(operator)).to.be.a('function');
  });

  it('keeps classes, brands, recursive types and tuples as they are', () => {
    class Box {
      readonly #inner = 1;
      open(): number {
        return this.#inner;
      }
    }
    interface Tree {
      readonly value: string & { readonly __brand: 'id' };
      readonly parent?: Tree;
      readonly children: readonly [first?: Tree, ...rest: Tree[]];
    }
    expect(typed<OperatorFunction<Box, Box>>()(parallelMap((box: Box) => box))).to.be.a('function');
    expect(typed<OperatorFunction<Tree, Tree>>()(parallelMap((tree: Tree) => tree))).to.be.a('function');
    expect(typed<OperatorFunction<unknown, unknown>>()(parallelMap((x: unknown) => x))).to.be.a('function');
  });

  it('infers value and result from the function', () => {
    expect(typed<OperatorFunction<number, string>>()(parallelMap((x: number) => String(x)))).to.be.a('function');
    expect(typed<OperatorFunction<string, number[]>>()(parallelMap((s: string) => [s.length]))).to.be.a('function');
    expect(typed<OperatorFunction<number, undefined>>()(parallelMap((_x: number) => undefined))).to.be.a('function');
  });

  it('unwraps promises of every kind', () => {
    expect(typed<OperatorFunction<number, string>>()(parallelMap(async (x: number) => String(x)))).to.be.a('function');
    const nested = parallelMap((x: number) => Promise.resolve(Promise.resolve(x)));
    expect(typed<OperatorFunction<number, number>>()(nested)).to.be.a('function');
    const sometimes = parallelMap((x: number): number | Promise<string> => (x > 0 ? x : Promise.resolve('x')));
    expect(typed<OperatorFunction<number, string | number>>()(sometimes)).to.be.a('function');
  });

  it('takes the type of the value from the pipe, and of the context from itself', () => {
    const result = of(1, 2).pipe(parallelMap((x) => x.toFixed(1)));
    typed<Observable<string>>()(result);
    const indexed = of('a').pipe(
      parallelMap((text, context) => {
        typed<string>()(text);
        typed<TaskContext>()(context);
        typed<number>()(context.index);
        typed<AbortSignal>()(context.signal);
        return text.length + context.workerId;
      }),
    );
    typed<Observable<number>>()(indexed);
    const chained = of(1).pipe(
      parallelMap((x) => ({ x })),
      parallelMap(async ({ x }) => [x]),
    );
    typed<Observable<number[]>>()(chained);
    expect(chained).to.have.property('subscribe');
  });

  it('has the same types with options by position', () => {
    expect(typed<OperatorFunction<number, string>>()(parallelMap((x: number) => String(x), 4, 'spawn', true))).to.be.a(
      'function',
    );
    typed<Observable<string>>()(of(1).pipe(parallelMap((x) => x.toFixed(), null)));
    typed<Observable<string>>()(of(1).pipe(parallelMap((x) => x.toFixed(), undefined, 'threading')));
    typed<Observable<string>>()(of(1).pipe(parallelMap((x) => x.toFixed(), { nJobs: 2, ordered: false })));
  });

  it('accepts a function that is named by its module, with its type', () => {
    type Resize = (image: Uint8Array, context: TaskContext) => Promise<string>;
    typed<ModuleTask<Resize>>()(moduleTask<Resize>(url, 'resize'));
    const operator = parallelMap(moduleTask<Resize>(url, 'resize'));
    expect(typed<OperatorFunction<Uint8Array, string>>()(operator)).to.be.a('function');
    const typeOnly = (text: string): number => text.length;
    const named = of('a').pipe(parallelMap(moduleTask<typeof typeOnly>(url, 'length')));
    typed<Observable<number>>()(named);
    const byUrl: OperatorFunction<number, string> = parallelMap<number, string>(url);
    expect(byUrl).to.be.a('function');
    typed<OperatorFunction<any, unknown>>()(parallelMap(moduleTask(url, 'resize')));
    typed<Observable<unknown>>()(of('a', 1).pipe(parallelMap(moduleTask(url, 'resize'))));
    expect(new WorkerPool().map(moduleTask(url, 'resize'), [])).to.be.a('promise');
  });

  it('accepts tasks whose parameter is wider than the values', () => {
    const wide = (value: string | number): string => String(value);
    typed<Observable<string>>()(of(1).pipe(parallelMap(wide)));
    const task: Task<number, string> = (x: number) => String(x);
    const fn: TaskFunction<number, string> = (x) => String(x);
    expect([of(1).pipe(parallelMap(task)), of(1).pipe(parallelMap(fn))]).to.have.length(2);
  });

  it('gives settled results where that is asked for', () => {
    const settled = of(1).pipe(parallelMap((x) => x.toFixed(), { settle: true }));
    typed<Observable<PromiseSettledResult<string>>>()(settled);
    typed<Observable<string>>()(of(1).pipe(parallelMap((x) => x.toFixed(), { settle: false })));
    const settle: boolean = Math.random() > 2;
    // @ts-expect-error it may be settled
    const one: Observable<string> = of(1).pipe(parallelMap((x) => x.toFixed(), { settle }));
    const either: Observable<string | PromiseSettledResult<string>> = one;
    const merged = of(2).pipe(parallelMergeMap((x) => [x], { settle: true }));
    typed<Observable<PromiseSettledResult<number>>>()(merged);
    typed<Observable<PromiseSettledResult<boolean>>>()(parallelFrom([1], (x) => x > 0, { settle: true }));
    // @ts-expect-error a typo
    expect(() => parallelMap((x: number) => x, { setle: true })).to.throw(TypeError);
    expect(either).to.have.property('subscribe');
  });

  it('refuses functions that do not fit the values', () => {
    // @ts-expect-error the values are numbers
    of(1).pipe(parallelMap((text: string) => text.length));
    // @ts-expect-error the values are numbers
    of(1).pipe(parallelMap(moduleTask<(text: string) => number>(url)));
    // @ts-expect-error a number has no such method
    of(1).pipe(parallelMap((x) => x.toUpperCase()));
    // @ts-expect-error the result is a number
    const wrong: Observable<string> = of(1).pipe(parallelMap((x) => x));
    expect(wrong).to.have.property('subscribe');
  });

  it('refuses arguments that are wrong, as the library does at run time', () => {
    const fn = (x: number): number => x;
    // @ts-expect-error not a function
    expect(() => parallelMap(5)).to.throw(TypeError);
    // @ts-expect-error not a function
    expect(() => parallelMap()).to.throw(TypeError);
    // @ts-expect-error not a number
    expect(() => parallelMap(fn, '4')).to.throw(TypeError);
    // @ts-expect-error no such start method
    expect(() => parallelMap(fn, 4, 'thread')).to.throw(RangeError);
    // @ts-expect-error not a boolean
    expect(() => parallelMap(fn, 4, 'spawn', 'yes')).to.throw(TypeError);
    // @ts-expect-error options and positions do not mix
    expect(() => parallelMap(fn, { nJobs: 4 }, 'spawn')).to.throw(TypeError);
    // @ts-expect-error a typo
    expect(() => parallelMap(fn, { njobs: 4 })).to.throw(TypeError);
    // @ts-expect-error none of the three
    expect(() => parallelMap(fn, { overflow: 'drop' })).to.throw(RangeError);
    // @ts-expect-error not a signal
    expect(() => parallelMap(fn, { signal: new AbortController() })).to.throw(TypeError);
    // @ts-expect-error not a pool
    expect(() => parallelMap(fn, { pool: {} })).to.throw(TypeError);
  });
});

describe('types: parallelMergeMap', () => {
  it('infers the values of iterables, Observables and promises of them', () => {
    typed<OperatorFunction<number, string>>()(parallelMergeMap((x: number) => [String(x)]));
    typed<OperatorFunction<string, string>>()(parallelMergeMap((text: string) => text));
    typed<OperatorFunction<number, number>>()(parallelMergeMap((x: number) => new Set([x])));
    const generator = function* (x: number) {
      yield x;
      yield 'text' as string;
      return true;
    };
    typed<OperatorFunction<number, string | number>>()(parallelMergeMap(generator));
    const asyncGenerator = async function* (x: number) {
      yield { x };
    };
    typed<OperatorFunction<number, { x: number }>>()(parallelMergeMap(asyncGenerator));
    typed<OperatorFunction<number, number>>()(parallelMergeMap(async (x: number) => [x]));
    typed<OperatorFunction<number, Date>>()(parallelMergeMap((_x: number) => of(new Date())));
    const later = parallelMergeMap(async (_x: number) => of(1n));
    expect(typed<OperatorFunction<number, bigint>>()(later)).to.be.a('function');
  });

  it('takes the type of the value from the pipe', () => {
    const result = of('ab').pipe(parallelMergeMap((text) => text.split('')));
    expect(typed<Observable<string>>()(result)).to.have.property('subscribe');
  });

  it('refuses functions that give nothing to emit', () => {
    // @ts-expect-error a number is not iterable
    parallelMergeMap((x: number) => x);
    // @ts-expect-error undefined is not iterable
    parallelMergeMap((_x: number) => undefined);
    // @ts-expect-error the values are strings
    expect(of('a').pipe(parallelMergeMap((x: number) => [x]))).to.have.property('subscribe');
  });
});

describe('types: parallelFrom', () => {
  it('infers from the input and the function', () => {
    typed<Observable<string>>()(parallelFrom([1, 2], (x) => x.toFixed()));
    typed<Observable<number>>()(parallelFrom('text', async (character) => character.charCodeAt(0)));
    typed<Observable<number>>()(parallelFrom(new Map([['a', 1]]), ([key, value]) => key.length + value));
    typed<Observable<number>>()(parallelFrom(new ReadableStream<Uint8Array>(), (bytes) => bytes.length));
    const later = (async function* () {
      yield { a: 1 };
    })();
    expect(typed<Observable<number>>()(parallelFrom(later, ({ a }) => a))).to.have.property('subscribe');
  });

  it('refuses what cannot be read, and options that concern pushed sources', () => {
    // @ts-expect-error not iterable
    expect(() => parallelFrom(5, (x: number) => x)).to.throw(TypeError);
    // @ts-expect-error an Observable pushes
    expect(() => parallelFrom(of(1), (x: number) => x)).to.throw(TypeError);
    // @ts-expect-error the values are strings
    parallelFrom(['a'], (x: number) => x);
    // @ts-expect-error a pulled input is never buffered
    expect(() => parallelFrom([1], (x: number) => x, { bufferSize: 1 })).to.throw(TypeError);
  });
});

describe('types: WorkerPool', () => {
  const pool = new WorkerPool();
  after(() => pool.terminate());

  it('infers the results of map, imap and apply', async () => {
    const mapped = pool.map((x) => x.toFixed(), [1]);
    void typed<Promise<string[]>>()(mapped);
    expect(await mapped).to.deep.equal(['1']);
    const unordered = pool.mapUnordered(async (x: number) => ({ x }), [1]);
    void typed<Promise<{ x: number }[]>>()(unordered);
    expect(await unordered).to.deep.equal([{ x: 1 }]);
    const iterated = pool.imap((text) => text.length, ['a']);
    typed<AsyncIterableIterator<number> & AsyncDisposable>()(iterated);
    for await (const length of iterated) expect(typed<number>()(length)).to.equal(1);
    typed<AsyncIterableIterator<number> & AsyncDisposable>()(
      pool.imapUnordered(async (text) => text.length, new Set(['a'])),
    );
    const applied = pool.apply((a: number, b: string) => b.repeat(a), [2, 'x']);
    void typed<Promise<string>>()(applied);
    expect(await applied).to.equal('xx');
    typed<Promise<number>>()(pool.apply(async () => 1)).catch(() => undefined);
  });

  it('infers pieces of typed arrays, and what map puts together', async () => {
    const input = new Float32Array(2);
    const doubled = pool.map((part) => typed<Float32Array<ArrayBuffer>>()(part).map((x) => 2 * x), input);
    void typed<Promise<Float32Array<ArrayBuffer>>>()(doubled);
    expect(await doubled).to.be.instanceOf(Float32Array);
    const list = pool.map((part) => part.slice(), input, { concatenate: false });
    void typed<Promise<Float32Array<ArrayBuffer>[]>>()(list);
    const sums = pool.map((part) => part.length, input);
    void typed<Promise<number[]>>()(sums);
    expect([(await list).length, (await sums).length]).to.deep.equal([2, 2]);
    typed<AsyncIterableIterator<number> & AsyncDisposable>()(pool.imap((part: Float32Array) => part.length, input));
    typed<Observable<number>>()(parallelFrom(input, (part) => part.length));
    // @ts-expect-error the function gets pieces, not elements
    void pool.map((x: number) => x, input).catch(() => undefined);
  });

  it('infers settled results', async () => {
    const mapped = pool.map((x) => x.toFixed(), [1], { settle: true });
    void typed<Promise<PromiseSettledResult<string>[]>>()(mapped);
    expect(await mapped).to.deep.equal([{ status: 'fulfilled', value: '1' }]);
    typed<AsyncIterableIterator<PromiseSettledResult<number>> & AsyncDisposable>()(
      pool.imap((x) => x, [1], { settle: true }),
    );
    const applied = pool.apply((a: number) => a, [1], { settle: true });
    void typed<Promise<PromiseSettledResult<number>>>()(applied);
    expect(await applied).to.deep.equal({ status: 'fulfilled', value: 1 });
  });

  it('refuses arguments that do not fit', () => {
    const lacking: (() => unknown)[] = [
      // @ts-expect-error the values are strings
      () => pool.map((x: number) => x, ['a']),
      // @ts-expect-error an argument is missing
      () => pool.apply((a: number, b: string) => b.repeat(a), [2]),
      // @ts-expect-error an argument of the wrong type
      () => pool.apply((a: number) => a, ['x']),
    ];
    expect(lacking).to.have.length(3);
    // @ts-expect-error an option of the pool, not of a call
    expect(() => pool.imap((x: number) => x, [1], { nJobs: 1 })).to.throw(TypeError);
    // @ts-expect-error an option of a call, not of the pool
    expect(() => new WorkerPool({ chunkSize: 1 })).to.throw(TypeError);
  });

  it('is disposed of asynchronously', () => {
    const disposable: AsyncDisposable = pool;
    expect(disposable[Symbol.asyncDispose]).to.be.a('function');
  });
});

describe('types: perWorker', () => {
  it('has the type of what its function makes', () => {
    const list = perWorker(() => [1]);
    typed<() => number[]>()(list);
    const text = perWorker(async () => 'a');
    typed<() => Promise<string>>()(text);
    typed<Observable<string>>()(of(1).pipe(parallelMap(async (n) => (await text()).repeat(n))));
    expect(list()).to.deep.equal([1]);
  });
});
