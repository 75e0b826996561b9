// What the documentation shows: each snippet compiles, runs and prints what it says. `support/snippets.ts` says which do.
import { spawnSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { pages, pathsOf, snippetsOf, writeProject } from './support/snippets.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const format = process.env['FORMAT'] === 'cjs' ? 'cjs' : 'esm';
const folder = join(root, 'build', `docs-${format}`);

const snippets = pages(root).flatMap((page) => snippetsOf(root, page));
const modules = snippets.filter(({ fileName }) => fileName !== undefined);
const programs = snippets.filter((snippet) => snippet.format === format && snippet.fileName === undefined);

describe('the documentation', () => {
  before(() => {
    rmSync(folder, { recursive: true, force: true });
    writeProject(folder, [...modules, ...programs]);
  });

  it('has snippets that run', () => {
    expect(programs).to.not.be.empty;
  });

  it('has snippets that compile', () => {
    const compiler = join(root, 'node_modules/.bin/tsc');
    const { stdout, status } = spawnSync(compiler, ['-p', folder], { encoding: 'utf8' });
    expect(stdout).to.equal('');
    expect(status).to.equal(0);
  }).timeout(60_000);

  for (const snippet of programs) {
    it(`${snippet.page}:${snippet.line} prints what it says`, async () => {
      const program = join(folder, 'out', pathsOf(snippet).program);
      const child = spawn(process.execPath, [program], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
      const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      expect(stderr).to.equal('');
      expect(stdout.split('\n').slice(0, -1)).to.deep.equal(snippet.prints);
      expect(end).to.equal(0);
    });
  }

  for (const page of pages(root)) {
    it(`${page} links only to what exists`, () => {
      const markdown = readFileSync(join(root, page), 'utf8').replace(/^```.*?^```$/gms, '');
      const links = [...markdown.matchAll(/\]\(([^)#\s]+)(#[^)\s]*)?\)/g)].map(([, link]) => link as string);
      const local = links.filter((link) => !/^[a-z]+:/.test(link));
      expect(local.filter((link) => !existsSync(join(root, dirname(page), link)))).to.deep.equal([]);
    });
  }
});
