/** What is loaded when: each part of the package comes at its first use, and importing it and piping an operator are none. */

import { expect } from 'chai';
import { runNode } from './support/runProgram.js';

const isCommonJs = process.env['FORMAT'] === 'cjs';

/** After each step, which files of the package and of its dependencies are loaded besides its index, and which modules of Node. */
type Loaded = Record<'imported' | 'piped' | 'subscribed' | 'module' | 'bar' | 'insights' | 'spawn', string[]>;

const program = `
  ${isCommonJs ? '' : `const require = (await import('node:module')).createRequire(process.cwd() + '/');`}
  const { lastValueFrom, from } = ${isCommonJs ? `require('rxjs')` : `await import('rxjs')`};
  const before = new Set([...Object.keys(require.cache), ...process.moduleLoadList]);
  const loaded = {};
  const note = (step) => {
    const files = Object.keys(require.cache).filter((file) => !before.has(file) && !/index[.]cjs$/.test(file) || /acorn|eslint/.test(file));
    const modules = process.moduleLoadList.filter((name) => !before.has(name) && name.startsWith('NativeModule '));
    loaded[step] = [...files, ...modules].map((name) => name
      .replace(/.*node_modules.(acorn|eslint-scope).*/, '$1').replace(/.*[\\\\/]/, '').replace('NativeModule ', 'node:'));
  };

  const { parallelMap, moduleTask, WorkerPool } = ${
    isCommonJs ? `require('rxjs-parallel-map')` : `await import('rxjs-parallel-map')`
  };
  note('imported');
  const operator = (fn, options) => from(['/a/b']).pipe(parallelMap(fn, { nJobs: 1, ...options }));
  const results = operator((path) => path.length);
  note('piped');
  await lastValueFrom(operator(moduleTask('node:path', 'dirname')));
  note('module');
  await lastValueFrom(results);
  note('subscribed');
  await lastValueFrom(operator(moduleTask('node:path', 'dirname'), { progressBar: true }));
  note('bar');
  await lastValueFrom(operator(moduleTask('node:path', 'dirname'), { insights: true }));
  note('insights');
  await lastValueFrom(operator(moduleTask('node:path', 'dirname'), { startMethod: 'spawn' }));
  note('spawn');
  console.log(JSON.stringify(loaded));
`;

describe('loading the package', () => {
  let loaded: Loaded;

  before(async function () {
    this.timeout(60_000);
    const text = isCommonJs ? `(async () => {${program}})()` : program;
    const type = isCommonJs ? 'commonjs' : 'module';
    const { code, stdout, stderr } = await runNode([`--input-type=${type}`, '--eval', text], { limit: 50_000 });
    expect(code, stderr).to.equal(0);
    loaded = JSON.parse(stdout) as Loaded;
  });

  /** The parts, and what they need. */
  const parts = ['core.cjs', 'capture.cjs', 'processes.cjs', 'insights.cjs', 'progress.cjs', 'acorn', 'eslint-scope'];
  const ofNode = ['worker_threads', 'child_process', 'inspector', 'net', 'fs', 'crypto', 'os', 'v8', 'vm'];
  const partsAt = (step: keyof Loaded): string[] => parts.filter((part) => loaded[step].includes(part));

  it('loads nothing but its index when it is imported', () => {
    expect(partsAt('imported')).to.deep.equal([]);
    expect(loaded.imported).not.to.include('options.cjs');
    for (const name of ofNode) expect(loaded.imported).not.to.include(`node:${name}`);
  });

  it('loads nothing but what checks options when an operator is piped', () => {
    expect(partsAt('piped')).to.deep.equal([]);
    expect(loaded.piped).to.include('options.cjs');
    for (const name of ofNode.filter((each) => each !== 'os')) expect(loaded.piped).not.to.include(`node:${name}`);
  });

  it('runs a function of a module without capturing anything', () => {
    expect(partsAt('module')).to.deep.equal(['core.cjs']);
    expect(loaded.module).not.to.include('node:inspector');
  });

  it('loads each other part at its first use', () => {
    const captured = ['core.cjs', 'capture.cjs', 'acorn', 'eslint-scope'];
    expect(partsAt('subscribed')).to.have.members(captured);
    expect(loaded.subscribed).to.include('node:inspector');
    expect(partsAt('bar')).to.have.members([...captured, 'progress.cjs']);
    expect(partsAt('insights')).to.have.members([...captured, 'progress.cjs', 'insights.cjs']);
    expect(partsAt('spawn')).to.have.members(parts);
  });
});
