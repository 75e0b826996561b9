/** What a function refers to outside of the graph, found in the worker: things with names, modules, and what a file has of its own. */

import { createRequire } from 'node:module';
import * as path from 'node:path';
import { compile } from './compile.js';
import { pathOfFile } from './filePath.js';
import type { FileNode, ImportNode, RequireNode } from './graph.js';
import { importMetaOf } from './importMeta.js';
import { importModule } from './importModule.js';
import { follow, intrinsics, ofTheLanguage } from './intrinsics.js';
import { rememberOrigin } from './origins.js';
import type { NamedNode } from './parts.js';
import { registerTypeScript } from './typescript.js';

export function lookUp({ module, path: names }: NamedNode): unknown {
  if (module === undefined) return follow(globalThis, names);
  return follow(module === ofTheLanguage ? intrinsics : createRequire(import.meta.url)(module), names);
}

export async function loadImport({ from, specifier, name, member, attributes }: ImportNode): Promise<unknown> {
  const namespace = await importModule(from, specifier, attributes);
  const value: unknown = name === '*' ? namespace : namespace[name];
  return member === undefined ? value : (value as Record<string, unknown>)[member];
}

/** `require`, `module` or `import.meta` of a file. */
export function ofFile(node: FileNode): object {
  switch (node.type) {
    case 'requireFunction':
      return remember(createRequire(pathOfFile(node.from)), node);
    case 'moduleObject':
      return remember(moduleObject(pathOfFile(node.from)), node);
    case 'importMeta':
      return importMetaOf(node.from);
  }
}

/** The value of a name that a CommonJS file has declared by `require`: the declaration runs again. */
export function evaluateRequire(node: RequireNode): unknown {
  const { from, code, name } = node;
  const file = pathOfFile(from);
  const names = ['require', 'module', 'exports', '__filename', '__dirname'];
  const values = [createRequire(file), { exports: {} }, {}, file, path.dirname(file)];
  const evaluate = compile(`${code}\nreturn ${name}`, names, { filename: file });
  try {
    return remember(evaluate.apply({}, values), node);
  } catch (error) {
    if (!registerTypeScript(error)) throw error;
    return remember(evaluate.apply({}, values), node);
  }
}

/** Remembers where a value came from, should it travel on. */
export function remember<T>(value: T, node: ImportNode | RequireNode | FileNode): T {
  rememberOrigin(value, node);
  return value;
}

function moduleObject(file: string): object {
  const Module = createRequire(import.meta.url)('node:module') as typeof import('node:module') & {
    new (id: string): { filename: string; paths: string[]; loaded: boolean };
    _nodeModulePaths(folder: string): string[];
  };
  const module = new Module(file);
  return Object.assign(module, { filename: file, paths: Module._nodeModulePaths(path.dirname(file)), loaded: true });
}
