// Test tools replace timers and clocks, often before this package is loaded.
import { expect } from 'chai';
import { runNode } from './support/runProgram.js';
import { startMethods } from './support/startMethods.js';

/** All ways to time are replaced, as by `@sinonjs/fake-timers`: nothing fires, and clocks stand still. */
const standStill = `
  const timers = require('node:timers');
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate']) {
    globalThis[name] = timers[name] = () => ({ ref() {}, unref() {}, refresh() {} });
  }
  globalThis.queueMicrotask = () => undefined;
  process.hrtime = () => [0, 0];
  performance.now = () => 0;
  Date.now = () => 0;`;

const byNode =
  "require('node:test').mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] });";

describe('a program whose timers were replaced before the package was loaded', () => {
  for (const [how, replace] of [
    ['so that they stand still', standStill],
    ['by the mock timers of node:test', byNode],
  ] as const) {
    for (const { name: startMethod } of startMethods) {
      it(`${how} has timeouts, and pools that stop (${startMethod})`, async () => {
        const { stdout, stderr } = await runNode([
          '--no-warnings', // that mock timers are experimental
          '--input-type=commonjs',
          '-e',
          `${replace}
          const { WorkerPool, parallelMap } = require('rxjs-parallel-map');
          const { range } = require('rxjs');
          (async () => {
            const pool = new WorkerPool({ nJobs: 2, startMethod: '${startMethod}', keepAlive: true });
            console.log(await pool.map((n) => n + 1, [1, 2, 3]));
            const loop = pool.apply(() => { for (;;); }, [], { taskTimeout: 100 });
            console.log(await loop.catch((error) => error.name));
            await pool.stopAndJoin();
            console.log('stopped');
            range(1, 3).pipe(parallelMap((n) => n + 1, { startMethod: '${startMethod}', nJobs: 1 })).subscribe({ complete: () => console.log('complete') });
          })();`,
        ]);
        expect({ stdout, stderr }).to.deep.equal({
          stdout: '[ 2, 3, 4 ]\nWorkerTimeoutError\nstopped\ncomplete\n',
          stderr: '',
        });
      });
    }
  }
});
