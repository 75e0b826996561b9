/** Things that exist in every worker, by identity: what belongs to JavaScript, to Node and to its modules. */

import { builtinModules, createRequire } from 'node:module';
import { types } from 'node:util';
import { intrinsics, keyOfSymbol, ofTheLanguage } from '../intrinsics.js';
import { isThing } from './isThing.js';

/** Where something is found: in a module of Node's, or from the global object. */
export interface BuiltinName {
  readonly module?: string | undefined;
  readonly path: readonly string[];
}

/** Global names that Node makes enumerable: others that are so were made by the program. */
const enumerableGlobals: ReadonlySet<string> = new Set([
  'global',
  'clearImmediate',
  'setImmediate',
  'clearInterval',
  'clearTimeout',
  'setInterval',
  'setTimeout',
  'queueMicrotask',
  'structuredClone',
  'atob',
  'btoa',
  'performance',
  'fetch',
  'navigator',
  'crypto',
]);

/** Whether this global variable is a module of Node's: so it is in the REPL, and in code given on the command line. */
export function isModuleGlobal(name: string): boolean {
  if (!builtinModules.includes(name) || !Object.hasOwn(globalThis, name)) return false;
  const value = (globalThis as Record<string, unknown>)[name];
  return isThing(value) && builtinName(value)?.module !== undefined;
}

/** Whether the program has given itself this global variable. */
export function isProgramsGlobal(name: string): boolean {
  const property = Object.getOwnPropertyDescriptor(globalThis, name);
  return property?.enumerable === true && !enumerableGlobals.has(name) && !isNative(property.value);
}

let names: Map<unknown, BuiltinName> | undefined;
let scannedModules = 0;

/** The name by which something is found in a worker, too. */
export function builtinName(value: object): BuiltinName | undefined {
  const loaded = (process as unknown as { readonly moduleLoadList?: readonly string[] }).moduleLoadList ?? [];
  if (names === undefined) {
    names = new Map();
    scanGlobals(names);
  }
  if (loaded.length !== scannedModules) {
    for (const entry of loaded.slice(scannedModules)) scanModule(names, entry.replace(/^NativeModule /, ''));
    scannedModules = loaded.length;
  }
  return names.get(value) ?? (types.isProxy(value) ? undefined : (lateGlobal(names, value) ?? standardStream(value)));
}

/** Of the global variables that Node makes when they are looked at, those whose getters do not warn. */
const quietGetters: ReadonlySet<string> = new Set(['crypto', 'AbortController', 'process', 'Buffer']);

/** A class of Node's that is a global variable only once it is asked for: whoever has it, or an object of it, has asked. */
function lateGlobal(table: Map<unknown, BuiltinName>, value: object): BuiltinName | undefined {
  const owner: unknown =
    typeof value === 'function' ? value : Object.getOwnPropertyDescriptor(value, 'constructor')?.value;
  const name: unknown = typeof owner === 'function' && Object.getOwnPropertyDescriptor(owner, 'name')?.value;
  if (typeof name !== 'string' || table.has(owner)) return undefined;
  const property = Object.getOwnPropertyDescriptor(globalThis, name);
  if (property?.get === undefined || property.enumerable === true || Reflect.get(globalThis, name) !== owner)
    return undefined;
  scan(table, owner, [name], undefined, 2);
  return table.get(value);
}

function scanGlobals(table: Map<unknown, BuiltinName>): void {
  add(table, globalThis, { path: [] });
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const property = Object.getOwnPropertyDescriptor(globalThis, name);
    if (property === undefined || isProgramsGlobal(name)) continue;
    const value: unknown = 'value' in property || quietGetters.has(name) ? Reflect.get(globalThis, name) : undefined;
    scan(table, value, [name], undefined, 2);
  }
  scan(table, Object.getPrototypeOf(Uint8Array), ['Uint8Array', '__proto__'], undefined, 1);
  for (const [name, value] of Object.entries(intrinsics)) scan(table, value, [name], ofTheLanguage, 2);
  add(table, process.env, { path: ['process', 'env'] });
}

function scanModule(table: Map<unknown, BuiltinName>, name: string): void {
  if (!builtinModules.includes(name) || name.startsWith('_')) return;
  const module = `node:${name}`;
  let exports: unknown;
  try {
    exports = createRequire(import.meta.url)(module);
  } catch {
    return; // it is not for the user
  }
  scan(table, exports, [], module, 3);
  if (name === 'fs') scan(table, (exports as { promises: unknown }).promises, ['promises'], module, 1);
}

/** Adds a thing and what hangs on it. */
function scan(
  table: Map<unknown, BuiltinName>,
  value: unknown,
  path: readonly string[],
  module: string | undefined,
  depth: number,
): void {
  if (!isThing(value) || value === globalThis || !add(table, value, { module, path }) || depth === 0) return;
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    const key = keyOfSymbol(symbol);
    const method: unknown = Object.getOwnPropertyDescriptor(value, symbol)?.value;
    if (key !== undefined && isNative(method)) add(table, method, { module, path: [...path, key] });
  }
  for (const key of Object.getOwnPropertyNames(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key);
    const isPrototype = key === 'prototype' && typeof value === 'function';
    if (property?.enumerable === true && isNative(value) && !isNative(property.value)) continue; // the program's own
    if (isThing(property?.value) && (isPrototype || typeof property.value === 'function' || path.length === 0)) {
      scan(table, property.value, [...path, key], module, depth - 1);
    }
  }
}

export function isNative(value: unknown): boolean {
  return typeof value === 'function' && Function.prototype.toString.call(value).endsWith('{ [native code] }');
}

/** Adds a thing that has no name yet. */
function add(table: Map<unknown, BuiltinName>, value: unknown, name: BuiltinName): boolean {
  if (table.has(value)) return false;
  table.set(value, name);
  return true;
}

/** The program's own streams: a worker has its own. Asked for only where it may be one, for asking makes them. */
function standardStream(value: object): BuiltinName | undefined {
  const fd: unknown = Object.getOwnPropertyDescriptor(value, 'fd')?.value;
  if (fd !== 0 && fd !== 1 && fd !== 2) return undefined;
  const name = (['stdin', 'stdout', 'stderr'] as const)[fd];
  return process[name] === value ? { path: ['process', name] } : undefined;
}

/** Prototypes of Node's and JavaScript's that an object may have and still be a copy of itself, property by property. */
export function isPlainPrototype({ module, path }: BuiltinName): boolean {
  const place = path.join('.');
  if (module === 'node:events') return place === '' || /(^|\.)prototype$/.test(place);
  if (module === ofTheLanguage) return place === 'IteratorPrototype' || place === 'AsyncIteratorPrototype';
  return module === undefined && (place === 'Object.prototype' || place === 'Iterator.prototype');
}
