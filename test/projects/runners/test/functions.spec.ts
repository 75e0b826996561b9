// What one would write in a test of a program that uses the package: the same file for Jest and Vitest.
import * as fs from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { parse } from 'acorn';
import * as acorn from 'acorn';
import { lastValueFrom, of, toArray } from 'rxjs';
import { parallelMap, WorkerPool } from 'rxjs-parallel-map';
import gross, { Account, Point, sha, withTax } from '../src/money';
import * as money from '../src/money';
import { roundTo } from '../src/rounding';

const methods = (process.env['START_METHODS'] ?? 'threading').split(',') as ['threading'];

describe.each(methods)('%s', (startMethod) => {
  let pool: WorkerPool;
  beforeAll(() => {
    pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
  });
  afterAll(() => pool.terminate());

  it('a function of its argument, in a pipe', async () => {
    const doubled = of(1, 2, 3).pipe(
      parallelMap((x) => x * 2, { nJobs: 1, startMethod }),
      toArray(),
    );
    expect(await lastValueFrom(doubled)).toEqual([2, 4, 6]);
  });

  it('variables around it', async () => {
    const factor = 3;
    const table = { a: 1, list: [1, 2], when: new Date(0), known: new Map([['k', new Set([1])]]), pattern: /a+/g };
    expect(await pool.map((x: number) => x * factor, [1, 2])).toEqual([3, 6]);
    expect(await pool.apply(() => table)).toEqual(table);
    expect(await pool.apply(() => table.list.map((each) => each + factor))).toEqual([4, 5]);
  });

  it('modules of Node', async () => {
    const results = await pool.apply(() => [
      createHash('sha1').update('a').digest('hex').slice(0, 8),
      path.basename('/x/y'),
      fs.existsSync('/'),
    ]);
    expect(results).toEqual(['86f7e437', 'y', true]);
  });

  it('packages', async () => {
    expect(await pool.apply(() => parse('1 + 1', { ecmaVersion: 2022 }).type)).toBe('Program');
    expect(await pool.apply(() => acorn.parse('1', { ecmaVersion: 2022 }).body.length)).toBe(1);
  });

  it('functions of other files', async () => {
    expect(await pool.apply(() => [withTax(100), gross(100), sha('a')])).toEqual([119, '119 EUR', '86f7e437']);
    expect(await pool.apply(() => money.withTax(200))).toBe(238);
    expect(await pool.apply(() => roundTo(1.005, 1))).toBe(1);
    expect(await pool.apply(() => [money.currency, money.default(1)])).toEqual(['EUR', '1.19 EUR']);
  });

  it('a function of another file itself', async () => {
    expect(await pool.map(withTax, [100, 200])).toEqual([119, 238]);
    expect(await pool.map(sha, ['a'])).toEqual(['86f7e437']);
  });

  it('state of another file: a copy', async () => {
    const before = money.count();
    expect(await pool.apply(() => (money.withTax(1), money.count()))).toBe(before + 1);
    expect(money.count()).toBe(before);
  });

  it('classes of other files, both ways', async () => {
    const account = new Account(5);
    expect(await pool.apply(() => account.deposit(2).balance)).toBe(7);
    expect(await pool.apply(() => Account.bank)).toBe('ours');
    const [sum] = await pool.map(
      (point: Point) => (point instanceof Point ? point.plus(new Point(1, 1)) : point),
      [new Point(1, 2)],
    );
    expect(sum).toBeInstanceOf(Point);
    expect(sum).toEqual(new Point(2, 3));
  });

  it('globals of JavaScript and Node', async () => {
    const results = await pool.apply(() => [
      Math.max(1, 2),
      JSON.stringify({ a: 1 }),
      Buffer.from('a').toString('hex'),
      typeof process.pid,
      new URL('http://a/b').pathname,
      structuredClone([1])[0],
      typeof setTimeout,
      [3, 1, 2].toSorted?.()[0] ?? 1,
    ]);
    expect(results).toEqual([2, '{"a":1}', '61', 'number', '/b', 1, 'function', 1]);
  });

  it('results are of the built-in classes of the test', async () => {
    const results = await pool.apply(() => ({
      array: [1, [2]],
      object: { a: {} },
      date: new Date(0),
      map: new Map([[[1], { a: 1 }]]),
      set: new Set([[1]]),
      pattern: /a/,
      error: new RangeError('bad', { cause: new Error('inner') }),
      bytes: new Uint8Array(2),
      buffer: Buffer.from('a'),
      memory: new ArrayBuffer(1),
      big: 1n,
    }));
    expect(results).toBeInstanceOf(Object);
    expect(results.array).toBeInstanceOf(Array);
    expect(results.array[1]).toBeInstanceOf(Array);
    expect(results.object.a).toBeInstanceOf(Object);
    expect(results.date).toBeInstanceOf(Date);
    expect(results.map).toBeInstanceOf(Map);
    expect([...results.map][0]?.[0]).toBeInstanceOf(Array);
    expect(results.set).toBeInstanceOf(Set);
    expect([...results.set][0]).toBeInstanceOf(Array);
    expect(results.pattern).toBeInstanceOf(RegExp);
    expect(results.error).toBeInstanceOf(RangeError);
    expect(results.error).toBeInstanceOf(Error);
    expect(results.error.cause).toBeInstanceOf(Error);
    expect(results.bytes).toBeInstanceOf(Uint8Array);
    expect(results.buffer).toBeInstanceOf(Buffer);
    expect(results.memory).toBeInstanceOf(ArrayBuffer);
    expect(results).toStrictEqual({ ...results, array: [1, [2]], object: { a: {} }, date: new Date(0) });
  });

  it('values of built-in classes of the test, and those that Node has made', async () => {
    const typesOf = (value: object): unknown[] =>
      Object.values(value).map((each: object) => [
        each instanceof Object,
        (Object.getPrototypeOf(each) as object).constructor.name,
      ]);
    const names = fs.readdirSync(path.dirname(expect.getState().testPath as string));
    const values = {
      array: [1],
      object: {},
      date: new Date(0),
      map: new Map(),
      set: new Set(),
      error: new RangeError('bad'),
      names,
      parsed: JSON.parse('{"a":[1]}') as object,
      bytes: new Uint8Array(2),
    };
    const expected = ['Array', 'Object', 'Date', 'Map', 'Set', 'RangeError', 'Array', 'Object', 'Uint8Array'];
    const all = expected.map((name) => [true, name]);
    expect(await pool.map(typesOf, [values])).toEqual([all]);
    expect(await pool.apply(() => typesOf(values))).toEqual(all);
  });

  it('errors of tasks', async () => {
    class Bankrupt extends Error {
      constructor(readonly amount: number) {
        super(`short of ${amount}`);
      }
    }
    await expect(
      pool.apply(() => {
        throw new TypeError('no');
      }),
    ).rejects.toThrow(TypeError);
    const error: unknown = await pool
      .apply(() => {
        throw new Bankrupt(3);
      })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(Bankrupt);
    expect(error).toMatchObject({ amount: 3, message: 'short of 3' });
    expect((error as Error).stack).toContain('functions.spec.ts');
  });

  it('import() and import.meta or require of the file', async () => {
    expect(await pool.apply(async () => (await import('node:path')).basename('/a/b'))).toBe('b');
  });
});
