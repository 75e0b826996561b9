/** Set-up runs again in the worker: what configures imports, and declarations of values that cannot be copied. */

import { expect } from 'chai';
import { ProgramFolder } from '../support/forms.js';
import { runNode } from '../support/runProgram.js';
import { babel, swc } from './compilers.js';
import { transformSync } from 'esbuild';
import ts from 'typescript';

const isCommonJs = process.env['FORMAT'] === 'cjs';
const format = isCommonJs ? 'cjs' : 'esm';

/** A package with state of its own, which no copy could see. */
const library = `
  const settings = { digits: 2 };
  const plugins = [];
  exports.set = (more) => void Object.assign(settings, more);
  exports.digits = () => settings.digits;
  exports.use = (plugin) => (plugins.push(plugin), exports);
  exports.plugins = () => plugins.length;
  exports.listen = () => void plugins.push('listening');
  exports.unit = { name: 'metre' };
  exports.metadata = new Map();
  exports.Field = (type) => (target, key) => void exports.metadata.set(target.constructor.name + '.' + key, type);
  exports.Twice = () => (target, key, descriptor) => {
    const { value } = descriptor;
    return { ...descriptor, value() { return 2 * value.call(this); } };
  };
  /** Not to be copied: it knows its own objects. */
  exports.schema = (shape) => {
    const own = new FinalizationRegistry(() => undefined);
    return { shape, own, extra: [], add(name) { this.extra.push(name); return this; }, check: (n) => n >= shape.least };
  };
`;

const source = `
  import 'lib/effects.js';
  import './own.js';
  import * as lib from 'lib';
  import { set, schema, Field, Twice } from 'lib';
  import { WorkerPool } from 'rxjs-parallel-map';

  const precision = 30 + 20;
  lib.set({ digits: precision });
  lib.use('a').use(() => 'b');
  lib.unit.name = 'mile';
  lib.listen();
  declare const globalThis: any;
  globalThis.ran = [...(globalThis.ran ?? []), 'program'];

  let least = 1;
  const form = schema({ least });
  form.add('one');
  form.add('two');
  least = 5;
  const table = { form };
  const unsafe = lib.schema({ least: lib.listen() });

  class User {
    @Field('text') name: string = 'x';
    @Twice() rank() { return 1; }
  }

  async function main() {
    const pool = new WorkerPool({ nJobs: 1, keepAlive: true, startMethod: process.argv[2] as never });
    const results: unknown[] = [];
    const run = async (fn: () => unknown, options = {}) => {
      results.push(await pool.apply(fn, [], options).catch((error: Error) => error.message));
    };
    await run(() => [lib.digits(), lib.plugins(), lib.unit.name]);
    await run(() => [lib.digits(), lib.plugins()]);
    await run(() => [form.check(1), form.check(0), form.extra, least, table.form === form]);
    await run(() => [(globalThis as any).effects, (globalThis as any).own, (globalThis as any).ran]);
    await run(() => [lib.metadata.get('User.name'), new User().rank()]);
    await run(() => unsafe.check(1));
    await run(() => form.check(1), { setup: false });
    await pool.terminate();
    const fresh = new WorkerPool({ nJobs: 1, startMethod: process.argv[2] as never });
    results.push(await fresh.apply(() => lib.digits(), [], { setup: false }));
    await fresh.terminate();
    console.log(JSON.stringify(results));
  }
  void main();
`;

const expected = [
  [50, 2, 'mile'],
  [50, 2],
  [true, false, ['one', 'two'], 5, true],
  [1, null, null],
  ['text', 2],
];

type Compile = (text: string) => string;

const decorators = { experimentalDecorators: true, useDefineForClassFields: false };
const withTs =
  (target: ts.ScriptTarget): Compile =>
  (text) =>
    ts.transpileModule(text, {
      compilerOptions: {
        module: isCommonJs ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext,
        target,
        esModuleInterop: true,
        ...decorators,
      },
    }).outputText;

const compilers: Readonly<Record<string, Compile>> = {
  tsc: withTs(ts.ScriptTarget.ES2022),
  'tsc, an old language': withTs(ts.ScriptTarget.ES2017),
  esbuild: (text) =>
    transformSync(text, {
      loader: 'ts',
      format,
      platform: 'node',
      tsconfigRaw: { compilerOptions: decorators },
    }).code,
};

/** Those whose decorators are others: without the class. */
const withoutDecorators: Readonly<Record<string, Compile>> = {
  Babel: (text) => babel(text, format, 'node 20'),
  'Babel, an old language': (text) => babel(text, format, 'node 10'),
  swc: (text) => swc(text, format, 'es2022'),
  'swc, minified': (text) => swc(text, format, 'es2022', true),
};

describe('set-up in the worker, of a program made by', () => {
  let folder: ProgramFolder;
  beforeEach(() => {
    folder = new ProgramFolder();
    folder.write('node_modules/lib/package.json', '{ "name": "lib", "main": "index.js" }');
    folder.write('node_modules/lib/index.js', library);
    folder.write('node_modules/lib/effects.js', 'globalThis.effects = (globalThis.effects ?? 0) + 1;');
    folder.write('own.js', 'globalThis.own = 1;');
  });
  afterEach(() => folder.remove());

  async function results(text: string, startMethod = 'threading'): Promise<unknown[]> {
    const { code, stdout, stderr } = await runNode([folder.write('program.js', text)], { args: [startMethod] });
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    return JSON.parse(stdout) as unknown[];
  }

  function check(got: unknown[], hasClass: boolean): void {
    const [, , , , decorated, unsafe, off, plain] = got;
    expect(got.slice(0, 4)).to.deep.equal(expected.slice(0, 4));
    if (hasClass) expect(decorated).to.deep.equal(expected[4]);
    expect(unsafe).to.match(
      /and its set-up does not run again in the worker because of listen in ".*" \(.*program\.js:\d+\)/,
    );
    expect(off).to.contain('FinalizationRegistry');
    expect(plain).to.equal(2);
  }

  for (const [title, compile] of Object.entries(compilers)) {
    it(title, async () => check(await results(compile(source)), true));
  }

  for (const [title, compile] of Object.entries(withoutDecorators)) {
    it(title, async () => check(await results(compile(source.replaceAll(/@\w+\(.*?\) /g, ''))), false));
  }

  it('tsc, with processes', async () => check(await results(withTs(ts.ScriptTarget.ES2022)(source), 'spawn'), true));
});
