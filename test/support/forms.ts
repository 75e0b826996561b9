/**
 * The forms in which a program may be given to Node: an ES module or CommonJS, as FORMAT says, and compiled by tsc or as
 * TypeScript, through tsx.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { projectFolder, runNode, type ProgramOptions, type ProgramResult } from './runProgram.js';

export const isCommonJs = process.env['FORMAT'] === 'cjs';

export const forms = ['tsc', 'tsx'] as const;
export type Form = (typeof forms)[number];

/** Files of programs, in a folder where the package is found by its name. */
export class ProgramFolder {
  #path: string | undefined;

  get path(): string {
    if (this.#path === undefined) {
      this.#path = mkdtempSync(join(projectFolder, 'build', 'programs-'));
      this.write('package.json', JSON.stringify({ type: isCommonJs ? 'commonjs' : 'module' }));
      mkdirSync(join(this.#path, 'node_modules'));
      symlinkSync(projectFolder, join(this.#path, 'node_modules', 'rxjs-parallel-map'));
    }
    return this.#path;
  }

  /** Writes a file, and gives its path. */
  write(name: string, text: string): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Writes a module that is given as TypeScript, in a form. Its imports of other such modules end with `.js`. */
  writeAs(form: Form, name: string, source: string): string {
    return form === 'tsx' ? this.write(`${name}.ts`, source) : this.write(`${name}.js`, compile(source));
  }

  /** As `writeAs` with tsc, with a source map inside the file. */
  writeWithMap(name: string, source: string): string {
    return this.write(`${name}.js`, compile(source, `${name}.ts`));
  }

  run(path: string, options: ProgramOptions & { readonly form?: Form } = {}): Promise<ProgramResult> {
    const tsx = isCommonJs ? ['--require', 'tsx/cjs'] : ['--import', 'tsx'];
    const flags = [...(options.form === 'tsx' ? tsx : []), ...(options.flags ?? [])];
    return runNode([path], { ...options, flags });
  }

  remove(): void {
    if (this.#path !== undefined) rmSync(this.#path, { recursive: true, force: true });
    this.#path = undefined;
  }
}

/** For a suite: a folder that goes with it. */
export function useProgramFolder(): ProgramFolder {
  const folder = new ProgramFolder();
  after(() => folder.remove());
  return folder;
}

/** A file of test/, as it was written. */
export function sourceOfTest(name: string): string {
  return readFileSync(join(projectFolder, 'test', name), 'utf8');
}

/** @param mapped The name of the file that the source map is to lead to. */
function compile(source: string, mapped?: string): string {
  const { outputText } = ts.transpileModule(source, {
    ...(mapped === undefined ? {} : { fileName: mapped }),
    compilerOptions: {
      module: isCommonJs ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
      inlineSourceMap: mapped !== undefined,
    },
  });
  return outputText;
}
