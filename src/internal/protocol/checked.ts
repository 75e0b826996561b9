/**
 * What is looked at before a value is sent: structured clone drops some of it without a word, or makes of it what only the sender
 * could read. Each value is gone through once, quickly as long as it is a small tree of plain data, which most are.
 */

import { Buffer, DataCloneError, structuredClone } from '../platform/globals.js';
import { isCarriedByThreads, kindOfObject, type Kind } from './hidden.js';

const { getPrototypeOf, hasOwn, keys, prototype: objectPrototype } = Object;
const { isArray, prototype: arrayPrototype } = Array;
const { isView } = ArrayBuffer;

/**
 * A receiver can read what is nested less deeply than this, in the main thread, too, whose stack is a quarter of that of a worker
 * thread: there 1,600 levels are the most.
 */
export const DEEPEST = 1000;
/** What is deeper, or has more objects, is gone through slowly: then nothing is looked at twice, and no circle is endless. */
const QUICK_DEPTH = 50;
const QUICK_OBJECTS = 1000;
/** Of a longer array, a few elements tell whether it is sparse. */
const LONGEST = 10_000;

/** The prototypes of what needs no closer look: objects of classes that extend these may keep their class. */
const nativeLeaves = new Set<object>(
  Object.getOwnPropertyNames(globalThis)
    .filter((name) =>
      /^(Date|RegExp|Number|String|Boolean|BigInt|DataView|(Shared)?ArrayBuffer|\w+\d+(Clamped)?Array)$/.test(name),
    )
    .map((name) => (globalThis as unknown as Record<string, { readonly prototype: object }>)[name]!.prototype),
);

const { SuppressedError } = globalThis as { readonly SuppressedError?: Function };

/** Whether a property of an error of some built-in classes does not show up in a loop. */
export function isHiddenPart(object: object, key: string): boolean {
  if (key === 'errors') return object instanceof AggregateError;
  return (
    (key === 'error' || key === 'suppressed') && SuppressedError !== undefined && object instanceof SuppressedError
  );
}

const isElement = /^\d+$/;

/** A kind of channel. */
export interface Channel {
  /** Whether it carries, whole, an object whose contents structured clone does not see. */
  carries(hidden: object): boolean;
  /** Whether what is to move does; else it is copied. */
  readonly moves: boolean;
}

/** Between threads: handles of Node, as Node can clone them. */
export const threadChannel: Channel = { carries: isCarriedByThreads, moves: true };
/** Between processes: bytes. */
export const processChannel: Channel = { carries: () => false, moves: false };

/** Classes that the receiver has as well. */
export interface Classes {
  /** What is known of the class with a prototype; `undefined` where the receiver does not have it. */
  find(prototype: object): KnownClass | undefined;
}

/** What both sides call a class: by a function that knows it, and its place among the classes of that one. */
export type ClassName = readonly [task: number, at: number];

export interface KnownClass {
  readonly name: ClassName;
  /** Whether its instances have private members, and cannot be cloned. */
  readonly hides: boolean;
}

/** Nothing but what structured clone itself has. */
export const noClasses: Classes = { find: () => undefined };

/** Objects of one class. */
export interface Found {
  readonly objects: object[];
  /** For each of them, the properties that structured clone drops, since it is an error, a map or the like. */
  readonly fields: (object | undefined)[];
}

/**
 * Looks at a message with all that is in it.
 *
 * @param moving What moves with it, and need not be cloned.
 * @returns The objects of known classes, by their prototypes; `undefined` where there are none.
 * @throws DataCloneError where something would not arrive as it is.
 */
export function look(
  message: readonly unknown[],
  channel: Channel,
  classes: Classes,
  moving?: readonly object[],
): ReadonlyMap<object, Found> | undefined {
  let slow: Look | undefined;
  for (const part of message) {
    if (typeof part !== 'object' || part === null) continue;
    // Most messages have a list of values.
    for (const value of getPrototypeOf(part) === arrayPrototype ? (part as unknown[]) : [part]) {
      if (typeof value !== 'object' || value === null || isPlain(value)) continue;
      slow ??= new Look(channel, classes, moving);
      slow.at(value);
    }
  }
  return slow?.found;
}

/** Whether a value is a small tree of what needs no closer look. */
function isPlain(value: object): boolean {
  left = QUICK_OBJECTS;
  try {
    return isQuick(value, 0);
  } catch {
    return false; // A getter or a proxy that throws does so again when the value is sent.
  }
}

/** How many objects `isQuick` may still look at. */
let left = 0;

function isQuick(object: object, depth: number): boolean {
  if (left-- <= 0 || depth > QUICK_DEPTH) return false;
  const prototype = getPrototypeOf(object) as object | null;
  if (prototype === arrayPrototype && isArray(object)) {
    const { length } = object;
    if (length > LONGEST && isSparse(object)) return false;
    for (let i = 0; i < length; i++) {
      const part: unknown = object[i];
      if (typeof part === 'object' && part !== null && !isQuick(part, depth + 1)) return false;
    }
    return true;
  }
  if (prototype !== objectPrototype && prototype !== null)
    return nativeLeaves.has(prototype) && kindOfObject(object, prototype) === 'leaf';
  for (const key in object) {
    const part = (object as Record<string, unknown>)[key];
    if (typeof part === 'object' && part !== null && !isQuick(part, depth + 1)) return false;
  }
  return true;
}

/** The slow way: goes through all objects once, in the order and to the depth in which structured clone does. */
class Look {
  found: Map<object, Found> | undefined;
  readonly #channel: Channel;
  readonly #classes: Classes;
  readonly #moving: readonly object[] | undefined;
  readonly #seen = new Set<object>();
  readonly #waiting: object[] = [];
  readonly #depths: number[] = [];
  readonly #parts: object[] = [];

  constructor(channel: Channel, classes: Classes, moving: readonly object[] | undefined) {
    this.#channel = channel;
    this.#classes = classes;
    this.#moving = channel.moves ? moving : undefined;
  }

  at(root: object): void {
    const errors: object[] = [];
    this.#waiting.push(root);
    this.#depths.push(0);
    for (let object = this.#waiting.pop(); object !== undefined; object = this.#waiting.pop()) {
      const depth = this.#depths.pop() as number;
      if (this.#seen.has(object)) continue;
      this.#seen.add(object);
      if (depth > DEEPEST) throw refusal('it is nested too deeply');
      if (this.#look(object)) errors.push(object);
      for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
        this.#waiting.push(part);
        this.#depths.push(depth + 1);
      }
    }
    if (this.#moving === undefined) errors.forEach(checkReadable);
  }

  /** Adds the parts of an object to those that wait. True for an error whose cause is an object. */
  #look(object: object): boolean {
    let isRefused: boolean;
    try {
      const prototype = getPrototypeOf(object) as object | null;
      const kind = kindOfObject(object, prototype);
      const known = prototype === null || prototype === objectPrototype ? undefined : this.#classes.find(prototype);
      isRefused =
        known?.hides === true ||
        (kind === 'hidden' && this.#moving?.includes(object) !== true && !this.#channel.carries(object));
      if (known !== undefined && !isRefused) this.#keep(object, prototype as object, kind);
      if (kind !== 'hidden' && !isRefused) return this.#addParts(object, kind);
    } catch {
      return false; // what throws here does so again when the value is sent
    }
    if (isRefused) throw refusal('its contents cannot be seen', nameOf(object));
    return false;
  }

  /** Notes an object whose class the receiver has, with the properties that structured clone drops. */
  #keep(object: object, prototype: object, kind: Kind): void {
    this.found ??= new Map();
    let ofClass = this.found.get(prototype);
    if (ofClass === undefined) this.found.set(prototype, (ofClass = { objects: [], fields: [] }));
    ofClass.objects.push(object);
    const drops = kind === 'error' || kind === 'map' || kind === 'set' || kind === 'leaf';
    const fields = drops && prototype !== Buffer.prototype ? fieldsOf(object) : undefined;
    ofClass.fields.push(fields);
    this.#add(fields);
  }

  #addParts(object: object, kind: Kind): boolean {
    switch (kind) {
      case 'leaf':
        return false;
      case 'map':
        for (const [key, value] of Map.prototype.entries.call(object as Map<unknown, unknown>)) {
          this.#add(key);
          this.#add(value);
        }
        return false;
      case 'set':
        for (const member of Set.prototype.values.call(object as Set<unknown>)) this.#add(member);
        return false;
      case 'error': {
        if (!hasOwn(object, 'cause')) return false;
        const { cause } = object as { readonly cause?: unknown };
        this.#add(cause);
        return typeof cause === 'object' && cause !== null;
      }
      default:
        // Listing the elements of a long array would cost more than all the rest.
        if (isArray(object) && object.length > LONGEST && !isSparse(object)) {
          for (let i = 0; i < object.length; i++) this.#add(object[i]);
        } else {
          for (const key of keys(object)) this.#add((object as Record<string, unknown>)[key]);
        }
        return false;
    }
  }

  #add(part: unknown): void {
    if (typeof part === 'object' && part !== null) this.#parts.push(part);
  }
}

/** Node 20 writes an error that is part of its own cause, and cannot read it. */
function checkReadable(error: object): void {
  try {
    structuredClone(error);
  } catch {
    throw refusal('it could not be read');
  }
}

function refusal(reason: string, what = 'An object'): Error {
  return new DataCloneError(`${what} could not be cloned: ${reason}.`, 'DataCloneError');
}

function nameOf(object: object): string {
  const { constructor } = getPrototypeOf(object) as { readonly constructor?: { readonly name?: unknown } };
  return typeof constructor?.name === 'string' && constructor.name !== '' ? `#<${constructor.name}>` : 'An object';
}

/** The properties of an object beside what it holds; `undefined` where it has none. */
function fieldsOf(object: object): object | undefined {
  const names = isView(object) ? keys(object).filter((key) => !isElement.test(key)) : keys(object);
  for (const key of ['errors', 'error', 'suppressed'])
    if (isHiddenPart(object, key) && hasOwn(object, key)) names.push(key);
  if (names.length === 0) return undefined;
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const key of names) fields[key] = (object as Record<string, unknown>)[key];
  return fields;
}

function isSparse(array: readonly unknown[]): boolean {
  const step = Math.floor(array.length / 16);
  for (let at = 0; at < array.length; at += step) if (!hasOwn(array, at)) return true;
  return false;
}
