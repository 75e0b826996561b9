/**
 * The snippets of README.md and docs/*.md.
 *
 * - A ts or js block that begins with an `import` is a program, an ES module; one that begins with `const … = require(` is a
 *   CommonJS program. Both run as they stand. What they print is what their `// prints: …` comments say, line by line.
 * - A block whose first line is a comment with nothing but a file name (`// tasks.ts`) is a module that the programs of its
 *   page can import. It does not run by itself.
 * - Any other block is a fragment, there to be read.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type SnippetFormat = 'esm' | 'cjs';

export interface Snippet {
  /** Its page, below the root of the project. */
  readonly page: string;
  /** The line of the page that it begins at. */
  readonly line: number;
  readonly source: string;
  /** The name of its file, where it is a module for others. */
  readonly fileName: string | undefined;
  /** Its format, where it is to be run. */
  readonly format: SnippetFormat | undefined;
  /** The lines that it says it prints. */
  readonly prints: readonly string[];
}

/** Every page of the documentation that is written by hand. */
export function pages(root: string): string[] {
  const guides = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...guides.map((name) => `docs/${name}`)];
}

export function snippetsOf(root: string, page: string): Snippet[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map((match) => {
    const source = match[1] as string;
    return {
      page,
      line: text.slice(0, match.index).split('\n').length + 1,
      source,
      fileName: /^\/\/ ([\w-]+\.[cm]?[jt]s)\n/.exec(source)?.[1],
      format: formatOf(source),
      prints: [...source.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line]) => line as string),
    };
  });
}

/** Where a snippet is written to, below the folder of all snippets, and where it is run from. */
export function pathsOf(snippet: Snippet): { source: string; program: string } {
  const folder = snippet.page.replace(/\.md$/, '').replaceAll('/', '-');
  const extension = snippet.format === 'cjs' ? 'cjs' : 'ts';
  const name = snippet.fileName ?? `line-${snippet.line}.${extension}`;
  const source = join(folder, name);
  return { source, program: source.replace(/ts$/, 'js') };
}

/** Writes snippets out as a project for the compiler: sources in `folder`, programs in `folder`/out. */
export function writeProject(folder: string, snippets: readonly Snippet[]): void {
  mkdirSync(folder, { recursive: true });
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    allowJs: true,
    rootDir: '.',
    outDir: 'out',
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, exclude: ['out'] }));
  for (const snippet of snippets) {
    const path = join(folder, pathsOf(snippet).source);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, snippet.source);
  }
}

function formatOf(source: string): SnippetFormat | undefined {
  if (/^import\s/.test(source)) return 'esm';
  return /^const .* = require\(/.test(source) ? 'cjs' : undefined;
}
