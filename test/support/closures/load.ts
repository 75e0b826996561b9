/** Files of several programs, loaded as users have them: as an ES module, as CommonJS, or as text that becomes a function. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { print } from './print.js';
import type { Program } from './tree.js';

export const kinds = ['module', 'commonjs', 'script', 'text'] as const;
export type Kind = (typeof kinds)[number];

export type Task = (input: number) => unknown;

const require = createRequire(import.meta.url);
let folder: string | undefined;
let count = 0;

/** Loads programs, each time anew. Their tasks are in the order of the programs. */
export async function load(kind: Kind, programs: readonly Program[]): Promise<readonly Task[]> {
  const text = `const tasks = [];\n${programs.map(printed).join('')}`;
  const name = `closures${++count}`;
  switch (kind) {
    case 'module': {
      const file = write(`${name}.mjs`, `${text}export { tasks };\n`);
      return ((await import(pathToFileURL(file).href)) as { tasks: Task[] }).tasks;
    }
    case 'commonjs':
      return require(write(`${name}.cjs`, `${text}module.exports = tasks;\n`)) as Task[];
    case 'script':
      return vm.runInThisContext(`(() => {\n${text}return tasks;\n})()`, { filename: `${name}.js` }) as Task[];
    case 'text':
      return new Function(`${text}return tasks;`)() as Task[];
  }
}

/** The text of a program in a file of several. */
export function printed(program: Program, index = 0): string {
  return print(program, `_${index}`, (value) => `tasks.push(${value});`);
}

/** For `after`: removes the files. */
export function removeFiles(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
}

function write(name: string, text: string): string {
  folder ??= mkdtempSync(join(tmpdir(), 'closures-'));
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
