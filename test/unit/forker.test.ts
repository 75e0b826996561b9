// A copy of a process has one thread: nothing that another one had in hand may be in it.
import { expect } from 'chai';
import { forkFlags } from '../../src/internal/posix/Forker.js';
import { whyNoLibc } from '../../src/internal/posix/libc.js';
import { runNode } from '../support/runProgram.js';

describe('Forker', () => {
  before(function () {
    if (whyNoLibc(true) !== undefined) this.skip();
  });

  /** What a process says that copies itself. */
  async function fork(...args: string[]): Promise<unknown> {
    const program = new URL('../support/forking.js', import.meta.url).pathname;
    const { stdout, stderr } = await runNode([...forkFlags, program, ...args]);
    expect(stderr).to.equal('');
    return JSON.parse(stdout);
  }

  const end = { exitCode: 7, signal: 0 };

  it('makes one copy where other threads rest', async () => {
    expect(await fork()).to.deep.equal({ made: 1, isLast: true, end, left: [] });
  });

  it('makes another copy if another thread has run while it was made', async () => {
    expect(await fork('restless')).to.deep.equal({ made: 2, isLast: true, end, left: [] });
  });
});
