/** Names that a file has imported: they are imported again in the worker, as from that file. */

import { isCommonJs } from '../support/forms.js';
import { describeTables } from '../support/tables.js';

/** Packages, beside the program and further inside, and other files. */
const files = {
  'node_modules/conditional/package.json': JSON.stringify({
    name: 'conditional',
    exports: {
      '.': { browser: './missing.js', import: './esm.mjs', require: './cjs.cjs' },
      './sub/*': { import: './sub-*.mjs', require: './sub-*.cjs' },
    },
  }),
  'node_modules/conditional/esm.mjs': `export const via = 'import'; export default 'the default of esm';`,
  'node_modules/conditional/cjs.cjs': `exports.via = 'require'; exports.default = 'the default of cjs'; exports.__esModule = true;`,
  'node_modules/conditional/sub-one.mjs': `export const sub = 'sub by import';`,
  'node_modules/conditional/sub-one.cjs': `exports.sub = 'sub by require';`,
  'node_modules/plain/index.js': `
    let calls = 0;
    module.exports = function plain(text) { return 'plain ' + text; };
    module.exports.member = () => ++calls;
    module.exports.list = [1, 2];
  `,
  'node_modules/@scope/pkg/package.json': JSON.stringify({ name: '@scope/pkg', type: 'module', main: './main.js' }),
  'node_modules/@scope/pkg/main.js': `export { inner as nested } from './inner.js'; export default class Scoped { name() { return 'scoped'; } }`,
  'node_modules/@scope/pkg/inner.js': `export const inner = (n) => n * 2;`,
  'node_modules/versioned/index.js': `exports.version = 1;`,
  'lib/node_modules/versioned/index.js': `exports.version = 2;`,
  'lib/data.json': JSON.stringify({ answer: 42, list: [1, { deep: true }] }),
  'lib/native.cjs': `exports.native = 'native CommonJS'; exports.load = () => require('./data.json').answer;`,
};

/** Modules in the form of the program. */
const others = {
  'lib/state': `
    import { threadId } from 'node:worker_threads';
    const world = globalThis as any;
    world.loads = (world.loads ?? 0) + 1;
    export const place = process.pid + '/' + threadId;
    export let count = 0;
    export const increase = () => ++count;
    export class Thing { constructor(readonly n: number) {} twice() { return this.n * 2; } }
  `,
  'lib/reexports': `
    export * from './state.js';
    export { increase as renamed } from './state.js';
    export * as space from './state.js';
    export * as inner from './inner.js';
    export { version } from 'versioned';
    export default function theDefault() { return 'the default'; }
  `,
  'lib/inner': `
    import { place } from './state.js';
    export const besides = () => place;
  `,
  'lib/uses': `
    import { increase, place } from './state.js';
    import { version } from 'versioned';
    import { basename } from 'node:path';
    export const useAll = (text: string) => [basename(text), version, typeof increase, place];
    export const later = async () => (await import('./native.cjs')).native;
  `,
  'lib/waits': isCommonJs ? 'export {};' : `export const answer = await Promise.resolve('after waiting');`,
};

const common = `
  import assert, { strict as strictly } from 'node:assert';
  import { createHash as hash, randomUUID } from 'node:crypto';
  import * as path from 'node:path';
  import fs from 'fs';
  import { setTimeout as delay } from 'timers/promises';
  import { threadId } from 'node:worker_threads';
  import conditional, { via } from 'conditional';
  import * as everything from 'conditional';
  import { sub } from 'conditional/sub/one';
  import plain from 'plain';
  import { member } from 'plain';
  import { version } from 'versioned';
  import theDefault, { renamed, increase, count, Thing, space, inner, version as otherVersion } from './lib/reexports.js';
  import * as reexports from './lib/reexports.js';
  import { place } from './lib/state.js';
  import { later, useAll } from './lib/uses.js';

  const here = () => process.pid + '/' + threadId;
  const aliases = { useAll, later };
  const things = [new Thing(1), new Thing(2)];
  const { besides } = inner;
  const { createHmac } = { createHmac: hash };
  const fromNode = { parse: path.parse, fs, exists: fs.existsSync, promises: fs.promises };
  const usesImports = (text: string) => path.join(hash('md5').update(text).digest('hex').slice(0, 4), via);
  class Extended extends Thing { more() { return this.twice() + 1; } }
  const condition = '${isCommonJs ? 'require' : 'import'}';

  const commonTables = {
    'by import: Node’s own modules': [
      ['default and renamed', () => [typeof assert.equal, typeof strictly.deepEqual], ['function', 'function']],
      ['named', () => [hash('md5').update('a').digest('hex'), randomUUID().length], ['0cc175b9c0f1b6a831c399e269772661', 36]],
      ['namespace', () => path.join('a', 'b'), 'a/b'],
      ['without node:', async () => [fs.existsSync('/'), await delay(1, 'ok')], [true, 'ok']],
      ['as values of other variables', () => [createHmac('md5') !== undefined, fromNode.parse('/a').base, fromNode.exists('/'), fromNode.fs === fs, typeof fromNode.promises.stat], [true, 'a', true, true, 'function']],
      ['by functions that are captured', () => usesImports('a'), '0cc1/' + condition],
    ],
    'by import: packages': [
      ['by the condition of the file', () => [via, conditional], [condition, '${isCommonJs ? 'the default of cjs' : 'the default of esm'}']],
      ['namespaces', () => everything.via, condition],
      ['subpaths', () => sub, 'sub by ' + condition],
      ['CommonJS, as a whole', () => [plain('x'), plain.list], ['plain x', [1, 2]]],
      ['CommonJS, a part', () => typeof member, 'function'],
      ['the copy that the file sees', () => [version, otherVersion], [1, 2]],
    ],
    'by import: files': [
      ['default, renamed and re-exported', () => [theDefault(), renamed === increase, space.increase === increase, reexports.Thing === Thing], ['the default', true, true, true]],
      ['what a namespace has that is exported as a whole', () => besides() === here(), true],
      ['are loaded in the worker', () => place === here(), true],
      ['with their state', () => { const before = reexports.count; renamed(); return reexports.count - before; }, 1],
      ['whose exports change', () => { const before = count; increase(); return count - before; }, 1],
      ['classes, and instances that the program has made', () => [things.map((thing) => thing.twice()), things[0] instanceof Thing, new Extended(2).more(), new Extended(1) instanceof Thing], [[2, 4], true, 5, true]],
      ['functions of theirs that are captured import as from their own files', async () => [aliases.useAll('/x/y').slice(0, 3), aliases.useAll('')[3] === here(), await aliases.later()], [['y', 2, 'function'], true, 'native CommonJS']],
      ['once in each worker', () => (globalThis as any).loads, 1],
    ],
  };
`;

const ofModules = `
  import data from './lib/data.json' with { type: 'json' };
  import Scoped, { nested } from '@scope/pkg';
  import { answer } from './lib/waits.js';
  import { native } from './lib/native.cjs';
  const os = await import('node:os');
  const { version: awaited } = await import('versioned');
  const { default: thing } = await import('@scope/pkg');
  const { url, dirname, filename } = import.meta;
  const resolved = [import.meta.resolve('./lib/data.json'), import.meta.resolve('versioned'), import.meta.resolve('conditional'), import.meta.resolve('fs')];
  const ofTables = {
    'in ES modules': [
      ['packages that are ES modules', () => [nested(2), new Scoped().name()], [4, 'scoped']],
      ['modules with top-level await', () => answer, 'after waiting'],
      ['modules with top-level await, by import()', async () => [(await import('./lib/waits.js')).answer, (await import('./lib/state.js')).increase === increase], ['after waiting', true]],
      ['JSON', () => data, { answer: 42, list: [1, { deep: true }] }],
      ['files of CommonJS', () => native, 'native CommonJS'],
      ['constants that await an import', () => [os.EOL, awaited, new thing().name()], ['\\n', 1, 'scoped']],
      ['import() of Node’s modules, packages and files', async () => [(await import('node:path')).basename('a/b'), (await import('conditional')).via, (await import('./lib/native.cjs')).native, (await import('versioned')).version], ['b', 'import', 'native CommonJS', 1]],
      ['import() of what is computed', async () => { const name = './lib/native' + '.cjs'; return (await import(name)).load(); }, 42],
      ['import() that fails is caught inside', async () => { try { return await import('./missing' + '.js'); } catch (error) { return (error as any).code; } }, 'ERR_MODULE_NOT_FOUND'],
      ['import.meta.url, dirname and filename', () => [import.meta.url === url, import.meta.dirname === dirname, import.meta.filename === filename], [true, true, true]],
      ['new URL(…, import.meta.url)', () => fs.existsSync(new URL('./lib/data.json', import.meta.url)), true],
      ['import.meta.resolve', () => [import.meta.resolve('./lib/data.json'), import.meta.resolve('versioned'), import.meta.resolve('conditional'), import.meta.resolve('fs')], resolved],
    ],
  };
`;

const ofCommonJs = `
  declare const require: any, module: any, exports: any, __dirname: string, __filename: string;
  const whole = require('plain');
  const { member: part, list: [, second], ...rest } = require('plain');
  const property = require('conditional').via;
  const deep = require('./lib/data.json').list[1].deep;
  const os = require('os'), { EOL } = os;
  let reassigned = require('versioned');
  reassigned = { version: 'mine' };
  const called = require('plain')('called');
  const conditionally = process.pid > 0 ? require('versioned') : undefined;
  exports.helper = () => 'helper of exports';
  exports.value = 5;
  const names = [__filename, __dirname, module.filename];
  const ofTables = {
    'in CommonJS': [
      ['require as a whole', () => [whole('x'), os.EOL, EOL], ['plain x', '\\n', '\\n']],
      ['require and destructure', () => [typeof part, second, Object.keys(rest)], ['function', 2, []]],
      ['require and take a property', () => [property, deep], ['require', true]],
      ['require and more than that', () => [called, reassigned.version, conditionally.version], ['plain called', 'mine', 1]],
      ['require inside', () => [require('node:path').basename('a/b'), require('conditional').via, require('./lib/native.cjs').native, require('versioned').version], ['b', 'require', 'native CommonJS', 1]],
      ['require of JSON', () => require('./lib/data.json').answer, 42],
      ['require.resolve', () => [require.resolve('./lib/native.cjs').startsWith(__dirname), require.resolve('versioned').includes('node_modules')], [true, true]],
      ['require that fails is caught inside', () => { try { return require('./missing'); } catch (error) { return (error as any).code; } }, 'MODULE_NOT_FOUND'],
      ['import() inside', async () => [(await import('node:path')).basename('a/b'), (await import('./lib/native.cjs')).native], ['b', 'native CommonJS']],
      ['__filename, __dirname and module', () => [__filename, __dirname, module.filename], names],
      ['exports of the file', () => [exports.helper(), exports.value], ['helper of exports', 5]],
    ],
  };
`;

const source = `${common}${isCommonJs ? ofCommonJs : ofModules}
  export const tables = { ...commonTables, ...ofTables } as any;
`;

describeTables(['threading', 'spawn', 'forkserver'], 'captured imports', { name: 'imports', source, others, files }, [
  'by import: Node’s own modules',
  'by import: packages',
  'by import: files',
  isCommonJs ? 'in CommonJS' : 'in ES modules',
]);
