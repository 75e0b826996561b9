// What a pool with `insights` tells of its workers, in numbers and in print, and the option `onInsights` of the operators.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { from, NEVER, of, Subject, throwError } from 'rxjs';
import type { Insights, TaskContext, WorkerPoolOptions } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, parallelMergeMap } from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { until } from '../support/until.js';
import { trackWorkers } from '../support/workers.js';
import { spin } from '../support/tasks.js';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

// Measured in the pool, in the loop that all workers run, and by what their channel counts.
describeEach.of(['threading', 'forkserver'], 'insights', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);
  trackWorkers();
  const create = (options: WorkerPoolOptions = {}) =>
    createPool({ nJobs: 1, startMethod, keepAlive: true, insights: true, ...options });

  it('count the tasks of each worker', async () => {
    const pool = create({ nJobs: 2 });
    const none = pool.getInsights();
    expect(none.nCompletedTasks).to.deep.equal([0, 0]);
    expect(none.totalTime).to.equal(0);
    await pool.map((n: number) => n, Array.from({ length: 5000 }, Number));
    await pool.mapUnordered(spin, [20, 20, 20, 20]);
    const { nCompletedTasks } = pool.getInsights();
    expect(nCompletedTasks).to.have.length(2);
    expect(sum(nCompletedTasks)).to.equal(5004);
  });

  it('say how long workers started, prepared, worked, waited and left', async () => {
    const pool = create({ keepAlive: false });
    const wait = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const life = {
      chunkSize: 1,
      workerInit: async () => new Promise((resolve) => setTimeout(resolve, 60)),
      workerExit: () => {
        for (const end = performance.now() + 40; performance.now() < end;);
      },
    };
    const start = performance.now();
    await pool.map(wait, [50, 100, 30], life);
    const elapsed = performance.now() - start;
    const insights = pool.getInsights();
    expect(insights.startUpTime[0]).to.be.within(0.1, elapsed);
    expect(insights.initTime[0]).to.be.within(55, elapsed);
    expect(insights.workingTime[0]).to.be.within(170, elapsed);
    expect(insights.exitTime[0]).to.be.within(35, elapsed);
    expect(insights.waitingTime[0]).to.be.within(0.01, elapsed);
    // The worker waits already when the pool has not heard yet that it is up.
    expect(insights.totalTime).to.be.within(270, elapsed + 1000);
    const { startUpRatio, initRatio, waitingRatio, workingRatio, exitRatio } = insights;
    expect(startUpRatio + initRatio + waitingRatio + workingRatio + exitRatio).to.be.closeTo(1, 1e-9);
  });

  it('have totals, means and standard deviations of the workers', async () => {
    const pool = create({ nJobs: 2 });
    const wait = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    do await Promise.all([pool.apply(wait, [50]), pool.apply(wait, [50])]);
    while (pool.getInsights().nCompletedTasks.includes(0)); // until both have started
    pool.resetInsights();
    await pool.map(wait, [100, 1300], { chunkSize: 1 });
    const insights = pool.getInsights();
    expect(insights.nCompletedTasks).to.deep.equal([1, 1]);
    for (const [key, Key] of [
      ['startUp', 'StartUp'],
      ['init', 'Init'],
      ['waiting', 'Waiting'],
      ['working', 'Working'],
      ['exit', 'Exit'],
    ] as const) {
      const [a, b] = insights[`${key}Time`] as [number, number];
      expect(insights[`total${Key}Time`]).to.be.closeTo(a + b, 1e-6);
      expect(insights[`${key}TimeMean`]).to.be.closeTo((a + b) / 2, 1e-6);
      expect(insights[`${key}TimeStd`]).to.be.closeTo(Math.abs(a - b) / 2, 1e-6);
    }
    expect(insights.workingTimeStd).to.be.above(50);
  });

  it('name the longest tasks, the longest first, with their arguments', async () => {
    const pool = create();
    // How long it really took: on a busy machine, longer than it should.
    const task = ({ ms }: { ms: number; text: string }): number => {
      const start = performance.now();
      while (performance.now() < start + ms);
      return performance.now() - start;
    };
    const values = [20, 160, 40, 120, 80, 300].map((ms) => ({ ms, text: 'x'.repeat(ms * 10) }));
    const times = await pool.map(task, values, { chunkSize: 3 });
    const { top5MaxTaskDurations: durations, top5MaxTaskArgs: args } = pool.getInsights();
    expect(durations).to.deep.equal(durations.toSorted((a, b) => b - a));
    expect(args.every((text) => text.length <= 200)).to.equal(true);
    // The worker's clock sees a little more of a call than the call does: on a busy machine, enough to change their order.
    const timeOf = new Map(times.map((time, i) => [values[i]?.ms, time]));
    for (const [i, text] of args.entries()) {
      const ms = Number(/ms: (\d+)/.exec(text)?.[1]);
      const time = timeOf.get(ms) as number;
      expect(durations[i], text).to.be.within(time - 1, time + 1000);
      timeOf.delete(ms);
    }
    const [left, ...others] = timeOf.values();
    expect(others).to.deep.equal([]);
    expect(left).to.be.at.most((durations[4] as number) + 1);
  });

  it('name all arguments of an apply', async () => {
    const pool = create();
    await pool.apply((a: number, b: { c: string }) => `${a}${b.c}`, [1, { c: 'x' }]);
    expect(pool.getInsights().top5MaxTaskArgs).to.deep.equal([`1, { c: 'x' }`]);
  });

  it('name the values among which a slow call was, where the others are quick', async () => {
    const pool = create();
    const values = Array.from({ length: 20_000 }, (_, i) => i);
    await pool.map((n: number) => {
      if (n === 15_555) for (const end = performance.now() + 1000; performance.now() < end;);
      return n;
    }, values);
    const { top5MaxTaskDurations, top5MaxTaskArgs, workingTimeP99 } = pool.getInsights();
    expect(top5MaxTaskDurations[0]).to.be.within(999, 3000);
    expect(top5MaxTaskArgs[0]).to.match(/^(?:one of .*)?\b15555\b/);
    expect(workingTimeP99).to.be.below(10);
  });

  it('have percentiles of single waits and tasks', async () => {
    const pool = create();
    // 17 of 20 take 20 ms, two 400 and one 2000: so far apart that no stall of the machine makes one look like the next.
    const values = Array.from({ length: 20 }, (_, i) => (i === 7 ? 2000 : i === 3 || i === 11 ? 400 : 20));
    await pool.map(async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)), values);
    const { workingTimeP50, workingTimeP90, workingTimeP99, waitingTimeP50, waitingTimeP90, waitingTimeP99 } =
      pool.getInsights();
    expect(workingTimeP50).to.be.within(18, 300);
    expect(workingTimeP90).to.be.within(380, 1500);
    expect(workingTimeP99).to.be.within(1900, 4000);
    expect(waitingTimeP50).to.be.above(0);
    expect(waitingTimeP50).to.be.at.most(waitingTimeP90);
    expect(waitingTimeP90).to.be.at.most(waitingTimeP99);
  });

  it('are there while a call runs, and count the wait of an idle worker up to now', async () => {
    const pool = create();
    const source = new Subject<number>();
    const ended = outcomeOf(source.pipe(parallelMap(spin, { pool })));
    source.next(1);
    source.next(2);
    await until(() => pool.getInsights().nCompletedTasks[0] === 2, 'two tasks');
    const before = pool.getInsights().totalWaitingTime;
    await delay(100);
    expect(pool.getInsights().totalWaitingTime - before).to.be.within(90, 2000);
    source.complete();
    await ended;
  });

  it('never lose a wait: neither when it ends nor when the worker leaves', async () => {
    const pool = create();
    await pool.apply(spin, [1]);
    await delay(150);
    const idle = pool.getInsights().totalWaitingTime;
    expect(idle).to.be.above(140);
    const call = pool.apply(spin, [100]);
    await delay(20);
    expect(pool.getInsights().totalWaitingTime).to.be.at.least(idle);
    await call;
    expect(pool.getInsights().totalWaitingTime).to.be.at.least(idle);
    await pool.stopAndJoin();
    expect(pool.getInsights().totalWaitingTime).to.be.at.least(idle);
  });

  it('do not count what has failed, but its time', async () => {
    const pool = create();
    const task = async (n: number): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (n === 2) throw new Error('mine');
    };
    await outcomeOf(parallelFrom([1, 2], task, { pool, chunkSize: 2 }));
    await pool.apply(() => 3);
    const { nCompletedTasks, workingTime } = pool.getInsights();
    expect(nCompletedTasks).to.deep.equal([2]);
    expect(workingTime[0]).to.be.above(90);
  });

  describe('of calls that give no result', () => {
    /** How long a worker that is there has worked, as a call ends; and how long the call took. */
    const measure = async (call: (pool: ReturnType<typeof create>) => Promise<unknown>) => {
      const pool = create();
      await pool.apply(() => 1);
      pool.resetInsights();
      const start = performance.now();
      await call(pool);
      const elapsed = performance.now() - start;
      const { workingTime, nCompletedTasks } = pool.getInsights();
      return { working: workingTime[0] as number, nCompletedTasks, elapsed };
    };
    /** Takes 100 ms, and fails where it is given something negative. */
    const task = (n: number): number => {
      for (const end = performance.now() + 100; performance.now() < end;);
      if (n < 0) throw new Error('mine');
      return n;
    };

    it('are told with them, once, where each is settled', async () => {
      for (const [values, completed] of [
        [[-1, -2, -3], 0],
        [[1, -2, 3], 2],
        [[1, 2, -3], 2],
      ] as const) {
        const settings = { settle: true, chunkSize: 3 };
        const { working, nCompletedTasks, elapsed } = await measure((pool) => pool.map(task, values, settings));
        expect(working, String(values)).to.be.within(299, elapsed);
        expect(nCompletedTasks).to.deep.equal([completed]);
      }
    });

    it('are told with the error that ends a call', async () => {
      const { working, nCompletedTasks, elapsed } = await measure((pool) => rejection(pool.map(task, [-1])));
      expect(working).to.be.within(99, elapsed);
      expect(nCompletedTasks).to.deep.equal([0]);
      const merged = await measure((pool) =>
        outcomeOf(
          of(-1).pipe(
            parallelMergeMap(
              function* (): Generator<number> {
                for (const end = performance.now() + 100; performance.now() < end;);
                yield 1;
                throw new Error('mine');
              },
              { pool },
            ),
          ),
        ),
      );
      expect(merged.working).to.be.within(99, merged.elapsed);
    });

    it('are told where a result cannot be sent, as are those of its batch', async () => {
      const quick = (n: number): unknown => {
        if (n === 0) for (const end = performance.now() + 100; performance.now() < end;);
        return n < 0 ? () => n : n;
      };
      const settle = { settle: true, chunkSize: 4 };
      const settled = await measure((pool) => pool.map(quick, [1, -2, 3, 0], settle));
      expect(settled.working).to.be.within(99, settled.elapsed);
      expect(settled.nCompletedTasks).to.deep.equal([3]);
      const failed = await measure((pool) => rejection(pool.map(quick, [0, -1], { chunkSize: 2 })));
      expect(failed.working).to.be.within(99, failed.elapsed);
    });

    it('are told where they were cancelled, and have ended by themselves', async () => {
      const pool = create();
      await pool.apply(() => 1);
      pool.resetInsights();
      const controller = new AbortController();
      const call = pool.apply(
        async (context: TaskContext) => {
          for (const end = performance.now() + 100; performance.now() < end;);
          context.progress('begun');
          await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        },
        [],
        { signal: controller.signal, onProgress: () => controller.abort(), cancelTimeout: 60_000 },
      );
      await rejection(call);
      await until(() => pool.getInsights().totalWorkingTime > 99, 'the time of the cancelled call');
    });
  });

  it('measure calls of parallelMergeMap until their last value', async () => {
    const pool = create();
    const task = async function* (n: number): AsyncGenerator<number> {
      yield n;
      await new Promise((resolve) => setTimeout(resolve, 60));
      yield n;
    };
    await outcomeOf(of(1, 2).pipe(parallelMergeMap(task, { pool })));
    const { nCompletedTasks, workingTimeP50 } = pool.getInsights();
    expect(nCompletedTasks).to.deep.equal([2]);
    expect(workingTimeP50).to.be.within(55, 2000);
  });

  it('begin anew when they are reset, also while workers wait', async () => {
    const pool = create();
    await pool.map(spin, [30, 40]);
    await delay(50);
    const resetAt = performance.now();
    pool.resetInsights();
    const empty = pool.getInsights();
    expect(empty.nCompletedTasks).to.deep.equal([0]);
    expect(empty.totalWorkingTime).to.equal(0);
    expect(empty.totalStartUpTime).to.equal(0);
    expect(empty.totalWaitingTime).to.be.at.most(performance.now() - resetAt);
    expect(empty.top5MaxTaskArgs).to.deep.equal([]);
    expect(empty.bytesSent).to.deep.equal(isProcess ? [0] : undefined);
    await pool.map(spin, [5]);
    const { nCompletedTasks, top5MaxTaskArgs, totalWaitingTime, workerRestarts } = pool.getInsights();
    expect(nCompletedTasks).to.deep.equal([1]);
    expect(top5MaxTaskArgs).to.deep.equal(['5']);
    expect(totalWaitingTime).to.be.at.most(performance.now() - resetAt);
    expect(workerRestarts).to.deep.equal([0]);
  });

  it('count the workers that took the place of others', async () => {
    const pool = create();
    await pool.apply(spin, [1]);
    for (let i = 0; i < 2; i++) {
      await pool.apply(() => new Promise(() => process.exit(3))).catch(() => undefined);
      await pool.apply(spin, [1]);
    }
    const { workerRestarts, nCompletedTasks } = pool.getInsights();
    expect(workerRestarts).to.deep.equal([2]);
    expect(nCompletedTasks).to.deep.equal([3]);
  });

  it('count bytes where workers are processes', async () => {
    const pool = create();
    const bytes = new Uint8Array(100_000);
    await pool.apply((given: Uint8Array) => given.subarray(0, 50_000).slice(), [bytes]);
    await pool.stopAndJoin();
    await pool.apply((given: Uint8Array) => given.length, [bytes]);
    const { bytesSent, bytesReceived } = pool.getInsights();
    if (isProcess) {
      expect(bytesSent?.[0]).to.be.within(200_000, 210_000);
      expect(bytesReceived?.[0]).to.be.within(50_000, 60_000);
    } else {
      expect(bytesSent).to.equal(undefined);
      expect(bytesReceived).to.equal(undefined);
    }
  });

  it('say how much memory a worker uses', async () => {
    const pool = create();
    await pool.apply(({ state }: TaskContext<{ kept?: Uint8Array }>) => {
      state.kept = new Uint8Array(50_000_000).fill(1);
    });
    await delay(150); // memory is looked at now and then
    await pool.apply(() => 1);
    expect(pool.getInsights().memory[0]).to.be.within(50_000_000, 400_000_000);
  });

  it('are printed as tables', async () => {
    const pool = create({ nJobs: 2 });
    await pool.map((name: string) => name, ['first', 'second']);
    const written: string[] = [];
    pool.printInsights({ write: (text) => written.push(text) });
    const text = written.join('');
    expect(text).to.match(/^2 tasks by 2 workers\n/);
    for (const word of ['start-up', 'init', 'waiting', 'working', 'exit', 'p99', 'restarts', 'memory', `'second'`]) {
      expect(text).to.contain(word);
    }
    expect(text.includes('received')).to.equal(isProcess);
    expect(text).to.match(/\n$/);
  });

  it('are printed with a line for each of the longest tasks, whatever that was given', async () => {
    const pool = create();
    const values = [
      Array.from({ length: 30 }, (_, i) => i),
      { list: Array.from({ length: 9 }, () => 'some words'), map: new Map([['key', { deep: ['x'.repeat(100)] }]]) },
      new Error('of\r\nseveral\n  lines'),
      'a\nb',
      Object.assign([1], { 'a\u001b[2Jkey': 1 }),
    ];
    await pool.map(() => 1, values, { chunkSize: 1 });
    const { top5MaxTaskArgs } = pool.getInsights();
    expect(top5MaxTaskArgs).to.have.length(5);
    // eslint-disable-next-line no-control-regex
    for (const text of top5MaxTaskArgs) expect(text).to.match(/^[^\u0000-\u001f]{1,200}$/);
    expect(top5MaxTaskArgs).to.include('[ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... 20 more items ]');
    expect(top5MaxTaskArgs.some((text) => text.startsWith('Error: of several lines at '))).to.equal(true);
    let text = '';
    pool.printInsights({ write: (part) => (text += part) });
    expect(text.split('longest tasks\n')[1]?.trimEnd().split('\n')).to.have.length(5);
  });

  it('say of what was moved that it was', async () => {
    const pool = create();
    const size = (value: Float64Array | { data: { buffer: ArrayBuffer } } | number): number =>
      typeof value === 'number' ? value : value instanceof Float64Array ? value.length : value.data.buffer.byteLength;
    const values = [new Float64Array(2), { data: { buffer: new ArrayBuffer(3) } }, 4];
    const transferInput = (value: (typeof values)[number]): ArrayBuffer[] =>
      typeof value === 'number'
        ? []
        : [value instanceof Float64Array ? (value.buffer as ArrayBuffer) : value.data.buffer];
    expect(await pool.map(size, values, { transferInput, chunkSize: 3 })).to.deep.equal([2, 3, 4]);
    const isOneOf = ({ top5MaxTaskArgs }: Insights): string =>
      top5MaxTaskArgs.flatMap((text) => text.replace('one of ', '').split(' | ')).join('\n');
    const told = isOneOf(pool.getInsights());
    if (isProcess) {
      expect(told).to.contain('Float64Array(2) [ 0, 0 ]').and.not.contain('moved');
    } else {
      expect(told).to.match(/^Float64Array \(moved\)$/m);
      expect(told).to.match(/^\{ data: .* \} \(moved\)$/m);
      expect(told).to.match(/^4$/m);
    }
  });

  it('are not there where they were not asked for', async () => {
    for (const insights of [undefined, false]) {
      const pool = create({ insights });
      await pool.apply(spin, [1]);
      for (const method of ['getInsights', 'resetInsights', 'printInsights'] as const) {
        expect(() => pool[method]()).to.throw(Error, `${method}: this pool measures nothing.`);
      }
    }
  });

  describe('onInsights', () => {
    const options = { nJobs: 1, startMethod };

    it('is called once, between the last value and the end of a subscription', async () => {
      const events: unknown[] = [];
      const onInsights = ({ nCompletedTasks, exitTime }: Insights): number =>
        events.push([nCompletedTasks, exitTime[0]! > 15]);
      const observable = from([1, 2]).pipe(
        parallelMap((n: number) => n, {
          ...options,
          onInsights,
          workerExit: async () => new Promise((resolve) => setTimeout(resolve, 20)),
        }),
      );
      await new Promise<void>((resolve, reject) => {
        observable.subscribe({
          next: (value) => events.push(value),
          error: reject,
          complete: () => {
            events.push('complete');
            resolve();
          },
        });
      });
      expect(events).to.deep.equal([1, 2, [[2], true], 'complete']);
    });

    it('is called before an error, and not when the Observable is unsubscribed from', async () => {
      const seen: number[][] = [];
      const onInsights = ({ nCompletedTasks }: Insights): number => seen.push(nCompletedTasks);
      const failed = await outcomeOf(throwError(() => 'source').pipe(parallelMap(spin, { ...options, onInsights })));
      expect(failed).to.include({ end: 'error', error: 'source' });
      expect(seen).to.deep.equal([[0]]);
      NEVER.pipe(parallelMap(spin, { ...options, onInsights }))
        .subscribe()
        .unsubscribe();
      expect(seen).to.have.length(1);
    });

    it('is called before the error of a signal that has fired already', async () => {
      const seen: number[][] = [];
      const onInsights = ({ nCompletedTasks }: Insights): number => seen.push(nCompletedTasks);
      const signal = AbortSignal.abort('fired');
      const aborted = await outcomeOf(of(1).pipe(parallelMap(spin, { ...options, onInsights, signal })));
      expect(aborted).to.deep.equal({ values: [], end: 'error', error: 'fired' });
      expect(seen).to.deep.equal([[0]]);
    });

    it('is called again and again while the Observable runs, with `every`', async () => {
      const counts: number[] = [];
      const source = new Subject<number>();
      const onInsights = ({ nCompletedTasks }: Insights): void => {
        if (counts.push(sum(nCompletedTasks)) < 5) source.next(counts.length);
        else source.complete();
      };
      const every = { ...options, insights: { every: 20 }, onInsights };
      await outcomeOf(source.pipe(parallelMap(spin, every)));
      expect(counts.length).to.be.above(5);
      expect(counts.at(-1)).to.equal(4);
      expect(counts).to.deep.equal([...counts].sort((a, b) => a - b));
      const { length } = counts;
      await delay(60);
      expect(counts).to.have.length(length);
    });

    it('may throw: that is the error of the Observable', async () => {
      const onInsights = (): never => {
        throw new Error('mine');
      };
      const ended = await outcomeOf(of(1).pipe(parallelMap(spin, { ...options, onInsights })));
      expect(ended.values).to.deep.equal([1]);
      expect(ended.error).to.have.property('message', 'mine');
      const every = { ...options, insights: { every: 5 }, onInsights };
      const { error } = await outcomeOf(NEVER.pipe(parallelMap(spin, every)));
      expect(error).to.have.property('message', 'mine');
    });

    it('gets those of the whole pool, where one is given', async () => {
      const pool = create();
      await pool.map(spin, [1, 1, 1]);
      const seen: number[][] = [];
      const onInsights = ({ nCompletedTasks }: Insights): number => seen.push(nCompletedTasks);
      await outcomeOf(of(1).pipe(parallelMap(spin, { pool, onInsights })));
      expect(seen).to.deep.equal([[4]]);
    });

    it('needs a pool that measures', () => {
      const pool = create({ insights: false });
      const onInsights = (): void => undefined;
      expect(() => parallelMap(spin, { pool, onInsights })).to.throw(
        TypeError,
        'parallelMap: option "onInsights" needs a pool that measures',
      );
      expect(() => parallelMap(spin, { insights: false, onInsights })).to.throw(
        TypeError,
        'parallelMap: option "onInsights" cannot be given together with "insights: false".',
      );
    });
  });
});
