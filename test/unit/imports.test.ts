// How the files of src import each other: in one direction and never in a circle. Types count as well, for whoever reads a file has
// to know those of the files that it names.
//
// Files are named as in docs/architecture.md: `core/job/Job.ts` is src/internal/core/job/Job.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import ts from 'typescript';

/** A file, and what it uses: another file, a package, or a global of a host. */
type Use = readonly [from: string, to: string];

/**
 * Which rooms the files of a room may import besides each other; `public` are the files at the top of src. Of these, other rooms may
 * import those that are named.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  public: ['rxjs', 'node', 'start', 'observe', 'core', 'worker', 'closures', 'options', 'protocol', 'platform'],
  // Puts a pool together, so it knows all of its parts.
  node: [
    'start',
    'observe',
    'core',
    'worker',
    'closures',
    'options',
    'protocol',
    'platform',
    'errors.ts',
    'options.ts',
    'taskTypes.ts',
  ],
  rxjs: ['node', 'core', 'closures', 'options', 'protocol', 'platform', 'options.ts', 'taskTypes.ts'],
  observe: ['core', 'worker', 'protocol', 'platform', 'insights.ts', 'options.ts', 'StartMethod.ts'],
  start: [
    'core',
    'worker',
    'closures',
    'posix',
    'options',
    'protocol',
    'platform',
    'errors.ts',
    'options.ts',
    'runtimeUrl.ts',
    'StartMethod.ts',
  ],
  core: [
    'options',
    'protocol',
    'errors.ts',
    'insights.ts',
    'moduleTask.ts',
    'options.ts',
    'StartMethod.ts',
    'taskTypes.ts',
    'transfer.ts',
  ],
  worker: ['closures', 'protocol', 'platform', 'errors.ts', 'transfer.ts'],
  closures: ['options', 'protocol', 'platform', 'errors.ts', 'moduleTask.ts', 'perWorker.ts', 'taskTypes.ts'],
  options: [
    'protocol',
    'platform',
    'errors.ts',
    'insights.ts',
    'moduleTask.ts',
    'StartMethod.ts',
    'taskTypes.ts',
    'transfer.ts',
  ],
  posix: ['protocol', 'platform'],
  protocol: ['platform', 'errors.ts', 'transfer.ts'],
  platform: [],
};

/** What `core` may have from `platform` only: a page has it in another way or not at all, and users' code may replace it. */
const hostGlobals: ReadonlySet<string> = new Set([
  'clearInterval',
  'clearTimeout',
  'console',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
]);

/** What breaks these rules today. Nothing is to be added here, and what is mended has to go. */
const exceptions: readonly Use[] = [];

const source = fileURLToPath(new URL('../../../src/', import.meta.url));
const paths = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
const uses: readonly Use[] = paths.flatMap((path) => {
  const file = nameOf(path.replaceAll(sep, '/'));
  return usesOf(file, readFileSync(join(source, path), 'utf8')).map((used): Use => [file, used]);
});

describe('imports', () => {
  it('are found in all their forms', () => {
    const text = `
      import a, { type b } from './a.js';
      import type { c } from '../options/c.js';
      import '../../../d.js';
      export { e } from './deep/e.js';
      export type * from './f.js';
      type G = import('./g.js').G;
      type H = typeof import('node:h');
      const i = await import('./i.js');
      // import j from './j.js';
      const k = "import k from './k.js'";
      import { now, setTimeout } from '../../platform/globals.js';
      setTimeout(now, this.performance, { console: 1, process });
      globalThis.setInterval();
      type L = typeof queueMicrotask;
    `;
    expect(usesOf('core/job/x.ts', text)).to.have.members([
      'core/job/a.ts',
      'core/options/c.ts',
      'd.ts',
      'core/job/deep/e.ts',
      'core/job/f.ts',
      'core/job/g.ts',
      'node:h',
      'core/job/i.ts',
      'platform/globals.ts',
      'process',
      'setInterval',
      'queueMicrotask',
    ]);
  });

  it('never go in a circle', () => {
    expect(circlesIn(without(exceptions))).to.deep.equal([]);
  });

  it('go only into the rooms that the table allows', () => {
    expect(trespassesIn(without(exceptions))).to.deep.equal([]);
  });

  it('are of files only, in core, which has no global of a host either', () => {
    expect(hostsIn(without(exceptions))).to.deep.equal([]);
  });

  it('go in one direction by the table, too', () => {
    const rooms = Object.entries(mayImport).flatMap(([from, all]) => all.map((to): Use => [from, to]));
    expect(circlesIn(rooms)).to.deep.equal([]);
    expect(roomsThatImport('posix')).to.deep.equal(['start']);
    expect(roomsThatImport('worker')).not.to.include('core');
    expect(roomsThatImport('core')).not.to.include('worker');
  });

  it('have a row in the table for each room, and no other', () => {
    const rooms = new Set(paths.map((path) => roomOf(nameOf(path.replaceAll(sep, '/')))));
    expect([...rooms]).to.have.members(Object.keys(mayImport));
  });

  for (const exception of exceptions) {
    it(`still need the exception ${exception.join(' → ')}`, () => {
      const left = without(exceptions.filter((each) => each !== exception));
      expect([...circlesIn(left), ...trespassesIn(left), ...hostsIn(left)]).not.to.deep.equal([]);
    });
  }
});

function nameOf(path: string): string {
  return path.replace(/^internal\//, '');
}

function isFile(name: string): boolean {
  return name.endsWith('.ts');
}

function roomOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : 'public';
}

function roomsThatImport(room: string): string[] {
  return Object.keys(mayImport).filter((from) => mayImport[from]?.includes(room));
}

function without(excepted: readonly Use[]): Use[] {
  return uses.filter(([from, to]) => !excepted.some((each) => each[0] === from && each[1] === to));
}

/** What a file uses, each once. */
function usesOf(file: string, text: string): string[] {
  const used = new Set<string>();
  const imported = new Set<string>();
  const folder = roomOf(file) === 'public' ? '' : `internal/${posix.dirname(file)}`;
  const add = (specifier: ts.Node | undefined): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const { text: to } = specifier;
    used.add(to.startsWith('.') ? nameOf(posix.join(folder, to)).replace(/\.js$/, '.ts') : to);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier);
      const { namedBindings } = node.importClause ?? {};
      if (namedBindings && ts.isNamedImports(namedBindings)) {
        for (const { name } of namedBindings.elements) imported.add(name.text);
      }
      return;
    }
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0]);
    if (ts.isIdentifier(node) && hostGlobals.has(node.text) && !imported.has(node.text) && !isNameOfMember(node)) {
      used.add(node.text);
    }
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return [...used];
}

/** Whether an identifier names a property, or something declared, and is not itself a use of what it names. */
function isNameOfMember(node: ts.Identifier): boolean {
  const { parent } = node;
  if ((parent as { name?: ts.Node }).name !== node || ts.isShorthandPropertyAssignment(parent)) return false;
  return !(ts.isPropertyAccessExpression(parent) && parent.expression.getText() === 'globalThis');
}

/** The shortest circle through each file or room that is on one, each told once. */
function circlesIn(edges: readonly Use[]): string[] {
  const next = new Map<string, string[]>();
  for (const [from, to] of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const circles = new Map<string, string>();
  for (const start of next.keys()) {
    const circle = shortestWayBack(start, next);
    const members = [...circle].sort().join();
    if (circle.length > 0 && !circles.has(members)) circles.set(members, [...circle, start].join(' → '));
  }
  return [...circles.values()];
}

/** The files on the shortest way from one to itself; none where there is no such way. */
function shortestWayBack(start: string, next: ReadonlyMap<string, readonly string[]>): string[] {
  const ways = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const to of next.get(way.at(-1) as string) ?? []) {
      if (to === start) return way;
      if (!seen.has(to)) ways.push([...way, to]);
      seen.add(to);
    }
  }
  return [];
}

/** Imports from rooms that are closed to the importing file. */
function trespassesIn(edges: readonly Use[]): string[] {
  return edges
    .filter(([from, to]) => isFile(to) && roomOf(from) !== roomOf(to))
    .filter(([from, to]) => !mayImport[roomOf(from)]?.includes(roomOf(to) === 'public' ? to : roomOf(to)))
    .map(([from, to]) => `${from} imports ${to}, but ${roomOf(from)} may not import ${roomOf(to)}`);
}

/** Uses of packages, of Node and of globals in `core`. */
function hostsIn(edges: readonly Use[]): string[] {
  return edges.filter(([from, to]) => roomOf(from) === 'core' && !isFile(to)).map(([from, to]) => `${from} uses ${to}`);
}
