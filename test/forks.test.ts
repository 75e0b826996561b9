/** Many workers forked from one template, each doing a bit of everything. FORKS says how many. */

import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { expect } from 'chai';
import type { WorkerPool } from './support/library.js';
import { steadyChildren } from './support/children.js';
import { createPool, endPools } from './support/pools.js';
import { until } from './support/until.js';
import { rejection } from './support/rejection.js';
import { startMethods } from './support/startMethods.js';
import { childrenIncludingZombies } from './support/processes.js';

const FORKS = Number(process.env['FORKS'] ?? 20);
/** Milliseconds that one may take, on a busy machine. */
const LIMIT = 500;

/** Allocates and collects, imports, reads files, computes, compiles, waits; every tenth time in a thread of its own, too. */
async function everything(n: number): Promise<{ pid: number; sum: number; digest: string }> {
  const { createHash, randomUUID } = await import('node:crypto');
  const { readFile } = await import('node:fs/promises');
  const { gunzip, gzip } = await import('node:zlib');
  const { promisify } = await import('node:util');
  const { Worker } = await import('node:worker_threads');
  let kept: unknown[] = [];
  let sum = 0;
  for (let i = 0; i < 50_000; i++) {
    kept.push({ i, text: `text ${i}`, numbers: [i, i / 2] });
    if (kept.length > 5000) kept = []; // so that there is something to collect
    sum += Math.sqrt(i) | 0;
  }
  const text = await readFile('/proc/self/maps', 'utf8');
  const packed = await promisify(gzip)(text.repeat(20));
  const unpacked = await promisify(gunzip)(packed);
  const fresh = new Function('x', `return x + ${n};`) as (x: number) => number;
  await new Promise((resolve) => setTimeout(resolve, 1));
  if (n % 10 === 0) await new Promise((resolve) => new Worker('', { eval: true }).once('exit', resolve));
  const tree = JSON.parse(JSON.stringify({ ids: Array.from({ length: 100 }, () => randomUUID()) })) as {
    ids: string[];
  };
  if (new Set(tree.ids).size !== 100) throw new Error('ids that are not random');
  if (unpacked.length !== Buffer.byteLength(text) * 20) throw new Error('lost bytes');
  const digest = createHash('sha256').update('the same for all').digest('hex');
  return { pid: process.pid, sum: fresh(sum) - n, digest };
}

/** The sockets and pipes of a process, by their descriptors. */
function channelsOf(pid: number): Map<string, string> {
  const channels = new Map<string, string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      if (/^(socket|pipe):/.test(target)) channels.set(descriptor, target);
    } catch {
      // That which has listed them.
    }
  }
  return channels;
}

/** Has each value done by a worker of its own. */
async function runAll(pool: WorkerPool, count: number): Promise<void> {
  const values = Array.from({ length: count }, (_, i) => i);
  const pids = new Set<number>();
  const results = await pool.map(everything, values, { workerLifespan: 1 });
  for (const { pid, sum, digest } of results) {
    pids.add(pid);
    expect(sum).to.equal(results[0]?.sum);
    expect(digest).to.equal(results[0]?.digest);
  }
  expect(pids).to.have.property('size', count);
}

for (const { name: startMethod, isCopy } of startMethods) {
  if (!isCopy) continue;
  describe(`${FORKS} workers, one for each task (${startMethod})`, function () {
    this.timeout(60_000 + FORKS * LIMIT);
    afterEach(endPools);

    it('do their work, and none crashes or hangs', async () => {
      await runAll(createPool({ nJobs: 3, startMethod, keepAlive: true }), FORKS);
    });

    it('leave no zombies, nor does a copy that was made ahead in vain', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      await pool.map((x: number) => x, [1, 2, 3], { chunkSize: 1, workerLifespan: 1 });
      const original = await pool.apply(() => process.ppid);
      await rejection(pool.apply(() => process.exit(0)));
      const list = () => childrenIncludingZombies(original);
      const [ahead] = await steadyChildren(list, 1, 5000, 'there is one, which was made ahead');
      const worker = await pool.apply(() => process.pid); // a function that is new to a template, so that it makes another one
      if (startMethod === 'forkserver') expect(worker).to.equal(ahead);
      else await until(() => !existsSync(`/proc/${ahead}`), 'nothing is left of it', 5000);
    });

    it('share no sockets or pipes with each other or their original', async () => {
      const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
      const list = async () => {
        await new Promise((resolve) => setTimeout(resolve, 100)); // so that each worker takes one
        return { worker: process.pid, original: process.ppid, opened: [...new Set(channelsOf(process.pid).values())] };
      };
      await pool.map(list, [1, 2, 3], { chunkSize: 1, workerLifespan: 1 }); // some that are replaced
      const byWorker = new Map<number, string[]>();
      let original = 0;
      while (byWorker.size < 3) {
        const lists = await pool.map(list, [1, 2, 3], { chunkSize: 1 });
        for (const { worker, opened } of lists) byWorker.set(worker, opened);
        original = lists[0]?.original ?? 0;
      }
      const channels = channelsOf(original);
      const control = channels.get('3');
      expect(control).to.match(/^socket/);
      const inherited = new Set(channels.values());
      const own = [...byWorker.values()].map((opened) => opened.filter((channel) => !inherited.has(channel)));
      for (const opened of own) expect(opened.filter((channel) => channel.startsWith('socket'))).to.have.length(1);
      expect(new Set(own.flat())).to.have.property('size', own.flat().length);
      expect([...byWorker.values()].flat()).to.not.include(control);
    });

    it('do their work also where the program has flags that give V8 more threads', async () => {
      const execArgv = ['--v8-pool-size=4', '--no-single-threaded'];
      await runAll(createPool({ nJobs: 3, startMethod, keepAlive: true, execArgv }), 6);
    });
  });
}
