import { expect } from 'chai';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programFile, projectFolder, runNode, runProgram } from './support/programFile.js';
import { startMethods } from './support/startMethods.js';

describe('a program that was started', () => {
  const expected = (gc: string) =>
    Object.fromEntries(startMethods.map(({ name }) => [name, [[4, gc], 6]])) as Record<string, unknown>;

  for (const [flags, gc] of [
    [[], 'undefined'],
    [['--expose-gc'], 'function'],
    [['--enable-source-maps'], 'undefined'],
    [['--conditions', 'development'], 'undefined'],
    [['-C', 'development', '--no-warnings'], 'undefined'],
    [['--stack-trace-limit=20'], 'undefined'],
    [['--max-old-space-size=512'], 'undefined'],
    [['--import', 'data:text/javascript,globalThis.imported=1'], 'undefined'],
    [['--unhandled-rejections=strict'], 'undefined'],
    [['--trace-warnings', '--title=some program'], 'undefined'],
  ] as const) {
    it(`with ${flags.length === 0 ? 'no flags' : flags.join(' ')} runs its workers`, async () => {
      const { code, stdout, stderr } = await runProgram('flags.mjs', { flags });
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).to.deep.equal(expected(gc));
    });
  }

  // peers: 77
  it('with --inspect=0 runs its workers', async () => {
    const { code, stdout, stderr } = await runProgram('flags.mjs', { flags: ['--inspect=0'] });
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal(expected('undefined'));
    expect(stderr).to.not.match(/failed|error|in use/i);
  });

  it('by node --input-type=module -e runs its workers', async () => {
    const program = `
      import { WorkerPool } from 'rxjs-parallel-map';
      for (const startMethod of ['threading', 'spawn', 'forkserver', 'fork']) {
        const pool = new WorkerPool({ nJobs: 1, startMethod });
        console.log(await pool.map((x) => x * 2, [1, 2]));
      }`;
    for (const flags of [
      ['--input-type=module'],
      ['--input-type', 'module'],
      ['--input-type=module', '--no-warnings'],
    ]) {
      const { code, stdout, stderr } = await runNode([...flags, '-e', program]);
      expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: '[ 2, 4 ]\n'.repeat(4), stderr: '' });
    }
  });

  it('by node -e and -p, as CommonJS, runs its workers', async () => {
    const program = `
      const { WorkerPool } = require('rxjs-parallel-map');
      (async () => {
        for (const startMethod of ['threading', 'spawn', 'forkserver', 'fork']) {
          console.log(await new WorkerPool({ nJobs: 1, startMethod }).map((x) => x * 2, [1, 2]));
        }
      })(); ''`;
    for (const flag of ['-e', '-p', '-pe']) {
      const { code, stdout, stderr } = await runNode([flag, program]);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout.trim()).to.equal('[ 2, 4 ]\n'.repeat(4).trim());
    }
  });

  it('from a path with spaces, percent signs and non-ASCII characters runs its workers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ünï cödé 100%41 #日本 '));
    try {
      const home = join(folder, 'node_modules', 'rxjs-parallel-map');
      mkdirSync(home, { recursive: true });
      for (const part of ['dist', 'package.json'])
        cpSync(join(projectFolder, part), join(home, part), { recursive: true });
      for (const name of ['rxjs', 'acorn', 'eslint-scope', 'koffi']) {
        symlinkSync(join(projectFolder, 'node_modules', name), join(folder, 'node_modules', name));
      }
      for (const file of ['flags.mjs', 'library.mjs', 'tasks.mjs']) cpSync(programFile(file), join(folder, file));
      const { code, stdout, stderr } = await runNode([join(folder, 'flags.mjs')], { cwd: folder });
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).to.deep.equal(expected('undefined'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  for (const { name } of startMethods) {
    it(`with NODE_OPTIONS that preload tsx runs functions and modules in TypeScript (${name})`, async () => {
      const env = { NODE_OPTIONS: '--import tsx' };
      const { code, stdout, stderr } = await runProgram('typescript.ts', { env, args: [name] });
      expect(code, stderr).to.equal(0);
      expect(stdout).to.equal("[ 3 ] [ 'large' ]\n");
    });
  }

  // peers: 2 of section 2
  for (const { name } of startMethods) {
    it(`by tsx runs functions and modules in TypeScript (${name})`, async () => {
      const { code, stdout, stderr } = await runProgram('typescript.ts', { flags: ['--import', 'tsx'], args: [name] });
      expect(code, stderr).to.equal(0);
      expect(stdout).to.equal("[ 3 ] [ 'large' ]\n");
    });
  }
});
