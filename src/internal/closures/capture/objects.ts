/** What an object is, told without running any code of its own. */

import { types } from 'node:util';
import type { FileNode, ImportNode } from '../graph.js';
import { Guard } from '../parts.js';
import type { HostClass } from '../values/Kind.js';
import { builtinName, isNative, isPlainPrototype } from './builtins.js';
import { isThing } from './isThing.js';

/** The classes of the program that an object is an instance of, from that of its prototype up. */
export function classesOf(proto: object): object[] {
  const classes: object[] = [];
  for (let at: object | null = proto; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const owner: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (typeof owner === 'function' && !isNative(owner) && builtinName(owner) === undefined) classes.push(owner);
  }
  return classes;
}

/** `require` of a file. */
export function requireFunction(value: object): FileNode | undefined {
  if (typeof value !== 'function') return undefined;
  const { resolve, cache } = value as { resolve?: { paths?: (request: string) => string[] | null }; cache?: unknown };
  if (typeof resolve?.paths !== 'function' || !isThing(cache)) return undefined;
  const [folder] = resolve.paths('./x') ?? [];
  return folder === undefined ? undefined : { type: 'requireFunction', from: `${folder}/_` };
}

function constructorName(proto: object): string | undefined {
  const constructor: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
  return typeof constructor === 'function' ? constructor.name : undefined;
}

/** A prototype of another realm's JavaScript, or of native code. */
function isForeignBuiltin(proto: object): boolean {
  const constructor: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
  return isNative(constructor);
}

/** Whether a prototype is, in another realm, what `natural` is here. */
export function isForeignTwin(proto: object | null, natural: object | null): boolean {
  if (proto === null || natural === null || !isForeignBuiltin(proto) || builtinName(proto) !== undefined) return false;
  return constructorName(proto) === constructorName(natural);
}

export function guardOf(object: object): Guard {
  if (Object.isExtensible(object)) return Guard.none;
  if (Object.isFrozen(object)) return Guard.freeze;
  return Object.isSealed(object) ? Guard.seal : Guard.preventExtensions;
}

export function accessTo(path: string, key: string | symbol): string {
  if (typeof key === 'symbol') return `${path}[${String(key)}]`;
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)) return path === '' ? key : `${path}.${key}`;
  return /^\d+$/.test(key) ? `${path}[${key}]` : `${path}[${JSON.stringify(key)}]`;
}

/** The namespace of a module of Node's, which is imported from anywhere. */
export function namespaceOfNode(object: object): ImportNode | undefined {
  if (!types.isModuleNamespaceObject(object)) return undefined;
  const { default: exported } = object as { readonly default?: unknown };
  const name = isThing(exported) ? builtinName(exported) : undefined;
  if (name?.module === undefined || name.path.length > 0) return undefined;
  return { type: 'import', from: '', specifier: name.module, name: '*' };
}

/**
 * The class of Node's or of native code that an object is an instance of; `undefined` where its properties are all of it.
 *
 * @param isOfNode Whether a class is inside of Node, without a name.
 */
export function hostClassOf(object: object, isOfNode: (owner: object) => boolean): HostClass | undefined {
  const own = Object.getPrototypeOf(object) as object | null;
  for (let at = own; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const builtin = builtinName(at);
    const owner: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
    const isHosts = builtin !== undefined || isForeignBuiltin(at) || (typeof owner === 'function' && isOfNode(owner));
    if (!isHosts) continue;
    const name = constructorName(at);
    if (builtin === undefined ? name !== 'Object' : !isPlainPrototype(builtin)) return { name, isOwn: at === own };
  }
  return undefined;
}
