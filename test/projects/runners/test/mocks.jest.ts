import { pool as open } from 'workerpool';
import * as workerpool from 'workerpool';
import { lookup } from 'node:dns';
import { WorkerPool } from 'rxjs-parallel-map';
import { sha, withTax } from '../src/money';
import { roundTo } from '../src/rounding';

jest.mock('../src/money', () => ({
  ...jest.requireActual('../src/money'),
  withTax: (net: number) => net * 2,
}));
jest.mock('workerpool', () => ({ ...jest.requireActual('workerpool'), pool: () => 'replaced' }));
jest.mock('node:dns', () => ({ lookup: () => 'nothing' }));
jest.mock('../src/rounding');

const pool = new WorkerPool({ nJobs: 1, keepAlive: true });
afterAll(() => pool.terminate());

it('a module that is replaced', async () => {
  expect(await pool.apply(() => [withTax(100), sha('a')])).toEqual([200, '86f7e437']);
});

it('a package that is replaced', async () => {
  expect(await pool.apply(() => [open(), typeof workerpool.Transfer])).toEqual(['replaced', 'function']);
});

it('a module of Node that is replaced', async () => {
  expect(await pool.apply(() => (lookup as unknown as () => string)())).toBe('nothing');
});

it('jest.fn() is refused', async () => {
  const spy = jest.fn((x: number) => x);
  const error: unknown = await pool.map((x: number) => spy(x), [1]).catch((reason: unknown) => reason);
  expect(String(error)).toMatch(/spy.*startMethod: 'inline'/);
  expect(String(await pool.map(spy, [1]).catch((reason: unknown) => reason))).toMatch(/startMethod: 'inline'/);
  expect(String(await pool.map((x: number) => roundTo(x, 1), [1]).catch((reason: unknown) => reason))).toMatch(
    /roundTo.*startMethod: 'inline'/,
  );
});

it('jest.fn() inline', async () => {
  const spy = jest.fn((x: number) => x + 1);
  await using inline = new WorkerPool({ nJobs: 1, startMethod: 'inline' });
  expect(await inline.map((x: number) => spy(x), [1])).toEqual([2]);
  expect(spy).toHaveBeenCalledTimes(1);
});

it('jest.spyOn() is refused', async () => {
  const logger = { info: (text: string) => text };
  jest.spyOn(logger, 'info');
  const error: unknown = await pool.map((x: string) => logger.info(x), ['a']).catch((reason: unknown) => reason);
  expect(String(error)).toMatch(/logger\.info.*startMethod: 'inline'/);
});
