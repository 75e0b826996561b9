/**
 * Copies of results, taken when their call is done.
 *
 * A result waits for others to travel with. Meanwhile a later call may change an object that it holds, and within one message
 * structured clone keeps what results share. So what waits is a copy. Small plain data is copied here, for a fiftieth of what
 * a message costs; anything else is sent at once instead.
 *
 * To structured clone a copy and its original are the same.
 *
 * A walk of its own, which copies as it looks: looking first, with another, would cost as much again.
 */

import { Buffer, structuredClone } from '../platform/globals.js';
import { kindOfObject } from '../protocol/hidden.js';
import {
  isArrayBuffer,
  isBoxedPrimitive,
  isDate,
  isDense,
  isMap,
  isModuleNamespaceObject,
  isPrimitive,
  isProxy,
  isRegExp,
  isSet,
  isSharedArrayBuffer,
} from './kinds.js';

// Beyond these a copy costs more than a message.
const MOST_OBJECTS = 32;
const MOST_PARTS = 256;
const MOST_BYTES = 16_384;

// As they are when this is loaded: tasks may replace or patch them.
const { getPrototypeOf, hasOwn, prototype: objectPrototype, setPrototypeOf } = Object;
const { toString } = objectPrototype;
const { isArray, prototype: arrayPrototype } = Array;
const { isView, prototype: bufferPrototype } = ArrayBuffer;
const sharedPrototype = SharedArrayBuffer.prototype;
const { DataView, Date, Map, Set } = globalThis;
const { entries } = Map.prototype;
const { values } = Set.prototype;
const { prototype: datePrototype } = Date;
const { getTime } = datePrototype;
/** In a process, an object that Node does not clone, though it looks like any other. */
const { env } = process;

type ViewClass = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => object;

const typedArrayPrototype = getPrototypeOf(Int8Array.prototype) as object;
const typedArrayTag = Object.getOwnPropertyDescriptor(typedArrayPrototype, Symbol.toStringTag)?.get;
const globals = globalThis as unknown as Record<string, unknown>;
/** The classes of typed arrays by their names. */
const viewClasses = new Map<unknown, ViewClass>(
  Object.getOwnPropertyNames(globalThis)
    .filter((name) => name.endsWith('Array') && getPrototypeOf(globals[name]) === typedArrayPrototype.constructor)
    .map((name) => [name, globals[name] as ViewClass]),
);

/** What is copied already, and the copies: within itself a copy shares what its original shares. */
let originals: object[] = [];
let copies: object[] = [];
let parts = 0;

/** A copy of small plain data; `undefined` for anything else. */
export function snapshotOf(value: object): object | undefined {
  parts = 0;
  try {
    return copyOf(value);
  } catch {
    return undefined; // a getter throws: so it will when the value is sent, and there it is told
  } finally {
    if (originals.length > 0) {
      originals = [];
      copies = [];
    }
  }
}

function copyOf(value: object): object | undefined {
  if (isProxy(value)) return undefined;
  if (isArray(value)) return copyArray(value);
  const prototype = getPrototypeOf(value) as object | null;
  // Other tags have `arguments`, errors, and what else has a plain prototype, or that of a class, and is no plain object.
  if (toString.call(value) === '[object Object]') {
    if (prototype === objectPrototype) return copyRecord(value);
    return value === env ? undefined : copyInstance(value, prototype);
  }
  if (isView(value)) return copyView(value);
  if (isArrayBuffer(value)) return prototype === bufferPrototype ? copyBuffer(value) : undefined;
  if (isSharedArrayBuffer(value)) return prototype === sharedPrototype ? value : undefined;
  if (isDate(value)) return prototype === datePrototype ? remember(value, new Date(getTime.call(value))) : undefined;
  if (isRegExp(value) || isBoxedPrimitive(value)) {
    const copy = structuredClone(value);
    return getPrototypeOf(copy) === prototype ? remember(value, copy) : undefined; // it may have a class, and properties
  }
  if (prototype === Map.prototype && isMap(value)) return copyMap(value);
  return prototype === Set.prototype && isSet(value) ? copySet(value) : undefined;
}

/** Copies a part of a value that is being copied. */
function copyOfPart(part: object): object | undefined {
  const known = originals.indexOf(part);
  if (known >= 0) return copies[known];
  return originals.length > MOST_OBJECTS ? undefined : copyOf(part);
}

function remember<T extends object>(original: object, copy: T): T {
  originals.push(original);
  copies.push(copy);
  return copy;
}

function isTooLarge(count: number): boolean {
  parts += count;
  return parts > MOST_PARTS;
}

function copyRecord(object: object): object | undefined {
  const copy: Record<string, unknown> = { ...object };
  let count = 0;
  let isKnown = originals.length > 0;
  if (isKnown) remember(object, copy);
  for (const key in copy) {
    count++;
    const part = copy[key];
    if (isPrimitive(part) || !hasOwn(copy, key)) continue;
    // Only now: most records hold nothing but primitives, and are not held by anything.
    if (!isKnown) remember(object, copy);
    isKnown = true;
    const partCopy = copyOfPart(part);
    if (partCopy === undefined) return undefined;
    copy[key] = partCopy;
  }
  return isTooLarge(count) ? undefined : copy;
}

function copyArray(array: readonly unknown[]): object | undefined {
  const { length } = array;
  if (getPrototypeOf(array) !== arrayPrototype || isTooLarge(length) || !isDense(array)) return undefined;
  const copy = remember(array, array.slice());
  for (let i = 0; i < length; i++) {
    const part = copy[i];
    if (isPrimitive(part)) continue;
    const partCopy = copyOfPart(part);
    if (partCopy === undefined) return undefined;
    copy[i] = partCopy;
  }
  return copy;
}

function copyMap(map: Map<unknown, unknown>): object | undefined {
  if (isTooLarge(2 * map.size)) return undefined;
  const copy = remember(map, new Map<unknown, unknown>());
  for (const [key, value] of entries.call(map) as MapIterator<[unknown, unknown]>) {
    const keyCopy = isPrimitive(key) ? key : copyOfPart(key);
    const valueCopy = isPrimitive(value) ? value : copyOfPart(value);
    if (keyCopy === undefined ? key !== undefined : valueCopy === undefined && value !== undefined) return undefined;
    copy.set(keyCopy, valueCopy);
  }
  return copy;
}

function copySet(set: Set<unknown>): object | undefined {
  if (isTooLarge(set.size)) return undefined;
  const copy = remember(set, new Set<unknown>());
  for (const member of values.call(set)) {
    const memberCopy = isPrimitive(member) ? member : copyOfPart(member);
    if (memberCopy === undefined && member !== undefined) return undefined;
    copy.add(memberCopy);
  }
  return copy;
}

/** A view and all of its buffer, which is what structured clone carries. */
function copyView(view: ArrayBufferView): object | undefined {
  const buffer = copyOfPart(view.buffer) as ArrayBufferLike | undefined;
  // What grows with its buffer has no length of its own.
  if (buffer === undefined || (buffer as { growable?: boolean }).growable === true) return undefined;
  const tag = typedArrayTag?.call(view) as string | undefined;
  if (tag === undefined) return remember(view, new DataView(buffer, view.byteOffset, view.byteLength));
  const View = viewClasses.get(tag);
  if (View === undefined) return undefined;
  const copy = remember(view, new View(buffer, view.byteOffset, (view as Uint8Array).length));
  const prototype = getPrototypeOf(view) as object;
  if (getPrototypeOf(copy) === prototype) return copy;
  return prototype === Buffer.prototype ? (setPrototypeOf(copy, prototype) as object) : undefined;
}

function copyBuffer(buffer: ArrayBuffer): object | undefined {
  const { resizable = false } = buffer as { resizable?: boolean };
  return resizable || buffer.byteLength > MOST_BYTES ? undefined : remember(buffer, buffer.slice(0));
}

/** Copied with its class, which the program may have, too. */
function copyInstance(object: object, prototype: object | null): object | undefined {
  if (prototype === null) return isModuleNamespaceObject(object) ? undefined : copyRecord(object);
  if (kindOfObject(object, prototype) !== 'record') return undefined;
  const copy = copyRecord(object);
  return copy && setPrototypeOf(copy, prototype);
}
