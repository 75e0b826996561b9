import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { range } from 'rxjs';
import {
  moduleTask,
  parallelMap,
  transfer,
  UnserializableError,
  WorkerDiedError,
  type TaskContext,
  type WorkerDiedError as Died,
} from '../support/library.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { runProgram } from '../support/runProgram.js';
import { rejection } from '../support/rejection.js';
import { describeEach, threadsMayRunOut } from '../support/startMethods.js';
import type { Doing, logBegun } from '../tasks/logBegun.js';

describeEach('a worker that dies', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);

  for (const code of [0, 1, 7]) {
    it(`by process.exit(${code}) in a task: the error has the code and the index`, async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const exit = ([x, exitCode]: readonly [number, number]) => {
        if (x === 2) process.exit(exitCode);
        return x;
      };
      const input = [0, 1, 2, 3].map((x) => [x, code] as const);
      const error = await rejection<Died>(pool.map(exit, input, { chunkSize: 1 }));
      expect(error).to.be.instanceOf(WorkerDiedError);
      expect(error).to.include({ name: 'WorkerDiedError', workerId: 0, exitCode: code, signal: null });
      expect(error.indexes).to.deep.equal([2]);
      expect(error.message).to.include(`exit code ${code}`).and.to.include('index 2');
      expect(await pool.map(exit, [[1, 0]])).to.deep.equal([1]);
    });
  }

  it('by process.exit inside a chunk: only the task that it had begun is lost', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const exit = (x: number) => {
      if (x === 3) process.exit(9);
      return x;
    };
    const seen: number[] = [];
    let error: Died | undefined;
    try {
      for await (const x of pool.imap(exit, [0, 1, 2, 3, 4, 5], { chunkSize: 6 })) seen.push(x);
    } catch (reason) {
      error = reason as Died;
    }
    expect(seen).to.deep.equal([0, 1, 2]);
    expect(error).to.be.instanceOf(WorkerDiedError);
    expect(error?.indexes).to.deep.equal([3]);
  });

  it('by process.exit after a large result that a busy program has not read', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const exit = (x: number) => {
      if (x === 1) process.exit(9);
      return new Uint8Array(8_000_000).fill(7); // more than a channel holds that nobody reads
    };
    const seen: Uint8Array[] = [];
    let error: Died | undefined;
    try {
      for await (const bytes of pool.imap(exit, [0, 1], { chunkSize: 2 })) seen.push(bytes);
    } catch (reason) {
      error = reason as Died;
    }
    expect(seen).to.have.length(1);
    expect(seen[0]?.every((byte) => byte === 7)).to.equal(true);
    expect(error?.indexes).to.deep.equal([1]);
  });

  it('by process.exit before a busy program sends it more: earlier results count', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const exit = (x: number) => {
      if (x === 3) process.exit(9);
      return x;
    };
    await pool.map(exit, new Array<number>(2000).fill(0), { chunkSize: 1 }); // so that chunks go ahead
    const seen: number[] = [];
    const error = await new Promise<unknown>((resolve) => {
      range(0, 30)
        .pipe(parallelMap(exit, { pool, chunkSize: 1 }))
        .subscribe({
          next(x) {
            seen.push(x);
            if (x === 0) for (const end = performance.now() + 200; performance.now() < end;);
          },
          error: resolve,
        });
    });
    expect(seen).to.deep.equal([0, 1, 2]);
    expect((error as Died).indexes[0]).to.equal(3);
  });

  it('while the program is busy: what it has reported before is heard', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const report = async (count: number, context: TaskContext) => {
      context.progress(0);
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (let n = 1; n < count; n++) context.progress(n);
      process.exit(6);
    };
    const heard: unknown[] = [];
    const beBusy = () => {
      for (const end = performance.now() + 400; performance.now() < end;);
    };
    const onProgress = ({ value }: { value: unknown }) => {
      heard.push(value);
      if (value === 0) setImmediate(beBusy);
    };
    const error = await rejection<Died>(pool.map(report, [20], { onProgress }));
    expect(error).to.be.instanceOf(WorkerDiedError).with.property('exitCode', 6);
    expect(heard).to.deep.equal(Array.from({ length: 20 }, (_, n) => n));
  });

  it('with a result that cannot be sent: no other call gets that worker', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const work = (doing: string | ArrayBuffer): unknown => {
      if (typeof doing !== 'string') return 'moved';
      if (doing === 'exit') process.exit(9);
      return doing === 'bad' ? () => doing : doing;
    };
    await pool.map(work, ['good', 'good'], { chunkSize: 2 });
    const failing = rejection(pool.map(work, ['bad', 'exit'], { chunkSize: 2 }));
    const buffer = new ArrayBuffer(8);
    const other = pool.map(work, [transfer(buffer, [buffer])]); // which could not be started again
    expect(await failing).to.be.instanceOf(UnserializableError);
    expect(await other).to.deep.equal(['moved']);
  });

  it('between two values of a chunk: the next one is to blame', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const work = (x: number) => {
      if (x !== 1) return x;
      for (const end = performance.now() + 50; performance.now() < end;); // so that the event loop gets its turn
      setImmediate(() => process.exit(4));
      return x;
    };
    const seen: number[] = [];
    const call = (async () => {
      for await (const x of pool.imap(work, [0, 1, 2, 3], { chunkSize: 4 })) seen.push(x);
    })();
    const error = await rejection<Died>(call);
    expect(error.indexes).to.deep.equal([2]);
    expect(seen).to.deep.equal([0, 1]);
  });

  it('in a timer after its task has replied: only the next task, if any, notices', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    // One function for both, so that the worker has it already when the second task comes.
    const task = async (isFirst: boolean) => {
      const worker = globalThis as { isInSecond?: boolean };
      if (isFirst) setInterval(() => worker.isInSecond && process.exit(5), 1);
      else {
        worker.isInSecond = true;
        await new Promise((resolve) => setTimeout(resolve, 5000)); // the exit comes into its middle
      }
      return identity();
    };
    const before = await pool.apply(task, [true]);
    const error = await rejection<Died>(pool.apply(task, [false]));
    expect(error).to.be.instanceOf(WorkerDiedError).with.property('exitCode', 5);
    expect(await pool.apply(identity)).to.not.equal(before);
  });

  it('of an exception in a timer during a task: a WorkerDiedError with the cause', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const error = await rejection<Died>(
      pool.apply(() => {
        setTimeout(() => {
          throw Object.assign(new RangeError('in a timer'), { code: 'E_TIMER' });
        }, 5);
        return new Promise(() => setInterval(() => undefined, 1000));
      }),
    );
    expect(error).to.be.instanceOf(WorkerDiedError);
    expect(error.cause).to.be.instanceOf(RangeError).and.include({ message: 'in a timer', code: 'E_TIMER' });
    expect(error.message).to.include('in a timer');
  });

  it('of an exception that a clone would not keep: that is the cause as it was thrown', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const background = () => {
      setTimeout(() => {
        throw new AggregateError([new DOMException('aborted', 'AbortError'), new RangeError('range')], 'background');
      }, 20);
      return new Promise((resolve) => setTimeout(resolve, 5000));
    };
    const { cause } = await rejection<Died>(pool.apply(background));
    expect(cause).to.be.instanceOf(AggregateError).with.property('message', 'background');
    const { errors } = cause as AggregateError;
    expect(errors[0]).to.be.instanceOf(DOMException).with.property('name', 'AbortError');
    expect(errors[1]).to.be.instanceOf(RangeError).with.property('message', 'range');
  });

  it('of an unhandled rejection in background code: a WorkerDiedError with the cause', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const error = await rejection<Died>(
      pool.apply(() => {
        void Promise.reject(new TypeError('nobody cares'));
        return new Promise(() => setInterval(() => undefined, 1000));
      }),
    );
    expect(error).to.be.instanceOf(WorkerDiedError);
    expect(error.cause).to.be.instanceOf(TypeError).with.property('message', 'nobody cares');
  });

  it('of an exception while idle: a warning of the program, and the next call is fine', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const warning = once(process, 'warning');
    await pool.apply(() => {
      setTimeout(() => {
        throw new Error('while idle');
      }, 20);
    });
    const [{ message }] = (await warning) as [Error];
    expect(message).to.include('while idle');
    expect(await pool.apply(() => 'fine')).to.equal('fine');
  });

  it('user code that handles its own exceptions keeps its worker', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const handle = () =>
      new Promise((resolve) => {
        process.once('uncaughtException', (error: Error) => resolve(error.message));
        setTimeout(() => {
          throw new Error('handled');
        }, 5);
      });
    const before = await pool.apply(identity);
    expect(await pool.apply(handle)).to.equal('handled');
    expect(await pool.apply(identity)).to.equal(before);
  });

  it('during one of 100 calls of apply: 1 fails, 99 succeed', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const work = (x: number) => {
      if (x === 50) process.exit(1);
      return x;
    };
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => pool.apply(work, [i])));
    const failed = outcomes.flatMap((outcome, i) => (outcome.status === 'rejected' ? [[i, outcome.reason]] : []));
    expect(failed).to.have.lengthOf(1);
    expect(failed[0]?.[0]).to.equal(50);
    expect(failed[0]?.[1]).to.be.instanceOf(WorkerDiedError);
  });

  if (isProcess) {
    it('by SIGKILL during a map: the error names the signal', async () => {
      const pool = createPool({ nJobs: 2, startMethod });
      const work = async (x: number) => {
        if (x === 3) process.kill(process.pid, 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, 5));
        return x;
      };
      const error = await rejection<Died>(pool.map(work, [0, 1, 2, 3, 4, 5], { chunkSize: 1 }));
      expect(error).to.be.instanceOf(WorkerDiedError);
      expect(error).to.include({ exitCode: null, signal: 'SIGKILL' });
      expect(error.indexes).to.deep.equal([3]);
      expect(error.message).to.include('SIGKILL');
    });

    it('by SIGKILL with a result not sent yet: its task is lost, and not run again', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'died-'));
      const task = moduleTask<typeof logBegun>(new URL('../tasks/logBegun.js', import.meta.url), 'logBegun');
      try {
        const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
        const log = join(folder, 'begun');
        const run = (...doings: Doing[]) =>
          pool.map(
            task,
            doings.map((doing, x) => ({ log, x, doing })),
            { chunkSize: 1, settle: true },
          );
        const hasBegun = () => existsSync(log) && readFileSync(log, 'utf8') === '0 1 ';
        let results: ReturnType<typeof run>;
        let round = 0;
        // A machine that stalls makes calls look long, which are not sent ahead: then once more.
        do {
          await run(...new Array<Doing>(2000).fill('nothing')); // so that chunks go ahead
          rmSync(log);
          results = run('large', 'die', 'nothing', 'nothing');
          await turn(); // they are on their way
          // More than the channel holds: the rest stays in the worker while the program does not read.
          for (const end = performance.now() + 1000; performance.now() < end && !hasBegun(););
        } while (!hasBegun() && ++round < 5 && (await results));
        expect((await results).map(({ status }) => status)).to.deep.equal([
          'rejected',
          'rejected',
          'fulfilled',
          'fulfilled',
        ]);
        expect(readFileSync(log, 'utf8')).to.equal('0 1 2 3 ');
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });

    it('by SIGKILL while idle: the next call gets another', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const pid = await pool.apply(() => process.pid);
      process.kill(pid, 'SIGKILL');
      const next = await pool.apply(() => process.pid, [], { workerDeathRetries: 1 });
      expect(next).to.not.equal(pid);
    });
  }

  if (isProcess) {
    it('by SIGKILL just before it gets values: another worker gets them', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const work = (x: number) => [x, process.pid];
      const [first] = await pool.map(work, [1, 2], { chunkSize: 2 });
      process.kill(first?.[1] as number, 'SIGKILL');
      const results = await pool.map(work, [3, 4], { chunkSize: 2 });
      expect(results.map(([x]) => x)).to.deep.equal([3, 4]);
    });

    it('by SIGKILL just before it gets a new function: another worker gets it', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const pid = await pool.apply(() => process.pid);
      process.kill(pid, 'SIGKILL');
      expect(await pool.map((x: number) => x + 1, [1, 2])).to.deep.equal([2, 3]);
    });
  }

  it('is replaced where workerDeathRetries allows it, and nothing is lost', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const file = `/tmp/died-${process.pid}-${Math.random()}`;
    const dieOnce = async ([x, marker]: readonly [number, string]) => {
      const { existsSync, writeFileSync } = await import('node:fs');
      if (x === 207 && !existsSync(marker)) {
        writeFileSync(marker, '');
        process.exit(1);
      }
      return x;
    };
    const { rmSync } = await import('node:fs');
    try {
      // So many that the worker has others waiting, sent ahead, when it dies.
      const input = Array.from({ length: 300 }, (_, i) => [i, file] as const);
      const results = await pool.map(dieOnce, input, { workerDeathRetries: 1, chunkSize: 5 });
      expect(results).to.deep.equal(input.map(([x]) => x));
    } finally {
      rmSync(file, { force: true });
    }
  });

  it('again and again by the same value: workerDeathRetries isolates it', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const die = (x: number) => {
      if (x === 7) process.exit(1);
      return x;
    };
    const input = Array.from({ length: 20 }, (_, i) => i);
    const error = await rejection<Died>(pool.map(die, input, { workerDeathRetries: 2, chunkSize: 5 }));
    expect(error).to.be.instanceOf(WorkerDiedError);
    expect(error.indexes).to.deep.equal([7]);
    expect(error.message).to.match(/ All retries of "workerDeathRetries" \(2\) are used up\.$/);
  });

  it('with transferred input is not started again', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const buffer = new ArrayBuffer(8);
    const die = (input: ArrayBuffer) => process.exit(input.byteLength);
    const error = await rejection(pool.map(die, [transfer(buffer, [buffer])], { workerDeathRetries: 1000 }));
    expect(error).to.be.instanceOf(WorkerDiedError);
    expect(error.message).to.match(/ A transferred value is not tried again\.$/);
  });

  it('with transferred input takes no value beside it along: those are started again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'died-'));
    const task = async (value: ArrayBuffer | string) => {
      const { existsSync, writeFileSync } = await import('node:fs');
      if (typeof value !== 'string') return 'moved';
      if (existsSync(value)) return 'again';
      writeFileSync(value, '');
      return process.exit(1);
    };
    try {
      const pool = createPool({ nJobs: 1, startMethod });
      const buffer = new ArrayBuffer(8);
      const values = [transfer(buffer, [buffer]), join(folder, 'mark')];
      expect(await pool.map(task, values, { workerDeathRetries: 1, chunkSize: 2 })).to.deep.equal(['moved', 'again']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('when its memory runs out: the error names memory, and the program lives', async function () {
    if (!isProcess && !threadsMayRunOut) this.skip();
    const { code, stdout, stderr } = await runProgram('outOfMemory.mjs', {
      flags: ['--max-old-space-size=64'],
      args: [startMethod],
      limit: 18_000,
    });
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^WorkerDiedError: .*memory/m);
    expect(stdout).to.include('still there');
  });
});
