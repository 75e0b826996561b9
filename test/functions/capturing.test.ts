/** When and how often functions are captured, and that nobody else notices. */

import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import { MessagePort } from 'node:worker_threads';
import { Socket } from 'node:net';
import { defer, lastValueFrom, of, range, toArray } from 'rxjs';
import { parallelMap, WorkerPool, type UnportableFunctionError } from '../support/library.js';
import { useProgramFolder } from '../support/forms.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { sourcePlaces } from '../support/sourcePlaces.js';
import { describeEach } from '../support/startMethods.js';

let changing = 1;
const changed = { list: [1] };
const readChanging = () => [changing, changed.list.length];

const factor = 3;
const triple = (n: number) => n * factor;
const md5 = (text: string) => createHash('md5').update(text).digest('hex').slice(0, 4);

describeEach.of(['threading', 'spawn'], 'capturing', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);

  it('reads values afresh at each subscription, and not when the operator is made', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    changing = 1;
    changed.list = [1];
    const read$ = of(0).pipe(parallelMap(readChanging, { pool }));
    changing = 2;
    expect(await lastValueFrom(read$)).to.deep.equal([2, 1]);
    changing = 3;
    changed.list.push(2);
    expect(await lastValueFrom(read$)).to.deep.equal([3, 2]);
    const both = [
      lastValueFrom(read$),
      ((changing = 4), lastValueFrom(read$)),
      ((changing = 5), pool.apply(readChanging)),
    ];
    changing = 6;
    expect(await Promise.all(both)).to.deep.equal([
      [3, 2],
      [4, 2],
      [5, 2],
    ]);
    expect(await lastValueFrom(defer(() => read$))).to.deep.equal([6, 2]);
  });

  it('takes the values of the time of the subscription', async () => {
    changing = 1;
    const results = lastValueFrom(
      range(0, 4).pipe(
        parallelMap(() => changing, { nJobs: 1, startMethod, chunkSize: 1 }),
        toArray(),
      ),
    );
    changing = 2;
    expect(await results).to.deep.equal([1, 1, 1, 1]);
  });

  it('sends what is captured once to each worker, not with each value', async () => {
    const megabytes = 2;
    const large = Buffer.alloc(megabytes << 20, 1);
    const state = { calls: 0 };
    const sent = countSent(isProcess);
    try {
      const pool = createPool({ nJobs: 2, startMethod });
      const fn = () => [large.length, ++state.calls] as const;
      const results = await pool.map(fn, range20, { chunkSize: 1 });
      expect(new Set(results.map(([length]) => length))).to.deep.equal(new Set([megabytes << 20]));
      // Each worker has one copy of the state for all of its calls: so at most two calls were the nth.
      for (const n of new Set(results.map(([, call]) => call))) {
        expect(results.filter(([, call]) => call === n)).to.have.lengthOf.at.most(2);
      }
      await pool.stopAndJoin();
      expect(sent.megabytes()).to.be.within(megabytes, 2 * megabytes + 1);
    } finally {
      sent.stop();
    }
  });

  if (!isProcess) {
    it('is warned of once where more than 10 MB are copied, with the variable that brings them along', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const small = { offset: 1 };
      const table = { rows: new Uint8Array(11 * 2 ** 20) };
      const shared = new Uint8Array(new SharedArrayBuffer(11 * 2 ** 20));
      const lookUpRow = (at: number): number => (table.rows[at] as number) + small.offset;
      const warnings: Error[] = [];
      const listener = (warning: Error): unknown => warnings.push(warning);
      process.on('warning', listener);
      try {
        for (let call = 0; call < 2; call++) expect(await pool.map(lookUpRow, [1])).to.deep.equal([1]);
        expect(await pool.map((at) => (shared[at] as number) + small.offset, [1])).to.deep.equal([1]);
      } finally {
        process.off('warning', listener);
      }
      const [warning, ...others] = warnings.filter(({ name }) => name === 'WorkerPoolWarning');
      expect(others).to.deep.equal([]);
      expect(warning?.message).to.match(
        /^Capturing the function 'lookUpRow' .* 11\.\d MB, most of it for its variable 'table'\./,
      );
    });
  }

  it('works in workers, for pools inside of them', async () => {
    const pool = createPool({ nJobs: 1, startMethod, daemon: false });
    const base = 10;
    const inner = (n: number) => triple(n) + base;
    const outer = async (n: number) => {
      const local = n * 100;
      const own = new WorkerPool({ nJobs: 1 });
      try {
        const viaPool = await own.map((m: number) => [inner(m) + local, md5(String(m))], [n, n + 1]);
        const values = of(n).pipe(parallelMap((m: number) => inner(m) + local, { pool: own }));
        return [viaPool, await lastValueFrom(values)];
      } finally {
        await own.terminate();
      }
    };
    expect(await pool.map(outer, [1, 2])).to.deep.equal([
      [
        [
          [113, 'c4ca'],
          [116, 'c81e'],
        ],
        113,
      ],
      [
        [
          [216, 'c81e'],
          [219, 'eccb'],
        ],
        216,
      ],
    ]);
  });

  it('tells in a worker, too, what cannot travel', async () => {
    const pool = createPool({ nJobs: 1, startMethod, daemon: false });
    const outer = async () => {
      const weak = new FinalizationRegistry(() => undefined);
      const own = new WorkerPool({ nJobs: 1 });
      try {
        return await own.apply(() => weak.register({}, 1));
      } finally {
        await own.terminate();
      }
    };
    const error = await rejection<UnportableFunctionError>(pool.apply(outer));
    expect(error).to.include({ name: 'UnportableFunctionError', variable: 'weak' });
    expect(sourcePlaces(String(error.location))).to.match(/capturing\.test\.ts:\d+:\d+$/);
  });
});

const range20 = Array.from({ length: 20 }, (_, i) => i);

/** Counts what this program sends to workers. */
function countSent(isProcess: boolean): { megabytes(): number; stop(): void } {
  let bytes = 0;
  if (isProcess) {
    const { write } = Socket.prototype;
    Socket.prototype.write = function (this: Socket, ...args: Parameters<typeof write>) {
      bytes += args[0].length;
      return Reflect.apply(write, this, args) as boolean;
    } as typeof write;
    return { megabytes: () => bytes / 2 ** 20, stop: () => (Socket.prototype.write = write) };
  }
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function (this: MessagePort, ...args: Parameters<typeof postMessage>) {
    try {
      bytes += serialize(args[0]).length;
    } catch {
      // what Node itself sends when a thread starts, with ports in it
    }
    Reflect.apply(postMessage, this, args);
  } as typeof postMessage;
  return { megabytes: () => bytes / 2 ** 20, stop: () => (MessagePort.prototype.postMessage = postMessage) };
}

/** A program's beginning: it counts sessions of the inspector, as whoever wants to know of a leak would. */
const header = `
  import * as inspector from 'node:inspector';
  import { once } from 'node:events';
  import { join } from 'node:path';
  import { Worker } from 'node:worker_threads';
  import { of, lastValueFrom } from 'rxjs';
  import { parallelMap, WorkerPool } from 'rxjs-parallel-map';
  let sessions = 0;
  let most = 0;
  const { connect, disconnect } = inspector.Session.prototype;
  inspector.Session.prototype.connect = function () { connect.call(this); most = Math.max(most, ++sessions); };
  inspector.Session.prototype.disconnect = function () { disconnect.call(this); sessions--; };
  const startMethod = process.argv[2];
  const factor = 3;
  const triple = (n) => n * factor;
  class Point { #x = 1; get x() { return triple(this.#x); } }
  const point = new Point();
`;

describeEach.of(['threading', 'forkserver'], 'capturing in a program', ({ name: startMethod }) => {
  const folder = useProgramFolder();

  const run = async (body: string, flags: readonly string[] = []): Promise<{ printed: unknown; stderr: string }> => {
    const source = `${header}\nasync function main() {\n${body}\n}\nvoid main();`;
    const program = folder.writeAs('tsc', 'program', source);
    const { code, signal, stdout, stderr } = await folder.run(program, { args: [startMethod], flags });
    expect({ code, signal }, stderr).to.deep.equal({ code: 0, signal: null });
    return { printed: JSON.parse(stdout), stderr };
  };

  it('many subscriptions leave no session open and no memory behind', async () => {
    const { printed } = await run(
      `
        const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
        const data = Array.from({ length: 1000 }, (_, i) => ({ i }));
        let n = 0;
        const value$ = of(1).pipe(parallelMap((m) => triple(m) + point.x + data.length + n, { pool }));
        const subscribe = async (times) => { for (let i = 0; i < times; i++) { n = i; await lastValueFrom(value$); } };
        const heap = () => { gc(); gc(); return process.memoryUsage().heapUsed / 2 ** 20; };
        const heaps = async () => [heap(), await pool.apply(() => { globalThis.gc(); globalThis.gc(); return process.memoryUsage().heapUsed / 2 ** 20; })];
        await subscribe(50);
        const before = await heaps();
        await subscribe(200);
        const after = await heaps();
        await pool.terminate();
        console.log(JSON.stringify({ sessions, most, growth: after.map((each, i) => each - before[i]) }));
      `,
      ['--expose-gc'],
    );
    const { sessions, most, growth } = printed as { sessions: number; most: number; growth: [number, number] };
    expect({ sessions, most }).to.deep.equal({ sessions: 0, most: 1 });
    // 1,000 rows of data take about 50 KB: leaked with each of 200 subscriptions, they would be 10 MB.
    expect(Math.max(...growth), `MB of growth: ${growth.join(', ')}`).to.be.below(3);
  });

  it('neither pauses nor changes a debugger that is attached', async () => {
    folder.write(
      'debugger.cjs',
      `
        const { Session } = require('node:inspector');
        const { parentPort } = require('node:worker_threads');
        const session = new Session();
        session.connectToMainThread();
        const post = (method, params) => new Promise((resolve, reject) =>
          session.post(method, params, (error, result) => (error ? reject(new Error(method + ': ' + error.message)) : resolve(result))));
        const paused = [];
        session.on('Debugger.paused', ({ params }) => {
          paused.push(params.reason + ' ' + params.callFrames[0].functionName);
          void post('Debugger.resume');
        });
        parentPort.on('message', async (message) => {
          if (message === 'attach') {
            await post('Runtime.enable');
            await post('Debugger.enable');
            await post('Debugger.setPauseOnExceptions', { state: 'all' });
            await post('Debugger.setBreakpointByUrl', { urlRegex: '.*program\\\\.js$', lineNumber: 0 });
          }
          parentPort.postMessage(paused);
        });
      `,
    );
    const { printed } = await run(`
      const attached = new Worker(join(process.argv[1], '../debugger.cjs'));
      const ask = async (message) => { attached.postMessage(message); return (await once(attached, 'message'))[0]; };
      await ask('attach');
      const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
      const results = [await pool.apply(() => triple(2) + point.x), await pool.apply(() => [factor, triple].length)];
      const paused = [...(await ask('paused'))];
      (function stops() { debugger; })();
      (function throwing() { try { throw new Error('mine'); } catch {} })();
      const later = await ask('paused');
      await attached.terminate();
      await pool.terminate();
      console.log(JSON.stringify({ results, paused, later, sessions }));
    `);
    expect(printed).to.deep.equal({
      results: [9, 2],
      paused: [],
      later: ['other stops', 'exception throwing'],
      sessions: 0,
    });
  });

  it('leaves a session of the program as it is', async () => {
    const { printed } = await run(`
      const session = new inspector.Session();
      session.connect();
      const post = (method, params) => { let all; session.post(method, params, (error, result) => (all = { error: error?.message, ...result })); return all; };
      post('Runtime.enable');
      post('Debugger.enable');
      post('Profiler.enable');
      post('Profiler.start');
      const contexts = [];
      session.on('Runtime.executionContextCreated', () => contexts.push(1));
      const { result } = post('Runtime.evaluate', { expression: '({ kept: 5 })' });
      const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
      const value = await pool.apply(() => triple(2) + point.x);
      const properties = post('Runtime.getProperties', { objectId: result.objectId }).result[0].value.value;
      const script = post('Debugger.getPossibleBreakpoints', { start: { scriptId: '1', lineNumber: 0 } }).error;
      const profile = post('Profiler.stop').profile !== undefined;
      session.disconnect();
      await pool.terminate();
      console.log(JSON.stringify({ value, properties, contexts, isEnabled: !/not enabled/.test(script ?? ''), profile, sessions }));
    `);
    expect(printed).to.deep.equal({
      value: 9,
      properties: 5,
      contexts: [],
      isEnabled: true,
      profile: true,
      sessions: 0,
    });
  });

  it('works under --inspect, and opens nothing else', async () => {
    const { printed, stderr } = await run(
      `
        const pool = new WorkerPool({ nJobs: 1, startMethod });
        const before = inspector.url();
        const value = await pool.apply(() => triple(2) + point.x);
        console.log(JSON.stringify([value, inspector.url() === before, sessions]));
        await pool.stopAndJoin();
      `,
      ['--inspect=127.0.0.1:0'],
    );
    expect(printed).to.deep.equal([9, true, 0]);
    expect(stderr.match(/Debugger listening/g)).to.have.lengthOf(1);
  });

  it('works in worker threads of the program, and leaves those alone', async () => {
    folder.writeAs(
      'tsc',
      'thread',
      `
        import { parentPort } from 'node:worker_threads';
        import { WorkerPool } from 'rxjs-parallel-map';
        const unit = 'px';
        parentPort.on('message', async ({ n, startMethod }) => {
          const pool = new WorkerPool({ nJobs: 1, startMethod });
          parentPort.postMessage(await pool.apply(() => n + unit).catch(String));
          await pool.terminate();
        });
      `,
    );
    const { printed } = await run(`
      const threads = [1, 2].map(() => new Worker(join(process.argv[1], '../thread.js')));
      const heard = threads.map((thread) => once(thread, 'message'));
      threads.forEach((thread, n) => thread.postMessage({ n, startMethod }));
      const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
      const values = [];
      for (let i = 0; i < 5; i++) values.push(await pool.apply(() => triple(i)));
      const messages = (await Promise.all(heard)).flat();
      await Promise.all(threads.map((thread) => thread.terminate()));
      await pool.terminate();
      console.log(JSON.stringify({ values, messages }));
    `);
    expect(printed).to.deep.equal({ values: [0, 3, 6, 9, 12], messages: ['0px', '1px'] });
  });
});
