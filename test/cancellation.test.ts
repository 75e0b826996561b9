// Workers end when nobody listens any more, whatever they are doing. That they are killed in that same moment, without any time in between,
// is in unit/core/ends.test.ts: how long the system then takes is not the library's.
import { expect } from 'chai';
import { concat, from, NEVER, of, range, switchMap, throwError } from 'rxjs';
import { parallelFrom, parallelMap, parallelMergeMap } from './support/library.js';
import { loopForever, passGate, useGates, type Gated } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { runScript } from './support/runProgram.js';
import { describeEach } from './support/startMethods.js';
import { until } from './support/until.js';
import { trackWorkers } from './support/workers.js';

describeEach('cancellation', ({ name: startMethod, isProcess }) => {
  const workers = trackWorkers();
  const gates = useGates();
  const options = { nJobs: 3, startMethod };
  /** Three that are worked on, and one that waits. */
  const looping = () => concat(from(['a', 'b', 'c', 'd'].map((name) => gates().value(name))), NEVER);

  it('unsubscribing ends workers in endless loops', async () => {
    const subscription = looping().pipe(parallelMap(loopForever, options)).subscribe();
    await gates().haveStarted('a', 'b', 'c');
    expect(workers.alive).to.equal(3);
    subscription.unsubscribe();
    await workers.ended();
    expect(gates().started).to.have.members(['a', 'b', 'c']);
  });

  it('so it does for parallelMergeMap and parallelFrom', async () => {
    const merged = looping()
      .pipe(
        parallelMergeMap(function* ({ dir, name }: { dir: string; name: string }) {
          yield `${dir}${name}`;
          for (;;);
        }, options),
      )
      .subscribe();
    const pulled = parallelFrom([gates().value('x'), gates().value('y')], loopForever, options).subscribe();
    await gates().haveStarted('x', 'y');
    merged.unsubscribe();
    pulled.unsubscribe();
    await workers.ended();
  });

  it('unsubscribing at once, before any worker is up, leaves none behind', async () => {
    range(0, 100)
      .pipe(parallelMap((n: number) => n, options))
      .subscribe()
      .unsubscribe();
    const later = range(0, 100)
      .pipe(parallelMap((n: number) => n, options))
      .subscribe();
    await Promise.resolve(); // workers are being started
    await Promise.resolve();
    later.unsubscribe();
    await workers.ended();
  });

  it('an error of the source ends workers that loop, and comes after their end', async () => {
    let failedAt = 0;
    const failing = from(gates().haveStarted('a', 'b')).pipe(
      switchMap(() => {
        failedAt = performance.now();
        return throwError(() => 'source');
      }),
    );
    const values = from(['a', 'b'].map((name) => gates().value(name)));
    const outcome = outcomeOf(concat(values, failing).pipe(parallelMap(loopForever, options)));
    expect(await outcome).to.deep.equal({ values: [], end: 'error', error: 'source' });
    // It waits for 100 ms at most, in which a machine that is busy with something else may not have ended them.
    if (performance.now() - failedAt < 100) expect(workers.alive).to.equal(0);
    await workers.ended();
  });

  it('an error of the source hardly waits for a worker inside native code', async () => {
    const sleepInside = async ({ dir, name }: Gated): Promise<void> => {
      const { execSync } = await import('node:child_process');
      execSync(`echo start ${name} >> ${dir}/log && sleep 3`);
    };
    const failing = from(gates().haveStarted('a')).pipe(switchMap(() => throwError(() => 'source')));
    const outcome = outcomeOf(concat(of(gates().value('a')), failing).pipe(parallelMap(sleepInside, options)));
    expect(await outcome).to.deep.equal({ values: [], end: 'error', error: 'source' });
    // A process is killed there, too; a thread lives until it leaves native code.
    if (!isProcess) expect(workers.alive).to.equal(1);
    await until(() => workers.alive === 0, 'the worker has left native code');
  });

  it('an error of a task ends the workers that loop', async () => {
    const task = async (value: { dir: string; name: string }): Promise<void> => {
      const { appendFileSync, readFileSync } = await import('node:fs');
      appendFileSync(`${value.dir}/log`, `start ${value.name}\n`);
      if (value.name !== 'a') for (;;);
      while (!['b', 'c'].every((name) => readFileSync(`${value.dir}/log`, 'utf8').includes(`start ${name}`))) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      throw new Error('task');
    };
    const { error } = await outcomeOf(looping().pipe(parallelMap(task, options)));
    expect(error).to.be.an('error').with.property('message', 'task');
    await workers.ended();
    expect(gates().started).to.have.members(['a', 'b', 'c']);
  });

  it('ends a task that waits as well as one that computes', async () => {
    const subscription = looping().pipe(parallelMap(passGate, options)).subscribe();
    await gates().haveStarted('a', 'b', 'c');
    subscription.unsubscribe();
    await workers.ended();
    expect(gates().log.filter((line) => line.startsWith('end'))).to.deep.equal([]);
  });

  it('lets the program exit by itself after unsubscribing from endless loops', async () => {
    const end = await runScript(`
      const { readFileSync, writeFileSync } = await import('node:fs');
      const file = ${JSON.stringify(`${gates().dir}/looping`)};
      writeFileSync(file, '');
      const loop = async () => {
        const { appendFileSync } = await import('node:fs');
        appendFileSync(file, 'looping ');
        for (;;);
      };
      const subscription = rxjs.concat(rxjs.of(1, 2), rxjs.NEVER)
        .pipe(parallelMap(loop, { nJobs: 2, startMethod: '${startMethod}' }))
        .subscribe();
      const watch = setInterval(() => {
        if (readFileSync(file, 'utf8') !== 'looping looping ') return;
        clearInterval(watch);
        console.log('unsubscribing');
        subscription.unsubscribe();
      }, 5);
    `);
    expect({ ...end, stderr: '' }).to.deep.equal({ code: 0, signal: null, stdout: 'unsubscribing\n', stderr: '' });
  });

  it('lets the program exit when its work is done, or was never begun', async () => {
    const done = await runScript(`
      rxjs.range(0, 5).pipe(parallelMap((n) => n, { nJobs: 2, startMethod: '${startMethod}' }))
        .subscribe({ next: (n) => process.stdout.write(n + ' '), complete: () => console.log('complete') });
    `);
    expect({ code: done.code, stdout: done.stdout }).to.deep.equal({ code: 0, stdout: '0 1 2 3 4 complete\n' });
    const unused = await runScript(`rxjs.of(1).pipe(parallelMap((n) => n)); console.log('unused');`);
    expect({ code: unused.code, stdout: unused.stdout }).to.deep.equal({ code: 0, stdout: 'unused\n' });
  });

  it('does not hold the program open for a source that never emits', async () => {
    const end = await runScript(`
      rxjs.concat(rxjs.of(1), rxjs.NEVER).pipe(parallelMap((n) => n, { startMethod: '${startMethod}' }))
        .subscribe((n) => console.log(n));
    `);
    expect({ code: end.code, stdout: end.stdout }).to.deep.equal({ code: 0, stdout: '1\n' });
  });

  it('says nothing on stderr, whatever ends', async () => {
    const end = await runScript(`
      const options = { nJobs: 2, startMethod: '${startMethod}' };
      const subscription = rxjs.range(0, 1000).pipe(parallelMap((n) => n, options)).subscribe((n) => {
        if (n === 10) subscription.unsubscribe();
      });
      rxjs.range(0, 1000).pipe(parallelMap((n) => { throw new Error(n); }, options)).subscribe({ error() {} });
    `);
    expect(end).to.deep.equal({ code: 0, signal: null, stdout: '', stderr: '' });
  });
});
