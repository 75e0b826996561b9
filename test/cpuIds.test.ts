import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { firstValueFrom, of } from 'rxjs';
import { parallelMap, WorkerPool, WorkerDiedError } from './support/library.js';
import { createPool, endPools } from './support/pools.js';
import { rejection } from './support/rejection.js';
import { describeEach } from './support/startMethods.js';

/** The CPUs that this thread may run on, as the kernel lists them. */
const allowed = () => {
  const status = process.getBuiltinModule('node:fs').readFileSync('/proc/thread-self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1];
};
const online = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim();
const [first = 0, last = first] = online.split(/[-,]/).map(Number);
const missing = last + 1;

describeEach('cpuIds', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);

  it('keeps each worker on a CPU of its own, also one that replaces another', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true, cpuIds: [first, last] });
    const where = async (_: number, { workerId }: { workerId: number }) => {
      const cpus = /^Cpus_allowed_list:\s*(.*)$/m.exec(
        (await import('node:fs')).readFileSync('/proc/thread-self/status', 'utf8'),
      )?.[1];
      await new Promise((resolve) => setTimeout(resolve, 50)); // so that each worker takes one
      return [workerId, cpus] as const;
    };
    const expected = [
      [0, String(first)],
      [1, String(last)],
    ];
    const seen = async () => {
      const byWorker = new Map<number, string | undefined>();
      while (byWorker.size < 2) {
        for (const [id, cpus] of await pool.map(where, [1, 2], { chunkSize: 1 })) byWorker.set(id, cpus);
      }
      return [...byWorker].toSorted(([one], [other]) => one - other);
    };
    expect(await seen()).to.deep.equal(expected);
    const ends = pool.map(() => process.exit(1), [1], { chunkSize: 1 });
    expect(await rejection(ends)).to.be.instanceOf(WorkerDiedError);
    expect(await seen()).to.deep.equal(expected);
  });

  it('takes one entry for all, of several CPUs, and leaves the program where it was', async () => {
    const before = allowed();
    const options = { nJobs: 3, startMethod, cpuIds: [[last]] };
    const where = async () => {
      const status = (await import('node:fs')).readFileSync('/proc/thread-self/status', 'utf8');
      return /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1];
    };
    expect(await firstValueFrom(of(1).pipe(parallelMap(where, options)))).to.equal(String(last));
    expect(allowed()).to.equal(before);
  });

  it('holds for what a worker starts later: threads and processes', async () => {
    const pool = createPool({ nJobs: 1, startMethod, cpuIds: [last] });
    const later = async () => {
      const { execFileSync } = await import('node:child_process');
      const { Worker } = await import('node:worker_threads');
      const list = (status: string) => /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1];
      const code = `
        const status = require('node:fs').readFileSync('/proc/thread-self/status', 'utf8');
        require('node:worker_threads').parentPort.postMessage(status);`;
      const [ofThread] = (await once(new Worker(code, { eval: true }), 'message')) as [string];
      return [list(ofThread), list(execFileSync('cat', ['/proc/self/status'], { encoding: 'utf8' }))];
    };
    expect(await pool.apply(later)).to.deep.equal([String(last), String(last)]);
  });

  if (isProcess) {
    it('holds for every thread of a worker process', async () => {
      const pool = createPool({ nJobs: 1, startMethod, cpuIds: [last] });
      const where = async () => {
        const { readdirSync, readFileSync: read } = await import('node:fs');
        const { Worker } = await import('node:worker_threads');
        await new Promise((resolve) => new Worker('', { eval: true }).once('exit', resolve)); // a copy has V8's from then on
        const lists = readdirSync('/proc/self/task').map(
          (id) => /^Cpus_allowed_list:\s*(.*)$/m.exec(read(`/proc/self/task/${id}/status`, 'utf8'))?.[1],
        );
        return [...new Set(lists)];
      };
      expect(await pool.apply(where)).to.deep.equal([String(last)]);
    });
  }
});

describe('cpuIds that are wrong', () => {
  const cases: readonly [value: unknown, error: typeof RangeError | typeof TypeError, message: RegExp][] = [
    [0, TypeError, /"cpuIds" must be an array of CPU numbers, or of arrays of them, got 0/],
    ['0', TypeError, /got '0' \(string\)/],
    [['0'], TypeError, /got \[…\]/],
    [[], RangeError, /got \[\]/],
    [[[]], RangeError, /must be an array of CPU numbers/],
    [[-1], RangeError, /must be an array of CPU numbers/],
    [[0.5], RangeError, /must be an array of CPU numbers/],
    [[missing], RangeError, new RegExp(`This machine has no CPU ${missing}, but `)],
    [[first, first, first], RangeError, /one entry for all workers, or one for each of them \("nJobs" is 2\), got 3/],
  ];
  for (const [value, error, message] of cases) {
    it(`${JSON.stringify(value)}: an error that says what is allowed`, () => {
      const cpuIds = value as number[];
      expect(() => new WorkerPool({ nJobs: 2, cpuIds })).to.throw(error, message);
      expect(() => parallelMap((x: number) => x, { nJobs: 2, cpuIds })).to.throw(error, message);
    });
  }
});
