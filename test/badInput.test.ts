// The operators and `parallelFrom` check their arguments when they are called, long before anything is subscribed to.
import { inspect } from 'node:util';
import { expect } from 'chai';
import { parallelFrom, parallelMap, parallelMergeMap } from './support/library.js';
import { thrownBy } from './support/rejection.js';

type Make = (fn: unknown, options?: unknown) => unknown;

const makers: Readonly<Record<string, Make>> = {
  parallelMap: parallelMap as Make,
  parallelMergeMap: parallelMergeMap as Make,
  parallelFrom: (fn, options) => (parallelFrom as (...args: unknown[]) => unknown)([1, 2], fn, options),
};
const list = (n: number): number[] => [n];

for (const [name, make] of Object.entries(makers)) {
  describe(`${name} refuses at once, and says what is allowed`, () => {
    const refused: readonly [object, typeof TypeError | typeof RangeError, RegExp][] = [
      [{ nJobs: 0 }, RangeError, /"nJobs" must be a positive integer.*got 0/],
      [{ nJobs: -1 }, RangeError, /"nJobs" must be a positive integer.*got -1/],
      [{ nJobs: 1.5 }, RangeError, /"nJobs" must be a positive integer.*got 1\.5/],
      [{ nJobs: NaN }, RangeError, /"nJobs" must be a positive integer.*got NaN/],
      [{ nJobs: '4' }, TypeError, /"nJobs" must be a positive integer.*got '4' \(string\)/],
      [{ startMethod: 'thread' }, RangeError, /"startMethod" must be 'threading'.*got 'thread'.*mean 'threading'/],
      [{ njobs: 4 }, TypeError, /unknown option "njobs".*mean "nJobs"/],
      [{ chunkSize: 0 }, RangeError, /"chunkSize" must be a positive integer.*got 0/],
      [{ nSplits: 0 }, RangeError, /"nSplits" must be a positive integer.*got 0/],
      [{ orderTasks: 'yes' }, TypeError, /"orderTasks" must be true or false/],
      [{ maxTasksActive: 0 }, RangeError, /"maxTasksActive" must be a positive integer.*got 0/],
      [{ onProgress: true }, TypeError, /"onProgress" must be a function.*got true/],
      [{ workerLifespan: 1.5 }, RangeError, /"workerLifespan" must be a positive integer, or Infinity.*got 1\.5/],
      [{ settle: 1 }, TypeError, /"settle" must be true or false.*got 1/],
      [{ signal: new AbortController() }, TypeError, /"signal" must be an AbortSignal/],
      [{ pool: {} }, TypeError, /"pool" must be a WorkerPool/],
      [{ ordered: 'yes' }, TypeError, /"ordered" must be true or false.*got 'yes'/],
    ];
    for (const [options, errorClass, message] of refused) {
      const [[option, value]] = Object.entries(options) as [[string, unknown]];
      it(`${option}: ${typeof value === 'object' ? value?.constructor.name : inspect(value)}`, () => {
        const error = thrownBy(() => make(list, options));
        expect(error).to.be.instanceOf(errorClass);
        expect(error.message)
          .to.match(message)
          .and.to.match(new RegExp(`^${name}: `));
      });
    }

    for (const fn of [undefined, null, 5, 'fn', {}, Promise.resolve(list)]) {
      it(`a function that is ${String(fn)}`, () => {
        const error = thrownBy(() => make(fn));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.match(new RegExp(`^${name}: "fn" must be a function`));
      });
    }
  });
}
