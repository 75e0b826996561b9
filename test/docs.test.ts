// What the documentation shows: each snippet compiles, runs and prints what it says. `support/snippets.ts` says which do.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { parallelMap } from './support/library.js';
import { pages, pathsOf, snippetsOf, writeProject } from './support/snippets.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const format = process.env['FORMAT'] === 'cjs' ? 'cjs' : 'esm';
const folder = join(root, 'build', `docs-${format}`);

const snippets = pages(root).flatMap((page) => snippetsOf(root, page));
const modules = snippets.filter(({ fileName }) => fileName !== undefined);
const programs = snippets.filter((snippet) => snippet.format === format && snippet.fileName === undefined);

/** The tree of src in docs/architecture.md. */
const sourceTree = /^src\/\n(?: .*\n)+/m;

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

  // The same in both formats, and it takes some seconds.
  if (format === 'esm') {
    it('has an API reference that `npm run docs:api` would not change', () => {
      const fresh = join(root, 'build', 'docs-api');
      const typedoc = join(root, 'node_modules/.bin/typedoc');
      const { stdout, stderr, status } = spawnSync(typedoc, ['--out', fresh], { cwd: root, encoding: 'utf8' });
      expect(status, stdout + stderr).to.equal(0);
      expect(filesBelow(join(root, 'docs/api'))).to.deep.equal(filesBelow(fresh));
    }).timeout(60_000);
  }

  it('names every source file in the tree of docs/architecture.md, and no other', () => {
    const tree = sourceTree.exec(readFileSync(join(root, 'docs/architecture.md'), 'utf8'))?.[0] ?? '';
    const named = [...tree.matchAll(/^ +(\w+\.ts) /gm)].map(([, name]) => name as string);
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    expect(named.sort()).to.deep.equal(
      files
        .filter((file) => file.endsWith('.ts'))
        .map((file) => basename(file))
        .sort(),
    );
  });

  it('explains the architecture in 1,200 words at most, besides the tree', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8').replace(sourceTree, '');
    expect(text.split(/\s+/).length).to.be.within(500, 1200);
  });

  it('names every option in the table of the README, and no other', () => {
    const table = /^\| option .*\n(?:\|.*\n)+/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[0] ?? '';
    const named = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name as string);
    const unknown = { '': 1 } as never;
    expect(() => parallelMap(String, unknown)).to.throw(TypeError, `The options are ${enumerate(named)}.`);
  });
});

function enumerate(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** The contents of all files below a folder, by their paths. */
function filesBelow(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [relative(directory, path), readFileSync(path, 'utf8')]));
}
