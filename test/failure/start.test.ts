import { fileURLToPath } from 'node:url';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { moduleTask, WorkerStartError, type WorkerStartError as StartError } from '../support/library.js';
import { useGates } from '../support/gates.js';
import { createPool, endPools } from '../support/pools.js';
import { runScript } from '../support/runProgram.js';
import { childrenOf } from '../support/processes.js';
import { until } from '../support/until.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

type Echo = (value: number) => number;
/** The command line of a process; empty where it has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

const at = (file: string) => new URL(`../tasks/${file}`, import.meta.url);

describeEach('a function that cannot be loaded', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);
  const gates = useGates();

  const cases: readonly [string, () => Parameters<typeof moduleTask>, RegExp, string | undefined][] = [
    [
      'whose module is missing',
      () => [at('missing.js'), 'echo'],
      /missing\.js.*module\.register\(\).*--import/s,
      'ERR_MODULE_NOT_FOUND',
    ],
    ['whose module throws', () => [at('throwsAtLoad.js'), 'task'], /thrown while loading/, 'E_LOAD'],
    ['that the module does not export', () => [at('failing.js'), 'ecko'], /no export "ecko".*echo/, undefined],
    ['that is no function', () => [at('failing.js'), 'notAFunction'], /notAFunction.*number/, undefined],
    ['that is null', () => [at('failing.js'), 'nothing'], /nothing.*null/, undefined],
    ['that is no default export', () => [at('failing.js')], /no export "default"/, undefined],
    ['whose module is no JavaScript', () => ['data:text/javascript,(((', 'x'], /Unexpected/, undefined],
    ['whose scheme is unknown', () => ['nonsense://x/y.js', 'x'], /nonsense/, 'ERR_UNSUPPORTED_ESM_URL_SCHEME'],
  ];
  for (const [what, args, message, code] of cases) {
    it(`${what}: an error with the cause, each time`, async () => {
      const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
      for (let i = 0; i < 3; i++) {
        const task = moduleTask<Echo>(...args());
        const error = await rejection<StartError>(pool.map(task, [1, 2, 3, 4, 5]));
        expect(error).to.be.instanceOf(WorkerStartError);
        expect(error.workerId).to.be.within(0, 1);
        expect(error.cause).to.be.instanceOf(Error);
        expect(error.message).to.match(message);
        expect(error.message).to.include((error.cause as Error).message.split('\n')[0]);
        if (code !== undefined) expect(error.cause).to.have.property('code', code);
      }
      expect(await rejection(pool.apply(moduleTask<() => number>(...args())))).to.be.instanceOf(WorkerStartError);
      // The pool goes on.
      expect(await pool.map((x: number) => x, [1])).to.deep.equal([1]);
    });
  }

  it('because its module ends the worker: one WorkerStartError', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    for (let i = 0; i < 2; i++) {
      const error = await rejection<StartError>(
        pool.map(new URL('../tasks/exitsAtLoad.js', import.meta.url), [1, 2, 3]),
      );
      expect(error).to.be.instanceOf(WorkerStartError);
      expect(error.message).to.include('exit code 3');
    }
    expect(await pool.map((x: number) => x, [1])).to.deep.equal([1]);
  });

  if (isProcess) {
    it('because its module has the worker killed: an error, and no endless retries', async () => {
      const pool = createPool({ nJobs: 1, startMethod, env: { LOG: `${gates().dir}/log` } });
      const error = await rejection(pool.map(at('killsAtLoad.js'), [1, 2, 3]));
      expect(error.message).to.include('SIGKILL');
      // With `fork` it is the template that dies, so no worker can be made of it. Elsewhere a kill may have been meant for the worker,
      // and is not held against the function the first time.
      if (startMethod === 'fork') expect(error).to.be.instanceOf(WorkerStartError);
      else expect(error).to.include({ name: 'WorkerDiedError', signal: 'SIGKILL' });
      expect(gates().log).to.deep.equal(startMethod === 'fork' ? ['load'] : ['load', 'load']);
    });
  }

  it('fails for two calls at once', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const task = moduleTask<Echo>(at('throwsAtLoad.js'), 'task');
    const errors = await Promise.all([rejection(pool.map(task, [1])), rejection(pool.map(task, [2]))]);
    for (const error of errors) expect(error).to.be.instanceOf(WorkerStartError);
  });

  it('leaves another call on the pool alone', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const fine = pool.map((x: number) => new Promise<number>((resolve) => setTimeout(resolve, 20, x)), [1, 2, 3, 4, 5]);
    expect(await rejection(pool.map(moduleTask<Echo>(at('missing.js')), [1, 2, 3]))).to.be.instanceOf(WorkerStartError);
    expect(await fine).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('because its module loops for ever: a call that is cancelled frees the pool', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const gone = new AbortController();
    const stuck = rejection(pool.map(at('loopsAtLoad.js'), [1, 2], { signal: gone.signal }));
    const behind = pool.map((x: number) => x + 1, [1, 2]);
    setTimeout(() => gone.abort(new Error('gave up')), 500); // so that the loop has begun, where it is quick
    expect(await stuck).to.have.property('message', 'gave up');
    expect(await behind).to.deep.equal([2, 3]);
  });

  it('is not noticed where there is no value', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await pool.map(moduleTask<Echo>(at('missing.js')), [])).to.deep.equal([]);
  });
});

describeEach('a worker that cannot be started', ({ name: startMethod, isProcess, isCopy }) => {
  if (isCopy) return; // it starts from what is up already: see forkserver.test.ts
  afterEach(endPools);
  const { execPath, execArgv } = process;
  const restore = () => void Object.assign(process, { execPath, execArgv });
  afterEach(restore);
  const echo = (x: number) => x;

  it('is a WorkerStartError with the cause, for each call once, and the pool lives', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    if (isProcess) process.execPath = '/does/not/exist';
    else process.execArgv = ['--eval', '0', '--conditions']; // which Node refuses, for its value is missing
    for (const call of [pool.map(echo, [1, 2, 3]), pool.apply(echo, [1])]) {
      const error = await rejection<StartError>(call);
      expect(error).to.be.instanceOf(WorkerStartError);
      expect(error.cause).to.have.property('code', isProcess ? 'ENOENT' : 'ERR_WORKER_INVALID_EXEC_ARGV');
    }
    restore();
    expect(await pool.map(echo, [1, 2, 3])).to.deep.equal([1, 2, 3]);
  });
});

describeEach('a worker of which what is preloaded fails', ({ name: startMethod, isProcess }) => {
  const throws =
    "data:text/javascript,throw Object.assign(new RangeError('thrown while preloading'), { code: 'E_PRELOAD' })";
  const cases = [
    [['--require', './missing.cjs'], 'MODULE_NOT_FOUND', /missing\.cjs/],
    [['--import', throws], 'E_PRELOAD', /thrown while preloading/],
    [['--import', '/does/not/exist.mjs'], 'ERR_MODULE_NOT_FOUND', /exist\.mjs/],
  ] as const;
  for (const [execArgv, code, message] of cases) {
    if (!isProcess && execArgv[0] === '--import') continue; // what a thread imports before all is Node's to tell
    it(`(${execArgv.join(' ').slice(0, 30)}) is a WorkerStartError with the real cause`, async () => {
      const { stdout } = await runScript(`
        const pool = new WorkerPool({ nJobs: 2, startMethod: '${startMethod}', execArgv: ${JSON.stringify(execArgv)} });
        const error = await pool.map((x) => x, [1, 2, 3]).catch((error) => error);
        console.log(JSON.stringify([error.name, error.cause.code, error.message]));
      `);
      const [name, ...rest] = JSON.parse(stdout) as string[];
      expect(name).to.equal('WorkerStartError');
      expect(rest[0]).to.equal(code);
      expect(rest[1]).to.match(message);
    });
  }
});

describeEach('a worker that does not come up', ({ name: startMethod, isProcess }) => {
  afterEach(endPools);
  const hangs = fileURLToPath(new URL('../tasks/hangsAtLoad.cjs', import.meta.url));

  it('within startTimeout is a WorkerStartError, for each call once, and ends', async () => {
    const before = childrenOf(process.pid);
    const pool = createPool({ nJobs: 2, startMethod, startTimeout: 1000, execArgv: ['--require', hangs] });
    for (const call of [pool.map((x: number) => x, [1, 2, 3]), pool.apply((x: number) => x, [1])]) {
      const error = await rejection<StartError>(call);
      expect(error).to.be.instanceOf(WorkerStartError);
      expect(error.message).to.match(
        /^Worker \d could not start: Error: it has not come up within 1000 ms, the option "startTimeout"\.$/,
      );
    }
    await pool.stopAndJoin();
    if (isProcess) {
      const others = () => childrenOf(process.pid).filter((pid) => !before.includes(pid));
      await until(
        () => others().every((pid) => commandOf(pid).includes('forkserver/server')),
        'its processes have ended',
        5000,
      );
      expect(others().filter((pid) => commandOf(pid).includes('"template":{'))).to.deep.equal([]);
    }
    expect(await createPool({ nJobs: 1, startMethod, startTimeout: Infinity }).apply((x: number) => x, [1])).to.equal(
      1,
    );
  });
});

describe('a pool with startTimeout', () => {
  afterEach(endPools);

  it('waits for functions that its template loads for longer', async () => {
    const pool = createPool({
      nJobs: 1,
      startMethod: 'fork',
      startTimeout: 2500,
      env: { ...process.env, LOAD_TIME: '2500' },
    });
    expect(await pool.apply(new URL('../tasks/loadsForLong.js', import.meta.url), [1])).to.equal(1);
  });

  it("has workers of a start method of one's own that do not come up", async () => {
    const killed: number[] = [];
    const start = ({ workerId }: { workerId: number }) => ({
      send: () => undefined,
      kill: () => killed.push(workerId),
    });
    const pool = createPool({ nJobs: 1, startMethod: { name: 'silent', start } as never, startTimeout: 50 });
    expect(await rejection(pool.apply((x: number) => x, [1]))).to.be.instanceOf(WorkerStartError);
    expect(killed).to.deep.equal([0]);
  });
});

describeEach('a program without a file descriptor left', ({ name: startMethod }) => {
  // What starts a worker needs several, so the want may come at any of its steps.
  for (const left of [0, 2]) {
    it(`but ${left} hears of it by a WorkerStartError, and has workers again when there are some`, async () => {
      const { stdout, stderr, code } = await runScript(
        `
        const { closeSync, openSync } = require('node:fs');
        const slow = (x) => new Promise((resolve) => setTimeout(resolve, 50, x));
        const map = (pool) => pool.map(slow, [1, 2, 3], { chunkSize: 1 });
        const fresh = new WorkerPool({ nJobs: 3, startMethod: '${startMethod}' });
        const used = new WorkerPool({ nJobs: 3, startMethod: '${startMethod}' });
        const isEmfile = ({ name, cause }) => name === 'WorkerStartError' && /EMFILE/.test(cause.message);
        await fresh.map(slow, []);
        for (const pool of [fresh, used]) {
          if (pool === used) await map(pool);
          const open = [];
          try { for (;;) open.push(openSync('/dev/null')); } catch {}
          open.splice(0, ${left}).forEach((fd) => closeSync(fd));
          const outcome = await map(pool).catch((error) => isEmfile(error) || error);
          open.forEach((fd) => closeSync(fd));
          console.log(outcome, await map(pool));
        }
        `,
        { ulimit: '-n 80' },
      );
      expect({ stderr, code }).to.deep.equal({ stderr: '', code: 0 });
      // Some start methods do with what is left.
      const outcome = left === 0 ? 'true' : String.raw`(true|\[ 1, 2, 3 \])`;
      expect(stdout).to.match(new RegExp(String.raw`^(${outcome} \[ 1, 2, 3 \]\n){2}$`));
    }).timeout(20_000);
  }
});
