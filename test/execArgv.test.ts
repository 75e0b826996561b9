import { expect } from 'chai';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
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

  it('with --inspect in NODE_OPTIONS has no worker that listens for a debugger, and these find them as they are', async () => {
    const { code, stderr, stdout } = await runNode(
      [
        '--input-type=module',
        '-e',
        `import { WorkerPool } from 'rxjs-parallel-map';
        for (const startMethod of process.argv.slice(1)) {
          const options = () => process.env.NODE_OPTIONS;
          console.log(await new WorkerPool({ nJobs: 2, startMethod }).map(options, [1, 2], { chunkSize: 1 }));
        }`,
      ],
      { env: { NODE_OPTIONS: '--inspect=0 --no-warnings' }, args: methods },
    );
    expect(code, stderr).to.equal(0);
    expect(stderr.match(/Debugger listening|inspector/g)).to.have.length(2); // the program's own, and where help is
    expect(stdout).to.equal("[ '--inspect=0 --no-warnings', '--inspect=0 --no-warnings' ]\n".repeat(methods.length));
  });

  // What would run beside the thread that is copied, or would not be there in a copy, or native code does not stand.
  for (const [flags, env] of [
    [['--abort-on-uncaught-exception'], {}],
    [[], { NODE_OPTIONS: '--abort_on_uncaught_exception' }],
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

  for (const { name: startMethod } of startMethods.filter(({ isCopy }) => isCopy)) {
    it(`with Yarn's Plug'n'Play and its loader has workers, of an original that has it, too (${startMethod})`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "plug 'n' play-"));
      try {
        // Without the first the package may be in an archive that cannot be read; the other one unpacks by WebAssembly.
        writeFileSync(join(folder, '.pnp.cjs'), 'globalThis.loadedIn ??= process.pid;');
        const loader = join(folder, '.pnp.loader.mjs');
        const empty = 'Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)';
        writeFileSync(
          loader,
          `export async function resolve(specifier, context, next) {
            await WebAssembly.compile(${empty});
            return next(specifier, context);
          }`,
        );
        const { stdout } = await runNode(
          [
            '--input-type=module',
            '-e',
            `import { WorkerPool } from 'rxjs-parallel-map';
            const pool = new WorkerPool({ nJobs: 1, startMethod: '${startMethod}' });
            const ask = async () => [(await import('node:os')).platform(), globalThis.loadedIn === process.ppid];
            console.log(await pool.apply(ask));`,
          ],
          {
            env: {
              NODE_OPTIONS: `--require ${JSON.stringify(join(folder, '.pnp.cjs'))} --experimental-loader ${pathToFileURL(loader).href} --no-warnings`,
            },
          },
        );
        expect(stdout).to.equal("[ 'linux', true ]\n");
      } finally {
        rmSync(folder, { recursive: true });
      }
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

  it('from a path with line breaks, tabs and backslashes has functions that import', async () => {
    // From a folder with a backslash Node imports nothing.
    for (const [name, specifiers] of [
      ['line\nbreak', ['./imported.cjs']],
      ['tab\t and back\\slash', []],
    ] as const) {
      const folder = mkdtempSync(join(tmpdir(), name));
      try {
        writeFileSync(join(folder, 'imported.cjs'), 'module.exports = { triple: (n) => n * 3 };');
        writeFileSync(
          join(folder, 'program.cjs'),
          `const { WorkerPool } = require(${JSON.stringify(projectFolder)});
          const assert = require('node:assert');
          const { triple } = require('./imported.cjs');
          (async () => {
            for (const startMethod of process.argv.slice(2)) {
              const pool = new WorkerPool({ nJobs: 1, startMethod });
              console.log(await pool.apply((n) => triple(n), [2]));
              const imports = async (name) => (await import(name)).default.triple(2);
              for (const name of ${JSON.stringify(specifiers)}) assert.equal(await pool.apply(imports, [name]), 6);
            }
          })();`,
        );
        const { stdout, stderr } = await runNode([join(folder, 'program.cjs')], { args: methods });
        expect({ stdout, stderr }).to.deep.equal({ stdout: '6\n'.repeat(methods.length), stderr: '' });
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  });

  for (const [how, flags] of [
    ['from its standard input', ['-']],
    ['by --input-type=commonjs -e', ['--input-type=commonjs', '-e']],
  ] as const) {
    it(`${how} has functions that use what it has required`, async () => {
      const program = `
        const { WorkerPool } = require('rxjs-parallel-map');
        const { sep } = require('node:path');
        const { triple } = require('./test/programs/triple.cjs');
        (async () => {
          for (const startMethod of ${JSON.stringify(methods)}) {
            const pool = new WorkerPool({ nJobs: 1, startMethod });
            console.log(await pool.apply((n) => sep + triple(n), [2]));
          }
        })();`;
      const { stdout, stderr } = await runNode(flags[0] === '-' ? flags : [...flags, program], {
        stdin: 'pipe',
        onStart: ({ stdin }) => stdin?.end(program),
      });
      expect({ stdout, stderr }).to.deep.equal({ stdout: '/6\n'.repeat(methods.length), stderr: '' });
    });
  }

  for (const { name: startMethod, isProcess } of startMethods) {
    if (!isProcess) continue; // where there is no directory Node itself starts no thread
    it(`in a directory that is deleted has workers there (${startMethod})`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'deleted-'));
      const { stdout, stderr } = await runNode([
        '--input-type=commonjs',
        '-e',
        `const { rmdirSync } = require('node:fs');
        const { WorkerPool } = require(${JSON.stringify(projectFolder)});
        const where = () => { try { return process.cwd(); } catch (error) { return error.code; } };
        const ask = async (pool) => console.log(await pool.apply(where));
        (async () => {
          const old = new WorkerPool({ nJobs: 1, startMethod: '${startMethod}' });
          await ask(old);
          process.chdir(${JSON.stringify(folder)});
          await ask(new WorkerPool({ nJobs: 1, startMethod: '${startMethod}' }));
          rmdirSync(${JSON.stringify(folder)});
          await ask(old);
          await ask(new WorkerPool({ nJobs: 1, startMethod: '${startMethod}' }));
        })();`,
      ]);
      const project = projectFolder.slice(0, -1);
      // The template of the old pool has its workers where it is itself.
      expect({ stdout, stderr }).to.deep.equal({ stdout: `${project}\n${folder}\nENOENT\nENOENT\n`, stderr: '' });
    });
  }

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
