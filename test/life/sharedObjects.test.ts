// The option `sharedObjects`, and `context.shared`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import type { TaskContext, WorkerContext } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, parallelMergeMap } from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection, thrownBy } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { trackWorkers } from '../support/workers.js';

class Scale {
  readonly #factor: number;
  constructor(factor: number) {
    this.#factor = factor;
  }
  apply(n: number): number {
    return n * this.#factor;
  }
}

const sharedIn = (_: unknown, { shared }: TaskContext): unknown => shared;

// A template has them before its workers are copied.
describeEach.of(['threading', 'forkserver', 'fork'], 'sharedObjects', ({ name: startMethod, sharesMemory }) => {
  afterEach(endPools);
  trackWorkers();

  it('are in the context of init functions, tasks and exit functions', async () => {
    const pool = createPool({ nJobs: 1, startMethod, sharedObjects: { base: 10 } });
    const results = await pool.map(
      (n: number, { shared, state }: TaskContext) => n + shared.base + state.base,
      [1, 2],
      {
        workerInit: ({ shared, state }) => (state.base = shared.base * 10),
        workerExit: ({ shared }) => shared,
      },
    );
    expect(results).to.deep.equal([111, 112]);
    expect(pool.getExitResults()).to.deep.equal([{ base: 10 }]);
  });

  it('are in the context of every kind of call', async () => {
    const pool = createPool({ nJobs: 1, startMethod, sharedObjects: 'shared' });
    expect(await pool.map(sharedIn, [1])).to.deep.equal(['shared']);
    expect(await pool.apply(({ shared }: TaskContext) => shared)).to.equal('shared');
    expect(await lastValueFrom(of(1).pipe(parallelMap(sharedIn, { pool })))).to.equal('shared');
    const own = { nJobs: 1, startMethod, sharedObjects: 'own' };
    expect(await lastValueFrom(of(1).pipe(parallelMap(sharedIn, own)))).to.equal('own');
    expect(await lastValueFrom(parallelFrom([1], sharedIn, own))).to.equal('own');
    const merge = parallelMergeMap((_: number, { shared }: TaskContext) => [shared, shared], own);
    expect(await lastValueFrom(from([1]).pipe(merge, toArray()))).to.deep.equal(['own', 'own']);
  });

  it('are undefined where none were given', async () => {
    expect(await createPool({ nJobs: 1, startMethod }).map(sharedIn, [1])).to.deep.equal([undefined]);
  });

  for (const value of [null, 0, '', false, [1, [2]], new Map([['a', new Set([1])]]), new Date(5), -0]) {
    it(`may be ${value instanceof Object ? value.constructor.name : Object.is(value, -0) ? '-0' : String(value)}`, async () => {
      const [shared] = await createPool({ nJobs: 1, startMethod, sharedObjects: value }).map(sharedIn, [1]);
      expect(shared).to.deep.equal(value);
    });
  }

  it('may be a function, a class, instances, circles, a thenable', async () => {
    const offset = 3;
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const sharedObjects = {
      shift: (n: number) => n + offset,
      scale: new Scale(4),
      circle,
      then: (resolve: (value: string) => void) => resolve('not a promise'),
      Scale,
    };
    const use = (n: number, { shared }: TaskContext<unknown, typeof sharedObjects>): unknown => [
      shared.shift(n),
      shared.scale.apply(n),
      shared.scale instanceof shared.Scale,
      shared.circle.self === shared.circle,
    ];
    const pool = createPool({ nJobs: 1, startMethod, sharedObjects });
    expect(await pool.map(use, [1])).to.deep.equal([[4, 4, true, true]]);
    const twice = createPool({ nJobs: 1, startMethod, sharedObjects: (n: number) => n * 2 });
    expect(await twice.map((n: number, { shared }: TaskContext) => shared(n), [4])).to.deep.equal([8]);
  });

  it('come once to each worker, and changes stay there', async () => {
    const push = (n: number, { shared }: TaskContext<unknown, number[]>): number => shared.push(n);
    const sharedObjects: number[] = [];
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true, sharedObjects });
    expect(await pool.map(push, [1, 2])).to.deep.equal([1, 2]);
    expect(await pool.map(push, [3])).to.deep.equal([3]);
    expect(sharedObjects).to.deep.equal([]);
    await pool.stopAndJoin();
    expect(await pool.map(push, [3])).to.deep.equal([1]);
  });

  it('are taken when the pool is made, or the operator subscribed to', async () => {
    const sharedObjects = { version: 1 };
    const pool = createPool({ nJobs: 1, startMethod, sharedObjects });
    const observable = of(1).pipe(parallelMap(sharedIn, { nJobs: 1, startMethod, sharedObjects }));
    sharedObjects.version = 2;
    expect(await pool.map(sharedIn, [1])).to.deep.equal([{ version: 1 }]);
    expect(await lastValueFrom(observable)).to.deep.equal({ version: 2 });
  });

  if (sharesMemory) {
    it('may hold memory that is really shared', async () => {
      const counters = new Int32Array(new SharedArrayBuffer(8));
      const pool = createPool({ nJobs: 2, startMethod, sharedObjects: { counters } });
      const count = (n: number, { shared }: TaskContext): number => Atomics.add(shared.counters, n % 2, 1);
      await pool.map(count, [...Array(100).keys()]);
      expect([...counters]).to.deep.equal([50, 50]);
    });
  }

  it('that cannot travel are refused when the pool is made, with their path', async () => {
    const detached = new Uint8Array(4);
    const refused: [sharedObjects: unknown, path: string][] = [
      [{ a: { list: [1, new Promise(() => undefined)] } }, 'sharedObjects.a.list[1]'],
      [new FinalizationRegistry(() => undefined), 'sharedObjects'],
      [{ list: [1, detached] }, 'sharedObjects.list[1]'],
    ];
    structuredClone(detached, { transfer: [detached.buffer] });
    for (const [sharedObjects, path] of refused) {
      const error = thrownBy(() => createPool({ nJobs: 1, startMethod, sharedObjects }));
      expect(error).to.include({ name: 'UnserializableError', path, direction: 'input' });
      expect(error.message).to.match(/^A value cannot be sent to a worker: sharedObjects/);
      const outcome = await outcomeOf(of(1).pipe(parallelMap(sharedIn, { nJobs: 1, startMethod, sharedObjects })));
      expect(outcome.error).to.include({ name: 'UnserializableError', path });
    }
    const registry = new FinalizationRegistry(() => undefined);
    const error = thrownBy(() => createPool({ startMethod, sharedObjects: { use: () => registry } }));
    expect(error).to.include({ name: 'UnportableFunctionError', variable: 'registry' });
  });

  it('that cannot be rebuilt in the worker are a WorkerStartError', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shared-'));
    writeFileSync(join(folder, 'inner.mjs'), 'export const inner = () => 1;');
    writeFileSync(join(folder, 'outer.mjs'), `import { inner } from './inner.mjs'; export default () => inner();`);
    const outer = (await import(pathToFileURL(join(folder, 'outer.mjs')).href)) as { default: () => number };
    const use = (_: number, { shared }: TaskContext): number => shared.use();
    const pool = createPool({ nJobs: 1, startMethod, sharedObjects: { use: outer.default } });
    expect(await pool.map(use, [1])).to.deep.equal([1]);
    const kept = createPool({ nJobs: 1, startMethod, keepAlive: true, sharedObjects: { use: outer.default } });
    rmSync(folder, { recursive: true });
    for (const each of [pool, pool, kept, kept]) {
      const error = await rejection(each.map(use, [1]));
      expect(error).to.have.property('name', 'WorkerStartError');
      expect(error.cause).to.have.property('code', 'ERR_MODULE_NOT_FOUND');
    }
  });

  it('do not count as the time of a task', async () => {
    const { quadruple } = await import('../tasks/importsSlow.js'); // which takes longer to load than the task may
    const pool = createPool({ nJobs: 1, startMethod, sharedObjects: { quadruple } });
    const use = (n: number, { shared }: TaskContext): number => shared.quadruple(n);
    expect(await pool.map(use, [1], { taskTimeout: 1000 })).to.deep.equal([4]);
  });

  it('go with a pool, not with a call on it', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const options = { sharedObjects: 1 } as never;
    const error = await rejection(pool.map(sharedIn, [1], options));
    expect(error.message).to.include('option "sharedObjects" is not accepted here');
    expect(() => parallelMap(sharedIn, { pool, sharedObjects: 1 })).to.throw(TypeError, '"sharedObjects"');
    expect(typeof (({ shared }: WorkerContext) => shared)).to.equal('function');
  });
});
