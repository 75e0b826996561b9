/** What an object is, told without running any code of its own. */

import { types } from 'node:util';
import { Guard, type GraphNode } from '../graph.js';
import { builtinName, isNative } from './builtins.js';
import { isThing } from './kinds.js';

/** The classes of the program that an object is an instance of, from that of its prototype up. */
export function classesOf(proto: object): object[] {
  const classes: object[] = [];
  for (let at: object | null = proto; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const owner: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (typeof owner === 'function' && !isNative(owner) && builtinName(owner) === undefined) classes.push(owner);
  }
  return classes;
}

export function isSharedView(object: object): boolean {
  return ArrayBuffer.isView(object) && types.isSharedArrayBuffer(object.buffer);
}

/** `require` of a file. */
export function requireFunction(value: object): GraphNode | undefined {
  if (typeof value !== 'function') return undefined;
  const { resolve, cache } = value as { resolve?: { paths?: (request: string) => string[] | null }; cache?: unknown };
  if (typeof resolve?.paths !== 'function' || !isThing(cache)) return undefined;
  const [folder] = resolve.paths('./x') ?? [];
  return folder === undefined ? undefined : { type: 'requireFunction', from: `${folder}/_` };
}

/** The function whose `prototype` an object is. */
export function prototypeOwner(object: object): object | undefined {
  const constructor: unknown = Object.getOwnPropertyDescriptor(object, 'constructor')?.value;
  if (typeof constructor !== 'function') return undefined;
  return (constructor as { prototype?: unknown }).prototype === object ? constructor : undefined;
}

const leafPrototypes: readonly (readonly [(value: object) => boolean, object])[] = [
  [types.isDate, Date.prototype],
  [types.isRegExp, RegExp.prototype],
  [types.isArrayBuffer, ArrayBuffer.prototype],
  [types.isSharedArrayBuffer, SharedArrayBuffer.prototype],
  [types.isDataView, DataView.prototype],
  [types.isNumberObject, Number.prototype],
  [types.isStringObject, String.prototype],
  [types.isBooleanObject, Boolean.prototype],
  [types.isBigIntObject, BigInt.prototype],
];

export function leafPrototype(object: object): object | undefined {
  if (types.isTypedArray(object)) return naturalTypedArray(object).prototype as object;
  return leafPrototypes.find(([is]) => is(object))?.[1];
}

type TypedArrayConstructor = new (buffer: ArrayBufferLike, offset: number, length: number) => object;

function naturalTypedArray(array: NodeJS.TypedArray): TypedArrayConstructor {
  const name = (
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Int8Array.prototype), Symbol.toStringTag) as {
      get(): string;
    }
  ).get.call(array);
  return (globalThis as unknown as Record<string, TypedArrayConstructor>)[name] as TypedArrayConstructor;
}

/** A leaf as structured clone sees it, which it refuses to do for some subclasses. */
export function plainLeaf(object: object): unknown {
  if (!types.isTypedArray(object)) return object;
  const natural = naturalTypedArray(object);
  if (Object.getPrototypeOf(object) === natural.prototype) return object;
  return new natural(object.buffer, object.byteOffset, object.length);
}

/** What structured clone between threads carries, of Node's own: keys, certificates, blobs, compiled WebAssembly. */
export function isHostCloneable(object: object): boolean {
  return /^(KeyObject|SecretKeyObject|PublicKeyObject|PrivateKeyObject|CryptoKey|X509Certificate|Blob|File|BlockList|SocketAddress|Module|Histogram|RecordableHistogram|DOMException)$/.test(
    constructorName(Object.getPrototypeOf(object) as object) ?? '',
  );
}

export function constructorName(proto: object): string | undefined {
  const constructor: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
  return typeof constructor === 'function' ? constructor.name : undefined;
}

/** A prototype of another realm's JavaScript, or of native code. */
export function isForeignBuiltin(proto: object): boolean {
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

export function isIndex(key: string | symbol): boolean {
  return key === 'length' || (typeof key === 'string' && /^\d+$/.test(key));
}

export function isInternalSymbol(key: string | symbol): boolean {
  return typeof key === 'symbol';
}

export function accessTo(path: string, key: string | symbol): string {
  if (typeof key === 'symbol') return `${path}[${String(key)}]`;
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)) return path === '' ? key : `${path}.${key}`;
  return /^\d+$/.test(key) ? `${path}[${key}]` : `${path}[${JSON.stringify(key)}]`;
}

export function tagOf(object: object): string {
  return Object.prototype.toString.call(object).slice('[object '.length, -1);
}
