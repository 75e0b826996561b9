/** Functions of code that was not written as it runs: compiled, bundled, instrumented, or made at run time. */

import { expect } from 'chai';
import { transformSync, buildSync, type BuildOptions } from 'esbuild';

import { join } from 'node:path';
import ts from 'typescript';
import { ProgramFolder } from '../support/forms.js';
import { projectFolder, runNode, type ProgramResult } from '../support/runProgram.js';
import { describeEach } from '../support/startMethods.js';
import { babel, swc } from './compilers.js';

/** A program in TypeScript that captures what it may: it prints what its functions give in a worker. */
const source = `
  import { createHash } from 'node:crypto';
  import * as path from 'node:path';
  import fs from 'node:fs';
  import { WorkerPool } from 'rxjs-parallel-map';
  import { half, Base, counter as tick } from './helper.js';
  import fallback from './helper.js';
  import * as everything from './helper.js';

  enum Color { Red = 1, Green }
  namespace Settings { export const depth = 2; }
  interface Named { readonly name: string }
  const salt: string = 'pepper';
  let changing = 0;
  class Derived extends Base implements Named {
    static readonly all: string[] = ['first'];
    #secret = 3;
    accessor = 1;
    constructor(readonly name = salt, private optional?: number) { super(4); }
    get secret() { return this.#secret + (this.optional ?? 0) + this.value; }
    async *steps() { for (let i = 0; i < 2; i++) yield await Promise.resolve(i); }
  }
  const prepared = new Derived('prepared', 1);
  function sha(text: string): string { return createHash('sha1').update(salt + text).digest('hex').slice(0, 8); }
  const spread = ({ a, ...rest }: Record<string, number>, ...more: number[]) => [a, Object.values(rest), Math.max(...more)];
  function tag(strings: TemplateStringsArray, ...values: unknown[]) { return strings.raw.join('') + values.join(); }

  async function main() {
    const local = 'local';
    const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv[2] as never, keepAlive: true });
    const functions: (() => unknown)[] = [
      () => [sha('a'), path.basename('/x/y'), fs.existsSync('/')],
      () => [half(4), fallback.name, local],
      () => [everything.half(6), everything.normalize('x/../y')],
      () => [Color.Green, Color[1], Settings.depth],
      () => [prepared.secret, new Derived().secret, prepared instanceof Derived, prepared.name, Derived.all, new Derived().name],
      () => spread({ a: 1, b: 2 }, 3, 4),
      () => [tag\`a\${local}\`, prepared?.name ?? 'none'],
      async () => { const all: number[] = []; for await (const step of prepared.steps()) all.push(step); return all; },
      () => [++changing, ++changing],
      async () => (await import('./helper.js')).half(8),
      () => { tick(); return tick() > 1; },
      () => [10n * 10n, ((x) => x?.y?.z)({} as any), [1, [2]].flat()],
    ];
    const results = [];
    for (const fn of functions) results.push(await pool.apply(fn).catch((error: Error) => String(error)));
    await pool.terminate();
    console.log(JSON.stringify(results, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
  }
  void main();
`;

const helper = `
  import { threadId } from 'node:worker_threads';
  export * from 'node:path';
  let count = 0;
  export function half(n: number): number { return n / 2; }
  export class Base { constructor(readonly value: number) {} }
  export const counter = (): number => ++count;
  export default class Fallback { static where = threadId; }
`;

/** What it prints. A bundler or a minifier may have renamed classes. */
const expected = [
  ['3bad5006', 'y', true],
  [2, 'Fallback', 'local'],
  [3, 'y'],
  [2, 'Red', 2],
  [8, 7, true, 'prepared', ['first'], 'pepper'],
  [1, [2], 4],
  ['alocal', 'prepared'],
  [0, 1],
  [1, 2],
  4,
  true,
  [100, null, [1, 2]],
];

/** How the program is made of the source: the file to run, and with which flags. */
type Maker = (folder: ProgramFolder) => { readonly file: string; readonly flags?: readonly string[] };

const external = ['rxjs-parallel-map'];

function withTs(folder: ProgramFolder, extension: string, options: ts.CompilerOptions): string {
  const compiled = (text: string) =>
    ts.transpileModule(text, { compilerOptions: { esModuleInterop: true, ...options } }).outputText;
  folder.write(`helper.${extension}`, compiled(helper));
  return folder.write(`program.${extension}`, compiled(source));
}

function withEsbuild(folder: ProgramFolder, extension: string, options: BuildOptions): string {
  folder.write('helper.ts', helper);
  const entry = folder.write('program.ts', source);
  const outfile = join(folder.path, `out.${extension}`);
  buildSync({ entryPoints: [entry], outfile, bundle: true, platform: 'node', external, logLevel: 'error', ...options });
  return outfile;
}

function eachWithEsbuild(folder: ProgramFolder, format: 'cjs' | 'esm', options: object = {}): string {
  const compiled = (text: string) => transformSync(text, { loader: 'ts', format, platform: 'node', ...options }).code;
  folder.write('helper.js', compiled(helper));
  return folder.write('program.js', compiled(source));
}

function withOther(folder: ProgramFolder, compile: (text: string) => string): string {
  folder.write('helper.js', compile(helper));
  return folder.write('program.js', compile(source));
}

/** What ts-node is told: it knows no newer way to find modules than this one, and TypeScript 6 complains of it. */
const tsconfig = JSON.stringify({
  compilerOptions: { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0', target: 'es2022' },
});

function forTsNode(folder: ProgramFolder): string {
  folder.write('tsconfig.json', tsconfig);
  folder.write('helper.ts', helper);
  // It leaves import() to Node, which knows nothing of TypeScript.
  return folder.write('program.ts', withoutImport(source).replaceAll('./helper.js', './helper'));
}

const { CommonJS, ESNext } = ts.ModuleKind;
const { ES2017, ES2022 } = ts.ScriptTarget;

/** For CommonJS and for ES modules: FORMAT says which of them run. */
const makers: Readonly<Record<'cjs' | 'esm', Readonly<Record<string, Maker>>>> = {
  cjs: {
    'tsc, today’s language': (folder) => ({ file: withTs(folder, 'js', { module: CommonJS, target: ES2022 }) }),
    'tsc, an old language with helpers': (folder) => ({
      file: withTs(folder, 'js', { module: CommonJS, target: ES2017 }),
    }),
    'tsx by --import': (folder) => {
      folder.write('helper.ts', helper);
      return { file: folder.write('program.ts', source), flags: ['--import', 'tsx'] };
    },
    // With this flag alone, tsx knows nothing of import().
    'tsx by --require': (folder) => {
      folder.write('helper.ts', helper);
      return {
        file: folder.write('program.ts', withoutImport(source)),
        flags: ['--require', 'tsx/cjs'],
      };
    },
    'ts-node by --require': (folder) => ({
      file: forTsNode(folder),
      flags: ['--require', 'ts-node/register/transpile-only'],
    }),
    'Babel, today’s language': (folder) => ({ file: withOther(folder, (text) => babel(text, 'cjs', 'node 20')) }),
    'Babel, an old language': (folder) => ({ file: withOther(folder, (text) => babel(text, 'cjs', 'node 10')) }),
    'swc, today’s language': (folder) => ({ file: withOther(folder, (text) => swc(text, 'cjs', 'es2022')) }),
    'swc, an old language': (folder) => ({ file: withOther(folder, (text) => swc(text, 'cjs', 'es2017')) }),
    'Babel, ES5': (folder) => ({ file: withOther(folder, (text) => babel(text, 'cjs', 'ie 11')) }),
    'swc, ES5': (folder) => ({ file: withOther(folder, (text) => swc(text, 'cjs', 'es5')) }),
    'swc, minified': (folder) => ({ file: withOther(folder, (text) => swc(text, 'cjs', 'es2022', true)) }),
    'esbuild, file by file': (folder) => ({ file: eachWithEsbuild(folder, 'cjs') }),
    'esbuild, file by file, with names kept': (folder) => ({
      file: eachWithEsbuild(folder, 'cjs', { keepNames: true }),
    }),
    'esbuild, a bundle': (folder) => ({ file: withEsbuild(folder, 'js', { format: 'cjs' }) }),
    'esbuild, a minified bundle': (folder) => ({
      file: withEsbuild(folder, 'js', { format: 'cjs', minify: true, keepNames: true }),
    }),
    'esbuild, a bundle of an old language': (folder) => ({
      file: withEsbuild(folder, 'js', { format: 'cjs', target: 'es2017', supported: { bigint: true } }),
    }),
  },
  esm: {
    'tsc, today’s language': (folder) => ({ file: withTs(folder, 'js', { module: ESNext, target: ES2022 }) }),
    'tsc, an old language with helpers': (folder) => ({
      file: withTs(folder, 'js', { module: ESNext, target: ES2017 }),
    }),
    'tsx by --import': (folder) => {
      folder.write('helper.ts', helper);
      return { file: folder.write('program.ts', source), flags: ['--import', 'tsx'] };
    },
    'Babel, today’s language': (folder) => ({ file: withOther(folder, (text) => babel(text, 'esm', 'node 20')) }),
    'Babel, an old language': (folder) => ({ file: withOther(folder, (text) => babel(text, 'esm', 'node 10')) }),
    'swc, today’s language': (folder) => ({ file: withOther(folder, (text) => swc(text, 'esm', 'es2022')) }),
    'swc, an old language': (folder) => ({ file: withOther(folder, (text) => swc(text, 'esm', 'es2017')) }),
    'esbuild, file by file': (folder) => ({ file: eachWithEsbuild(folder, 'esm') }),
    'esbuild, a bundle': (folder) => ({ file: withEsbuild(folder, 'js', { format: 'esm' }) }),
    'esbuild, a minified bundle': (folder) => ({
      file: withEsbuild(folder, 'js', { format: 'esm', minify: true, keepNames: true }),
    }),
  },
};

/** The program without what it imports by `import()`. */
function withoutImport(program: string): string {
  return program.replace(/\(await import.*?\)\)/, '({ half: () => 4 })');
}

const format = process.env['FORMAT'] === 'cjs' ? 'cjs' : 'esm';

/** What a program has printed, as JSON, where it has ended well. */
function printed({ code, stdout, stderr }: ProgramResult): unknown {
  expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

describeEach.of(['threading', 'spawn'], 'a function in a program made by', ({ name: startMethod }) => {
  let folder: ProgramFolder;
  beforeEach(() => (folder = new ProgramFolder()));
  afterEach(() => folder.remove());

  for (const [title, make] of Object.entries(makers[format])) {
    it(title, async () => {
      const { file, flags = [] } = make(folder);
      expect(printed(await runNode([file], { flags, args: [startMethod] }))).to.deep.equal(expected);
    });
  }
});

/** `run`, which calls functions in a worker and prints what they give. */
const runner = `
  const { WorkerPool } = require('rxjs-parallel-map');
  globalThis.run = async (functions) => {
    const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv.find((each) => /^(threading|spawn|fork|forkserver)$/.test(each)), keepAlive: true });
    const results = [];
    for (const fn of functions) results.push(await pool.apply(fn).catch(String));
    await pool.terminate();
    console.log(JSON.stringify(results));
  };
`;

/** What a coverage tool of istanbul's makes of a function. */
const instrumented = `
  function cov_1a2b3c() {
    var path = __filename;
    var gcv = "__coverage__";
    var coverageData = { path: path, statementMap: {}, fnMap: {}, branchMap: {}, s: { "0": 0, "1": 0, "2": 0 }, f: { "0": 0 }, b: { "0": [0, 0] }, hash: "abc" };
    var global = new Function("return this")();
    var coverage = global[gcv] || (global[gcv] = {});
    if (!coverage[path] || coverage[path].hash !== "abc") { coverage[path] = coverageData; }
    var actualCoverage = coverage[path];
    { // @ts-ignore
      cov_1a2b3c = function () { return actualCoverage; };
    }
    return actualCoverage;
  }
  cov_1a2b3c();
  const factor = (cov_1a2b3c().s[0]++, 3);
  const triple = n => { cov_1a2b3c().f[0]++; cov_1a2b3c().s[1]++; return n > 0 ? (cov_1a2b3c().b[0][0]++, n * factor) : (cov_1a2b3c().b[0][1]++, 0); };
  run([
    () => { cov_1a2b3c().f[0]++; cov_1a2b3c().s[2]++; return triple(2); },
    () => triple(-1),
  ]);
`;

const madeAtRunTime = `
  const vm = require('node:vm');
  const factor = 3;
  globalThis.assigned = 4;
  globalThis.helperOfMine = (n) => n * 2;
  run([
    new Function('return 1 + 1'),
    new Function('a', 'b = 2', 'return typeof a + b'),
    new Function('return assigned + helperOfMine(1)'),
    vm.runInThisContext('const local = 5; (() => local + 1)'),
    vm.runInThisContext('(function named() { return named.name; })', { filename: 'given-name.js', lineOffset: 10 }),
    vm.runInNewContext('const local = 7; (() => local + offset)', { offset: 1 }),
    vm.runInNewContext('const list = [1, { a: new Map([[1, 2]]) }]; (() => list[1].a.get(1) + list.length)'),
    vm.compileFunction('return () => factor + x', ['x'], { contextExtensions: [{ factor: 10 }] })(1),
    eval('const inEval = 8; () => inEval + factor'),
    (0, eval)('(() => 9)'),
    new vm.Script('() => 10').runInThisContext(),
    new Function('factor', 'return () => factor')(11),
    Function('return async () => 12')(),
    new (Object.getPrototypeOf(async () => 0).constructor)('return await 13'),
  ]);
`;

const inTheRepl = `
  const { WorkerPool } = require('rxjs-parallel-map')
  const { createHash } = require('crypto')
  const salt = 'pepper'
  let n = 1
  function twice(x) { return x * 2 }
  class Point { constructor(x) { this.x = x } double() { return twice(this.x) } }
  const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv[2] || process.env.START_METHOD, keepAlive: true })
  n = 2
  const calls = []
  calls.push(pool.apply(() => createHash('sha1').update(salt + 'a').digest('hex').slice(0, 8)))
  calls.push(pool.apply(() => [twice(n), new Point(4).double(), path.basename('/a/b'), os.EOL]))
  calls.push(pool.apply(async () => (await import('node:path')).sep))
  Promise.all(calls).then((results) => console.log('results: ' + JSON.stringify(results)), (error) => console.log('results: ' + error.stack)).finally(() => pool.terminate())
`;

/** What loads CommonJS only. */
const describeInCommonJs = format === 'cjs' ? describeEach.of : () => undefined;

describeInCommonJs(['threading', 'spawn'], 'a function', ({ name: startMethod }) => {
  const folder = new ProgramFolder();
  after(() => folder.remove());

  const run = async (program: string, flags: readonly string[] = []): Promise<unknown> => {
    const file = folder.write('program.js', program);
    const run = folder.write('runner.js', runner);
    return printed(await runNode([file], { flags: ['--require', run, ...flags], args: [startMethod] }));
  };

  it('that istanbul has instrumented', async () => {
    expect(await run(instrumented)).to.deep.equal([6, 0]);
  });

  it('under c8', async () => {
    const file = folder.write(
      'program.js',
      `const k = 2; const double = (n) => n * k; run([() => double(2), function () { return k ? 5 : 6; }]);`,
    );
    const program = [process.execPath, '--require', folder.write('runner.js', runner), file, startMethod];
    const args = ['--reporter', 'text', '--temp-directory', join(folder.path, 'coverage'), ...program];
    const { code, stdout, stderr } = await runNode([join(projectFolder, 'node_modules/c8/bin/c8.js'), ...args], {
      cwd: folder.path,
    });
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout.split('\n', 1)).to.deep.equal(['[4,5]']);
    expect(stdout).to.match(/program\.js/);
  });

  it('made at run time', async () => {
    expect(await run(madeAtRunTime)).to.deep.equal([2, 'object2', 6, 6, 'named', 8, 4, 11, 11, 9, 10, 11, 12, 13]);
  });

  it('typed into the REPL', async () => {
    const child = runNode(['-i'], {
      env: { START_METHOD: startMethod },
      stdin: 'pipe',
      onStart({ stdin, stdout: output }) {
        stdin?.write(inTheRepl);
        output?.on('data', (text: string) => {
          if (/results: |Uncaught/.test(text)) stdin?.end(); // which ends the program
        });
      },
    });
    const { code, stdout } = await child;
    const results = /^.*results: (.*)$/m.exec(stdout)?.[1];
    expect({ code, results }, stdout).to.deep.equal({
      code: 0,
      results: JSON.stringify(['3bad5006', [4, 8, 'b', '\n'], '/']),
    });
  });
});
