// Calls of `parallelMergeMap` that never end: they are made to wait, and stopped.
import { existsSync, statSync } from 'node:fs';
import { expect } from 'chai';
import { from, of, take } from 'rxjs';
import type { TaskContext } from 'rxjs-parallel-map';
import { parallelMergeMap, WorkerPool } from './support/library.js';
import { passGate, useGates, type Gated } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { trackWorkers } from './support/workers.js';

describeEach.of(['threading', 'fork'], 'parallelMergeMap with endless calls', ({ name: startMethod }) => {
  const workers = trackWorkers();
  const gates = useGates();
  const options = { nJobs: 2, startMethod };

  it('stops an endless generator with take, sync and async', async () => {
    const endless = function* () {
      for (let n = 0; ; n++) yield n;
    };
    const endlessAsync = async function* () {
      for (let n = 0; ; n++) yield n;
    };
    for (const task of [endless, endlessAsync]) {
      const { values } = await outcomeOf(
        of(0).pipe(parallelMergeMap(task as () => Iterable<number>, options), take(5000)),
      );
      expect(values).to.deep.equal(Array.from({ length: 5000 }, (_, n) => n));
      await workers.ended();
    }
  });

  for (const kind of ['a generator', 'an async generator']) {
    it(`bounds how far ${kind} gets whose turn has not come`, async () => {
      const { dir } = gates().value('');
      const task = async ({ path, index, async }: { path: string; index: number; async: boolean }) => {
        const fs = await import('node:fs');
        if (index === 0) {
          while (!fs.existsSync(`${path}/0.open`)) await new Promise((resolve) => setTimeout(resolve, 2));
          return [];
        }
        const tell = (n: number) => {
          if (n % 100 === 0) fs.appendFileSync(`${path}/far`, '.');
          return n;
        };
        return async
          ? (async function* () {
              for (let n = 0; ; n++) yield tell(n);
            })()
          : (function* () {
              for (let n = 0; ; n++) yield tell(n);
            })();
      };
      const far = (): number => (existsSync(`${dir}/far`) ? 100 * statSync(`${dir}/far`).size : -1);
      const source = from([0, 1].map((index) => ({ path: dir, index, async: kind === 'an async generator' })));
      const values: unknown[] = [];
      const done = new Promise<void>((resolve, reject) => {
        source.pipe(parallelMergeMap(task, options), take(20_000)).subscribe({
          next: (value) => values.push(value),
          error: reject,
          complete: resolve,
        });
      });
      // Until it has come to rest.
      let before: number;
      do {
        before = far();
        await new Promise((resolve) => setTimeout(resolve, 300));
      } while (far() !== before || before < 0);
      expect(before).to.be.below(6 * 1024);
      gates().open(0);
      await done; // it goes on from there
      expect(values).to.deep.equal(Array.from({ length: 20_000 }, (_, n) => n));
    });
  }

  it('ends a cancelled call that has not given its generator yet, and the pool goes on', async () => {
    const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
    try {
      const task = async (value: Gated, context: TaskContext) => {
        await passGate(value, context);
        return (function* () {
          for (let n = 0; ; n++) yield n;
        })();
      };
      const options = { pool, cancelTimeout: Infinity, captures: { passGate } };
      const subscription = of(gates().value('a')).pipe(parallelMergeMap(task, options)).subscribe();
      await gates().haveStarted('a');
      subscription.unsubscribe();
      await gates().hasSaid('abort a');
      gates().open('a');
      expect(await pool.apply((n: number) => n, [1])).to.equal(1);
      expect(workers.started).to.equal(1);
    } finally {
      await pool.terminate();
    }
  });

  it('lets the generator clean up when nobody wants its values, on a pool that goes on', async () => {
    const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
    try {
      const task = async function* ({ dir, name }: { dir: string; name: string }) {
        const { appendFileSync } = await import('node:fs');
        try {
          for (let n = 0; ; n++) {
            yield n;
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        } finally {
          appendFileSync(`${dir}/log`, `cleaned ${name}\n`);
        }
      };
      const result = of(gates().value('a')).pipe(parallelMergeMap(task, { pool, cancelTimeout: Infinity }), take(3));
      expect((await outcomeOf(result)).values).to.deep.equal([0, 1, 2]);
      await gates().hasSaid('cleaned a');
      const synchronous = async ({ dir, name }: { dir: string; name: string }) => {
        const { appendFileSync } = await import('node:fs');
        return (function* () {
          try {
            for (let n = 0; ; n++) yield n;
          } finally {
            appendFileSync(`${dir}/log`, `cleaned ${name}\n`);
          }
        })();
      };
      const observable = async ({ dir, name }: { dir: string; name: string }) => {
        const { appendFileSync } = await import('node:fs');
        const { finalize, interval } = await import('rxjs');
        return interval(5).pipe(finalize(() => appendFileSync(`${dir}/log`, `cleaned ${name}\n`)));
      };
      for (const [name, other] of Object.entries({ b: synchronous, c: observable as never })) {
        const its = of(gates().value(name)).pipe(parallelMergeMap(other, { pool, cancelTimeout: Infinity }), take(3));
        expect((await outcomeOf(its)).values).to.deep.equal([0, 1, 2]);
        await gates().hasSaid(`cleaned ${name}`);
      }
      expect(await pool.apply((n: number) => n, [1])).to.equal(1);
      expect(workers.started).to.equal(1);
    } finally {
      await pool.terminate();
    }
  });
});
