// The options `workerInit` and `workerExit`, and what they have of their worker: `context.state` and `context.workerId`.
import { appendFileSync } from 'node:fs';
import { expect } from 'chai';
import { concat, from, lastValueFrom, NEVER, of, range, toArray } from 'rxjs';
import type { TaskContext, WorkerContext, WorkerPool } from 'rxjs-parallel-map';
import { moduleTask, parallelFrom, parallelMap, parallelMergeMap } from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { until } from '../support/until.js';
import { useWorkerLog } from '../support/workerLog.js';
import { trackWorkers } from '../support/workers.js';
import { collect } from '../support/collect.js';
import { type Counter, count, countsFrom, toCount } from '../support/counter.js';

const input = [1, 2, 3];
const life = { workerInit: countsFrom(100), workerExit: toCount };

/** Functions that write down that they run. */
function logging(log: ReturnType<typeof useWorkerLog>) {
  const logged = () => {
    const { file } = log();
    return {
      workerInit: () => appendFileSync(file, 'init\n'),
      workerExit: () => appendFileSync(file, 'exit\n'),
    };
  };
  const loggedTask = () => {
    const { file } = log();
    return (n: number): number => {
      appendFileSync(file, 'task\n');
      return n;
    };
  };
  return { logged, loggedTask };
}

/** Gives all values that the state has seen. */
const gather = (n: number, { state }: TaskContext<{ seen?: number[] }>): number[] =>
  (state.seen = [...(state.seen ?? []), n]);

describeEach.of(['threading', 'forkserver'], 'workerInit and workerExit', ({ name: startMethod }) => {
  afterEach(endPools);
  const workers = trackWorkers(); // which looks when the pools have ended
  const log = useWorkerLog();
  const { logged, loggedTask } = logging(log);

  const ways: Record<string, (pool: WorkerPool) => Promise<unknown>> = {
    map: (pool) => pool.map(count, input, life),
    mapUnordered: (pool) => pool.mapUnordered(count, input, life),
    imap: (pool) => collect(pool.imap(count, input, life)),
    imapUnordered: (pool) => collect(pool.imapUnordered(count, input, life)),
    parallelMap: (pool) => lastValueFrom(from(input).pipe(parallelMap(count, { pool, ...life }), toArray())),
    parallelFrom: (pool) => lastValueFrom(parallelFrom(input, count, { pool, ...life }).pipe(toArray())),
    parallelMergeMap: (pool) =>
      lastValueFrom(
        from(input).pipe(
          parallelMergeMap((_, { state }: TaskContext<Counter>) => [++state.tasks], { pool, ...life }),
          toArray(),
        ),
      ),
    apply: async (pool) => [
      await pool.apply(({ state }: TaskContext<Counter>) => state.tasks + 1, [], life),
      await pool.apply(({ state }: TaskContext<Counter>) => state.tasks + 2, [], life),
      await pool.apply(({ state }: TaskContext<Counter>) => state.tasks + 3, [], life),
    ],
  };
  for (const [way, run] of Object.entries(ways)) {
    it(`share a state with the tasks in ${way}`, async () => {
      expect(await run(createPool({ nJobs: 1, startMethod }))).to.deep.equal([101, 102, 103]);
    });
  }

  it('run once in a worker: before its first task and after its last', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    await pool.map(loggedTask(), input, { chunkSize: 1, ...logged() });
    expect(log().lines).to.deep.equal(['init', 'task', 'task', 'task', 'exit']);
  });

  it('run in each worker that has a task, and know its id', async () => {
    const { file } = log();
    const task = async ({ dir }: { dir: string }, { workerId }: TaskContext): Promise<number> => {
      const { appendFileSync: append, readFileSync } = await import('node:fs');
      append(dir, 'task\n');
      while (!readFileSync(dir, 'utf8').includes('task\ntask\n')) await new Promise((next) => setTimeout(next, 2));
      return workerId;
    };
    const pool = createPool({ nJobs: 2, startMethod });
    const value = { dir: file };
    const ids = await pool.map(task, [value, value], {
      chunkSize: 1,
      workerInit: ({ workerId, state }) => (state.id = workerId),
      workerExit: ({ workerId, state }) => [workerId, state.id],
    });
    expect(ids.toSorted((a, b) => a - b)).to.deep.equal([0, 1]);
    expect(pool.getExitResults()).to.deep.equal([
      [0, 0],
      [1, 1],
    ]);
  });

  it('do not run where there is no value', async () => {
    expect(await createPool({ nJobs: 1, startMethod }).map(count, [], life)).to.deep.equal([]);
    expect(workers.started).to.equal(0);
  });

  it('are awaited', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const results = await pool.map((_: number, { state }: TaskContext) => state.ready, input, {
      async workerInit({ state }) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        state.ready = true;
      },
      async workerExit({ state }) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return state.ready;
      },
    });
    expect(results).to.deep.equal([true, true, true]);
    expect(pool.getExitResults()).to.deep.equal([true]);
  });

  it('capture variables and imports, and can be given by module or URL', async () => {
    const url = new URL('../tasks/life.js', import.meta.url);
    const { task } = await import('../tasks/life.js');
    const pool = createPool({ nJobs: 1, startMethod });
    const own = moduleTask<typeof task>(url, 'task');
    const exit = moduleTask<(context: WorkerContext) => string>(url, 'exit');
    expect(await pool.map(own, [1], { workerInit: moduleTask(url, 'init'), workerExit: exit })).to.deep.equal([
      'module 1',
    ]);
    expect(pool.getExitResults()).to.deep.equal(['left module']);
    expect(await pool.map(own, [2], { workerInit: url })).to.deep.equal(['module 2']);
    const greeting = `hello ${startMethod}`;
    expect(
      await pool.map((_: number, { state }: TaskContext) => state.greeting, [1], {
        workerInit: ({ state }) => (state.greeting = greeting),
      }),
    ).to.deep.equal([greeting]);
    expect(
      await pool.map((_: number, { state }: TaskContext) => state.greeting, [1], {
        workerInit: ({ state }) => (state.greeting = greeting),
        captures: { greeting: 'other' },
      }),
    ).to.deep.equal(['other']);
  });

  it('either may be missing', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await pool.map(count, input, { workerInit: countsFrom(100) })).to.deep.equal([101, 102, 103]);
    const remember = (n: number, { state }: TaskContext<{ last?: number }>): number => (state.last = n);
    await pool.map(remember, input, { workerExit: ({ state }) => state.last });
    expect(pool.getExitResults()).to.deep.equal([3]);
    expect(await pool.map((_: number, { state }: TaskContext) => Object.keys(state), [1])).to.deep.equal([[]]);
  });

  it('have a state of its own for each call, also for two at once on one worker', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const a = pool.map(count, input, { chunkSize: 1, ...life });
    const b = pool.map(count, input, { chunkSize: 1, ...life });
    const c = pool.map((_: number, { state }: TaskContext) => Object.keys(state), [1]);
    expect(await Promise.all([a, b, c])).to.deep.equal([[101, 102, 103], [101, 102, 103], [[]]]);
    expect(pool.getExitResults()).to.deep.equal([103, 103]);
  });

  it('calls that have neither share the state of a worker, apart from those that do', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const both = [pool.map(gather, [1, 2]), pool.map(gather, [3, 4]), pool.map(gather, [5], { workerExit: () => 0 })];
    const [first, second, other] = await Promise.all(both);
    expect([...first!, ...second!].map(({ length }) => length)).to.have.members([1, 2, 3, 4]);
    expect(other).to.deep.equal([[5]]);
    expect(await pool.map(gather, [6])).to.deep.equal([[6]]);
  });

  it('exit functions have run, and workers have left, before complete', async () => {
    const { file } = log();
    const exit = async (): Promise<void> => {
      const { appendFileSync: append } = await import('node:fs');
      await new Promise((resolve) => setTimeout(resolve, 100));
      append(file, 'exit\n');
    };
    const seen = await new Promise((resolve, reject) => {
      of(1)
        .pipe(parallelMap((n) => n, { nJobs: 1, startMethod, workerExit: exit }))
        .subscribe({ error: reject, complete: () => resolve([log().lines, workers.alive]) });
    });
    expect(seen).to.deep.equal([['exit'], 0]);
  });

  describe('an error', () => {
    const errors = {
      'thrown by workerInit': { workerInit: () => { throw Object.assign(new RangeError('no'), { code: 'E1' }); } }, // prettier-ignore
      'rejected by workerInit': { workerInit: async () => { throw Object.assign(new RangeError('no'), { code: 'E1' }); } }, // prettier-ignore
      'thrown by workerExit': { workerExit: () => { throw Object.assign(new RangeError('no'), { code: 'E1' }); } }, // prettier-ignore
      'rejected by workerExit': { workerExit: async () => { throw Object.assign(new RangeError('no'), { code: 'E1' }); } }, // prettier-ignore
    };
    for (const [title, options] of Object.entries(errors)) {
      it(`${title} fails the call as it was thrown, with a workerId`, async () => {
        const pool = createPool({ nJobs: 1, startMethod });
        const error = await rejection(pool.map((n) => n, input, options));
        expect(error).to.be.instanceOf(RangeError);
        expect(error).to.include({ message: 'no', code: 'E1', workerId: 0 });
        expect(error).to.not.have.property('index');
        expect(await pool.map((n) => n, input)).to.deep.equal(input);

        const single = await rejection(pool.apply((n: number) => n, [1], { ...options, workerLifespan: 1 }));
        expect(single).to.be.instanceOf(RangeError).and.to.include({ message: 'no', code: 'E1', workerId: 0 });

        const outcome = await outcomeOf(of(1).pipe(parallelMap((n) => n, { nJobs: 1, startMethod, ...options })));
        expect(outcome.end).to.equal('error');
        expect(outcome.values).to.deep.equal(title.endsWith('Init') ? [] : [1]);
        expect(outcome.error).to.include({ message: 'no', code: 'E1', workerId: 0 });
      });
    }

    it('may be anything that is thrown', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      for (const thrown of [undefined, null, 'text', 0]) {
        const fail = () => {
          throw thrown;
        };
        for (const options of [{ workerInit: fail }, { workerExit: fail }]) {
          expect(await rejection<unknown>(pool.map((n) => n, [1], options))).to.equal(thrown);
        }
      }
    });

    it('of loading an init or exit function is a WorkerStartError, before the first task', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const missing = moduleTask<() => void>(new URL('../tasks/life.js', import.meta.url), 'missing');
      for (const option of ['workerInit', 'workerExit'] as const) {
        const error = await rejection(pool.map(loggedTask(), [1], { [option]: missing, chunkSize: 1 }));
        expect(error).to.include({ name: 'WorkerStartError', option, workerId: 0 });
        expect(error.message).to.include(`${option} could not be loaded`);
        expect(String(error.cause)).to.include('"missing"');
      }
      expect(await pool.map((n) => n, input)).to.deep.equal(input);
    });

    it('is an exit result that cannot be cloned', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const error = await rejection(pool.map((n) => n, [1], { workerExit: () => ({ a: [() => 1] }) }));
      expect(error).to.include({ name: 'UnserializableError', path: 'value.a[0]', direction: 'result' });
      expect(error).to.include({ option: 'workerExit', workerId: 0 });
      expect(error.message).to.match(/^The result of workerExit on worker 0 cannot .* use in workerExit what/);
    });

    it('of a task keeps exit functions from running', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const fail = (): never => {
        throw new Error('task');
      };
      const options = { nJobs: 1, startMethod, ...logged() };
      expect(await outcomeOf(of(1).pipe(parallelMap(fail, options)))).to.have.property('end', 'error');
      const shared = { pool, onExitResults: () => undefined, ...logged() };
      expect(await outcomeOf(of(1).pipe(parallelMap(fail, shared)))).to.have.property('end', 'error');
      await pool.stopAndJoin();
      expect(log().lines).to.deep.equal(['init', 'init']);
    });

    it('is a variable that cannot travel, at once', async () => {
      const registry = new FinalizationRegistry(() => undefined);
      const pool = createPool({ nJobs: 1, startMethod });
      const error = await rejection(
        pool.map((n) => n, [1], { workerInit: ({ state }) => (state.registry = registry) }),
      );
      expect(error).to.include({ name: 'UnportableFunctionError', variable: 'registry' });
      expect(workers.started).to.equal(0);
    });
  });

  it('leave other calls on the pool alone, whatever becomes of them', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const slowly = async (n: number): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return n;
    };
    const numbers = await lastValueFrom(range(0, 60).pipe(toArray()));
    const other = pool.map(slowly, numbers, { chunkSize: 1 });
    const bad = { workerInitTimeout: 100, workerExitTimeout: 100 };
    const loop = (): never => {
      for (;;);
    };
    const throwing = (): never => {
      throw new Error('no');
    };
    for (const options of [
      { workerInit: throwing },
      { workerExit: throwing },
      { workerInit: loop },
      { workerExit: loop },
    ]) {
      await rejection(pool.map((n) => n, [1], { ...bad, ...options }));
    }
    expect(await other).to.deep.equal(numbers);
  });

  it('run alone in their worker: no task of another call runs or waits there', async () => {
    const { file } = log();
    const pool = createPool({ nJobs: 1, startMethod });
    const slow = async (): Promise<void> => {
      const { appendFileSync: append } = await import('node:fs');
      append(file, 'begin\n');
      await new Promise((resolve) => setTimeout(resolve, 100));
      append(file, 'end\n');
    };
    const first = pool.map(loggedTask(), [1], { workerInit: slow, workerExit: slow });
    await until(() => log().lines.length > 0, 'the init function');
    const second = pool.map(loggedTask(), [1, 2], { chunkSize: 1 });
    await Promise.all([first, second]);
    const { lines } = log();
    for (let at = 0; at < lines.length; at++) if (lines[at] === 'begin') expect(lines[at + 1]).to.equal('end');
    expect(lines.filter((line) => line === 'begin')).to.have.length(2);
  });

  it('a worker that is slow to begin does not keep the others from working', async () => {
    const { file } = log();
    const pool = createPool({ nJobs: 2, startMethod });
    const workerInit = async ({ workerId }: WorkerContext): Promise<void> => {
      const { readFileSync } = await import('node:fs');
      while (workerId === 1 && readFileSync(file, 'utf8') === '') await new Promise((next) => setTimeout(next, 2));
    };
    const ids: number[] = [];
    const results = pool.imapUnordered((_: number, { workerId }: TaskContext) => workerId, [...Array(50).keys()], {
      workerInit,
    });
    // The value for which the slow one was started waits for it; what came along with that is taken back.
    for await (const id of results) if (ids.push(id) === 49) appendFileSync(file, 'the others are done\n');
    expect(ids).to.have.length(50);
    expect(ids.slice(0, 49)).to.not.include(1);
  });
});

// How a worker ends differs between copies, too.
describeEach('workerInit and workerExit', ({ name: startMethod }) => {
  afterEach(endPools);
  const workers = trackWorkers(); // which looks when the pools have ended
  const log = useWorkerLog();
  const { logged, loggedTask } = logging(log);

  describe('where workers die', () => {
    it('the one that takes the place of another begins anew, with the same id', async () => {
      const { file } = log();
      const pool = createPool({ nJobs: 1, startMethod });
      const task = (n: number, { state }: TaskContext<Counter>): number[] => {
        if (n === 2 && state.tasks === 101) {
          appendFileSync(file, 'died\n');
          process.exit(1);
        }
        return [n, ++state.tasks];
      };
      const dieOnce = async (n: number, context: TaskContext<Counter>): Promise<unknown> => {
        const { readFileSync } = await import('node:fs');
        return readFileSync(file, 'utf8') === '' ? task(n, context) : [n, ++context.state.tasks, context.workerId];
      };
      const options = { chunkSize: 1, workerDeathRetries: 1, ...life };
      expect(await pool.map(dieOnce, input, options)).to.deep.equal([
        [1, 101],
        [2, 101, 0],
        [3, 102, 0],
      ]);
      expect(pool.getExitResults()).to.deep.equal([102]);
    });

    it('in workerInit is a WorkerDiedError, or tried again', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const workerInit = (): never => process.exit(7);
      const error = await rejection(pool.map((n) => n, [1], { workerInit }));
      expect(error).to.include({ name: 'WorkerDiedError', exitCode: 7, workerId: 0, option: 'workerInit' });
      expect(error.message).to.include('with exit code 7 in its workerInit while it had the value with index 0.');
      const { file } = log();
      const dieOnce = async (): Promise<void> => {
        const { appendFileSync: append, readFileSync } = await import('node:fs');
        append(file, 'init\n');
        if (readFileSync(file, 'utf8') === 'init\n') process.exit(7);
      };
      expect(await pool.map((n) => n, [1], { workerInit: dieOnce, workerDeathRetries: 1 })).to.deep.equal([1]);
      expect(log().lines).to.deep.equal(['init', 'init']);
    });

    it('in a task after workerInit is no fault of that', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const task = (): never => process.exit(7);
      const error = await rejection(pool.map(task, [1], { workerInit: countsFrom(100), workerExit: toCount }));
      expect(error).to.include({ name: 'WorkerDiedError', exitCode: 7 }).and.not.have.property('option');
    });

    it('in workerExit is a WorkerDiedError', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const error = await rejection(pool.map((n) => n, [1], { workerExit: () => process.exit(7) }));
      expect(error).to.include({ name: 'WorkerDiedError', exitCode: 7, workerId: 0, option: 'workerExit' });
      expect(error.message).to.equal('Worker 0 died with exit code 7 in its workerExit.');
      expect(await pool.map((n) => n, input)).to.deep.equal(input);
    });
  });

  describe('unsubscribing', () => {
    for (const stage of ['workerInit', 'workerExit'] as const) {
      it(`in the middle of ${stage} ends the workers, also in an endless loop`, async () => {
        const { file } = log();
        const loop = async (): Promise<never> => {
          const { appendFileSync: append } = await import('node:fs');
          append(file, 'loops\n');
          for (;;);
        };
        const subscription = of(1)
          .pipe(parallelMap((n) => n, { nJobs: 1, startMethod, [stage]: loop }))
          .subscribe();
        await log().has('loops');
        subscription.unsubscribe();
        expect(await workers.ended()).to.be.below(2000);
      });

      it(`in the middle of ${stage} on a pool gives its worker cancelTimeout to go on`, async () => {
        const { file } = log();
        const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
        const before = await pool.apply(identity);
        const run = async (milliseconds: number, cancelTimeout: number): Promise<void> => {
          const slow = async (): Promise<void> => {
            const { appendFileSync: append } = await import('node:fs');
            append(file, `${milliseconds}\n`);
            await new Promise((resolve) => setTimeout(resolve, milliseconds));
          };
          const options = { pool, cancelTimeout, onExitResults: () => undefined, [stage]: slow };
          const subscription = of(1)
            .pipe(parallelMap((n) => n, options))
            .subscribe();
          await log().has(String(milliseconds));
          subscription.unsubscribe();
        };
        await run(200, 10_000);
        expect(await pool.apply(identity)).to.equal(before);
        await run(201, Infinity);
        expect(await pool.apply(identity)).to.equal(before);
        await run(60_000, 50);
        expect(await pool.apply(identity)).to.not.equal(before);
      });
    }

    it('lets no exit function run', async () => {
      const options = { nJobs: 1, startMethod, ...logged() };
      const subscription = concat(of(1), NEVER).pipe(parallelMap(loggedTask(), options)).subscribe();
      await log().has('task');
      subscription.unsubscribe();
      await workers.ended();
      expect(log().lines).to.deep.equal(['init', 'task']);
    });

    it('terminate lets no exit function run', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      await pool.map(loggedTask(), [1], logged());
      await pool.terminate();
      expect(log().lines).to.deep.equal(['init', 'task']);
    });
  });
});
