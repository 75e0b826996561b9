// A start method that is not of this package: the one of docs/start-methods.md, compiled from there.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { from, lastValueFrom, of, Subject, toArray } from 'rxjs';
import type { StartMethod, TaskContext } from 'rxjs-parallel-map';
import { parallelMap, parallelMergeMap, StartMethodUnavailableError, WorkerPool } from './support/library.js';
import { loopForever, passGate, useGates } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { createPool, endPools } from './support/pools.js';
import { rejection } from './support/rejection.js';
import { pathsOf, snippetsOf, writeProject } from './support/snippets.js';
import { until } from './support/until.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'build', `own-start-method-${process.env['FORMAT'] ?? 'esm'}`);

describe('a start method of somebody else', () => {
  let startMethod: StartMethod;
  const gates = useGates();
  afterEach(endPools);

  before(async function () {
    this.timeout(60_000);
    const modules = snippetsOf(root, 'docs/start-methods.md').filter(({ fileName }) => fileName !== undefined);
    rmSync(folder, { recursive: true, force: true });
    writeProject(folder, modules);
    const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(status, stdout).to.equal(0);
    const snippet = modules.find(({ fileName }) => fileName === 'socketWorkers.ts')!;
    const loaded = await import(pathToFileURL(join(folder, 'out', pathsOf(snippet).program)).href);
    startMethod = loaded.socketWorkers;
  });

  it('maps in order, in chunks and with functions that capture', async () => {
    const factor = 3;
    const numbers = Array.from({ length: 5000 }, (_, n) => n);
    const tripled$ = from(numbers).pipe(
      parallelMap((n) => n * factor, { startMethod, nJobs: 2 }),
      toArray(),
    );
    expect(await lastValueFrom(tripled$)).to.deep.equal(numbers.map((n) => n * factor));
  });

  it('maps as values finish', async () => {
    const pool = createPool({ startMethod, nJobs: 2 });
    const call = pool.mapUnordered(
      passGate,
      ['a', 'b'].map((name) => gates().value(name)),
    );
    await gates().haveStarted('a', 'b');
    gates().open('b');
    await gates().hasSaid('end b');
    gates().open('a');
    expect(await call).to.deep.equal(['b', 'a']);
  });

  it('has init and exit functions, state, shared objects, progress and yields', async () => {
    const pool = createPool({ startMethod, nJobs: 1, sharedObjects: { factor: 10 } });
    const reports: unknown[] = [];
    const results = await pool.map(
      (n: number, { state, shared, progress }: TaskContext) => {
        progress(n);
        return (state.sum += n * shared.factor);
      },
      [1, 2],
      {
        workerInit: ({ state }) => {
          state.sum = 0;
        },
        workerExit: ({ state }) => state.sum,
        onProgress: ({ value }) => reports.push(value),
      },
    );
    expect(results).to.deep.equal([10, 30]);
    expect(pool.getExitResults()).to.deep.equal([30]);
    expect(reports).to.deep.equal([1, 2]);
    const yields$ = of(3).pipe(
      parallelMergeMap(
        function* (n) {
          for (let i = 0; i < n; i++) yield i;
        },
        { startMethod },
      ),
      toArray(),
    );
    expect(await lastValueFrom(yields$)).to.deep.equal([0, 1, 2]);
  });

  it('gives errors as they were thrown, and names what cannot be sent', async () => {
    const pool = createPool({ startMethod, nJobs: 1 });
    const task = (n: number) => {
      if (n === 1) throw new RangeError('one', { cause: n });
      return n;
    };
    expect(await rejection<Error>(pool.map(task, [0, 1]))).to.include({ name: 'RangeError', message: 'one', cause: 1 });
    const input = await rejection(pool.map((f: unknown) => f, [{ f: () => 1 }]));
    expect(input).to.include({ name: 'UnserializableError', path: 'value.f' });
    const output = await rejection(pool.map(() => ({ f: () => 1 }), [1]));
    expect(output).to.include({ name: 'UnserializableError', path: 'value.f' });
  });

  it('kills what runs, also an endless loop, when nobody listens', async () => {
    const source = new Subject<ReturnType<ReturnType<typeof gates>['value']>>();
    const subscription = source.pipe(parallelMap(loopForever, { startMethod })).subscribe();
    source.next(gates().value('a'));
    await gates().haveStarted('a');
    subscription.unsubscribe();
    const pool = createPool({ startMethod, nJobs: 1 });
    const error = await rejection(pool.map(loopForever, [gates().value('b')], { taskTimeout: 200 }));
    expect(error).to.include({ name: 'WorkerTimeoutError', stage: 'task' });
  });

  it('tells of a worker that has died, and retries its value on request', async () => {
    const pool = createPool({ startMethod, nJobs: 1 });
    const dies = (code: number) => process.exit(code);
    expect(await rejection(pool.map(dies, [7]))).to.include({ name: 'WorkerDiedError', exitCode: 7 });
    const marker = join(gates().dir, 'died');
    const diesOnce = async (n: number) => {
      const { existsSync, writeFileSync } = await import('node:fs');
      if (n === 1 && !existsSync(marker)) {
        writeFileSync(marker, '');
        process.kill(process.pid, 'SIGKILL');
        await new Promise(() => undefined);
      }
      return n;
    };
    const options = { workerDeathRetries: 1, captures: { marker } };
    expect(await pool.map(diesOnce, [0, 1, 2], options)).to.deep.equal([0, 1, 2]);
  });

  it('starts as many workers as can be had now, and more when it hears of them', async () => {
    let most = 0;
    let started = 0;
    let tellMore = (): void => undefined;
    const few: StartMethod = {
      ...startMethod,
      available(onMore) {
        tellMore = onMore;
        return most - started;
      },
      start(...args) {
        started++;
        return startMethod.start(...args);
      },
    };
    const grow = (): void => {
      most++;
      tellMore();
    };
    const pool = createPool({ startMethod: few, nJobs: 3 });
    const call = pool.mapUnordered(
      passGate,
      ['a', 'b'].map((name) => gates().value(name)),
    );
    expect(started).to.equal(0);
    grow();
    await gates().haveStarted('a');
    expect(started).to.equal(1);
    grow();
    await gates().haveStarted('b');
    gates().open('a');
    gates().open('b');
    expect(await call).to.have.members(['a', 'b']);
    expect(started).to.equal(2);
  });

  /** The start method, with that many workers that are lost while they start. */
  const losing = (count: number): { readonly startMethod: StartMethod; readonly lost: () => number } => {
    let lost = 0;
    const start: StartMethod['start'] = (identity, resources, events) => {
      if (lost === count) return startMethod.start(identity, resources, events);
      lost++;
      setImmediate(() => events.exit({ exitCode: 1, signal: null, retryElsewhere: true }));
      return { send: () => undefined, kill: () => undefined };
    };
    return { startMethod: { ...startMethod, start }, lost: () => lost };
  };

  it('starts another worker elsewhere for one that was lost while it started', async () => {
    const { startMethod: own, lost } = losing(3);
    const pool = createPool({ startMethod: own, nJobs: 1 });
    expect(await pool.map((n: number) => n + 1, [1, 2])).to.deep.equal([2, 3]);
    expect(lost()).to.equal(3);
  });

  it('gives up after ten such losses in a row', async () => {
    const { startMethod: own, lost } = losing(Infinity);
    const pool = createPool({ startMethod: own, nJobs: 1 });
    expect(await rejection(pool.map((n: number) => n, [1]))).to.include({ name: 'WorkerStartError' });
    expect(lost()).to.equal(10);
  });

  it('is told by its name in diagnostics', async () => {
    const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
    const told: unknown[] = [];
    const listen = (message: unknown): void => void told.push((message as { startMethod: string }).startMethod);
    subscribe('rxjs-parallel-map:worker:start', listen);
    await outcomeOf(of(1).pipe(parallelMap((n) => n, { startMethod })));
    unsubscribe('rxjs-parallel-map:worker:start', listen);
    expect(told).to.deep.equal(['socket']);
  });

  it('follows the options that it lists, and refuses the others by name', async () => {
    const pool = createPool({ startMethod, env: { MARK: 'here' } });
    expect(await pool.apply(() => process.env['MARK'])).to.equal('here');
    for (const [name, value] of Object.entries({
      argv: [],
      execArgv: [],
      resourceLimits: {},
      cpuIds: [0],
      name: 'x',
    })) {
      expect(() => new WorkerPool({ startMethod, [name]: value })).to.throw(
        TypeError,
        `WorkerPool: the start method "socket" does not support the option "${name}". Leave it out.`,
      );
    }
  });

  it('is checked, may be unavailable, and may fail to start', async () => {
    const start = (): never => {
      throw new Error('no room');
    };
    for (const wrong of [{}, { name: 'x' }, { name: 1, start }, []]) {
      expect(() => new WorkerPool({ startMethod: wrong as never })).to.throw(TypeError, 'a start method of your own');
    }
    const whyUnavailable = () => 'the moon is full';
    expect(() => new WorkerPool({ startMethod: { name: 'x', start, whyUnavailable } })).to.throw(
      StartMethodUnavailableError,
      'the moon is full',
    );
    const error = await rejection(createPool({ startMethod: { name: 'x', start } }).map((n: number) => n, [1]));
    expect(error).to.include({ name: 'WorkerStartError' });
    expect((error as Error).cause).to.include({ message: 'no room' });
  });

  it('leaves nothing behind', async () => {
    const pool = createPool({ startMethod, nJobs: 2, keepAlive: true });
    const pids = await pool.map(() => process.pid, [1, 2], { chunkSize: 1 });
    await pool.stopAndJoin();
    const lives = (pid: number): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await until(() => !pids.some(lives), 'the end of its workers');
  });
});
