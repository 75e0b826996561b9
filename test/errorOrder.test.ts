// Which error comes, after which values, and what is not started any more.
import { expect } from 'chai';
import { concat, from, NEVER, range, Subject } from 'rxjs';
import type { TaskContext } from 'rxjs-parallel-map';
import { parallelFrom, parallelMap, WorkerPool } from './support/library.js';
import { passGate, useGates, type Gated } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { runScript } from './support/runProgram.js';
import { rejection } from './support/rejection.js';
import { describeEach } from './support/startMethods.js';
import { until } from './support/until.js';
import { trackWorkers } from './support/workers.js';

describeEach.of(['threading', 'forkserver'], 'errors and order', ({ name: startMethod }) => {
  const workers = trackWorkers();
  const gates = useGates();
  const options = { nJobs: 3, startMethod };

  it('ordered: the values with a smaller index come first, though they finish later', async () => {
    const source = from([gates().value('a'), gates().value('b'), gates().value('c', { fails: 'c' })]);
    const outcome = outcomeOf(source.pipe(parallelMap(passGate, options)));
    await gates().haveStarted('a', 'b', 'c');
    for (const name of ['c', 'b', 'a']) {
      gates().open(name);
      await gates().hasSaid(`end ${name}`);
    }
    const { values, error } = await outcome;
    expect(values).to.deep.equal(['a', 'b']);
    expect(error).to.include({ message: 'c', index: 2 });
  });

  it('ordered: the failure with the smallest index wins, though it comes last', async () => {
    const source = from(['a', 'b', 'c'].map((name) => gates().value(name, name === 'a' ? {} : { fails: name })));
    const outcome = outcomeOf(source.pipe(parallelMap(passGate, options)));
    await gates().haveStarted('a', 'b', 'c');
    gates().open('c');
    await gates().hasSaid('end c');
    gates().open('b');
    await gates().hasSaid('end b');
    gates().open('a');
    const { values, error } = await outcome;
    expect(values).to.deep.equal(['a']);
    expect(error).to.include({ message: 'b', index: 1 });
  });

  it('unordered: the first error in time ends it at once, and ends what runs', async () => {
    const values = ['a', 'b', 'c'].map((name) => gates().value(name, name === 'c' ? { fails: 'c' } : {}));
    const outcome = outcomeOf(concat(from(values), NEVER).pipe(parallelMap(passGate, { ...options, ordered: false })));
    await gates().haveStarted('a', 'b', 'c');
    gates().open('c');
    const { values: results, error } = await outcome;
    expect(results).to.deep.equal([]);
    expect(error).to.include({ message: 'c', index: 2 });
    await workers.ended();
    expect(gates().log).to.not.include.members(['end a', 'end b']);
  });

  it('ordered: no value with a larger index is started once an error is known', async () => {
    const source = new Subject<Gated>();
    const outcome = outcomeOf(source.pipe(parallelMap(passGate, { ...options, nJobs: 2 })));
    source.next(gates().value('a'));
    source.next(gates().value('b', { fails: 'b' }));
    source.next(gates().value('c'));
    await gates().haveStarted('a', 'b');
    gates().open('b');
    await gates().hasSaid('end b');
    // The source is let go when the error is known here.
    await until(() => !source.observed, 'the source is let go');
    source.next(gates().value('d'));
    gates().open('a');
    const { values, error } = await outcome;
    expect(values).to.deep.equal(['a']);
    expect(error).to.include({ message: 'b' });
    expect(gates().started).to.deep.equal(['a', 'b']);
  });

  it('ordered: an error cancels the tasks behind it, not those before it', async () => {
    const values = [gates().value('a'), gates().value('b', { fails: 'b' }), gates().value('c')];
    const outcome = outcomeOf(from(values).pipe(parallelMap(passGate, options)));
    await gates().haveStarted('a', 'b', 'c');
    gates().open('b');
    await gates().hasSaid('abort c');
    expect(gates().log).to.not.include('abort a');
    gates().open('a');
    expect((await outcome).values).to.deep.equal(['a']);
  });

  it('ordered: the failure with the smallest index wins, also where it comes first', async () => {
    const values = [gates().value('a'), gates().value('b', { fails: 'b' }), gates().value('c', { fails: 'c' })];
    const pool = new WorkerPool({ ...options, keepAlive: true });
    const outcome = outcomeOf(from(values).pipe(parallelMap(passGate, { pool, cancelTimeout: Infinity })));
    await gates().haveStarted('a', 'b', 'c');
    gates().open('b');
    await gates().hasSaid('abort c');
    gates().open('c');
    await gates().hasSaid('end c');
    await pool.map((n: number) => n, [1]); // who answers has told of its failure before
    gates().open('a');
    const { values: results, error } = await outcome;
    await pool.terminate();
    expect(results).to.deep.equal(['a']);
    expect(error).to.include({ message: 'b', index: 1 });
  });

  for (const chunkSize of [1, 10, 1000, undefined]) {
    it(`ordered: exactly what map would give, in chunks of ${chunkSize ?? 'adaptive size'}`, async () => {
      const task = (n: number): number => {
        if (n === 137 || n === 138 || n === 500) throw new RangeError(`failed at ${n}`);
        return n;
      };
      const expected = Array.from({ length: 137 }, (_, n) => n);
      const pushed = await outcomeOf(range(0, 1000).pipe(parallelMap(task, { ...options, chunkSize })));
      const pulled = await outcomeOf(
        parallelFrom(
          Array.from({ length: 1000 }, (_, n) => n),
          task,
          { ...options, chunkSize },
        ),
      );
      for (const { values, error } of [pushed, pulled]) {
        expect(values).to.deep.equal(expected);
        expect(error).to.be.instanceOf(RangeError).and.include({ message: 'failed at 137', index: 137 });
      }
    });
  }

  it('ordered: what follows the failing value in its chunk is not started', async () => {
    const task = async ({ dir, name, fails }: Gated): Promise<string> => {
      const { appendFileSync } = await import('node:fs');
      appendFileSync(`${dir}/log`, `start ${name}\n`);
      if (fails !== undefined) throw new Error(fails);
      return name;
    };
    const values = ['a', 'b', 'c', 'd'].map((name) => gates().value(name, name === 'b' ? { fails: 'b' } : {}));
    const { values: results } = await outcomeOf(
      from(values).pipe(parallelMap(task, { ...options, nJobs: 1, chunkSize: 4 })),
    );
    expect(results).to.deep.equal(['a']);
    expect(gates().started).to.deep.equal(['a', 'b']);
  });

  it('ordered: nor is what came back from a dead worker, with a larger index', async () => {
    await using pool = new WorkerPool({ nJobs: 2, startMethod });
    const task = async (value: Gated, context: TaskContext): Promise<string> => {
      const { existsSync, writeFileSync } = await import('node:fs');
      if (value.name !== '2' || existsSync(`${value.dir}/died`)) return passGate(value, context);
      writeFileSync(`${value.dir}/died`, '');
      process.exit(1);
    };
    const values = [0, 1, 2, 3, 4, 5].map((n) => gates().value(n, n === 2 ? { fails: 'no' } : {}));
    for (const n of [1, 2, 3, 4, 5]) gates().open(n);
    const options = { chunkSize: 2, workerDeathRetries: 1, captures: { passGate } };
    const call = rejection(pool.map(task, values, options));
    await gates().hasSaid('end 2'); // its worker has died of it before
    expect(await pool.apply((n: number) => n, [1])).to.equal(1); // which that worker does, for it has nothing else to do
    gates().open(0);
    expect(await call).to.have.property('message', 'no');
    expect(gates().started).to.deep.equal(['0', '1', '2']);
  });

  it('an error is told once, and neither completion nor values follow it', async () => {
    const heard: string[] = [];
    const source = new Subject<number>();
    const task = (n: number): number => {
      throw new Error(`task ${n}`);
    };
    await new Promise<void>((resolve) => {
      source.pipe(parallelMap(task, options)).subscribe({
        next: () => heard.push('next'),
        error(error: Error) {
          heard.push(error.message);
          source.next(9);
          source.complete();
          resolve();
        },
        complete: () => heard.push('complete'),
      });
      for (const n of [0, 1, 2]) source.next(n);
    });
    await workers.ended();
    expect(heard).to.deep.equal(['task 0']);
  });

  it('several failures make no unhandled rejection and no noise', async () => {
    const end = await runScript(`
      process.on('unhandledRejection', () => console.log('unhandled rejection'));
      process.on('uncaughtException', () => console.log('uncaught exception'));
      const fail = async (n) => { await new Promise((resolve) => setTimeout(resolve, n)); throw new Error('task ' + n); };
      for (const ordered of [true, false]) {
        rxjs.of(5, 6, 7, 8, 9, 10).pipe(parallelMap(fail, { nJobs: 3, ordered, startMethod: '${startMethod}' }))
          .subscribe({ error: (error) => console.log(error.message) });
      }
    `);
    expect(end.stdout.split('\n').filter(Boolean)).to.have.length(2);
    expect(end.stdout)
      .to.match(/^task \d+\ntask \d+\n$/)
      .and.to.include('task 5');
    expect({ code: end.code, stderr: end.stderr }).to.deep.equal({ code: 0, stderr: '' });
  });
});
