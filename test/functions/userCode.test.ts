import { expect } from 'chai';
import { createPool, endPools, identity } from '../support/pools.js';
import { describeEach } from '../support/startMethods.js';
import { endsDuring, leaves } from '../support/workerEnds.js';

describeEach('user code in a worker cannot break the pool', ({ name: startMethod }) => {
  afterEach(endPools);

  const deeds: Readonly<Record<string, () => unknown>> = {
    'by replacing globalThis.process': () => {
      (globalThis as { process: unknown }).process = { exit: 'mine' };
    },
    'by replacing process.exit': () => {
      process.exit = (() => undefined) as never;
    },
    'by replacing timers': () => {
      const fake = () => {
        throw new Error('fake timers');
      };
      Object.assign(globalThis, { setTimeout: fake, setImmediate: fake, setInterval: fake, queueMicrotask: fake });
    },
    'by replacing the clock': () => {
      Object.defineProperty(globalThis, 'performance', { value: undefined, configurable: true, writable: true });
      Date.now = () => 0;
    },
    'by replacing structuredClone and AbortController': () => {
      Object.assign(globalThis, { structuredClone: undefined, AbortController: undefined });
    },
    'by parentPort.postMessage': async () => {
      const { parentPort } = await import('node:worker_threads');
      for (const message of ['text', null, [3, 0, ['forged'], 0], [8], { a: 1 }]) parentPort?.postMessage(message);
    },
    'by process.send': () => {
      for (const message of ['text', [3, 0, ['forged'], 0]]) process.send?.(message);
    },
    "by process.on('message') and parentPort.on('message')": async () => {
      const { parentPort } = await import('node:worker_threads');
      const heard = globalThis as { heard?: unknown[] };
      heard.heard = [];
      process.on('message', (message) => heard.heard?.push(message));
      parentPort?.on('message', (message) => heard.heard?.push(message));
    },
    'by process.removeAllListeners': () => {
      process.removeAllListeners();
    },
    'by closing parentPort and disconnecting': async () => {
      const { parentPort } = await import('node:worker_threads');
      parentPort?.close();
      if (process.connected) process.disconnect();
    },
    'by changing process.argv, env and the working directory': () => {
      process.argv.length = 0;
      process.env = {};
      process.execArgv = ['--nonsense'];
    },
    'by writing to Object.prototype and Array.prototype': () => {
      Object.assign(Object.prototype, { polluted: 1, signal: 1 });
      Object.assign(Array.prototype, { polluted: 1 });
    },
    'by ending its standard output': () => {
      process.stdout.end();
    },
  };
  for (const [deed, act] of Object.entries(deeds)) {
    it(deed, async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      expect(await pool.apply(() => 'warm')).to.equal('warm');
      await pool.apply(act as () => unknown);
      const input = Array.from({ length: 300 }, (_, i) => i);
      expect(await pool.map((x: number) => x + 1, input)).to.deep.equal(input.map((x) => x + 1));
      expect(await pool.map(async (x: number) => x, [1, 2])).to.deep.equal([1, 2]);
      const failure = await pool
        .map(() => (null as unknown as { name: string }).name, [1])
        .catch((error: unknown) => error);
      expect(failure).to.have.property('message').that.includes('null');
      // The same worker all along: nobody had to replace it.
      if (!deed.includes('globalThis.process')) expect(await pool.apply(identity)).to.equal(before);
      expect(await endsDuring(() => pool.stopAndJoin())).to.deep.equal([leaves]);
    });
  }

  it('hears none of its messages by its own listeners', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    await pool.apply(deeds["by process.on('message') and parentPort.on('message')"] as () => unknown);
    await pool.map((x: number) => x, [1, 2, 3]);
    expect(await pool.apply(() => (globalThis as { heard?: unknown[] }).heard)).to.deep.equal([]);
  });
});
