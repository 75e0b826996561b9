import { expect } from 'chai';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programFile, projectFolder, runNode, runProgram } from './support/runProgram.js';
import { runsAll, startMethods } from './support/startMethods.js';

/** What of a file with coverage is looked at. */
interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly [{ readonly count: number }];
    }[];
  }[];
}

describe('a program that was started', () => {
  const methods = startMethods.map(({ name }) => name);
  /** What copies come from is started with the flags of a spawned worker: where that says it all, there are no copies. */
  const started = runsAll ? methods : startMethods.filter(({ isCopy }) => !isCopy).map(({ name }) => name);
  const expected = (gc: string, names = methods) =>
    Object.fromEntries(names.map((name) => [name, [[4, gc], 6]])) as Record<string, unknown>;

  const flagsOfNoConsequence = [
    ['--enable-source-maps'],
    ['--conditions', 'development'],
    ['--stack-trace-limit=20'],
    ['--unhandled-rejections=strict'],
    ['--trace-warnings', '--title=some program'],
    ['-C', 'development', '--no-warnings'],
  ];
  for (const [flags, gc, names] of [
    [[], 'undefined', started],
    [['--expose-gc', '--max-old-space-size=512'], 'function', methods],
    // What copies come from imports it later than other workers do.
    [['--import', 'data:text/javascript,globalThis.imported=1'], 'undefined', methods],
    // A flag that a worker cannot have would keep it from starting, whatever the others are.
    ...(runsAll ? flagsOfNoConsequence : [flagsOfNoConsequence.flat()]).map(
      (flags) => [flags, 'undefined', started] as const,
    ),
  ] as const) {
    if (names.length === 0) continue;
    it(`with ${flags.length > 4 ? `${flags.length} harmless flags` : flags.join(' ') || 'no flags'} runs its workers`, async () => {
      const { code, stdout, stderr } = await runProgram('flags.mjs', { flags, env: { START_METHODS: names.join() } });
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).to.deep.equal(expected(gc, names));
    });
  }

  it('with --inspect=0 runs its workers', async () => {
    const { code, stdout, stderr } = await runProgram('flags.mjs', { flags: ['--inspect=0'] });
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal(expected('undefined'));
    expect(stderr).to.not.match(/failed|error|in use/i);
  });

  // What would run beside the thread that is copied, or would not be there in a copy.
  for (const [flags, env] of [
    [['--cpu-prof'], {}],
    [['--prof', '--cpu-prof', '--cpu-prof-dir', 'profiles'], {}],
    [[], { UV_USE_IO_URING: '1' }],
  ] as const) {
    const methodsOfCopies = startMethods.filter(({ isCopy }) => isCopy).map(({ name }) => name);
    if (methodsOfCopies.length === 0) continue;
    it(`with ${[...flags, ...Object.keys(env)].join(' ')} runs its workers and copies`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
      try {
        const { code, stdout, stderr } = await runNode([...flags, programFile('flags.mjs')], {
          cwd: folder,
          env: { ...env, START_METHODS: methodsOfCopies.join() },
        });
        expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
        expect(JSON.parse(stdout)).to.deep.equal(expected('undefined', methodsOfCopies));
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it('with --frozen-intrinsics hears why there are no copies', async () => {
    const { stdout } = await runNode([
      '--frozen-intrinsics',
      '--input-type=module',
      '-e',
      `import { availableStartMethods, WorkerPool } from 'rxjs-parallel-map';
      console.log(availableStartMethods().join());
      for (const startMethod of ['forkserver', 'fork']) {
        try { new WorkerPool({ startMethod }); } catch (error) { console.log(error.name, error.reason); }
      }
      for (const startMethod of ['spawn', 'threading'])
        console.log(...await new WorkerPool({ nJobs: 1, startMethod }).map((x) => x * 2, [1, 2]));`,
    ]);
    const reason = "Node's flag --frozen-intrinsics keeps it from giving each worker random numbers of its own";
    const line = `StartMethodUnavailableError ${reason}\n`;
    expect(stdout).to.equal(`threading,spawn,inline\n${line}${line}2 4\n2 4\n`);
  });

  for (const { name: startMethod } of startMethods.filter(({ isCopy }) => isCopy)) {
    it(`without flags hears of those of its workers that forbid copies (${startMethod})`, async () => {
      const { stdout } = await runNode([
        '--input-type=module',
        '-e',
        `import { WorkerPool } from 'rxjs-parallel-map';
        const pool = new WorkerPool({ nJobs: 1, startMethod: '${startMethod}', execArgv: ['--frozen-intrinsics'] });
        await pool.apply(() => 1).catch((error) => console.log(error.name, error.reason));`,
      ]);
      expect(stdout).to.match(/^StartMethodUnavailableError Node's flag --frozen-intrinsics keeps it from /);
    });
  }

  it('with NODE_V8_COVERAGE has the coverage of its workers, too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coverage-'));
    const processes = startMethods.filter(({ isProcess }) => isProcess).map(({ name }) => name);
    try {
      const { code } = await runProgram('flags.mjs', {
        env: { NODE_V8_COVERAGE: folder, START_METHODS: processes.join() },
      });
      expect(code).to.equal(0);
      const covered = readdirSync(folder).filter((name) => {
        const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Coverage;
        const functions = result.filter(({ url }) => url.endsWith('/tasks.mjs')).flatMap((script) => script.functions);
        return functions.some(({ functionName, ranges }) => functionName === 'triple' && ranges[0].count > 0);
      });
      expect(covered).to.have.length(processes.length);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('by node --input-type=module -e runs its workers', async () => {
    const program = `
      import { WorkerPool } from 'rxjs-parallel-map';
      for (const startMethod of process.argv.slice(1)) {
        const pool = new WorkerPool({ nJobs: 1, startMethod });
        console.log(await pool.map((x) => x * 2, [1, 2]));
      }`;
    for (const [flags, names] of [
      [['--input-type=module'], methods],
      [['--input-type', 'module'], started],
      [['--input-type=module', '--no-warnings'], started],
    ] as const) {
      const { code, stdout, stderr } = await runNode([...flags, '-e', program, ...names]);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout).to.equal('[ 2, 4 ]\n'.repeat(names.length));
    }
  });

  it('by node -e and -p, as CommonJS, runs its workers', async () => {
    const program = `
      const { WorkerPool } = require('rxjs-parallel-map');
      (async () => {
        for (const startMethod of process.argv.slice(1)) {
          console.log(await new WorkerPool({ nJobs: 1, startMethod }).map((x) => x * 2, [1, 2]));
        }
      })(); ''`;
    for (const [flag, names] of [
      ['-e', methods],
      ['-p', started],
      ['-pe', started],
    ] as const) {
      const { code, stdout, stderr } = await runNode([flag, program, ...names]);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout.trim()).to.equal('[ 2, 4 ]\n'.repeat(names.length).trim());
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

  for (const [how, options] of [
    ['by tsx', { flags: ['--import', 'tsx'] }],
    ['with NODE_OPTIONS that preload tsx', { env: { NODE_OPTIONS: '--import tsx' } }],
  ] as const) {
    it(`${how} runs functions and modules in TypeScript`, async () => {
      const { code, stdout, stderr } = await runProgram('typescript.ts', { ...options, args: methods, limit: 45_000 });
      expect(code, stderr).to.equal(0);
      expect(stdout).to.equal("[ 3 ] [ 'large' ]\n".repeat(methods.length));
    }).timeout(60_000);
  }
});
