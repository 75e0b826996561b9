/** What is special about the fork server. Everything else is in the table of start methods. */

import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { WorkerDiedError, type WorkerDiedError as Died } from './support/library.js';
import { steadyChildren } from './support/children.js';
import { loopForever, useGates } from './support/gates.js';
import { createPool, endPools } from './support/pools.js';
import { childrenOf, isAlive } from './support/processes.js';
import { until } from './support/until.js';
import { runScript } from './support/runProgram.js';
import { rejection } from './support/rejection.js';

const startMethod = 'forkserver';
/** What happens in a moment has happened after so many milliseconds, on a busy machine too; what does not happens never. */
const SOON = 5000;

/** The pid of the server of this program: the parent of its workers. There are others for other flags. */
function serverPid(): Promise<number> {
  return createPool({ nJobs: 1, startMethod }).apply(() => process.ppid);
}

/** The worker that a server, which has no other, has made ahead. */
async function preforkedOf(server: number): Promise<number> {
  const [spare] = await steadyChildren(() => childrenOf(server), 1, SOON, 'one worker is made ahead');
  return spare as number;
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}

describe('the fork server', () => {
  afterEach(endPools);
  const gates = useGates();

  it('is one process for all pools, and the parent of their workers', async () => {
    const parents = await Promise.all(
      [1, 2].map((nJobs) => createPool({ nJobs, startMethod }).apply(() => [process.ppid, process.pid])),
    );
    const server = await serverPid();
    expect(parents.map(([ppid]) => ppid)).to.deep.equal([server, server]);
    expect(childrenOf(process.pid)).to.include(server);
    expect(commandOf(server)).to.include('forkserver/server');
    expect(parents[0]?.[1]).to.not.equal(parents[1]?.[1]);
  });

  it('gives workers random numbers of their own', async () => {
    const pool = createPool({ nJobs: 3, startMethod, keepAlive: true });
    const draw = async () => {
      const { randomBytes, randomInt, randomUUID } = await import('node:crypto');
      await new Promise((resolve) => setTimeout(resolve, 100)); // so that each worker takes one
      return [Math.random(), Math.random(), randomUUID(), randomInt(2 ** 40), randomBytes(8).toString('hex')];
    };
    const drawn = (await pool.map(draw, [1, 2, 3, 4, 5, 6], { chunkSize: 1 })).flat();
    expect(new Set(drawn)).to.have.property('size', drawn.length);
  });

  it('knows the environment and the working directory of the moment', async () => {
    process.env['FORKSERVER_TEST'] = 'now';
    try {
      const pool = createPool({ nJobs: 1, startMethod });
      expect(await pool.apply(() => [process.env['FORKSERVER_TEST'], process.cwd()])).to.deep.equal([
        'now',
        process.cwd(),
      ]);
    } finally {
      delete process.env['FORKSERVER_TEST'];
    }
  });

  it('makes the next worker ahead, which is as any other', async () => {
    const server = await serverPid();
    const preforked = await preforkedOf(server);
    process.env['FORKSERVER_TEST'] = 'later';
    try {
      const pool = createPool({ nJobs: 1, startMethod, env: { ...process.env }, argv: ['a', 'b'], name: 'spare' });
      const facts = () => [
        process.pid,
        process.ppid,
        process.env['FORKSERVER_TEST'],
        process.argv.slice(2),
        process.title,
      ];
      expect(await pool.apply(facts)).to.deep.equal([preforked, server, 'later', ['a', 'b'], 'spare']);
      expect(await preforkedOf(server)).to.not.equal(preforked);
    } finally {
      delete process.env['FORKSERVER_TEST'];
    }
  });

  it('makes another one when that was killed', async () => {
    const server = await serverPid();
    const preforked = await preforkedOf(server);
    process.kill(preforked, 'SIGKILL');
    await until(() => !existsSync(`/proc/${preforked}`), 'it has ended, with all its threads', SOON);
    expect(await createPool({ nJobs: 1, startMethod }).apply(() => [process.ppid, process.pid])).to.satisfy(
      ([ppid, pid]: number[]) => ppid === server && pid !== preforked,
    );
    await preforkedOf(server);
  });

  it('makes one ahead, not more, of which no signal to the group of the program is an end', async () => {
    const server = await serverPid();
    const pools = [1, 2].map(() => createPool({ nJobs: 2, startMethod, keepAlive: true }));
    await Promise.all(pools.map((pool) => pool.map((x: number) => x, [1, 2], { chunkSize: 1 })));
    const children = await steadyChildren(() => childrenOf(server), 5, SOON, 'there are four workers, and one ahead');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1']) {
      for (const pid of children) process.kill(pid, signal);
    }
    expect(await createPool({ nJobs: 1, startMethod }).apply(() => process.pid)).to.be.oneOf(children);
  });

  it('that is killed takes its workers along, and the next worker has another one', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const worker = await pool.apply(() => process.pid);
    const server = await serverPid();
    const stuck = rejection<Died>(pool.map(loopForever, [gates().value('a')]));
    await gates().haveStarted('a');
    process.kill(server, 'SIGKILL');
    expect(await stuck).to.be.instanceOf(WorkerDiedError);
    await until(() => !isAlive(worker), 'the worker has ended', SOON);
    expect(await pool.apply(() => process.ppid))
      .to.equal(await serverPid())
      .and.not.equal(server);
  });

  it('leaves with the program, and its workers with it, also when that is killed', async () => {
    const { stdout } = await runScript(`
      const pool = new WorkerPool({ nJobs: 2, startMethod: 'forkserver', keepAlive: true });
      const pids = await pool.map(() => [process.ppid, process.pid], [1, 2, 3]);
      console.log(JSON.stringify(pids.flat()));
      pool.map(() => { for (;;); }, [1, 2]);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200);
    `);
    const pids = JSON.parse(stdout) as number[];
    expect(pids).to.have.length(6);
    await until(() => !pids.some(isAlive), 'server and workers have ended', SOON);
  });

  if (process.getuid?.() === 0) {
    it('has no workers with rights that the program has given up since', async () => {
      const { stdout, stderr } = await runScript(`
        const ask = () => new WorkerPool({ nJobs: 1, startMethod: 'forkserver' }).apply(() => process.getgid());
        console.log(await ask());
        process.setgid(12345);
        console.log(await ask());
      `);
      expect([stdout, stderr]).to.deep.equal([`${process.getgid?.()}\n12345\n`, '']);
    });
  }

  it('says on stderr what nobody catches, as Node does, and nothing of its own', async () => {
    const { stdout, stderr } = await runScript(`
      const pool = new WorkerPool({ nJobs: 1, startMethod: 'forkserver' });
      const fails = () => new Promise(() => setTimeout(() => { throw new RangeError('nobody catches this'); }, 1));
      await pool.apply(fails).catch((error) => console.log(error.name, error.exitCode, error.cause.message));
      await pool.apply(() => process.exit(7)).catch((error) => console.log(error.name, error.exitCode));
    `);
    expect(stdout).to.equal('WorkerDiedError 1 nobody catches this\nWorkerDiedError 7\n');
    expect(stderr)
      .to.include('RangeError: nobody catches this')
      .and.to.not.match(/assert|native/i);
  });

  it('has workers that abort where the program would, by --abort-on-uncaught-exception', async () => {
    const { stdout } = await runScript(
      `
      const pool = new WorkerPool({ nJobs: 1, startMethod: 'forkserver' });
      const fails = () => new Promise(() => setTimeout(() => { throw new RangeError('nobody catches this'); }, 1));
      await pool.apply(fails).catch((error) => console.log(error.name, error.signal));
    `,
      { flags: ['--abort-on-uncaught-exception'], ulimit: '-c 0' },
    );
    expect(stdout).to.equal('WorkerDiedError SIGABRT\n');
  });

  it('makes dozens of workers, one after the other', async () => {
    const pids = new Set<number>();
    const server = await serverPid();
    for (let i = 0; i < 50; i++) {
      const pool = createPool({ nJobs: 1, startMethod });
      pids.add(await pool.apply(() => process.pid));
      await pool.stopAndJoin();
    }
    expect(pids).to.have.property('size', 50);
    await until(() => childrenOf(server).length === 1, 'no worker is left, but the one that was made ahead', SOON);
  }).timeout(60_000);
});
