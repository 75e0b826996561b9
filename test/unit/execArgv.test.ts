import { expect } from 'chai';
import fc from 'fast-check';
import { processExecArgv, threadExecArgv, flagsOfOriginal } from '../../src/internal/start/process/execArgv.js';

/** Flags that a program may have been started with, and whether its workers should have them. */
const flags: readonly { readonly argv: readonly string[]; readonly process: boolean; readonly thread: boolean }[] = [
  { argv: ['--import', 'tsx'], process: true, thread: true },
  { argv: ['--import=tsx'], process: true, thread: true },
  { argv: ['--require', './setup.cjs'], process: true, thread: true },
  { argv: ['-r', './setup.cjs'], process: true, thread: true },
  { argv: ['--loader', 'ts'], process: true, thread: true },
  { argv: ['--conditions', 'development'], process: true, thread: true },
  { argv: ['-C', 'development'], process: true, thread: true },
  { argv: ['--enable-source-maps'], process: true, thread: true },
  { argv: ['--no-warnings'], process: true, thread: true },
  // These hold for the whole process, threads included; Node refuses them for a thread.
  { argv: ['--max-old-space-size=100'], process: true, thread: false },
  { argv: ['--expose-gc'], process: true, thread: false },
  // What the program is, its workers are not.
  { argv: ['-e', 'code()'], process: false, thread: false },
  { argv: ['--eval', 'code()'], process: false, thread: false },
  { argv: ['--eval=code()'], process: false, thread: false },
  { argv: ['-p', 'code()'], process: false, thread: false },
  { argv: ['-pe', 'code()'], process: false, thread: false },
  { argv: ['--input-type', 'module'], process: false, thread: false },
  { argv: ['--input-type=module'], process: false, thread: false },
  { argv: ['--test'], process: false, thread: false },
  { argv: ['--test-name-pattern=x'], process: false, thread: false },
  { argv: ['--watch'], process: false, thread: false },
  { argv: ['--watch-path', './src'], process: false, thread: false },
  { argv: ['--watch-path=./src'], process: false, thread: false },
  { argv: ['--inspect'], process: false, thread: false },
  { argv: ['--inspect-brk=9229'], process: false, thread: false },
  { argv: ['-i'], process: false, thread: false },
];

const some = fc.array(fc.constantFrom(...flags), { maxLength: 6 });

describe('the flags of a worker process', () => {
  for (const { argv, process } of flags) {
    it(`${process ? 'keep' : 'leave out'} ${argv.join(' ')}`, () => {
      expect(processExecArgv(argv)).to.deep.equal(process ? argv : []);
    });
  }

  it('are those that may stay, in their order, whatever stands between them', () => {
    fc.assert(
      fc.property(some, (chosen) => {
        const expected = chosen.filter(({ process }) => process).flatMap(({ argv }) => argv);
        expect(processExecArgv(chosen.flatMap(({ argv }) => argv))).to.deep.equal(expected);
      }),
    );
  });

  it('keep a value that looks like a flag with its flag', () => {
    expect(processExecArgv(['--eval', '--import', '--no-warnings'])).to.deep.equal(['--no-warnings']);
  });

  it('do not change what they are made from', () => {
    const argv = ['--eval', 'x', '--no-warnings'];
    processExecArgv(argv);
    threadExecArgv(argv);
    expect(argv).to.deep.equal(['--eval', 'x', '--no-warnings']);
  });
});

describe('the flags of a worker thread', () => {
  it('are left to Node where none stands in the way', () => {
    for (const argv of [
      [],
      ['--import', 'tsx'],
      ['--expose-gc', '--no-warnings'],
      ['--inspect'],
      ['--inspect-brk=1'],
    ]) {
      expect(threadExecArgv(argv), argv.join(' ')).to.equal(undefined);
    }
  });

  it('are those that a thread may have where one says what the program is', () => {
    fc.assert(
      fc.property(some, (chosen) => {
        const expected = chosen.filter(({ thread }) => thread).flatMap(({ argv }) => argv);
        const argv = ['--eval', 'code()', ...chosen.flatMap((flag) => flag.argv)];
        expect(threadExecArgv(argv)).to.deep.equal(expected);
      }),
    );
  });

  it('load ts-node where its command has started the program', () => {
    expect(threadExecArgv(['/x/node_modules/ts-node/dist/bin.js'])).to.deep.equal([
      '--require',
      '/x/node_modules/ts-node/register/transpile-only',
    ]);
  });
});

describe('the flags of a process that is copied', () => {
  it('are those of the program without what preloads something, which its copies load', () => {
    const argv = ['--import', 'tsx', '-r', './a.cjs', '--no-warnings', '--import=./b.mjs', '--loader', 'c', '-C', 'x'];
    expect(flagsOfOriginal(argv, undefined)).to.deep.equal({
      flags: ['--no-warnings', '-C', 'x'],
      nodeOptions: '',
      aborts: false,
      preloads: { require: ['./a.cjs'], loader: ['c'], import: ['tsx', './b.mjs'] },
    });
  });

  it("preload Yarn's Plug'n'Play, without which they would not find the package", () => {
    const loader = ['--experimental-loader', 'file:///a%20b/.pnp.loader.mjs'];
    const { flags, preloads } = flagsOfOriginal(['--require', '/a b/.pnp.cjs', ...loader, '-r', './c.cjs'], undefined);
    expect({ flags, preloads }).to.deep.equal({
      flags: ['--require', '/a b/.pnp.cjs'],
      preloads: { require: ['./c.cjs'], loader: ['file:///a%20b/.pnp.loader.mjs'], import: [] },
    });
    expect(flagsOfOriginal([], '--require "/a b/.pnp.cjs"')).to.deep.include({
      nodeOptions: '"--require" "/a b/.pnp.cjs"',
    });
  });

  it('do not abort, as its copies do', () => {
    for (const flag of ['--abort-on-uncaught-exception', '--abort_on_uncaught_exception']) {
      expect(flagsOfOriginal([flag], '')).to.deep.include({ flags: [], aborts: true });
      expect(flagsOfOriginal([], flag)).to.deep.include({ nodeOptions: '', aborts: true });
    }
  });

  it('are without those of NODE_OPTIONS too, which come first', () => {
    const options = String.raw`  --import tsx --max-old-space-size=100 --require "./a \"b\" c.cjs" --inspect=0 --conditions="x y"`;
    expect(flagsOfOriginal(['--import', 'second'], options)).to.deep.equal({
      flags: [],
      nodeOptions: '"--max-old-space-size=100" "--conditions=x y"',
      aborts: false,
      preloads: { require: ['./a "b" c.cjs'], loader: [], import: ['tsx', 'second'] },
    });
  });
});
