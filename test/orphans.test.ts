// What becomes of the workers when the program is gone, or is told to go.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { beating, beatsFolder, silent } from './support/beats.js';
import { destroy, start, type Program } from './support/programs.js';
import { aliveInGroup, childrenOf, descendantsOf, isAlive } from './support/processes.js';
import { until } from './support/until.js';
import { describeEach, runsAll, startMethods } from './support/startMethods.js';

/**
 * What a killed program leaves is gone within milliseconds, or never, for it is in endless loops. The limit is for a machine that gives a
 * guard, or the thread by which a worker watches where there is none, no CPU for a while, and for nested workers one after the other.
 */
const LIMIT = 5000;
const noSetpriv = ['--require', fileURLToPath(new URL('./support/noSetpriv.cjs', import.meta.url))];
const noShell = ['--require', fileURLToPath(new URL('./support/noShell.cjs', import.meta.url))];

describe('a program that is killed with SIGKILL', function () {
  this.timeout(40_000);
  let folder: string;
  let program: Program;
  beforeEach(() => (folder = beatsFolder()));
  afterEach(() => {
    destroy(program);
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  /** Starts the program, waits for its loops, kills it, and waits for all its processes to be gone. */
  const killed = async (methods: readonly string[], loops: number, execArgv: readonly string[] = []) => {
    program = start('looping', { args: [folder, ...methods], execArgv });
    await beating(folder, loops);
    const processes = descendantsOf(program.pid);
    program.child.kill('SIGKILL');
    await until(() => !processes.some(isAlive), 'all its processes are gone', LIMIT);
    await silent(folder, LIMIT);
    return processes;
  };

  for (const { name, isProcess, isCopy } of startMethods) {
    it(`leaves no worker, though all are in endless loops (${name})`, async () => {
      const processes = await killed([name], 2);
      // Two workers and their guard, or the server that they are copies of, which may have made another one ahead.
      expect(processes.length).to.be.oneOf(isProcess ? (isCopy ? [3, 4] : [3]) : [0]);
    });

    // Threads have no guard. Copies have their server all the same, and one kind of it shows that.
    if (!runsAll && name !== 'spawn' && name !== 'forkserver') continue;
    it(`leaves none where there is no shell to guard them (${name})`, async () => {
      const processes = await killed([name], 2, noShell);
      // Copies have their server all the same.
      expect(processes.length).to.be.oneOf(isProcess ? (isCopy ? [3, 4] : [2]) : [0]);
    });
  }

  for (const { name } of startMethods.filter(({ isProcess }) => isProcess)) {
    it(`leaves none while workers are started, replaced and made ahead (${name})`, async () => {
      for (const delay of runsAll ? [0, 20, 50, 100, 150, 200, 300, 400, 600, 800] : [0, 100, 200, 400]) {
        program = start('replacing', { args: [name] });
        expect(await program.line()).to.equal('started');
        await new Promise((resolve) => setTimeout(resolve, delay));
        program.child.kill('SIGKILL');
        // All that it has started is in its process group, also what nobody has seen yet.
        await until(() => !aliveInGroup(program.pid), `all its processes are gone, after ${delay} ms`, LIMIT);
      }
    });
  }

  // Each start method inside of each: those inside of the same in one program, where each has an outer worker for itself.
  const names = startMethods.map(({ name }) => name);
  const each = names.map((name) => [name]);
  for (const outer of names) {
    for (const inners of runsAll ? each : [names]) {
      it(`leaves none of nested workers (${inners.join(', ')} in ${outer})`, async () => {
        await killed([outer, ...inners], inners.length === 1 ? 4 : inners.length);
      });
    }

    // The shell is for spawned workers only, and one kind of copies stands for both.
    if (!runsAll && outer === 'fork') continue;
    for (const [inner] of runsAll ? each : each.filter(([name]) => name === 'spawn')) {
      it(`leaves none of nested workers where there is no shell (${inner} in ${outer})`, async () => {
        await killed([outer, inner as string], 4, noShell);
      });
    }
  }

  if (existsSync('/usr/bin/setpriv')) {
    for (const nesting of [['spawn'], ['spawn', 'spawn'], ['threading', 'spawn']]) {
      it(`leaves none without guards, by the kernel (${nesting.toReversed().join(' in ')})`, async () => {
        program = start('looping', { args: [folder, ...nesting] });
        await beating(folder, nesting.length === 1 ? 2 : 4);
        const processes = descendantsOf(program.pid);
        const guards = [program.pid, ...processes].map(guardOf).filter((pid) => pid !== undefined);
        expect(guards).to.not.be.empty;
        for (const guard of guards) process.kill(guard, 'SIGSTOP');
        try {
          program.child.kill('SIGKILL');
          const workers = processes.filter((pid) => !guards.includes(pid));
          await until(() => !workers.some(isAlive), 'all workers are gone', LIMIT);
        } finally {
          for (const guard of guards) process.kill(guard, 'SIGKILL');
        }
      });
    }
  }

  it('leaves no worker where only a guard can end them (spawn)', async () => {
    expect(await killed(['spawn'], 2, noSetpriv)).to.have.length(3);
  });

  it('leaves none of nested workers where only guards can end them (spawn in spawn)', async () => {
    await killed(['spawn', 'spawn'], 4, noSetpriv);
  });

  it('leaves no worker when its guard was killed before, because that is replaced', async () => {
    program = start('looping', { args: [folder, 'spawn'], execArgv: noSetpriv });
    await beating(folder, 2);
    const guard = guardOf(program.pid);
    process.kill(guard as number, 'SIGKILL');
    await until(() => ![undefined, guard].includes(guardOf(program.pid)), 'there is another guard', LIMIT);
    const processes = descendantsOf(program.pid);
    program.child.kill('SIGKILL');
    await until(() => !processes.some(isAlive), 'all its processes are gone', LIMIT);
  });

  it('leaves none either when the guard is killed, and replaced, again and again', async () => {
    program = start('looping', { args: [folder, 'spawn'], execArgv: noSetpriv });
    await beating(folder, 2);
    for (let i = 0; i < 5; i++) {
      const guard = guardOf(program.pid);
      process.kill(guard as number, 'SIGKILL');
      await until(() => ![undefined, guard].includes(guardOf(program.pid)), 'there is another guard', LIMIT);
    }
    const processes = descendantsOf(program.pid);
    expect(processes.length).to.equal(3);
    program.child.kill('SIGKILL');
    await until(() => !processes.some(isAlive), 'all its processes are gone', LIMIT);
  });
});

describe('SIGTERM to the program', () => {
  it('ends its workers, though all are in endless loops, and their guard', async () => {
    const folder = beatsFolder();
    const program = start('looping', { args: [folder, 'spawn'] });
    try {
      await beating(folder, 2);
      const processes = descendantsOf(program.pid);
      program.child.kill('SIGTERM');
      expect(await program.ended).to.equal('SIGTERM');
      await until(() => !processes.some(isAlive), 'all its processes are gone', LIMIT);
    } finally {
      destroy(program);
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    }
  });
});

describeEach(
  'a signal to the whole process group, as by Ctrl-C, a closed terminal or a service manager,',
  ({ name: startMethod }) => {
    it('is for the program to answer: its workers go on', async () => {
      const program = start('interrupted', { args: [startMethod] });
      try {
        expect(await program.line()).to.equal('ready');
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGINT'] as const) {
          process.kill(-program.pid, signal);
          expect(await program.line()).to.equal('same workers');
        }
        const processes = descendantsOf(program.pid);
        program.child.stdin.write('end\n');
        expect(await program.ended).to.equal(0);
        await until(() => !processes.some(isAlive), 'all its processes are gone', LIMIT);
      } finally {
        destroy(program);
      }
    });

    const moments = runsAll ? [0, 10, 20, 40, 80] : [0, 20, 80];
    for (const [signal, delay] of [
      ...moments.map((each) => ['SIGINT', each] as const),
      ['SIGTERM', 0],
      ['SIGHUP', 20],
      ['SIGQUIT', 40],
      ['SIGTERM', 80],
    ] as const) {
      it(`is for the program to answer also while its workers start (${signal} after ${delay} ms)`, async () => {
        const program = start('interruptedEarly', { args: [startMethod, String(delay), signal] });
        try {
          expect(await program.line()).to.equal(`1,2,3 ${signal} 1`);
          expect(await program.ended).to.equal(0);
        } finally {
          destroy(program);
        }
      });
    }

    it('ends a program that does not answer it, and its workers, though all are in endless loops', async () => {
      const folder = beatsFolder();
      const program = start('looping', { args: [folder, startMethod] });
      try {
        await beating(folder, 2);
        const processes = descendantsOf(program.pid);
        process.kill(-program.pid, 'SIGINT');
        expect(await program.ended).to.equal('SIGINT');
        await until(() => !processes.some(isAlive), 'all its processes are gone', LIMIT);
      } finally {
        destroy(program);
        rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
      }
    });
  },
);

/** The pid of the shell that guards a program's workers. */
function guardOf(pid: number): number | undefined {
  return childrenOf(pid).find((child) => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, 'utf8').startsWith('/bin/sh\0') && isAlive(child);
    } catch {
      return false; // it has ended meanwhile
    }
  });
}
