import { WorkerPool } from 'rxjs-parallel-map';

it('fake timers', async () => {
  jest.useFakeTimers();
  const pool = new WorkerPool({ nJobs: 1 });
  expect(await pool.map((x: number) => x + 1, [1], { taskTimeout: 5 })).toEqual([2]);
  await pool.terminate();
  jest.useRealTimers();
});
