import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { pathToFileURL, fileURLToPath } from 'node:url';
import { moduleTask } from '../support/library.js';
import { createPool, endPools } from '../support/pools.js';
import { thrownBy } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

type Text = (value: string) => string;
type Count = (value: number) => number;

describeEach('a task in a module', ({ name: startMethod }) => {
  afterEach(endPools);
  const esm = new URL('../tasks/functions.js', import.meta.url);
  const cjs = new URL('../tasks/common.cjs', import.meta.url);

  it('by URL: the default export, here an async function', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await pool.map(esm, ['a', 'b'])).to.deep.equal(['module:a', 'module:b']);
    expect(await pool.apply(esm, ['c'])).to.equal('module:c');
  });

  it('by moduleTask: the default export and a named one', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await pool.map(moduleTask<Text>(esm), ['a'])).to.deep.equal(['module:a']);
    expect(await pool.map(moduleTask<Text>(esm, 'named'), ['/x/y'])).to.deep.equal(['y']);
  });

  it('by a file: URL as text and by an absolute path', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    for (const place of [esm.href, fileURLToPath(esm), pathToFileURL(fileURLToPath(esm))]) {
      expect(await pool.map(moduleTask<Text>(place, 'named'), ['/x/y'])).to.deep.equal(['y']);
    }
  });

  it('by an absolute path with characters that mean something in a URL', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'odd # ? %41 ü-'));
    try {
      writeFileSync(join(folder, 'task.mjs'), 'export default (x) => x + 1;');
      const pool = createPool({ nJobs: 1, startMethod });
      expect(await pool.map(moduleTask<Count>(join(folder, 'task.mjs')), [1])).to.deep.equal([2]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('in CommonJS: module.exports, a property, and one that only running it shows', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    expect(await pool.map(cjs, ['/x/y'])).to.deep.equal(['cjs:y']);
    expect(await pool.map(moduleTask<Text>(cjs), ['/x/y'])).to.deep.equal(['cjs:y']);
    expect(await pool.map(moduleTask<Count>(cjs, 'named'), [2])).to.deep.equal([20]);
    expect(await pool.map(moduleTask<Count>(cjs, 'computedName'), [2])).to.deep.equal([200]);
  });

  it('in CommonJS that was transpiled: its default', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const transpiled = new URL('../tasks/transpiled.cjs', import.meta.url);
    expect(await pool.map(transpiled, [1])).to.deep.equal([1001]);
  });

  it('takes the arguments of apply', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    expect(await pool.apply(moduleTask<(a: number, b: number) => number>(esm, 'sum') as never, [1, 2])).to.equal(3);
  });

  it('is loaded once per worker, so that its state stays', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const count = () => moduleTask<() => number>(esm, 'count');
    expect(await pool.map(count(), [0, 0])).to.deep.equal([1, 2]);
    expect(await pool.map(count(), [0])).to.deep.equal([3]);
    expect(await pool.apply(count())).to.equal(4);
  });
});

describe('moduleTask', () => {
  it('and transfer work across the ES module and the CommonJS copy', async () => {
    const other = (
      process.env['FORMAT'] === 'cjs'
        ? await import('rxjs-parallel-map')
        : createRequire(import.meta.url)('rxjs-parallel-map')
    ) as typeof import('rxjs-parallel-map');
    expect(other.moduleTask).to.not.equal(moduleTask);
    const pool = createPool({ nJobs: 1, startMethod: 'threading' });
    const task = other.moduleTask<Text>(new URL('../tasks/functions.js', import.meta.url), 'named');
    expect(await pool.map(task, ['/x/y'])).to.deep.equal(['y']);
    const buffer = new ArrayBuffer(8);
    const sizeOf = (value: ArrayBuffer) => value.byteLength;
    expect(await pool.map(sizeOf, [other.transfer(buffer, [buffer])])).to.deep.equal([8]);
    expect(buffer.byteLength, 'it was moved').to.equal(0);
    await endPools();
  });

  it('refuses what is no absolute URL, and says why', () => {
    for (const place of ['./work.js', 'work.js', '', null, undefined, 5, {}] as never[]) {
      const error = thrownBy(() => moduleTask(place));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include('url').and.to.include('import.meta.url');
    }
  });

  it('refuses what is no export name', () => {
    for (const name of ['', null, 5, {}] as never[]) {
      expect(thrownBy(() => moduleTask('file:///x.js', name)))
        .to.be.instanceOf(TypeError)
        .with.property('message')
        .that.includes('exportName');
    }
  });
});
