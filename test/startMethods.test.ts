/** Which start methods there are, and starting the fork server ahead of time. */

import { expect } from 'chai';
import { availableStartMethods, StartMethodUnavailableError, warmUp, WorkerPool } from './support/library.js';
import { endPools, createPool } from './support/pools.js';
import { runScript } from './support/runProgram.js';
import { startMethods } from './support/startMethods.js';

describe('availableStartMethods', () => {
  afterEach(endPools);

  it('names those of which a pool can be made', async () => {
    const available = availableStartMethods();
    expect(available).to.include.members(['threading', 'spawn']);
    for (const { name } of startMethods) {
      if (!available.includes(name)) {
        expect(() => new WorkerPool({ startMethod: name })).to.throw(StartMethodUnavailableError);
      } else {
        expect(await createPool({ nJobs: 1, startMethod: name }).apply(() => 'works')).to.equal('works');
      }
    }
  });

  it('leaves out what needs koffi where that is missing, and a pool says so', async () => {
    const { stdout } = await runScript(`
      const Module = require('node:module');
      const resolve = Module._resolveFilename;
      Module._resolveFilename = function (name, ...rest) {
        if (name === 'koffi') throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
        return resolve.call(this, name, ...rest);
      };
      console.log(library.availableStartMethods().join());
      for (const startMethod of ['forkserver', 'fork']) {
        try { new WorkerPool({ startMethod }); } catch (error) { console.log(error.name, error.reason); }
      }
      await library.warmUp('forkserver').catch((error) => console.log(error.name, error.startMethod));
    `);
    const missing = 'StartMethodUnavailableError the optional package koffi is not installed (npm install koffi)\n';
    expect(stdout).to.equal(`threading,spawn,inline\n${missing}${missing}StartMethodUnavailableError forkserver\n`);
  });

  for (const [property, value, reason] of [
    ['platform', 'darwin', 'it needs Linux, and this is darwin'],
    ['arch', 's390x', 'it needs an x64 or arm64 processor, and this is s390x'],
  ] as const) {
    it(`leaves out copies on ${value}, and errors say what to use instead`, async () => {
      const { stdout } = await runScript(`
        Object.defineProperty(process, '${property}', { value: '${value}' });
        console.log(library.availableStartMethods().join());
        for (const startMethod of ['forkserver', 'fork']) {
          try { new WorkerPool({ startMethod }); } catch ({ name, message }) { console.log(name, message); }
          const result = rxjs.lastValueFrom(rxjs.of(1).pipe(parallelMap((x) => x, { startMethod })));
          await result.catch(({ name, message }) => console.log(name, message));
        }
      `);
      const says = (method: string): string =>
        `StartMethodUnavailableError The start method '${method}' is not available: ${reason}. Use 'threading' or 'spawn' instead.\n`;
      const expected = ['forkserver', 'fork'].map((method) => says(method).repeat(2)).join('');
      expect(stdout).to.equal(`threading,spawn,inline\n${expected}`);
    });
  }
});

describe('warmUp', () => {
  it('starts the fork server ahead of time, which does not keep the program running', async () => {
    const { stdout, code } = await runScript(`
      const { readFileSync } = require('node:fs');
      const children = () => readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').split(' ').filter(Boolean);
      const servers = () => children().filter((pid) => readFileSync('/proc/' + pid + '/cmdline').includes('forkserver/server')).length;
      console.log(servers());
      console.log(await library.warmUp('forkserver'), servers());
      await library.warmUp('forkserver');
      await new WorkerPool({ nJobs: 1, startMethod: 'forkserver' }).apply(() => 1);
      console.log(servers());
    `);
    expect({ stdout, code }).to.deep.equal({ stdout: '0\nundefined 1\n1\n', code: 0 });
  });

  for (const wrong of ['fork', 'threading', 'spwan', 1, undefined]) {
    it(`refuses ${String(wrong)}, and names what it takes`, () => {
      expect(() => warmUp(wrong as 'forkserver')).to.throw(RangeError, /warmUp: "startMethod" must be 'forkserver'/);
    });
  }
});
