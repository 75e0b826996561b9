/** What Node offers is there inside a task as it is anywhere else: in a copy of a process above all, which has to be given much of it anew. */

import { expect } from 'chai';
import { execFileSync, fork, spawn } from 'node:child_process';
import { pbkdf2, webcrypto } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setInterval as ticks, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { brotliCompress, brotliDecompress, createGunzip, createGzip } from 'node:zlib';
import type { WorkerPool } from './support/library.js';
import { createPool, endPools } from './support/pools.js';
import { runScript } from './support/runProgram.js';
import { describeEach } from './support/startMethods.js';

/** What is used here of what TypeScript knows of browsers only. */
interface Wasm {
  compile(code: Uint8Array): Promise<object>;
  readonly Instance: new (module: object) => { readonly exports: { f(): number } };
}

/** Comes from a WebAssembly module, which exports it as a function `f`. */
const fortyTwo = async (): Promise<number> => {
  const code = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0];
  const body = [10, 6, 1, 4, 0, 65, 42, 11];
  const { WebAssembly } = globalThis as unknown as { WebAssembly: Wasm };
  return new WebAssembly.Instance(await WebAssembly.compile(Uint8Array.from([...code, ...body]))).exports.f();
};

describeEach('inside a task', ({ name: startMethod, isProcess, isCopy }) => {
  let pool: WorkerPool;
  before(() => {
    pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
  });
  after(endPools);

  it('timers run, one after the other and side by side', async () => {
    const { events, elapsed } = await pool.apply(async () => {
      const seen: string[] = [];
      const start = performance.now();
      await new Promise<void>((resolve) => queueMicrotask(resolve));
      seen.push('microtask');
      await new Promise((resolve) => setImmediate(resolve));
      seen.push('immediate');
      let left = 3;
      for await (const _ of ticks(1)) if (--left === 0) break;
      seen.push('three intervals');
      const cancelled = setTimeout(() => seen.push('never'), 1);
      clearTimeout(cancelled);
      await Promise.all([sleep(20), new Promise((resolve) => setTimeout(resolve, 30))]);
      seen.push('timeouts');
      return { events: seen, elapsed: performance.now() - start };
    });
    expect(events).to.deep.equal(['microtask', 'immediate', 'three intervals', 'timeouts']);
    expect(elapsed).to.be.at.least(30);
  });

  it('files are written, read, streamed and watched', async () => {
    const { read, packed, seen, left } = await pool.apply(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'inside-'));
      const fileOf = (name: string): string => join(folder, name);
      await writeFile(fileOf('a'), 'written');
      await pipeline(createReadStream(fileOf('a')), createGzip(), createWriteStream(fileOf('a.gz')));
      await pipeline(createReadStream(fileOf('a.gz')), createGunzip(), createWriteStream(fileOf('b')));
      const watcher = watch(folder);
      const change = new Promise<string | null>((resolve) =>
        watcher.once('change', (_, name) => resolve(String(name))),
      );
      writeFileSync(fileOf('new'), '');
      const name = await change;
      watcher.close();
      const text = await readFile(fileOf('a'), 'utf8');
      const unpacked = await readFile(fileOf('b'), 'utf8');
      await rm(folder, { recursive: true });
      return { read: text, packed: unpacked, seen: name, left: existsSync(folder) };
    });
    expect({ read, packed, seen, left }).to.deep.equal({
      read: 'written',
      packed: 'written',
      seen: 'new',
      left: false,
    });
  });

  it('servers listen and are connected to, by TCP, HTTP and UDP', async () => {
    const answers = await pool.apply(async () => {
      type Bound = { port: number };

      const tcp = createServer((socket) => socket.end('by TCP')).listen(0, '127.0.0.1');
      await once(tcp, 'listening');
      let overTcp = '';
      for await (const part of connect((tcp.address() as Bound).port, '127.0.0.1')) overTcp += String(part);
      tcp.close();

      const http = createHttpServer((request, response) => {
        request.pipe(response);
      }).listen(0, '127.0.0.1');
      await once(http, 'listening');
      const url = `http://127.0.0.1:${(http.address() as Bound).port}`;
      const response = await fetch(url, { method: 'POST', body: 'by HTTP' });
      const overHttp = await response.text();
      http.close();
      http.closeAllConnections();

      const udp = createSocket('udp4').bind(0, '127.0.0.1');
      await once(udp, 'listening');
      udp.send('by UDP', udp.address().port, '127.0.0.1');
      const [datagram] = (await once(udp, 'message')) as [Buffer];
      udp.close();
      return [overTcp, overHttp, String(datagram)];
    });
    expect(answers).to.deep.equal(['by TCP', 'by HTTP', 'by UDP']);
  });

  it('child processes run, are written to, talk, fail and are killed', async () => {
    const outcome = await pool.apply(async () => {
      const printed = execFileSync('echo', ['printed'], { encoding: 'utf8' }).trim();
      const cat = spawn('cat');
      cat.stdin.end('through a pipe');
      let piped = '';
      for await (const part of cat.stdout) piped += String(part);
      const [exitCode] = (await once(spawn('sh', ['-c', 'exit 7']), 'exit')) as [number];
      const sleeping = spawn('sleep', ['600']);
      sleeping.kill();
      const [, signal] = (await once(sleeping, 'exit')) as [null, string];

      const file = join(tmpdir(), `inside-${process.pid}-${performance.now()}.cjs`);
      writeFileSync(
        file,
        "process.on('message', (text) => { process.send(text + ' and back'); process.disconnect(); });",
      );
      const child = fork(file);
      child.send('there');
      const [message] = (await once(child, 'message')) as [string];
      await once(child, 'exit');
      rmSync(file);
      return { printed, piped, exitCode, signal, message };
    });
    expect(outcome).to.deep.equal({
      printed: 'printed',
      piped: 'through a pipe',
      exitCode: 7,
      signal: 'SIGTERM',
      message: 'there and back',
    });
  });

  it('worker threads answer, share memory, fail, end by themselves and are terminated', async () => {
    const outcome = await pool.apply(async () => {
      /** Some small garbage collections, for threads of Node have to do with those. */
      const allocate = `
        let kept = [];
        for (let i = 0; i < 2e6; i++) {
          kept.push({ i });
          if (kept.length > 1000) kept = [];
        }`;
      new Function(allocate)();
      const open = (code: string, workerData?: unknown) =>
        new Worker(`const { parentPort, workerData } = require('node:worker_threads'); ${code}`, {
          eval: true,
          workerData,
        });

      const answering = open(`${allocate} parentPort.postMessage('answer')`);
      const [[answer], [end]] = (await Promise.all([once(answering, 'message'), once(answering, 'exit')])) as [
        [string],
        [number],
      ];
      const shared = new Int32Array(new SharedArrayBuffer(4));
      await once(open('Atomics.add(workerData, 0, 5)', shared), 'exit');
      const failing = open("throw new RangeError('thrown')");
      const [error] = (await once(failing, 'error')) as [Error];
      const endless = open("parentPort.postMessage('on'); for (;;);");
      await once(endless, 'message');
      const terminated = await endless.terminate();
      return { answer, end, shared: shared[0], error: error.message, terminated };
    });
    expect(outcome).to.deep.equal({ answer: 'answer', end: 0, shared: 5, error: 'thrown', terminated: 1 });
  });

  it('a worker thread ends that is done before what has started it goes on', async () => {
    const own = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const code = await own.apply(async () => {
      await fortyTwo(); // has Node's threads do something
      // What Node does next when it has started a thread.
      const { nextTick } = process;
      process.nextTick = (...args) => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
        Reflect.apply(nextTick, process, args);
      };
      const thread = new (class extends Worker {})('', { eval: true });
      process.nextTick = nextTick;
      const [exitCode] = (await once(thread, 'exit')) as [number];
      return exitCode;
    });
    expect(code).to.equal(0);
  });

  it('what Node does on threads of its own works: crypto, zlib, DNS, WebAssembly', async () => {
    const outcome = await pool.apply(async () => {
      const key = await promisify(pbkdf2)('secret', 'salt', 10, 16, 'sha256');
      const digest = await webcrypto.subtle.digest('SHA-256', Buffer.from('text'));
      const packed = await promisify(brotliCompress)('packed');
      const { address } = await lookup('127.0.0.1');
      return [
        await fortyTwo(),
        key.length,
        digest.byteLength,
        String(await promisify(brotliDecompress)(packed)),
        address,
      ];
    });
    expect(outcome).to.deep.equal([42, 16, 32, 'packed', '127.0.0.1']);
  });

  if (isProcess) {
    it('signals are heard, as in any process', async () => {
      const heard = await pool.apply(async () => {
        const signals: string[] = [];
        for (const signal of ['SIGUSR2', 'SIGHUP'] as const) {
          const arrival = once(process, signal);
          process.kill(process.pid, signal);
          await arrival;
          signals.push(signal);
        }
        return signals;
      });
      expect(heard).to.deep.equal(['SIGUSR2', 'SIGHUP']);
    });
  }

  if (isProcess) {
    it('uncaught errors end the worker as they end Node, also from their listeners', async () => {
      const { stdout, stderr } = await runScript(`
        const pool = new WorkerPool({ nJobs: 1, startMethod: '${startMethod}', keepAlive: true });
        const tasks = [
          () => void process.on('uncaughtException', () => { throw new Error('of the listener'); }),
          () => void process.on('uncaughtExceptionMonitor', () => { throw new Error('of the monitor'); }),
          () => process.setUncaughtExceptionCaptureCallback(() => { throw new Error('of the callback'); }),
          () => void process.on('exit', () => { throw new Error('at the exit'); }),
          () => ({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('of what is to be shown'); } }),
        ];
        for (const task of tasks) {
          const end = (source) => new Promise(() => {
            const result = new Function('return ' + source)()();
            setTimeout(() => { throw result ?? new RangeError('first'); }, 1);
          });
          await pool.apply(end, [String(task)]).catch(({ name, exitCode }) => console.log(name, exitCode));
        }
      `);
      expect(stdout.trim().split('\n')).to.deep.equal([7, 7, 7, 1, 1].map((code) => `WorkerDiedError ${code}`));
      for (const whose of ['of the listener', 'of the monitor', 'of the callback', 'RangeError: first'])
        expect(stderr).to.include(whose);
      expect(stderr).to.not.match(/assert|native/i);
    });
  }

  if (isCopy && existsSync('/usr/bin/prlimit')) {
    it('a worker lives on while all descriptors are in use, and V8 can have no thread', async () => {
      const task = async () => {
        execFileSync('/usr/bin/prlimit', ['--nofile=200', '--pid', String(process.pid)]); // or there may be a million
        const files: number[] = [];
        try {
          for (;;) files.push(openSync('/dev/null', 'r'));
        } catch {
          // That was the last one.
        }
        const countThreads = (path: string): number => lstatSync(path).nlink;
        const first = countThreads('/proc/self/task');
        await sleep(1500);
        const then = countThreads('/proc/self/task');
        for (const file of files) closeSync(file);
        const end = performance.now() + 4000;
        while (countThreads('/proc/self/task') === first && performance.now() < end) await sleep(10);
        return { early: then - first, late: countThreads('/proc/self/task') - first };
      };
      // Where the machine stalls it may have had it before all were in use: then once more.
      let outcome = { early: 0, late: 0 };
      for (let round = 0; round < 3 && outcome.late === 0; round++) {
        outcome = await createPool({ nJobs: 1, startMethod }).apply(task);
      }
      expect(outcome.early).to.equal(0);
      expect(outcome.late).to.be.above(0);
    });
  }

  if (isCopy) {
    it('V8 has both of its threads a second after the first work', async () => {
      const task = async () => {
        const countThreads = (): number => readdirSync('/proc/self/task').length;
        const first = countThreads();
        const end = performance.now() + 4000;
        while (countThreads() < first + 2 && performance.now() < end) await sleep(10);
        return countThreads() - first;
      };
      // Where the machine stalls they may be there when they are first counted: then once more.
      let more = 0;
      for (let round = 0; round < 3 && more < 2; round++) {
        more = await createPool({ nJobs: 1, startMethod }).apply(task);
      }
      expect(more).to.equal(2);
    });
  }
});
