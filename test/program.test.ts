import { expect } from 'chai';
import { isAlive } from './support/processes.js';
import { until } from './support/until.js';
import { runProgram, type ProgramResult } from './support/runProgram.js';
import { describeEach } from './support/startMethods.js';

/** Runs what test/programs/lifecycle.mjs has by this name. */
const lifecycle = (what: string, startMethod: string): Promise<ProgramResult> =>
  runProgram('lifecycle.mjs', { args: [what, startMethod] });

describeEach('a program with a pool', ({ name: startMethod, isProcess }) => {
  it('exits by itself while daemons idle', async () => {
    const { code, stdout, stderr } = await lifecycle('idle', startMethod);
    expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: '[ 1, 2 ]\nexit\n', stderr: '' });
  });

  it('is kept open by workers that are no daemons, until they are joined', async () => {
    const { code, stdout } = await lifecycle('notDaemon', startMethod);
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'joining\njoined\nexit\n' });
  });

  it('exits at once by process.exit, though workers are inside an endless loop', async () => {
    const start = performance.now();
    const { code, stdout } = await lifecycle('pids', startMethod);
    expect(code).to.equal(0);
    expect(performance.now() - start).to.be.below(10_000);
    const [pids] = stdout.split('\n');
    if (isProcess) {
      const workers = JSON.parse(pids as string) as number[];
      expect(workers).to.have.lengthOf(2);
      await until(() => !workers.some(isAlive), 'the workers have ended');
    }
  });

  it('exits by itself once it has left a loop over imap', async () => {
    const start = performance.now();
    const { code, stdout } = await lifecycle('stuckIterator', startMethod);
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: '1\nexit\n' });
    expect(performance.now() - start).to.be.below(10_000);
  });
});

// What the pool does for the program, whatever its workers are.
describeEach.of(['threading', 'spawn'], 'a program with a pool', ({ name: startMethod }) => {
  it('exits by itself with a pool that was never used', async () => {
    const { code, stdout } = await lifecycle('unused', startMethod);
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'exit\n' });
  });

  it('is kept open by a map that runs', async () => {
    const { code, stdout } = await lifecycle('running', startMethod);
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: '[ 300, 301 ]\nexit\n' });
  });

  it('keeps its exit code, whatever that of a worker is', async () => {
    const { code, stdout } = await lifecycle('exitCode', startMethod);
    expect({ code, stdout }).to.deep.equal({ code: 5, stdout: 'WorkerDiedError\nexit\n' });
  });

  it('ends by an exception of its own, though its workers are no daemons', async () => {
    const { code, stderr } = await lifecycle('uncaught', startMethod);
    expect(code).to.equal(1);
    expect(stderr).to.include('of the program');
  });

  it('ends by a rejection that nobody handles, with the stack of the task', async () => {
    const { code, stderr } = await lifecycle('unhandled', startMethod);
    expect(code).to.equal(1);
    expect(stderr).to.include('RangeError: of the task');
  });

  it('exits by itself once its pool is terminated', async () => {
    const { code, stdout } = await lifecycle('terminated', startMethod);
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'PoolTerminatedError\nexit\n' });
  });
});

// Threads wait because of this package, processes at a pipe that is full.
describeEach.of(['threading', 'spawn'], 'a task that logs without end', ({ name: startMethod }) => {
  for (const [how, expected] of [
    ['a taskTimeout', 'WorkerTimeoutError'],
    ['unsubscribing', 'unsubscribed'],
  ] as const) {
    it(`is ended in time by ${how}, with a bounded memory, and nothing that was printed is lost`, async () => {
      const { stdout, stderr, code } = await runProgram('logging.mjs', { args: [startMethod, expected] });
      expect({ stderr, code }).to.deep.equal({ stderr: '', code: 0 });
      const { end, milliseconds, megabytes, lines } = JSON.parse(stdout) as Record<string, number>;
      expect(end).to.equal(expected);
      expect(milliseconds).to.be.within(1000, 12_000); // without a bound from 17,000 on
      expect(megabytes).to.be.below(300); // and a thousand
      expect(lines).to.equal('whole');
    });
  }
});

describeEach('what tasks write to the console', ({ name: startMethod, isProcess }) => {
  const run = (what: string): Promise<ProgramResult> => runProgram('output.mjs', { args: [what, startMethod] });
  const lines = (text: string): string[] => text.split('\n').slice(0, -1);

  it('10,000 lines reach stdout and stderr, in order, before the pool has ended', async () => {
    const { code, stdout, stderr } = await run('lines');
    expect(code).to.equal(0);
    const expected = (rest: number) => [...Array.from({ length: 5000 }, (_, i) => `line ${2 * i + rest}`), 'end'];
    expect(lines(stdout)).to.deep.equal(expected(0));
    expect(lines(stderr)).to.deep.equal(expected(1));
  });

  it('10,000 lines of one task', async () => {
    const { stdout } = await run('oneTask');
    const all = lines(stdout);
    expect(all).to.have.lengthOf(10_001);
    expect(all.at(-1)).to.equal('end');
    expect(all.every((line, i) => i === 10_000 || line.startsWith(`line ${i} `))).to.be.true;
  });

  for (const [what, title, count] of [
    ['throwing', 'of a task that throws right after', 1000],
    ['exiting', 'of a task that calls process.exit right after', 100],
    ['late', 'of a timer that outlives its task', 1],
  ] as const) {
    it(title, async () => {
      const { stdout } = await run(what);
      expect(lines(stdout)).to.deep.equal([...Array.from({ length: count }, (_, i) => `line ${i}`), 'end']);
    });
  }

  it('of a task that throws right after, though the program is read slowly', async () => {
    const { stdout } = await runProgram('output.mjs', { args: ['throwing', startMethod], readAfter: 700 });
    expect(lines(stdout)).to.deep.equal([...Array.from({ length: 1000 }, (_, i) => `line ${i}`), 'end']);
  });

  if (isProcess) {
    it('right after the last task has replied, though the program is read slowly', async () => {
      const { stdout } = await runProgram('output.mjs', { args: ['afterwards', startMethod], readAfter: 700 });
      expect(lines(stdout)).to.deep.equal([...Array.from({ length: 20_000 }, (_, i) => `line ${i}`), 'end']);
    });
  }

  it('waits where nobody reads it, in place of filling the memory', async () => {
    const { stdout, stderr } = await runProgram('output.mjs', { args: ['much', startMethod], readAfter: 1000 });
    expect(stdout).to.have.length(2000 * 50_001);
    expect(Number(stderr)).to.be.below(60); // megabytes, of 100
  });

  it('of several workers: every line whole', async () => {
    const { stdout } = await run('workers');
    const all = lines(stdout);
    expect(all.pop()).to.equal('end');
    expect(new Set(all)).to.deep.equal(new Set(Array.from({ length: 3000 }, (_, i) => `line ${i}`)));
    expect(all).to.have.lengthOf(3000);
  });
});
