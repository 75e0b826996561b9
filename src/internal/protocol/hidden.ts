/**
 * Objects whose contents structured clone does not see, since these are in private fields, internal slots or native code: those of
 * classes of Node, of the web and of the language. It makes an empty object of some of them, without a word: of which ones depends
 * on the version of Node and on the channel. So it is decided here, once for each class.
 */

import { EventEmitter } from 'node:events';
import { builtinModules, createRequire } from 'node:module';
import * as types from 'node:util/types';
import { Buffer, structuredClone } from '../platform/globals.js';

const { getOwnPropertyDescriptor, getPrototypeOf, keys, prototype: objectPrototype } = Object;
const { toString: sourceOf } = Function.prototype;

/** What structured clone makes of the objects of a class. */
export type Kind = 'record' | 'array' | 'map' | 'set' | 'error' | 'leaf' | 'hidden';

/** Classes of the language whose objects are cloned; what only looks like one of them is cloned like any object. */
const clonedClasses = new Set(
  (
    'Object Iterator Map Set Date RegExp ArrayBuffer SharedArrayBuffer DataView Number String Boolean BigInt ' +
    'Error EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError SuppressedError'
  ).split(' '),
);

/** By prototype. */
const kinds = new WeakMap<object, Kind>();

/** What is made of an object. Mostly its prototype says so. */
export function kindOfObject(object: object, prototype: object | null): Kind {
  if (prototype === null) return 'record';
  const known = kinds.get(prototype);
  if (known !== undefined) return known;
  const kind = findKind(object, prototype);
  if (kind !== 'record' || !extendsCloned(prototype)) kinds.set(prototype, kind);
  return kind;
}

/** Whether there may be objects with a prototype that are more than what looks like them. */
function extendsCloned(prototype: object): boolean {
  for (let at: object | null = prototype; at !== null && at !== objectPrototype; at = getPrototypeOf(at) as typeof at) {
    const owner: unknown = getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (at === Buffer.prototype || (typeof owner === 'function' && isNative(owner))) return true;
  }
  return false;
}

function findKind(object: object, prototype: object): Kind {
  if (Array.isArray(object)) return 'array';
  if (types.isMap(object)) return 'map';
  if (types.isSet(object)) return 'set';
  if (isLeaf(object)) return 'leaf';
  // A DOMException is one of these as well, for some versions of Node.
  if (types.isNativeError(object) && object.constructor.name !== 'DOMException') return 'error';
  return isHidden(object, prototype) ? 'hidden' : 'record';
}

function isLeaf(object: object): boolean {
  return (
    ArrayBuffer.isView(object) ||
    types.isAnyArrayBuffer(object) ||
    types.isDate(object) ||
    types.isRegExp(object) ||
    types.isBoxedPrimitive(object)
  );
}

function isHidden(object: object, prototype: object): boolean {
  // A histogram has its constructor itself.
  const isEmpty = keys(object).every((key) => key === 'constructor');
  let isOfModule = false;
  for (let at: object | null = prototype; at !== null && at !== objectPrototype; at = getPrototypeOf(at) as typeof at) {
    if (at === EventEmitter.prototype) return isFileHandle(object); // its properties are all that there is
    if (at === Buffer.prototype) return false;
    const owner: unknown = getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (typeof owner !== 'function' || types.isProxy(owner)) continue;
    if (isNative(owner)) return !clonedClasses.has(owner.name) && !owner.name.endsWith('Array');
    // Objects of such classes have no properties themselves, but those of classes that extend them may.
    if (at === prototype && !isEmpty) continue;
    if (isGlobal(owner)) return true;
    isOfModule ||= isEmpty && isExportOfNode(owner);
  }
  return isOfModule || (isEmpty && !isClonedAsRecord(object));
}

function isNative(owner: Function): boolean {
  return sourceOf.call(owner).endsWith('{ [native code] }');
}

/** Whether it is of Node or of the web: what the program makes global itself can be enumerated. */
function isGlobal(owner: Function): boolean {
  const property = getOwnPropertyDescriptor(globalThis, owner.name);
  return property?.enumerable === false && Reflect.get(globalThis, owner.name) === owner;
}

function isExportOfNode(owner: Function): boolean {
  const require = createRequire(import.meta.url);
  const loaded = (process as unknown as { readonly moduleLoadList?: readonly string[] }).moduleLoadList ?? [];
  return loaded.some((entry) => {
    const name = entry.replace(/^NativeModule /, '');
    if (!builtinModules.includes(name) || name.startsWith('_')) return false;
    const exports: unknown = require(`node:${name}`);
    return getOwnPropertyDescriptor(exports, owner.name)?.value === owner;
  });
}

/** Node knows more of its own classes than their names: what it clones in another way, or not at all, is hidden. */
function isClonedAsRecord(empty: object): boolean {
  try {
    return getPrototypeOf(structuredClone(empty)) === objectPrototype;
  } catch {
    return false;
  }
}

/** It can move, and nothing but its events can be seen. */
function isFileHandle(object: object): boolean {
  return object.constructor.name === 'FileHandle' && typeof (object as { fd?: unknown }).fd === 'number';
}

/** Those that are never cloned, only moved. A closed port that is to be cloned even crashes Node. */
const moved = new Set(['MessagePort', 'FileHandle', 'ReadableStream', 'WritableStream', 'TransformStream']);

/** Whether structured clone between threads gives an object that is hidden here, whole. */
export function isCarriedByThreads(hidden: object): boolean {
  const prototype = getPrototypeOf(hidden) as object;
  for (let at: object | null = prototype; at !== null; at = getPrototypeOf(at) as typeof at) {
    if (moved.has(String((at.constructor as Function | undefined)?.name))) return false;
  }
  try {
    // Node 20 makes a Blob of a File, and gives clones of other classes a prototype of their own.
    return structuredClone(hidden).constructor === hidden.constructor;
  } catch {
    return false;
  }
}
