// What comes out does not depend on how values were grouped: each task gets what a chunk of its own would give.
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { from, lastValueFrom, toArray } from 'rxjs';
import type { MapOptions, TaskContext } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, parallelMergeMap, transfer, WorkerPool } from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { describeEach } from '../support/startMethods.js';

const runs = Number(process.env['GROUPING_RUNS'] ?? 25);

type Grouping = Omit<MapOptions, 'settle'> & { settle?: boolean };

const groupings: readonly Grouping[] = [
  { chunkSize: 1 },
  { chunkSize: 2 },
  { chunkSize: 7 },
  {},
  { chunkSize: 7, settle: true },
  { chunkSize: 7, tasksPerWorker: 3 },
];

/** A task that changes all that it gets, and gives it back with what it has kept of earlier calls. */
function change(value: unknown): unknown {
  const seen = new Set<unknown>();
  const visit = (part: any): void => {
    if (typeof part !== 'object' || part === null || seen.has(part)) return;
    seen.add(part);
    if (part instanceof Map) {
      for (const [key, member] of [...part]) {
        visit(key);
        visit(member);
      }
      part.set('size', part.size);
    } else if (part instanceof Set) {
      for (const member of [...part]) visit(member);
      part.add(part.size);
    } else if (ArrayBuffer.isView(part)) {
      const bytes = new Uint8Array(part.buffer);
      for (let i = 0; i < bytes.length; i++) bytes[i]!++;
    } else if (part instanceof ArrayBuffer) {
      visit(new Uint8Array(part));
    } else if (part instanceof Date) {
      part.setTime(part.getTime() + 1);
    } else if (part instanceof Error) {
      part.message += '!';
      visit(part.cause);
    } else {
      for (const key of Object.keys(part)) visit(part[key]);
      if (Array.isArray(part)) part.push(part.length);
      else part.n = (part.n ?? 0) + 1;
    }
  };
  visit(value);
  return value;
}

/** How the parts of values are made: each of a kind, from parts that were made before. */
const recipes = fc.record({
  parts: fc.array(fc.record({ kind: fc.nat(11), of: fc.array(fc.nat(), { maxLength: 3 }) }), {
    minLength: 1,
    maxLength: 12,
  }),
  values: fc.array(fc.nat(), { minLength: 2, maxLength: 30 }),
});

type Recipe = typeof recipes extends fc.Arbitrary<infer T> ? T : never;

/** Values that share parts with each other. */
function cook({ parts, values }: Recipe): unknown[] {
  const made: any[] = [];
  for (const { kind, of } of parts) {
    const [a, b, c] = of.map((at) => made[at % Math.max(made.length, 1)]);
    const buffer = [a, b, c].find((part) => part instanceof ArrayBuffer) ?? new ArrayBuffer(8);
    made.push(
      [
        () => ({ n: 0 }),
        () => ({ k: kind, a, b, text: 'x' }),
        () => [a, b, c],
        () => new Map<unknown, unknown>([[a ?? 'a', b], ['c', c]]), // prettier-ignore
        () => new Set([a, b, c]),
        () => buffer,
        () => new Uint8Array(buffer, 2, 4),
        () => new Date(86_400_000),
        () => new Error('oops', { cause: a }),
        () => Object.assign([a, 1], { named: b }),
        () => {
          const circle: Record<string, unknown> = { a };
          return Object.assign(circle, { itself: circle });
        },
        () => 'a primitive',
      ][kind]!(),
    );
  }
  return values.map((at) => made[at % made.length]);
}

/** All objects that can be reached. */
function objectsIn(value: any, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found;
  found.add(value);
  if (ArrayBuffer.isView(value)) objectsIn(value.buffer, found);
  else if (value instanceof Map) for (const entry of value) entry.forEach((part: unknown) => objectsIn(part, found));
  else if (value instanceof Set) for (const part of value) objectsIn(part, found);
  else for (const key of Object.getOwnPropertyNames(value)) if (key !== 'stack') objectsIn(value[key], found);
  return found;
}

const shown = (value: unknown): string =>
  inspect(value, { depth: Infinity, maxArrayLength: Infinity, breakLength: Infinity }).replaceAll(/\n *at .*/g, '');

function expectApart(results: readonly unknown[]): void {
  const all = results.map((result) => objectsIn(result));
  const count = all.reduce((sum, objects) => sum + objects.size, 0);
  expect(new Set(all.flatMap((objects) => [...objects])).size, 'objects of their own').to.equal(count);
}

describeEach.of(['threading', 'fork'], 'values that are grouped', ({ name: startMethod, sharesMemory }) => {
  let pool: WorkerPool;
  let single: WorkerPool;
  before(() => {
    pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });
    single = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
  });
  after(() => Promise.all([pool.terminate(), single.terminate()]));

  /** With one worker, so that calls follow each other. */
  const inTurn = async <T, R>(values: T[], fn: (value: T, context: TaskContext) => R, grouping: Grouping) => {
    const results = await single.map(fn, values, grouping as MapOptions);
    return results.map((result) => (grouping.settle ? (result as { value: unknown }).value : result)) as Awaited<R>[];
  };

  for (const grouping of groupings) {
    const title = `(${inspect(grouping)})`;

    it(`come out as by themselves, whatever they share ${title}`, async () => {
      await fc.assert(
        fc.asyncProperty(recipes, async (recipe) => {
          const values = cook(recipe);
          const expected = values.map((value) => structuredClone(change(structuredClone(value))));
          const outcome: unknown[] = await pool.map(change, values, grouping as MapOptions);
          const results = grouping.settle ? outcome.map((settled) => (settled as { value: unknown }).value) : outcome;
          expect(results.map(shown)).to.deep.equal(expected.map(shown));
          expectApart(results);
        }),
        { numRuns: runs },
      );
    });

    it(`share one object without sharing its changes ${title}`, async () => {
      const o = { n: 0 };
      expect(await inTurn([o, o, o, o], (v) => ++v.n, grouping)).to.deep.equal([1, 1, 1, 1]);
      const inner = [{ k: 1, inner: o }, { k: 2, inner: o }]; // prettier-ignore
      expect(await inTurn(inner, (v) => ++v.inner.n, grouping)).to.deep.equal([1, 1]);
      const bytes = new Uint8Array(4);
      expect(await inTurn([bytes, bytes, bytes], (v) => ++v[0]!, grouping)).to.deep.equal([1, 1, 1]);
      const views = [new Uint8Array(bytes.buffer, 0, 2), new Uint8Array(bytes.buffer, 1, 2)];
      expect(await inTurn(views, (v) => ++new Uint8Array(v.buffer)[1]!, grouping)).to.deep.equal([1, 1]);
    });

    it(`keep results as they were when their calls ended ${title}`, async () => {
      const log = (n: number, { state }: TaskContext) => {
        if (n === 1) state.log = [];
        state.log.push(n);
        return state.log;
      };
      expect(await inTurn([1, 2, 3], log, grouping)).to.deep.equal([[1], [1, 2], [1, 2, 3]]);
      const point = (n: number, { state }: TaskContext) => {
        class Point {
          at = { x: 0 };
        }
        if (n === 1) state.point = new Point();
        state.point.at.x = n;
        return n === 3 ? n : state.point;
      };
      expect(await inTurn([1, 2, 3], point, grouping)).to.deep.equal([{ at: { x: 1 } }, { at: { x: 2 } }, 3]);
      const buffer = (n: number, { state }: TaskContext) => {
        state.bytes ??= new Uint8Array(50_000);
        state.bytes[0] = n;
        return state.bytes;
      };
      expect((await inTurn([1, 2, 3], buffer, grouping)).map((bytes) => bytes[0])).to.deep.equal([1, 2, 3]);
    });
  }

  it('share with what is started again after its worker has died', async () => {
    const o = { n: 0, fatal: true };
    const task = async (v: { n: number }, { index }: TaskContext) => {
      const { existsSync, writeFileSync } = await import('node:fs');
      v.n++;
      if (index === 2 && !existsSync(marker)) {
        writeFileSync(marker, '');
        process.exit(3);
      }
      return v.n;
    };
    const { mkdtempSync } = await import('node:fs');
    const marker = `${mkdtempSync('/tmp/grouping-')}/died`;
    const results = await pool.map(task, [o, o, o, o, o], {
      chunkSize: 5,
      workerDeathRetries: 2,
      captures: { marker },
    });
    expect(results).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it('share with what another worker has taken over', async () => {
    const o = { n: 0 };
    const task = async (v: { n: number }, { index }: TaskContext) => {
      if (index === 1) await new Promise((resolve) => setTimeout(resolve, 300));
      return ++v.n;
    };
    expect(await pool.map(task, Array(40).fill(o))).to.deep.equal(Array(40).fill(1));
  });

  it('yield what there is at each yield', async () => {
    const rows = function* (n: number) {
      const row = { n: 0, list: [] as number[] };
      for (let i = 0; i < n; i++) {
        row.n = i;
        row.list.push(i);
        yield row;
      }
    };
    const list = [0, 1, 2].map((n) => ({ n, list: [0, 1, 2].slice(0, n + 1) }));
    const yielded = await lastValueFrom(from([3]).pipe(parallelMergeMap(rows, { pool }), toArray()));
    expect(yielded).to.deep.equal(list);
    expectApart(yielded);
  });

  it('yield objects that cannot be copied in small, from generators and Observables', async () => {
    const large = async function* (n: number) {
      const bytes = new Uint8Array(50_000);
      for (let i = 0; i < n; i++) {
        bytes[0] = i;
        yield bytes;
      }
    };
    const observable = (n: number) => {
      const error = new Error('0');
      return {
        subscribe(observer: { next(value: unknown): void; complete(): void; error(error: unknown): void }) {
          for (let i = 0; i < n; i++) {
            error.message = String(i);
            observer.next(error);
          }
          observer.complete();
        },
        [Symbol.iterator]: undefined,
      };
    };
    const bytes = await lastValueFrom(from([20]).pipe(parallelMergeMap(large, { pool }), toArray()));
    expect(bytes.map(([first]) => first)).to.deep.equal(Array.from({ length: 20 }, (_, i) => i));
    const errors = await lastValueFrom(
      from([20]).pipe(parallelMergeMap(observable as unknown as (n: number) => Iterable<Error>, { pool }), toArray()),
    );
    expect(errors.map(({ message }) => message)).to.deep.equal(Array.from({ length: 20 }, (_, i) => String(i)));
  });

  it('report what there is when they report it', async () => {
    const reports: unknown[] = [];
    const task = (n: number, { progress, state }: TaskContext) => {
      state.report ??= { n: 0 };
      state.report.n = n;
      progress(state.report);
    };
    await pool.map(task, [1, 2, 3], { chunkSize: 3, onProgress: ({ value }) => reports.push(value) });
    expect(reports).to.deep.equal([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('refuse the result that cannot be cloned, after those before it', async () => {
    const kinds: Record<string, (n: number) => unknown> = {
      proxy: (n) => (n === 2 ? new Proxy({ n }, {}) : { n }),
      arguments: (n) => (n === 2 ? (function () { return arguments; })() : { n }), // prettier-ignore
      function: (n) => (n === 2 ? { n, f: () => n } : { n }),
      promise: (n) => (n === 2 ? { n, p: Promise.resolve() } : { n }),
      namespace: async (n) => (n === 2 ? { ns: await import('node:path') } : { n }),
    };
    for (const [kind, task] of Object.entries(kinds)) {
      for (const chunkSize of [1, 2, 7]) {
        const { values, error } = await outcomeOf(from([0, 1, 2, 3, 4]).pipe(parallelMap(task, { pool, chunkSize })));
        expect(error, `${kind}, ${chunkSize}`).to.include({ name: 'UnserializableError', index: 2 });
        expect(values, `${kind}, ${chunkSize}`).to.deep.equal([{ n: 0 }, { n: 1 }]);
      }
    }
  });

  it('have a getter of a result called once', async () => {
    const task = (n: number) => {
      let calls = 0;
      return {
        n,
        get calls() {
          return ++calls;
        },
      };
    };
    for (const chunkSize of [1, 7]) {
      const results = await pool.map(task, [0, 1, 2], { chunkSize });
      expect(results.map(({ calls }) => calls)).to.deep.equal([1, 1, 1]);
    }
  });

  it('arrive with all that is inside: classes, holes, typed arrays, shared parts', async () => {
    const task = (n: number) => {
      class Point {
        x = n;
      }
      class Bag extends Map<number, unknown> {}
      const inner = { n };
      const match: unknown = /(?<d>\d)/.exec(`a${n}`);
      const sparse = [];
      sparse[3] = n;
      return [
        new Point(),
        Object.assign(Object.create(null), { n }),
        { a: inner, b: inner, list: [inner] },
        match,
        sparse,
        new Bag([[n, inner]]),
        new DataView(new ArrayBuffer(4), 1, 2),
        Float64Array.of(n, -0, NaN),
        new BigInt64Array([BigInt(n)]),
        new Date(NaN),
        JSON.parse('{"__proto__": {"x": 1}}'),
        Object.create({ inherited: {} }, { own: { value: n, enumerable: true } }),
        { u: undefined, z: -0, nan: NaN, big: 1n },
      ][n];
    };
    const indexes = Array.from({ length: 13 }, (_, i) => i);
    const expected = indexes.map((i) => structuredClone(task(i)));
    for (const chunkSize of [1, 13]) {
      const results = await pool.map(task, indexes, { chunkSize });
      expect(results.map(shown)).to.deep.equal(expected.map(shown));
      const { a, b, list } = results[2] as { a: object; b: object; list: object[] };
      expect([b, ...list]).to.satisfy((others: object[]) => others.every((other) => other === a));
    }
  });

  /** Results that a copy could get wrong. */
  const odd: Record<string, (n: number) => unknown> = {
    'a hole and as many other properties': () => Object.assign(Array(3), { 0: 1, 2: 3, x: 1 }),
    'the environment': () => process.env,
    'a Map that iterates otherwise': (n) => {
      class Sorted extends Map<string, number> {
        override [Symbol.iterator]() {
          return new Map([...this.entries()].reverse()).entries();
        }
      }
      return new Sorted([['b', n], ['a', n]]); // prettier-ignore
    },
    'a Date with another value': (n) => {
      class Other extends Date {
        override valueOf() {
          return 5;
        }
      }
      return new Other(n);
    },
    'a Date while Date is a mock': (n) => {
      const Real = (globalThis as { RealDate?: DateConstructor }).RealDate ?? Date;
      Object.assign(globalThis, { RealDate: Real });
      globalThis.Date = class extends Real {
        constructor() {
          super(0);
        }
      } as never;
      return new Real(n);
    },
    'arguments after what looks like them': (n) =>
      n === 1 ? { callee: 'f' } : (function (_x: number) { return arguments; })(n), // prettier-ignore
    'an error after what looks like it': (n) => {
      const error = n === 1 ? Object.create(RangeError.prototype) : new RangeError('x');
      return Object.defineProperty(error, 'stack', { value: '' });
    },
    'an error without its prototype': (n) =>
      Object.setPrototypeOf(Object.defineProperty(new Error(`x${n}`), 'stack', { value: '' }), Object.prototype),
    'boxed primitives': (n) => [Object(n), Object.setPrototypeOf(Object('s'), Object.prototype)],
    'a getter beside a regular expression': () => {
      let calls = 0;
      return {
        get calls() {
          return ++calls;
        },
        r: /x/,
      };
    },
    'a getter of an instance': () => {
      class Counter {
        constructor() {
          let calls = 0;
          Object.defineProperty(this, 'calls', { enumerable: true, get: () => ++calls });
        }
      }
      return new Counter();
    },
    'a getter that throws': () => ({
      get x() {
        throw new Error('thrown');
      },
    }),
  };

  for (const [title, task] of Object.entries(odd)) {
    it(`come out as by themselves: ${title}`, async () => {
      const outcomes: unknown[] = [];
      for (const chunkSize of [1, 2, 3]) {
        const settled = await pool.map(task, [1, 2, 3], { chunkSize, settle: true });
        outcomes.push(settled.map((each) => shown(each.status === 'fulfilled' ? each.value : each.reason.message)));
      }
      expect(outcomes[1]).to.deep.equal(outcomes[0]);
      expect(outcomes[2]).to.deep.equal(outcomes[0]);
    });
  }

  it('may be sparse, or have properties beside elements', async () => {
    const sparse = () => Object.assign([] as number[], { 4_294_967_290: 1 });
    expect(await pool.map((v) => Object.keys(v).length, [sparse(), sparse()], { chunkSize: 2 })).to.deep.equal([1, 1]);
    const o = { n: 0 };
    const named = () => Object.assign(Array(3), { 0: 1, 2: 2, o });
    expect(await pool.map((v) => ++v.o.n, [named(), named()], { chunkSize: 2 })).to.deep.equal([1, 1]);
    const long = Array.from({ length: 2000 }, () => o);
    const first = (v: typeof o | (typeof o)[]) => ++(Array.isArray(v) ? v[0]! : v).n;
    expect(await pool.map(first, [o, long, o], { chunkSize: 3 })).to.deep.equal([1, 1, 1]);
  });

  if (sharesMemory) {
    it('share what is really shared', async () => {
      const counter = new Int32Array(new SharedArrayBuffer(4));
      await pool.map((words) => Atomics.add(words, 0, 1), Array(20).fill(counter), { chunkSize: 7 });
      expect(counter[0]).to.equal(20);
      const results = await pool.map((words) => words, [counter, counter], { chunkSize: 2 });
      results[0]![0] = 99;
      expect(counter[0]).to.equal(99);
    });

    it('move what is transferred, one by one', async () => {
      const buffers = Array.from({ length: 5 }, (_, i) => new Uint8Array([i]));
      const values = buffers.map((bytes) => transfer(bytes, [bytes.buffer]));
      expect(await pool.map((bytes) => bytes[0]! + 1, values, { chunkSize: 5 })).to.deep.equal([1, 2, 3, 4, 5]);
      expect(buffers.every(({ byteLength }) => byteLength === 0)).to.equal(true);
    });
  }

  it('are told apart where a source emits copies of one changing object', async () => {
    const row = { n: 0 };
    function* copies() {
      for (row.n = 0; row.n < 5; row.n++) yield { ...row };
    }
    const results = await lastValueFrom(parallelFrom(copies(), ({ n }) => n, { pool }).pipe(toArray()));
    expect(results).to.deep.equal([0, 1, 2, 3, 4]);
  });
});
