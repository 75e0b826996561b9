import { expect } from 'chai';
import type { TaskContext } from 'rxjs-parallel-map';
import { passGate, useGates, type Gated } from '../support/gates.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

describeEach.of(['threading', 'fork'], 'apply', ({ name: startMethod }) => {
  afterEach(endPools);
  const gates = useGates();

  it('calls the function with the arguments and then the context', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const seen = await pool.apply(
      (a: number, b: string, context) => [a, b, context.index, context.workerId, context.signal.aborted] as const,
      [1, 'two'],
    );
    expect(seen).to.deep.equal([1, 'two', 0, 0, false]);
  });

  it('calls it with the context alone where there are no arguments', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const count = function (...args: unknown[]) {
      return args.length;
    };
    expect(await pool.apply(count)).to.equal(1);
    expect(await pool.apply(count, [])).to.equal(1);
    expect(await pool.apply(count, undefined)).to.equal(1);
    expect(await pool.apply(count, [undefined, undefined])).to.equal(3);
  });

  it('gives undefined, null and promises of values as results', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    expect(await pool.apply(() => undefined)).to.equal(undefined);
    expect(await pool.apply(() => null)).to.equal(null);
    expect(await pool.apply(async () => 5)).to.equal(5);
  });

  it('does not notice what becomes of the arguments after the call', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const args: [number] = [1];
    const result = pool.apply((x: number) => x, args);
    args[0] = 2;
    args.splice(0);
    expect(await result).to.equal(1);
  });

  it('runs many calls at once on all workers', async () => {
    const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => pool.apply((x: number) => x * 2, [i])));
    expect(results).to.deep.equal(Array.from({ length: 50 }, (_, i) => i * 2));
  });

  it('two calls at once run on two workers', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const task = async (value: Gated, context: TaskContext) => {
      await passGate(value, context);
      return context.workerId;
    };
    const calls = Promise.all(['a', 'b'].map((name) => pool.apply(task, [gates().value(name)])));
    await gates().haveStarted('a', 'b');
    gates().openAll();
    const [first, second] = await calls;
    expect(first).to.not.equal(second);
  });

  it('a call alone uses a kept worker again', async () => {
    const pool = createPool({ nJobs: 4, startMethod, keepAlive: true });
    const workers = new Set<string>();
    for (let i = 0; i < 5; i++) workers.add(await pool.apply(identity));
    expect(workers).to.have.property('size', 1);
  });

  it('a signal ends one call and leaves the others', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const controller = new AbortController();
    const stuck = rejection(
      pool.apply(
        () => {
          for (;;);
        },
        [],
        { signal: controller.signal },
      ),
    );
    const other = pool.apply(() => new Promise((resolve) => setTimeout(resolve, 300, 'other')));
    controller.abort(new RangeError('enough'));
    expect(await stuck).to.have.property('message', 'enough');
    expect(await other).to.equal('other');
  });

  it('a signal that has fired starts nothing', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const reason = new RangeError('before');
    const signal = AbortSignal.abort(reason);
    const buffer = new ArrayBuffer(8);
    expect(await rejection(pool.apply((x: ArrayBuffer) => x, [buffer], { signal }))).to.equal(reason);
    expect(await rejection(pool.map((x: number) => x, [1], { signal }))).to.equal(reason);
    expect(await rejection(pool.imap((x: number) => x, [1], { signal }).next())).to.equal(reason);
    expect(buffer.byteLength).to.equal(8);
  });

  it('a signal ends a call that waits, and the queue goes on', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const controller = new AbortController();
    const running = pool.apply(() => new Promise((resolve) => setTimeout(resolve, 200, 'running')));
    const waiting = rejection(pool.apply(() => 'never', [], { signal: controller.signal }));
    const last = pool.apply(() => 'last');
    controller.abort();
    expect(await waiting).to.have.property('name', 'AbortError');
    expect(await running).to.equal('running');
    expect(await last).to.equal('last');
  });

  it('an aborted endless loop gives its place to the next call', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    await pool.apply(() => 0);
    const controller = new AbortController();
    const stuck = rejection(
      pool.apply(
        () => {
          for (;;);
        },
        [],
        { signal: controller.signal },
      ),
    );
    const next = pool.apply(() => 'next');
    controller.abort();
    await stuck;
    expect(await next).to.equal('next');
  });

  it('a cancelled worker gets no task before it answers, and is killed if it does not', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const before = await pool.apply(identity);
    const controller = new AbortController();
    const deaf = (_context: unknown) =>
      new Promise((resolve) => {
        (globalThis as { running?: boolean }).running = true;
        setTimeout(resolve, 60_000);
      });
    const cancelled = rejection(pool.apply(deaf, [], { signal: controller.signal, cancelTimeout: 50 }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    controller.abort();
    await cancelled;
    const next = pool.apply(() => (globalThis as { running?: boolean }).running === true);
    expect(await next).to.equal(false);
    expect(await pool.apply(identity)).to.not.equal(before);
  });

  it('a cancelled task that ends in time keeps its worker', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const before = await pool.apply(identity);
    const controller = new AbortController();
    const polite = ({ signal }: { signal: AbortSignal }) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve(0);
        else signal.addEventListener('abort', resolve);
      });
    const cancelled = rejection(pool.apply(polite, [], { signal: controller.signal, cancelTimeout: 2000 }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    controller.abort();
    await cancelled;
    expect(await pool.apply(identity)).to.equal(before);
    await new Promise((resolve) => setTimeout(resolve, 2200)); // what was cancelled is out of time by now
    expect(await pool.apply(identity)).to.equal(before);
  });
});
