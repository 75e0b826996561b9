import { expect } from 'chai';
import { PoolTerminatedError, WorkerPool, WorkerTimeoutError } from '../support/library.js';
import { loopForever, useGates, type Gated } from '../support/gates.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { isAlive } from '../support/processes.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { endsDuring, leaves } from '../support/workerEnds.js';
import { loop, same, sleep } from '../support/tasks.js';

describeEach("the pool's end", ({ name: startMethod, isProcess }) => {
  afterEach(endPools);
  const gates = useGates();

  describe('terminate', () => {
    it('of a worker inside native code ends a process, and warns of a thread', async () => {
      const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
      const stuck = async ({ dir, name }: Gated) => {
        const { execSync } = await import('node:child_process');
        execSync(`echo start ${name} >> ${dir}/log && sleep 8`);
      };
      const pending = rejection(pool.apply(stuck, [gates().value('a')]));
      await gates().haveStarted('a');
      const start = performance.now();
      const ended = pool.terminate();
      expect(await pending).to.be.instanceOf(PoolTerminatedError);
      expect(performance.now() - start, 'the call').to.be.below(3000);
      if (isProcess) {
        await ended;
        expect(performance.now() - start, 'the worker').to.be.below(4000);
      } else {
        const error = await rejection(ended);
        expect(error).to.be.instanceOf(WorkerTimeoutError);
        expect(error).to.include({ stage: 'exit', timeout: 5000, workerId: 0 });
      }
    });

    it('rejects pending map, mapUnordered, imap and apply', async () => {
      const pool = createPool({ nJobs: 2, startMethod });
      const pending = [
        pool.map(loop, [1, 2]),
        pool.mapUnordered(loop, [1, 2]),
        pool.imap(loop, [1]).next(),
        pool.imapUnordered(loop, [1]).next(),
        pool.apply(loop),
      ].map((call) => rejection(call));
      await pool.terminate();
      for (const error of await Promise.all(pending)) expect(error).to.be.instanceOf(PoolTerminatedError);
    });

    it('ends workers inside an endless loop', async () => {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
      const loops = ['a', 'b'].map((name) => gates().value(name));
      const pending = rejection(pool.map(loopForever, loops, { chunkSize: 1 }));
      await gates().haveStarted('a', 'b');
      await pool.terminate();
      expect(await pending).to.be.instanceOf(PoolTerminatedError);
    });

    it('right after construction resolves', async () => {
      const pool = createPool({ nJobs: 2, startMethod });
      await pool.terminate();
      expect(await rejection(pool.apply(() => 1))).to.be.instanceOf(PoolTerminatedError);
    });

    it('while workers are starting', async () => {
      const pool = createPool({ nJobs: 4, startMethod });
      const pending = rejection(pool.map(same, [1, 2, 3, 4]));
      await new Promise((resolve) => setImmediate(resolve));
      await pool.terminate();
      expect(await pending).to.be.instanceOf(PoolTerminatedError);
    });

    it('gives the same promise always, also by disposal', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      await pool.apply(() => 1);
      const first = pool.terminate();
      expect(pool.terminate()).to.equal(first);
      expect(pool[Symbol.asyncDispose]()).to.equal(first);
      await first;
      expect(pool.terminate()).to.equal(first);
      await pool.stopAndJoin();
    });

    it('is final: every later call rejects', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const early = pool.imap(same, [1]);
      await pool.terminate();
      for (const call of [
        pool.map(same, [1]),
        pool.map(same, []),
        pool.mapUnordered(same, [1]),
        pool.apply(() => 1),
        pool.imap(same, [1]).next(),
        pool.imapUnordered(same, [1]).next(),
        early.next(),
      ]) {
        expect(await rejection(call)).to.be.instanceOf(PoolTerminatedError);
      }
    });

    it('leaves an iterator that was told so at its end', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const results = pool.imap(loop, [1]);
      const next = rejection(results.next());
      await pool.terminate();
      expect(await next).to.be.instanceOf(PoolTerminatedError);
      expect(await results.next()).to.deep.equal({ done: true, value: undefined });
    });

    it('closes the input of what was pending', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      let closed = false;
      const input = (function* () {
        try {
          for (;;) yield 1;
        } finally {
          closed = true;
        }
      })();
      const pending = rejection(pool.map(loop, input));
      await pool.terminate();
      await pending;
      expect(closed).to.be.true;
    });

    it('lets no result of before arrive after it', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const seen: number[] = [];
      const results = pool.imap(
        same,
        Array.from({ length: 1000 }, (_, i) => i),
      );
      seen.push((await results.next()).value as number);
      await pool.terminate();
      let last: unknown;
      try {
        for await (const value of results) seen.push(value);
      } catch (error) {
        last = error;
      }
      expect(last).to.be.instanceOf(PoolTerminatedError);
      expect(seen).to.deep.equal(seen.map((_, i) => i));
    });

    if (isProcess) {
      it('has no process left when it resolves', async () => {
        const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
        const pids = await pool.map(() => process.pid, [1, 2, 3, 4], { chunkSize: 1 });
        const pending = rejection(pool.map(loop, [1, 2]));
        await pool.terminate();
        for (const pid of pids) expect(isAlive(pid)).to.be.false;
        await pending;
      });
    }
  });

  describe('stopAndJoin', () => {
    it('finishes what is pending', async () => {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
      const map = pool.map(sleep, [50, 60, 70, 80]);
      const apply = pool.apply(sleep, [30]);
      const order: string[] = [];
      void map.then(() => order.push('map'));
      await pool.stopAndJoin().then(() => order.push('joined'));
      expect(order).to.deep.equal(['map', 'joined']);
      expect(await apply).to.equal(30);
    });

    it('lets the workers leave, so that the pool can be used again with new ones', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      await pool.stopAndJoin();
      if (isProcess) expect(isAlive(Number.parseInt(before))).to.be.false;
      const after = await pool.apply(identity);
      expect(after).to.not.equal(before);
      expect(await pool.apply(identity)).to.equal(after);
      await pool.join();
    });

    it('lets what user code does at the exit of its worker run', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const noteExit = async (dir: string): Promise<void> => {
        const { appendFileSync } = await import('node:fs');
        process.once('exit', (code) => appendFileSync(`${dir}/log`, `exit ${code}\n`));
      };
      await pool.apply(noteExit, [gates().dir]);
      await pool.stopAndJoin();
      expect(gates().log).to.deep.equal(['exit 0']);
    });

    it('on a pool that was never used resolves, any number of times', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      await pool.stopAndJoin();
      await pool.join();
      await Promise.all([pool.stopAndJoin(), pool.join()]);
      expect(await pool.apply(() => 1)).to.equal(1);
    });

    it('gives the same promise while it is under way, and join too', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      await pool.apply(() => 1);
      const first = pool.stopAndJoin();
      expect(pool.stopAndJoin()).to.equal(first);
      expect(pool.join()).to.equal(first);
      await first;
      await pool.apply(() => 1);
      const second = pool.stopAndJoin();
      expect(second).to.not.equal(first);
      await second;
    });

    it('while workers are starting waits for their work', async () => {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
      const results = pool.map(same, [1, 2, 3]);
      await pool.stopAndJoin();
      expect(await results).to.deep.equal([1, 2, 3]);
    });

    it('calls that are made meanwhile wait for new workers', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      const joining = pool.stopAndJoin();
      const order: string[] = [];
      const late = pool.apply(identity).then((who) => (order.push('late'), who));
      await joining.then(() => order.push('joined'));
      expect(await late).to.not.equal(before);
      expect(order).to.deep.equal(['joined', 'late']);
    });

    it('a call made meanwhile can be aborted before it starts', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const running = pool.apply(sleep, [100]);
      const joining = pool.stopAndJoin();
      const controller = new AbortController();
      const late = rejection(pool.map(same, [1], { signal: controller.signal }));
      controller.abort(new RangeError('not wanted'));
      expect(await late).to.have.property('message', 'not wanted');
      expect(await running).to.equal(100);
      await joining;
    });

    it('terminate during it ends both, and rejects what waits for it', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const running = rejection(pool.apply(loop));
      const joining = pool.stopAndJoin();
      const waiting = rejection(pool.map(same, [1]));
      await pool.terminate();
      await joining;
      expect(await running).to.be.instanceOf(PoolTerminatedError);
      expect(await waiting).to.be.instanceOf(PoolTerminatedError);
    });

    it('resolves although a call that it waits for fails', async () => {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
      const failing = rejection(
        pool.map(() => {
          throw new RangeError('fails');
        }, [1]),
      );
      await pool.stopAndJoin();
      expect(await failing).to.be.instanceOf(RangeError);
    });

    it('resolves although timers and listeners of user code live in the worker', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      await pool.apply(async () => {
        setInterval(() => undefined, 10);
        const { createServer } = await import('node:net');
        createServer().listen(0);
      });
      expect(await endsDuring(() => pool.stopAndJoin())).to.deep.equal([leaves]);
    });

    it('finishes an imap whose results nobody takes, and keeps them', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      let read = 0;
      const input = function* () {
        while (read < 1000) yield read++;
      };
      const all = [
        pool.imap(same, input(), { maxTasksActive: 2 }),
        pool.imapUnordered(same, [0, 1, 2, 3], { maxTasksActive: 1 }),
      ];
      for (const results of all) expect((await results.next()).value).to.equal(0);
      expect(read).to.be.below(10);
      await pool.stopAndJoin();
      expect(read).to.equal(1000);
      for (const [n, results] of all.entries()) {
        const rest: number[] = [];
        for await (const value of results) rest.push(value);
        expect(rest).to.deep.equal(Array.from({ length: [999, 3][n]! }, (_, i) => i + 1));
      }
    });

    it('waits for an imap whose consumer is at it', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const results = pool.imap(
        same,
        Array.from({ length: 3000 }, (_, n) => n),
        { maxTasksActive: 4 },
      );
      const first = await results.next();
      const joining = pool.stopAndJoin();
      const rest: number[] = [];
      for await (const value of results) rest.push(value);
      expect([first.value, ...rest]).to.deep.equal(Array.from({ length: 3000 }, (_, n) => n));
      await joining;
      expect(await pool.map(same, [1])).to.deep.equal([1]);
    });
  });

  it('`await using` terminates', async () => {
    let kept: WorkerPool;
    let pending: Promise<Error>;
    {
      await using pool = new WorkerPool({ nJobs: 1, startMethod });
      kept = pool;
      pending = rejection(pool.apply(loop));
    }
    expect(await pending).to.be.instanceOf(PoolTerminatedError);
    expect(await rejection(kept.apply(() => 1))).to.be.instanceOf(PoolTerminatedError);
  });

  for (const keepAlive of [true, false]) {
    it(`a failed call leaves the pool usable, keepAlive: ${keepAlive}`, async () => {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive });
      for (let i = 0; i < 3; i++) {
        const failing = (x: number) => {
          if (x === 3) throw new RangeError('three');
          return x;
        };
        expect(await rejection(pool.map(failing, [1, 2, 3, 4]))).to.have.property('message', 'three');
        expect(await pool.map(same, [1, 2, 3, 4])).to.deep.equal([1, 2, 3, 4]);
      }
    });
  }

  it('calls made from the rejection of another start at once', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const result = await pool
      .map(() => {
        throw new Error('first');
      }, [1])
      .catch(() => pool.map(same, [1]));
    expect(result).to.deep.equal([1]);
  });

  it('any mix of calls and ends settles', async () => {
    for (let round = 0; round < 6; round++) {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive: round % 2 === 0 });
      const outcomes: Promise<unknown>[] = [];
      const note = (...calls: Promise<unknown>[]): void => {
        for (const call of calls) {
          outcomes.push(
            call.then(
              () => 'fine',
              (error: unknown) => error,
            ),
          );
        }
      };
      for (let i = 0; i < 6; i++) {
        note(pool.map(same, [1, 2, 3]), pool.apply(sleep, [i]));
        if (i === round) note(pool.stopAndJoin());
        if (i === 4) note(pool.terminate());
        await new Promise((resolve) => setTimeout(resolve, i));
      }
      for (const outcome of await Promise.all(outcomes)) {
        if (outcome !== 'fine') expect(outcome).to.be.instanceOf(PoolTerminatedError);
      }
    }
  });
});
