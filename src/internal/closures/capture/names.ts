/** What the names in a function's scopes stand for, beyond their values: imports, exports of these, and global variables. */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { types } from 'node:util';
import { ownName, type GraphNode, type ImportNode, type RequireNode } from '../graph.js';
import { builtinName, isModuleGlobal, isProgramsGlobal } from './builtins.js';
import type { Scope } from './facts.js';
import { mainGlobal } from '../../platform/realm.js';
import { isThing } from './isThing.js';
import type { WrittenFunction } from './scripts.js';

/** Whether something else than Node has loaded a file, such as a test runner: it may have transformed or replaced what the file imports. */
export function isLoadedElsewhere({ script, scriptShape }: WrittenFunction): boolean {
  return scriptShape.isWrapped === true || (!script.isModule && mainGlobal() !== globalThis);
}

/** The import that a name of a scope is. */
export function importNode(
  name: string,
  scope: Scope,
  isTop: boolean,
  { script, scriptShape }: WrittenFunction,
): ImportNode | RequireNode | undefined {
  const imported = scriptShape.imports.get(name);
  if (imported === undefined) return undefined;
  if (imported.kind === 'require') {
    const { code, locals } = imported;
    // A scope is that of a function if it has no other names.
    if (locals === undefined ? !isTop : !Object.keys(scope.object).every((each) => locals.has(each))) return undefined;
    return { type: 'require', from: script.url, code, name };
  }
  if (!isTop && scriptShape.isWrapped !== true) return undefined;
  const { specifier, attributes, isGuess } = imported;
  // Something was done with what was imported: only if it is still the same, it is that.
  if (isGuess && !types.isModuleNamespaceObject(scope.object[name])) return undefined;
  const found = scriptShape.isWrapped === true ? fileOfVite(specifier, script.url) : specifier;
  return { type: 'import', from: script.url, specifier: found, name: imported.name, attributes };
}

/** What Vite calls `/@fs/…`, and below its root `/…`, by its URL; anything else as it is. */
function fileOfVite(specifier: string, from: string): string {
  if (!specifier.startsWith('/')) return specifier;
  if (specifier.startsWith('/@fs/')) return pathToFileURL(specifier.slice('/@fs'.length)).href;
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    if (existsSync(folder + specifier)) return pathToFileURL(folder + specifier).href;
    if (folder === dirname(folder)) return specifier;
  }
}

export function isTopScope(scopes: readonly Scope[], at: number): boolean {
  return scopes.slice(at + 1).every((outer) => /^(Script|Global)/.test(outer.description));
}

/** The values of all imports of the file that a function is in; those at the top of the file only where they are wanted. */
export function* importsIn(
  scopes: readonly Scope[],
  written: WrittenFunction,
  withoutTop: boolean,
): Generator<readonly [unknown, GraphNode]> {
  for (const [name, imported] of written.scriptShape.imports) {
    if (withoutTop && (imported.kind === 'import' || imported.locals === undefined)) continue;
    const at = scopes.findIndex((scope) => !isGlobal(scope) && Object.hasOwn(scope.object, name));
    const scope = scopes[at];
    const node = scope && importNode(name, scope, isTopScope(scopes, at), written);
    if (node === undefined) continue;
    const value = scope?.object[name];
    if (isLoadedElsewhere(written) && !types.isModuleNamespaceObject(value)) continue;
    yield [value, node];
    yield* exportsIn(value, node);
  }
}

/** How many exports of a module are known by their identity, where a name is the whole module. */
const MOST_EXPORTS = 1000;

/** What hangs on a name that is a whole module: `lib.Thing` for `lib`. */
function* exportsIn(value: unknown, node: ImportNode | RequireNode): Generator<readonly [unknown, GraphNode]> {
  if (!isThing(value) || types.isProxy(value) || builtinName(value) !== undefined) return;
  const isNamespace = types.isModuleNamespaceObject(value);
  if (node.type === 'import' && !isNamespace) return;
  const keys = Object.keys(value);
  if (keys.length > MOST_EXPORTS) return;
  // Getters are asked only where a compiler has written them.
  const mayAsk = isNamespace || Object.getOwnPropertyDescriptor(value, '__esModule')?.value === true;
  for (const key of keys) {
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property === undefined || (property.get !== undefined && !mayAsk)) continue;
    let exported: unknown;
    try {
      exported = (value as Record<string, unknown>)[key];
    } catch {
      continue; // it has no value yet
    }
    if (node.type === 'import') {
      yield [exported, node.name === '*' ? { ...node, name: key } : { ...node, member: key }];
    } else {
      const name = `${ownName}Export`;
      yield [exported, { ...node, code: `${node.code}\nvar ${name} = ${node.name}[${JSON.stringify(key)}];`, name }];
    }
  }
}

/** The value of a global variable that the program has made: those of JavaScript and Node are in the worker, too. */
export function globalOf(name: string, scopes: readonly Scope[]): { readonly value: unknown } | undefined {
  const place = scopes.find(isGlobal)?.object ?? globalThis;
  if (!(name in place)) return undefined;
  if (place === globalThis) {
    return isProgramsGlobal(name) || isModuleGlobal(name)
      ? { value: (globalThis as Record<string, unknown>)[name] }
      : undefined;
  }
  // Code of another context, such as the REPL's.
  return name in globalThis && !isProgramsGlobal(name)
    ? undefined
    : { value: (place as Record<string, unknown>)[name] };
}

export function isGlobal({ description }: Scope): boolean {
  return description.startsWith('Global');
}

export function isModuleObject(value: unknown): value is { readonly filename: string } {
  const { filename, paths } = (value ?? {}) as { readonly filename?: unknown; readonly paths?: unknown };
  return typeof filename === 'string' && Array.isArray(paths);
}
