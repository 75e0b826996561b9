/** Private fields and methods that a compiler has turned into something else: they travel as those do that are left to JavaScript. */

import { expect } from 'chai';
import { transformSync } from 'esbuild';
import ts from 'typescript';
import { ProgramFolder } from '../support/forms.js';
import { runNode } from '../support/runProgram.js';
import { describeEach } from '../support/startMethods.js';
import { babel, swc } from './compilers.js';

/** It prints what its functions give in a worker. */
const source = `
  class Base {
    #id = 7;
    get id() { return this.#id; }
  }
  class Account extends Base {
    #balance = 0;
    #log = ['opened'];
    #owner;
    static #count = 0;
    static #secret() { return 'secret ' + Account.#count; }
    static made() { return Account.#count; }
    static tell() { return this.#secret(); }
    static is(object) { return #balance in object; }
    constructor(owner, start) {
      super();
      this.#owner = owner;
      this.#balance = start;
      Account.#count++;
    }
    #covers(n) { return n <= this.#balance; }
    get #double() { return this.#balance * 2; }
    set #double(value) { this.#balance = value / 2; }
    deposit(n) { this.#balance += n; this.#log.push('in ' + n); return this; }
    withdraw(n) { if (this.#covers(n)) this.#balance -= n; return this.#balance; }
    state() { return [this.#balance, this.#log, this.#double]; }
    setDouble(n) { this.#double = n; this.#balance++; return this.#balance; }
    ofPartner() { return this.#owner.partner.state(); }
  }
  const first = new Account({ name: 'first' }, 10).deposit(5);
  // Reached through a private field only, and around in a circle.
  const owner = { partner: new Account(undefined, 50) };
  const second = new Account(owner, 100);
  owner.self = second;
  const nested = new Map([['all', [first, { deep: second }]]]);
  const functions = [
    () => first.state(),
    () => [first.withdraw(3), first.withdraw(1000), first.id],
    () => [second.ofPartner(), second.id],
    () => [Account.made(), Account.tell(), Account.is(first), Account.is({})],
    () => { const made = new Account('x', 1); return [made.deposit(1).state(), Account.made(), made.id]; },
    () => nested.get('all')[1].deep.state()[0],
    () => first.setDouble(20),
    () => [first instanceof Account, owner.self === second],
  ];
  const { WorkerPool } = require('rxjs-parallel-map');
  (async () => {
    const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv[2], keepAlive: true });
    const results = [];
    for (const fn of functions) results.push(await pool.apply(fn).catch(String));
    await pool.terminate();
    console.log(JSON.stringify(results));
  })();
`;

const expected = [
  [15, ['opened', 'in 5'], 30],
  [12, 12, 7],
  [[50, ['opened'], 100], 7],
  [3, 'secret 3', true, false],
  [[2, ['opened', 'in 1'], 4], 4, 7],
  100,
  11,
  [true, true],
];

const typescript = (target: ts.ScriptTarget): string =>
  ts.transpileModule(source, { compilerOptions: { target, module: ts.ModuleKind.CommonJS } }).outputText;

const compiled: Readonly<Record<string, () => string>> = {
  nobody: () => source,
  'TypeScript, for ES2021': () => typescript(ts.ScriptTarget.ES2021),
  'TypeScript, for ES2015': () => typescript(ts.ScriptTarget.ES2015),
  'esbuild, for ES2021': () => transformSync(source, { target: 'es2021' }).code,
  'esbuild, for ES2017, minified': () => transformSync(source, { target: 'es2017', minify: true, format: 'cjs' }).code,
  'Babel, for Node 12': () => babel(source, 'cjs', 'node 12'),
  'Babel, for ES5': () => babel(source, 'cjs', 'ie 11'),
  'swc, for ES2021': () => swc(source, 'cjs', 'es2021'),
  'swc, for ES2017, minified': () => swc(source, 'cjs', 'es2017', true),
  'swc, for ES5': () => swc(source, 'cjs', 'es5'),
};

describeEach.of(['threading', 'spawn'], 'private members, compiled by', ({ name: startMethod }) => {
  let folder: ProgramFolder;
  beforeEach(() => (folder = new ProgramFolder()));
  afterEach(() => folder.remove());

  for (const [compiler, compile] of Object.entries(compiled)) {
    it(compiler, async () => {
      const { code, stdout, stderr } = await runNode([folder.write('program.cjs', compile())], { args: [startMethod] });
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).to.deep.equal(expected);
    });
  }

  it('in a class that the program has imported', async () => {
    // Its weak collections are in a module, which the worker would load anew.
    folder.write(
      'account.cjs',
      transformSync('exports.Account = class { #x = 1; get x() { return this.#x; } set x(n) { this.#x = n; } };', {
        target: 'es2021',
      }).code,
    );
    const program = `
      const { Account } = require('./account.cjs');
      const { WorkerPool } = require('rxjs-parallel-map');
      const account = new Account();
      account.x = 5;
      (async () => {
        const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv[2] });
        console.log(JSON.stringify(await pool.apply(() => [account.x, account instanceof Account, new Account().x]).catch(String)));
        await pool.terminate();
      })();
    `;
    const { stdout } = await runNode([folder.write('program.cjs', program)], { args: [startMethod] });
    expect(JSON.parse(stdout)).to.deep.equal([5, true, 1]);
  });
});
