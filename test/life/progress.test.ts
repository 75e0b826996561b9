// What a running task reports: `context.progress` there, `onProgress` here.
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from 'chai';
import { from, of, range } from 'rxjs';
import type { TaskContext, TaskProgress, WorkerPool } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, parallelMergeMap, transfer, UnserializableError } from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { passGate, useGates, type Gated } from '../support/gates.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { until } from '../support/until.js';
import { trackWorkers } from '../support/workers.js';

/** Reports that it starts, that it is halfway, and that it is done; asynchronous for odd numbers. */
const report = (n: number, { progress }: TaskContext): number | Promise<number> => {
  progress(`start ${n}`);
  if (n % 2 === 0) {
    progress(`end ${n}`);
    return n;
  }
  return new Promise((resolve) => {
    setTimeout(() => {
      progress(`end ${n}`);
      resolve(n);
    }, 2);
  });
};

describeEach.of(['threading', 'fork'], 'progress', ({ name: startMethod, sharesMemory }) => {
  afterEach(endPools);
  trackWorkers(); // which looks when the pools have ended
  const gates = useGates();

  const numbers = Array.from({ length: 20 }, (_, n) => n);
  type Listener = (progress: TaskProgress<string>) => void;
  const ways: Record<string, (pool: WorkerPool, onProgress: Listener, hear: (n: number) => void) => Promise<unknown>> =
    {
      map: async (pool, onProgress, hear) => (await pool.map(report, numbers, { onProgress })).forEach(hear),
      imapUnordered: async (pool, onProgress, hear) => {
        for await (const n of pool.imapUnordered(report, numbers, { onProgress })) hear(n);
      },
      'map in chunks of 5': async (pool, onProgress, hear) =>
        (await pool.map(report, numbers, { onProgress, chunkSize: 5 })).forEach(hear),
      apply: async (pool, onProgress, hear) => {
        hear(await pool.apply(report, [1], { onProgress }));
      },
      parallelMap: (pool, onProgress, hear) =>
        from(numbers).pipe(parallelMap(report, { pool, onProgress })).forEach(hear),
      'parallelMap, ordered: false': (pool, onProgress, hear) =>
        from(numbers)
          .pipe(parallelMap(report, { pool, onProgress, ordered: false }))
          .forEach(hear),
      parallelFrom: (pool, onProgress, hear) => parallelFrom(numbers, report, { pool, onProgress }).forEach(hear),
    };
  for (const [way, run] of Object.entries(ways)) {
    it(`is heard before the result of its task, in its order: ${way}`, async () => {
      const heard: string[] = [];
      const pool = createPool({ nJobs: 2, startMethod });
      const inputs = way === 'apply' ? [1] : numbers;
      const listener: Listener = ({ index, workerId, value }) => {
        heard.push(value);
        expect(value).to.match(new RegExp(` ${inputs[index]}$`));
        expect(workerId).to.be.within(0, 1);
      };
      await run(pool, listener, (n) => heard.push(`result ${n}`));
      expect(heard).to.have.length(3 * inputs.length);
      for (const n of inputs) {
        const places = [`start ${n}`, `end ${n}`, `result ${n}`].map((text) => heard.indexOf(text));
        expect(places)
          .to.deep.equal([...places].sort((a, b) => a - b))
          .and.to.not.include(-1);
      }
    });
  }

  it('is heard while the task runs, also one that keeps its thread', async () => {
    const task = async (flag: string, { progress }: TaskContext) => {
      const { existsSync } = await import('node:fs');
      progress('here');
      while (!existsSync(flag));
      return 'through';
    };
    const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const dir = mkdtempSync(`${tmpdir()}/progress-`);
    const pool = createPool({ nJobs: 1, startMethod });
    // The task ends only when its report was heard.
    const onProgress = (): void => writeFileSync(`${dir}/flag`, '');
    expect(await pool.apply(task, [`${dir}/flag`], { onProgress })).to.equal('through');
    rmSync(dir, { recursive: true });
  });

  it('is anything that can be cloned, and what is transferred moves', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const heard: unknown[] = [];
    const task = (_: number, { progress }: TaskContext) => {
      progress(undefined);
      progress({ at: new Map([[1, new Date(0)]]) });
    };
    await pool.apply(task, [0], { onProgress: (progress) => heard.push(progress) });
    expect(heard).to.deep.equal([
      { index: 0, workerId: 0, value: undefined },
      { index: 0, workerId: 0, value: { at: new Map([[1, new Date(0)]]) } },
    ]);
    if (!sharesMemory) return;
    const library = new URL(import.meta.resolve('rxjs-parallel-map')).href;
    const move = async (url: string, { progress }: TaskContext) => {
      const { transfer: move } = (await import(url)) as { transfer: typeof transfer };
      const bytes = new Uint8Array([1, 2]);
      progress(move(bytes, [bytes.buffer]));
      return bytes.length;
    };
    const sizes: number[] = [];
    const left = await pool.apply(move, [library], {
      onProgress: ({ value }) => sizes.push((value as Uint8Array).length),
    });
    expect([left, sizes]).to.deep.equal([0, [2]]);
  });

  it('that cannot be cloned throws an UnserializableError in the task', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const careful = (_: number, { progress }: TaskContext) => {
      try {
        progress({ user: { greet: () => 1 } });
        return undefined;
      } catch (error) {
        const { name, path, index, direction } = error as UnserializableError;
        return { name, path, index, direction };
      }
    };
    const onProgress = (): void => undefined;
    expect(await pool.map(careful, [0, 1], { onProgress })).to.deep.equal(
      [0, 1].map((index) => ({ name: 'UnserializableError', path: 'value.user.greet', index, direction: 'progress' })),
    );
    const careless = (_: number, { progress }: TaskContext) => progress(Symbol('no'));
    const error = await rejection(pool.map(careless, [0], { onProgress }));
    expect(error)
      .to.be.instanceOf(UnserializableError)
      .and.to.include({ direction: 'progress', path: 'value', index: 0 });
    expect(error.message).to.include('The progress of the value with index 0 cannot be sent');
  });

  it('does nothing where nobody listens', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const careless = (n: number, { progress }: TaskContext) => {
      progress(() => n);
      return n;
    };
    expect(await pool.map(careless, [1, 2])).to.deep.equal([1, 2]);
  });

  it('is not heard after the result of its task', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const late = async (n: number, { progress }: TaskContext) => {
      const { setImmediate: turn } = await import('node:timers/promises');
      if (n === 0) void turn().then(() => progress('late'));
      else for (let i = 0; i < 10; i++) await turn();
      progress(`in time ${n}`);
      return n;
    };
    const heard: unknown[] = [];
    await pool.map(late, [0, 1], { chunkSize: 2, onProgress: ({ value }) => heard.push(value) });
    expect(heard).to.deep.equal(['in time 0', 'in time 1']);
  });

  it('is not heard after unsubscribing, also in the report itself', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const always = (n: number, { progress, signal }: TaskContext) =>
      new Promise<number>((resolve) => {
        const timer = setInterval(() => progress(n), 1);
        signal.addEventListener('abort', () => {
          clearInterval(timer);
          resolve(n);
        });
      });
    const heard: unknown[] = [];
    await new Promise<void>((resolve) => {
      const subscription = of(1, 2)
        .pipe(
          parallelMap(always, {
            pool,
            onProgress: ({ value }) => {
              heard.push(value);
              if (heard.length < 5) return;
              subscription.unsubscribe();
              setTimeout(resolve, 50);
            },
          }),
        )
        .subscribe();
    });
    expect(heard).to.have.length(5);
  });

  it('is not heard of values behind one that has failed', async () => {
    const pool = createPool({ nJobs: 3, startMethod });
    const report = async (value: Gated, context: TaskContext) => {
      const { existsSync: exists } = await import('node:fs');
      context.progress('begins');
      if (value.name !== 'fails')
        while (!exists(`${value.dir}/go ${value.name}.open`)) await new Promise((resolve) => setTimeout(resolve, 2));
      context.progress('ends');
      return passGate(value, context);
    };
    const values = [gates().value(0), gates().value('fails', { fails: 'no' }), gates().value(2)];
    const heard: string[] = [];
    const call = rejection(
      pool.map(report, values, { chunkSize: 1, onProgress: ({ index, value }) => heard.push(`${index} ${value}`) }),
    );
    await until(() => heard.filter((line) => line.endsWith('begins')).length === 3, 'the begin of all');
    gates().open('fails');
    await gates().hasSaid('end fails');
    await pool.apply(() => 0); // by now the pool has heard of the failure: its worker does something else
    gates().open('go 2');
    await gates().hasSaid('start 2'); // after its second report
    await pool.apply(() => 0);
    gates().open('go 0');
    gates().openAll();
    expect(await call).to.have.property('message', 'no');
    expect(heard).to.include('0 ends').and.to.not.include('2 ends');
  });

  it('of parallelMergeMap comes between what the call gives', async () => {
    const give = function* (n: number, { progress }: TaskContext) {
      progress(`before ${n}`);
      yield n;
      progress(`after ${n}`);
    };
    const heard: unknown[] = [];
    const onProgress = ({ value }: TaskProgress<string>) => void heard.push(value);
    const source = range(0, 3).pipe(parallelMergeMap(give, { nJobs: 2, startMethod, onProgress }));
    const { values, end } = await outcomeOf(source);
    expect([values, end]).to.deep.equal([[0, 1, 2], 'complete']);
    expect(heard).to.have.members([0, 1, 2].flatMap((n) => [`before ${n}`, `after ${n}`]));
  });

  it('that makes its listener throw ends the call with that error', async () => {
    const failure = new Error('listener');
    const onProgress = () => {
      throw failure;
    };
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await rejection(pool.map(report, [0, 1, 2], { onProgress }))).to.equal(failure);
    const source = range(0, 3).pipe(parallelMap(report, { nJobs: 1, startMethod, onProgress }));
    expect(await outcomeOf(source)).to.deep.equal({ values: [], end: 'error', error: failure });
  });

  it('is heard in the async context of whoever has made the call', async () => {
    const storage = new AsyncLocalStorage<string>();
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const heard: unknown[] = [];
    const onProgress = () => heard.push(storage.getStore());
    for (const name of ['first', 'second']) {
      await storage.run(name, () => pool.apply(report, [0], { onProgress }));
    }
    expect(heard).to.deep.equal(['first', 'first', 'second', 'second']);
  });

  it('does not keep the values behind a call from an idle worker', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const task = (ms: number, { progress }: TaskContext) => {
      if (ms === 0) return 0;
      return new Promise<number>((resolve) => {
        const timer = setInterval(() => progress(ms), 2);
        setTimeout(() => {
          clearInterval(timer);
          resolve(ms);
        }, ms);
      });
    };
    const onProgress = () => undefined;
    await pool.map(task, new Array<number>(30_000).fill(0), { onProgress });
    const results = await pool.mapUnordered(task, [2000, 0, 0, 0, 0, 0, 0, 0], { onProgress });
    expect(results.at(-1)).to.equal(2000);
  });
});
