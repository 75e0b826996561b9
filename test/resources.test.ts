// What workers are started with: environment, arguments, flags of Node, limits of the heap, names.
import { expect } from 'chai';
import { of } from 'rxjs';
import { parallelMap, WorkerStartError } from './support/library.js';
import { createPool, endPools } from './support/pools.js';
import { outcomeOf } from './support/outcome.js';
import { runProgram } from './support/runProgram.js';
import { rejection } from './support/rejection.js';
import { describeEach, threadsMayRunOut } from './support/startMethods.js';
import { trackWorkers } from './support/workers.js';

describeEach('workers', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);
  trackWorkers();
  const options = { nJobs: 1, startMethod };

  describe('get an environment', () => {
    const read = (name: string): string | undefined => process.env[name];

    it('of their own, in place of that of the program', async () => {
      process.env['RXJS_PARALLEL_MAP_TEST'] = 'program';
      try {
        const inherited = createPool(options);
        expect(await inherited.apply(read, ['RXJS_PARALLEL_MAP_TEST'])).to.equal('program');
        const pool = createPool({ ...options, env: { OWN: 'worker', LEFT_OUT: undefined } });
        expect(await pool.map(read, ['OWN', 'RXJS_PARALLEL_MAP_TEST', 'LEFT_OUT', 'HOME'])).to.deep.equal([
          'worker',
          ...[undefined, undefined, undefined],
        ]);
      } finally {
        delete process.env['RXJS_PARALLEL_MAP_TEST'];
      }
    });

    it('that may be empty, and that nobody changes any more', async () => {
      const env: Record<string, string> = {};
      const pool = createPool({ ...options, env });
      env['LATE'] = 'yes';
      expect(await pool.apply(() => [process.env['LATE'], process.env['HOME']])).to.deep.equal([undefined, undefined]);
    });

    it('which they cannot change for the program', async () => {
      const pool = createPool({ ...options, env: { OWN: '1' } });
      await pool.apply(() => {
        process.env['RXJS_PARALLEL_MAP_LEAK'] = 'x';
      });
      expect(process.env['RXJS_PARALLEL_MAP_LEAK']).to.equal(undefined);
    });
  });

  it('get arguments of their own', async () => {
    const args = () => process.argv.slice(2);
    expect(await createPool(options).apply(args)).to.deep.equal([]);
    const argv = ['--verbose', 'two words', ''];
    expect(await createPool({ ...options, argv }).apply(args)).to.deep.equal(argv);
  });

  it('get flags of Node, in place of those of the program', async () => {
    const pool = createPool({ ...options, execArgv: ['--no-warnings', '--conditions=mine'] });
    expect(await pool.apply(() => process.execArgv)).to.deep.equal(['--no-warnings', '--conditions=mine']);
    expect(await createPool({ ...options, execArgv: [] }).apply(() => process.execArgv)).to.deep.equal([]);
  });

  it('load what their flags preload', async () => {
    const execArgv = ['--import', 'data:text/javascript,globalThis.preloaded=1'];
    const pool = createPool({ ...options, execArgv });
    const read = (): unknown => (globalThis as { preloaded?: unknown }).preloaded;
    expect(await pool.apply(read)).to.equal(1);
    expect(await createPool({ ...options, execArgv: [] }).apply(read)).to.equal(undefined);
  });

  it('that get a flag which does not exist cannot start', async () => {
    const pool = createPool({ ...options, execArgv: ['--no-such-flag-at-all'] });
    const error = await rejection(pool.apply(() => 1));
    expect(error).to.be.instanceOf(WorkerStartError);
    expect(error.message).to.match(/the option "execArgv" (is )?\["--no-such-flag-at-all"\]/i);
    expect(error.message).to.include(
      isProcess ? '"node --help" lists' : "start method with processes, such as 'spawn'",
    );
  });

  it('cannot start with an unknown flag in NODE_OPTIONS, unless copied from a server', async () => {
    const pool = createPool({ ...options, env: { ...process.env, NODE_OPTIONS: '--no-such-flag-at-all' } });
    if (startMethod === 'forkserver') {
      // The server has the environment of the program, and Node does not start anew for a copy.
      expect(await pool.apply(() => process.env['NODE_OPTIONS'])).to.equal('--no-such-flag-at-all');
      return;
    }
    const error = await rejection(pool.apply(() => 1));
    expect(error).to.be.instanceOf(WorkerStartError);
    expect(error.message).to.include('NODE_OPTIONS');
  });

  it('that exit with the code of an unknown flag are not blamed on flags', async () => {
    const pool = createPool({ ...options, execArgv: ['--no-warnings'] });
    const error = await rejection(pool.apply(() => process.exit(9)));
    expect(error).to.include({ name: 'WorkerDiedError', exitCode: 9 });
    expect(error.message).to.not.include('execArgv');
  });

  describe('with a limited heap', () => {
    it('die when it is used up: the error says so, and the program lives', async function () {
      if (!isProcess && !threadsMayRunOut) this.skip();
      const args = [startMethod, '40'];
      const { code, stdout, stderr } = await runProgram('outOfMemory.mjs', { args });
      expect(code, stderr).to.equal(0);
      expect(stdout).to.match(/^WorkerDiedError: .*out of memory.*"resourceLimits"/m);
      expect(stdout).to.match(/^still there$/m);
    }).timeout(30_000);

    it('have as much as they were given', async () => {
      const pool = createPool({
        ...options,
        resourceLimits: { maxOldGenerationSizeMb: 300, maxYoungGenerationSizeMb: 24 },
      });
      const limit = await pool.apply(async () => {
        const { getHeapStatistics } = await import('node:v8');
        return getHeapStatistics().heap_size_limit;
      });
      expect(limit / 2 ** 20).to.be.within(300, 380);
      expect(await pool.apply(() => process.execArgv)).to.deep.equal(process.execArgv);
    });
  });

  it('have a name', async function () {
    const pool = createPool({ ...options, name: 'counter' });
    const called = await pool.apply(async () => {
      const threads = (await import('node:worker_threads')) as { threadName?: string };
      return { title: process.title, threadName: threads.threadName };
    });
    if (isProcess) expect(called.title).to.equal('counter');
    else if (called.threadName !== undefined) expect(called.threadName).to.equal('counter');
    else this.skip(); // this Node shows it in debuggers only
  });

  it('of an operator get all of that, too', async () => {
    const given = { env: { A: '1' }, argv: ['b'], execArgv: ['--no-warnings'], name: 'c' };
    const task = (): unknown => [process.env['A'], process.argv.slice(2), process.execArgv];
    const { values } = await outcomeOf(of(0).pipe(parallelMap(task, { ...options, ...given })));
    expect(values).to.deep.equal([['1', ['b'], ['--no-warnings']]]);
  });
});
