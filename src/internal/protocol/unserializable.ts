/**
 * Finds the part of a value that keeps it from being sent, so that an error can name it. Used only after sending has
 * failed. It sees a value as structured clone does; the sight of single objects serves `errorCodec.ts`, too. The walk is its own,
 * for it keeps the way to each part, which walks over values that are sent could not afford.
 */

import { isArgumentsObject, isProxy } from 'node:util/types';
import { isTransferred } from '../../transfer.js';
import { DEEPEST as DEEPEST_SENT } from './checked.js';
import { kindOfObject } from './hidden.js';

/** The kind of what `transfer` returns, which can be a value, but not a part of one. */
const ENVELOPE = 'transfer(…)';

/** What structured clone makes of an object. */
export type Shape =
  /** A plain object: its own enumerable properties with string keys are copied. */
  | 'record'
  /** An object of some class, with properties: copied like a plain object, unless the system knows the class better. */
  | 'instance'
  | 'array'
  | 'map'
  | 'set'
  | 'error'
  /** Copied as a whole or not at all, such as a date or a buffer. */
  | 'opaque'
  /** Looking at it throws: a proxy. */
  | 'unreadable';

const builtinShapes: Readonly<Record<string, Shape>> = {
  __proto__: null as never,
  '[object Map]': 'map',
  '[object Set]': 'set',
  '[object Object]': 'instance',
};

/** Held here, for user code may replace globals. */
const NativeError = Error;
const isNativeError = (NativeError as unknown as { isError?: (value: unknown) => boolean }).isError;

/** Tells errors of every realm and class, `DOMException` included, also those made by `Object.create(Error.prototype)`. */
function isError(value: object): boolean {
  if (isNativeError?.(value) === true || value instanceof NativeError) return true;
  const tag = Object.prototype.toString.call(value);
  // Anyone can write the first tag on an object of their own; then it is found there as a property.
  return tag === '[object Error]' ? !(Symbol.toStringTag in value) : tag === '[object DOMException]';
}

/** What structured clone makes of `object`; never throws. */
export function shapeOf(object: object): Shape {
  try {
    if (Array.isArray(object)) return 'array';
    const prototype = Object.getPrototypeOf(object) as object | null;
    // Of any realm: `Object.prototype` is what has nothing above it.
    if (isArgumentsObject(object)) return 'opaque';
    if (prototype === null || Object.getPrototypeOf(prototype) === null) return 'record';
    if (isError(object)) return 'error';
    if (kindOfObject(object, prototype) === 'hidden') return 'opaque';
    const shape = builtinShapes[Object.prototype.toString.call(object)] ?? 'opaque';
    return shape === 'instance' && Object.keys(object).length === 0 ? 'opaque' : shape;
  } catch {
    return 'unreadable';
  }
}

/** A value's kind as an error message says it: `function resize`, `Promise`, `Socket`, `Symbol(id)`; never throws. */
export function kindOf(value: unknown): string {
  try {
    if (isTransferred(value)) return ENVELOPE;
    if (typeof value === 'function') return functionKind(value);
    if (typeof value !== 'object') return typeof value === 'symbol' ? String(value) : typeof value;
    if (value === null) return 'null';
    if (isArgumentsObject(value)) return 'arguments object';
    const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === null || !Object.hasOwn(prototype, 'constructor')) return tag;
    const { constructor } = prototype as { constructor: unknown };
    return typeof constructor === 'function' && constructor.name !== '' ? shorten(constructor.name) : tag;
  } catch {
    return 'Proxy'; // nothing else runs code of others here
  }
}

function functionKind(value: Function): string {
  const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'function';
  const name: unknown = value.name;
  return typeof name === 'string' && name !== '' ? `${kind} ${shorten(name)}` : kind;
}

/** What keeps a value from being sent. */
export interface Unserializable {
  /** Where it is, seen from the value: `value.user.socket`, `value.items[3]`, `value.get("key")`. */
  readonly path: string;
  /** What it is: `Socket`, `function resize`, `Promise`, `Proxy`, `getter that throws (…)`. */
  readonly kind: string;
}

/** A way from the value to one of its parts. */
interface Place {
  readonly value: unknown;
  readonly parent: Place | undefined;
  readonly step: string;
  /** The object that this part is internal to: the error names that object, since users do not know a socket's `_events`. */
  readonly owner: Place | undefined;
  /** Where there is no value, since reading it throws: what it is. */
  readonly failure?: string;
}

/** No value of this depth can be cloned, and a proxy may be endless. */
const DEEPEST = 100_000;
/** Each step of `descend` clones what is left, so that many steps would take forever. */
const MOST_STEPS = 100;

/**
 * The first part of `value`, in the order of its properties, that cannot be cloned; `undefined` where all of it can.
 *
 * @param isCloneable Whether the channel can send a value: of a thread or of a process.
 * @param root What the value is called in the path.
 */
export function findUnserializable(
  value: unknown,
  isCloneable: (value: unknown) => boolean,
  root = 'value',
): Unserializable | undefined {
  const cloneable = (part: unknown): boolean => {
    try {
      return isCloneable(part);
    } catch {
      return false;
    }
  };
  const start: Place = { value, parent: undefined, step: root, owner: undefined };
  const { toBlame, depth } = walk(start, cloneable);
  if (toBlame !== undefined) return report(toBlame);
  if (cloneable(value)) return undefined;
  // Each part can be cloned, but not what they make up.
  return (
    descend(start, cloneable) ?? {
      path: root,
      kind: depth > DEEPEST_SENT ? 'too deeply nested' : 'too large as a whole',
    }
  );
}

/** Looks at every part once, depth first, to find the first one that cannot be cloned for itself; and tells how deep it came. */
function walk(start: Place, cloneable: (value: unknown) => boolean): { toBlame?: Place; depth: number } {
  const seen = new Set<object>();
  const open: Iterator<Place>[] = [];

  /** Whether the part itself cannot be cloned. Parts inside it to inspect go to `open`. */
  const isToBlame = (place: Place): boolean => {
    const { value } = place;
    if (place.failure !== undefined) return true;
    if (typeof value !== 'object' || value === null) return isUnsendable(value);
    if (seen.has(value)) return false;
    seen.add(value);
    if (isTransferred(value)) return true;
    const shape = shapeOf(value);
    if (shape === 'unreadable') return true;
    if (shape === 'opaque') return !cloneable(value);
    open.push(partsOf(place, shape));
    return false;
  };

  let depth = 0;
  if (isToBlame(start)) return { toBlame: start, depth };
  for (let parts = open.at(-1); parts !== undefined && open.length < DEEPEST; parts = open.at(-1)) {
    depth = Math.max(depth, open.length);
    const next = parts.next();
    if (next.done === true) open.pop();
    else if (isToBlame(next.value)) return { toBlame: next.value, depth };
  }
  return { depth };
}

/** Follows what cannot be cloned to the innermost object, which is to blame. `undefined` where there are too many. */
function descend(start: Place, cloneable: (value: unknown) => boolean): Unserializable | undefined {
  const seen = new Set<unknown>();
  let place = start;
  for (let depth = 0; depth < MOST_STEPS; depth++) {
    const object = place.value as object;
    const shape = shapeOf(object);
    if (seen.has(object)) return report(place, `${kindOf(object)} that is part of its own cause`);
    seen.add(object);
    let inner: Place | undefined;
    for (const part of partsOf(place, shape)) {
      if (typeof part.value !== 'object' || cloneable(part.value)) continue;
      inner = part;
      break;
    }
    if (inner === undefined) {
      const isPlain = shape === 'record' || shape === 'array';
      // Its parts alone can be cloned: then either the object is special, or it is one level too deep.
      if (isPlain && !cloneable(copyOf(object))) return undefined;
      return report(place, isProxy(object) ? 'Proxy' : undefined);
    }
    place = inner;
  }
  return undefined;
}

/** The same parts in an ordinary object. */
function copyOf(object: object): unknown {
  try {
    return Array.isArray(object) ? Array.from(object as unknown[]) : { ...object };
  } catch {
    return undefined; // only now does reading it throw: it is no ordinary object
  }
}

function report(place: Place, kind?: string): Unserializable {
  const blamed = place.owner ?? place;
  const steps: string[] = [];
  for (let at: Place | undefined = blamed; at !== undefined; at = at.parent) steps.push(at.step);
  steps.reverse();
  const path = steps.length <= 40 ? steps.join('') : [...steps.slice(0, 20), ' … ', ...steps.slice(-20)].join('');
  return { path, kind: (blamed === place ? (kind ?? place.failure) : undefined) ?? kindOf(blamed.value) };
}

/** The parts of an object that structured clone copies, without the primitives that cannot fail. */
function* partsOf(place: Place, shape: Shape): Generator<Place, void> {
  const object = place.value as object;
  try {
    if (shape === 'map') {
      let at = 0;
      for (const [key, value] of Map.prototype.entries.call(object as Map<unknown, unknown>)) {
        if (mayFail(key)) yield partOf(place, `.keys()[${at}]`, key);
        if (mayFail(value)) yield partOf(place, isObject(key) ? `.values()[${at}]` : `.get(${quote(key)})`, value);
        at++;
      }
    } else if (shape === 'set') {
      let at = 0;
      for (const member of Set.prototype.values.call(object as Set<unknown>)) {
        if (mayFail(member)) yield partOf(place, `.values()[${at}]`, member);
        at++;
      }
    } else {
      const parts = object instanceof AggregateError ? ['cause', 'errors'] : ['cause'];
      for (const key of shape === 'error' ? parts : Object.keys(object)) {
        let value: unknown;
        try {
          value = (object as Record<string, unknown>)[key];
        } catch (error) {
          yield { ...partOf(place, stepOf(key), undefined), failure: `getter that throws (${textOf(error)})` };
          continue;
        }
        if (!mayFail(value)) continue;
        const isPrivate = shape === 'instance' && key.startsWith('_');
        yield partOf(place, stepOf(key), value, isPrivate ? place : undefined);
      }
    }
  } catch {
    yield { ...place, failure: 'Proxy' }; // only a proxy's keys, or a proxy of a map or set, cannot be listed
  }
}

function partOf(parent: Place, step: string, value: unknown, owner?: Place): Place {
  return { value, parent, step, owner: parent.owner ?? owner };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' ? value !== null : typeof value === 'function';
}

function isUnsendable(value: unknown): boolean {
  return typeof value === 'function' || typeof value === 'symbol';
}

function mayFail(value: unknown): boolean {
  return isObject(value) || typeof value === 'symbol';
}

function stepOf(key: string): string {
  if (/^(0|[1-9]\d*)$/.test(key)) return `[${key}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${shorten(key)}` : `[${quote(key)}]`;
}

/** A map's key, or a property's, as it is written in code. */
function quote(key: unknown): string {
  if (typeof key === 'string') return JSON.stringify(shorten(key));
  return typeof key === 'bigint' ? `${key}n` : String(key);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function textOf(thrown: unknown): string {
  try {
    return shorten(thrown instanceof Error ? thrown.message : String(thrown));
  } catch {
    return 'a value that cannot be shown';
  }
}
