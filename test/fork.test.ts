/** What is special about `fork`. Everything else is in the table of start methods. */

import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { lastValueFrom, range, toArray } from 'rxjs';
import { parallelMap, WorkerDiedError, type WorkerDiedError as Died } from './support/library.js';
import { steadyChildren } from './support/children.js';
import { loopForever, useGates } from './support/gates.js';
import { meet } from './support/meeting.js';
import { createPool, endPools } from './support/pools.js';
import { childrenOf, isAlive } from './support/processes.js';
import { until } from './support/until.js';
import { runScript } from './support/runProgram.js';
import { rejection } from './support/rejection.js';
import { startMethods } from './support/startMethods.js';
import { loadedIn } from './tasks/template.js';

const startMethod = 'fork';
const reaper = new URL('./support/reaper.js', import.meta.url);
const processes = new URL('./support/processes.js', import.meta.url);
const templateModule = new URL('./tasks/template.js', import.meta.url);

/** What happens in a moment has happened after so many milliseconds, on a busy machine too; what does not happens never. */
const SOON = 5000;

type Loaded = [loadedIn: number, parent: number, self: number, length: number];

/** The pids of the templates of this program. */
function templates(): number[] {
  return childrenOf(process.pid).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('"template":{'));
}

/** Private and shared memory of a process in bytes, from its own kernel's books. */
function memoryOf(pid: number): { readonly anonymous: number; readonly proportional: number; readonly own: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}: *(\\d+) kB`, 'm').exec(text)?.[1]) * 1024;
  return { anonymous: field('Anonymous'), proportional: field('Pss'), own: field('Private_Dirty') };
}

if (startMethods.some(({ name }) => name === startMethod)) {
  describe('fork', () => {
    afterEach(endPools);
    const gates = useGates();
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'fork-'));
      process.env['LOADED_INTO'] = join(folder, 'loaded');
    });
    afterEach(() => {
      delete process.env['LOADED_INTO'];
      rmSync(folder, { recursive: true });
    });
    const timesLoaded = (): number => readFileSync(join(folder, 'loaded'), 'utf8').trim().split('\n').length;

    it('loads a module once, in the template that workers are copies of', async () => {
      const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
      const results = await pool.map<number, Loaded>(templateModule, [1, 2, 3, 4, 5, 6], { chunkSize: 1 });
      const [template] = templates();
      for (const [loaded, parent, self] of results) {
        expect(loaded).to.equal(template).and.to.equal(parent);
        expect(self).to.not.equal(template);
      }
      expect(timesLoaded()).to.equal(1);
    });

    it('loads what a function imports once, too', async () => {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
      const results = await pool.map(() => [loadedIn, process.ppid], [1, 2, 3, 4], { chunkSize: 1 });
      for (const [loaded, parent] of results) expect(loaded).to.equal(parent);
      expect(timesLoaded()).to.equal(1);
    });

    it('waits for what a module has begun and not awaited: each worker hears of it', async () => {
      const pool = createPool({ nJobs: 3, startMethod });
      const results = await pool.map<number, Loaded>(templateModule, [1, 2, 3, 4, 5, 6], { chunkSize: 1 });
      for (const [, , , length] of results) expect(length).to.be.above(100);
    });

    it('makes a worker that replaces another from the same template', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const first = await pool.apply<[], Promise<Loaded>>(templateModule);
      expect(await rejection(pool.apply(() => process.exit(3)))).to.be.instanceOf(WorkerDiedError);
      const second = await pool.apply<[], Promise<Loaded>>(templateModule);
      expect(second.slice(0, 2)).to.deep.equal(first.slice(0, 2));
      expect(second[2]).to.not.equal(first[2]);
      expect(timesLoaded()).to.equal(1);
    });

    it('has a template for each pool, which leaves with the workers', async () => {
      const pools = [1, 2].map(() => createPool({ nJobs: 1, startMethod, keepAlive: true }));
      const parents = await Promise.all(pools.map((pool) => pool.apply(() => process.ppid)));
      expect(new Set(parents)).to.have.property('size', 2);
      expect(templates()).to.have.members(parents);
      await pools[0]?.stopAndJoin();
      expect(templates()).to.deep.equal(parents.slice(1));
      await pools[1]?.terminate();
      expect(templates()).to.deep.equal([]);
    });

    it('makes the next worker ahead, and anew when there is more to load', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const template = await pool.apply(() => process.ppid);
      const end = () => rejection(pool.apply(() => process.exit(0)));
      await end();
      const steady = (count: number) =>
        steadyChildren(() => childrenOf(template), count, SOON, 'one worker is made ahead');
      const [preforked] = await steady(1);
      expect(await pool.apply(() => process.pid)).to.not.equal(preforked); // that function is new
      await end();
      await steady(1);
      const [loaded, parent, self] = await pool.apply<[], Promise<Loaded>>(templateModule);
      expect([loaded, parent]).to.deep.equal([template, template]);
      const [next] = (await steady(2)).filter((pid) => pid !== self);
      await end();
      expect((await pool.apply<[], Promise<Loaded>>(templateModule))[2]).to.equal(next);
    });

    it('makes no worker ahead while what is loaded may change', async () => {
      const counts = join(folder, 'counts');
      const source = `
        import { writeFileSync } from 'node:fs';
        let n = 0;
        setInterval(() => writeFileSync(${JSON.stringify(counts)} + process.pid, String(++n)), 1);
        export default () => [n, process.pid, process.ppid];`;
      const url = `data:text/javascript,${encodeURIComponent(source)}`;
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const [before, pid, template] = await pool.apply<[], [number, number, number]>(new URL(url));
      const count = (): number => (existsSync(counts + template) ? Number(readFileSync(counts + template, 'utf8')) : 0);
      await until(() => count() > before + 50, 'the template has counted', SOON);
      await rejection(pool.apply(() => process.exit(0)));
      const [after, other] = await pool.apply<[], [number, number, number]>(new URL(url));
      expect(other).to.not.equal(pid);
      expect(after).to.be.above(before + 20);
    });

    it('leaves no zombie, also where it is the program that has to reap', async () => {
      const { stdout } = await runScript(`
        const { becomeReaper } = await import(${JSON.stringify(reaper.href)});
        const { childrenIncludingZombies } = await import(${JSON.stringify(processes.href)});
        becomeReaper();
        const pool = new WorkerPool({ nJobs: 1, startMethod: 'fork', keepAlive: true });
        const template = await pool.apply(() => process.ppid);
        while (childrenIncludingZombies(template).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
        await pool.stopAndJoin();
        console.log(JSON.stringify(childrenIncludingZombies(process.pid)));
      `);
      expect(stdout).to.equal('[]\n');
    });

    it('leaves nothing behind when an operator completes', async () => {
      const run = range(0, 10).pipe(
        parallelMap((x) => x * 2, { nJobs: 2, startMethod }),
        toArray(),
      );
      expect(await lastValueFrom(run)).to.have.length(10);
      expect(templates()).to.deep.equal([]);
    });

    it('keeps the memory of large shared objects in one copy', async () => {
      const records = Array.from({ length: 400_000 }, (_, i) => ({ id: i, name: `record ${i}`, parts: [i, i + 0.5] }));
      const pool = createPool({ nJobs: 3, startMethod, keepAlive: true, sharedObjects: { records } });
      const read = async (dir: string, { shared }: { shared: { records: typeof records } }) => {
        let sum = 0;
        for (const { id, name, parts } of shared.records) sum += id + name.length + (parts[1] as number);
        await meet(dir, process.pid, 3);
        return { sum, pid: process.pid };
      };
      const results = await pool.map(read, [gates().dir, gates().dir, gates().dir], { chunkSize: 1 });
      expect(new Set(results.map(({ sum }) => sum))).to.have.property('size', 1);
      const workers = [...new Set(results.map(({ pid }) => pid))];
      expect(workers).to.have.length(3);
      const { anonymous } = memoryOf(templates()[0] as number);
      expect(anonymous, 'what the template has').to.be.above(30e6);
      for (const pid of workers) expect(memoryOf(pid).own, 'what is its own in a worker').to.be.below(anonymous / 2);
      const all = [templates()[0] as number, ...workers].map((pid) => memoryOf(pid).proportional);
      expect(all.reduce((sum, each) => sum + each)).to.be.below(1.7 * anonymous);
    }).timeout(60_000);

    it('keeps what a worker writes to shared objects to that worker', async () => {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive: true, sharedObjects: { counts: [0] } });
      const count = async (_: number, { shared }: { shared: { counts: number[] } }) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return [process.pid, ++(shared.counts as [number])[0]];
      };
      const results = await pool.map(count, [1, 2, 3, 4, 5, 6], { chunkSize: 1 });
      for (const [pid, n] of results) expect(n).to.be.at.most(results.filter((other) => other[0] === pid).length);
    });

    it('gives each worker connections of its own, also where a module keeps some alive', async () => {
      const server = createServer((request, response) => {
        setTimeout(() => response.end(request.url), 20); // so that requests of several workers are under way at once
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const source = `
        import { Agent, get } from 'node:http';
        import { text } from 'node:stream/consumers';
        const base = 'http://127.0.0.1:${port}/';
        const agent = new Agent({ keepAlive: true });
        const byAgent = (path) => new Promise((resolve, reject) => {
          get(base + path, { agent, timeout: 5000 }, (response) => resolve(text(response)))
            .on('timeout', reject).on('error', reject);
        });
        const byFetch = async (path) => (await fetch(base + path, { signal: AbortSignal.timeout(5000) })).text();
        await byAgent('first');
        await byFetch('first');
        export default async (n) => {
          const answers = [];
          for (let i = 0; i < 3; i++) answers.push(await byAgent(n + '-a' + i), await byFetch(n + '-f' + i));
          return answers.join();
        };`;
      try {
        const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
        const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
        const answers = await pool.map<number, string>(url, [1, 2, 3], { chunkSize: 1 });
        const expected = (n: number) => [0, 1, 2].flatMap((i) => [`/${n}-a${i}`, `/${n}-f${i}`]).join();
        expect(answers).to.deep.equal([1, 2, 3].map(expected));
      } finally {
        server.close();
        server.closeAllConnections();
      }
    });

    it('gives workers random numbers of their own', async () => {
      const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
      const draw = async () => {
        const { randomBytes, randomInt, randomUUID } = await import('node:crypto');
        await new Promise((resolve) => setTimeout(resolve, 100)); // so that each worker takes one
        return [Math.random(), Math.random(), randomUUID(), randomInt(2 ** 40), randomBytes(8).toString('hex')];
      };
      const drawn = (await pool.map(draw, [1, 2, 3, 4, 5, 6], { chunkSize: 1 })).flat();
      expect(new Set(drawn)).to.have.property('size', drawn.length);
    });

    it('gives them random numbers of their own, also where a module has used some', async () => {
      const source = `
        const { random } = Math;
        random();
        export default async () => {
          await new Promise((resolve) => setTimeout(resolve, 100)); // so that each worker takes one
          return [random(), random()];
        };`;
      const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
      const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
      const drawn = (await pool.map<number, number[]>(url, [1, 2, 3, 4, 5, 6], { chunkSize: 1 })).flat();
      expect(new Set(drawn)).to.have.property('size', drawn.length);
    });

    it('leaves a function that a module has put in the place of Math.random where it is', async () => {
      const url = new URL('data:text/javascript,Math.random = () => 0.5; export default () => Math.random();');
      const pool = createPool({ nJobs: 1, startMethod });
      expect(await pool.map<number, number>(url, [1])).to.deep.equal([0.5]);
    });

    it('has its workers die with the error of a module that fails in the background', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      // When the worker is up and runs its task: before that it would be the error of its start.
      const failing = join(folder, 'failing');
      const source = `
        import { appendFileSync, existsSync } from 'node:fs';
        setInterval(() => {
          if (existsSync(${JSON.stringify(failing)})) throw new RangeError('of the module, later');
        }, 5);
        export default (log) => {
          appendFileSync(log, 'start a\\n');
          return new Promise(() => setInterval(() => undefined, 1000));
        };`;
      const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
      const end = rejection<Died>(pool.map(url, [`${gates().dir}/log`]));
      await gates().haveStarted('a');
      writeFileSync(failing, '');
      const error = await end;
      rmSync(failing);
      expect(error).to.be.instanceOf(WorkerDiedError);
      expect(error.cause).to.be.instanceOf(RangeError).with.property('message', 'of the module, later');
      expect(await pool.map((x: number) => x, [1])).to.deep.equal([1]);
    });

    it('loses its workers with a killed template, and the next one gets another', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const worker = await pool.apply(() => process.pid);
      const [template] = templates();
      const stuck = rejection<Died>(pool.map(loopForever, [gates().value('a')]));
      await gates().haveStarted('a');
      process.kill(template as number, 'SIGKILL');
      expect(await stuck).to.be.instanceOf(WorkerDiedError);
      await until(() => !isAlive(worker), 'the worker has ended', SOON);
      expect(await pool.apply(() => process.ppid)).to.not.equal(template);
    });

    it('leaves with the program, also when that is killed', async () => {
      const { stdout } = await runScript(`
        const pool = new WorkerPool({ nJobs: 2, startMethod: 'fork', keepAlive: true });
        const pids = await pool.map(() => [process.ppid, process.pid], [1, 2, 3]);
        console.log(JSON.stringify(pids.flat()));
        pool.map(() => { for (;;); }, [1, 2]);
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200);
      `);
      const pids = JSON.parse(stdout) as number[];
      expect(pids).to.have.length(6);
      await until(() => !pids.some(isAlive), 'template and workers have ended', SOON);
    });

    it('prints what a module prints once, and what tasks print each time', async () => {
      const { stdout, code } = await runScript(`
        const pool = new WorkerPool({ nJobs: 2, startMethod: 'fork' });
        const { moduleTask } = library;
        const url = 'data:text/javascript,console.log("loaded"); export default (x) => { console.log("task"); return x; }';
        console.log(await pool.map(moduleTask(url), [1, 2, 3], { chunkSize: 1 }));
      `);
      expect(code).to.equal(0);
      expect(stdout).to.match(/^loaded\n(task\n){3}\[ 1, 2, 3 \]\n$/);
    });

    it('makes dozens of workers from one template', async () => {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
      const pids = new Set<number>();
      for (let i = 0; i < 30; i++) {
        const end = pool.map(() => process.exit(0), [1, 2], { chunkSize: 1 });
        expect(await rejection(end)).to.be.instanceOf(WorkerDiedError);
        pids.add(await pool.apply(() => process.pid));
      }
      expect(pids).to.have.property('size', 30);
      expect(templates()).to.have.length(1);
    }).timeout(60_000);
  });
}
