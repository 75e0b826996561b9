/**
 * How a thrown value crosses to another thread or process. Structured clone would lose the names of errors, their own
 * properties, the `errors` of an `AggregateError`, and a `DOMException` altogether. `decodeThrown.ts` is the inverse.
 *
 * What arrives:
 * - An error is an error of the same built-in class, or of the closest one, with the same name, message, stack, cause and
 *   own properties, enumerable or not as they were. An error of this package is of the same class. Errors inside of it
 *   arrive likewise, in any number and depth; what is one object stays one object.
 * - Anything else arrives as structured clone makes it, but with the errors inside as above.
 * - What cannot be cloned is left out of the object, array (`undefined` in its place), map or set around it, and the rest
 *   arrives: of an `error.response` the `status` and `headers`, not the `socket`. An object of a class is left out as a
 *   whole, except where it is itself what was thrown. So is all that exceeds a quarter of a million objects.
 * - A thrown function, symbol, promise and such arrives as an `Error` whose message shows it.
 */

import { kindOf, shapeOf, type Shape } from './unserializable.js';

/** A value inside a node: a primitive is itself; an object is the number of its node, in brackets to tell it from a number. */
export type Slot = string | number | bigint | boolean | null | undefined | readonly [node: number];

/** Properties: two lists of the same length. */
export interface Fields {
  readonly keys: string[];
  readonly slots: Slot[];
}

/** One object. They name each other by number, so that circles stay circles and no depth is too deep for a channel. */
export type EncodedNode =
  | {
      readonly tag: 'error';
      /** The built-in class, `DOMException` among them, or where `ours` is true the class of this package. */
      readonly base: string;
      readonly ours: boolean;
      readonly enumerable: Fields;
      readonly hidden: Fields;
    }
  | { readonly tag: 'record'; readonly fields: Fields }
  | { readonly tag: 'array'; readonly length: number; readonly fields: Fields }
  | { readonly tag: 'map'; readonly keys: Slot[]; readonly values: Slot[] }
  | { readonly tag: 'set'; readonly members: Slot[] }
  /** What structured clone does well: a date, a buffer. */
  | { readonly tag: 'opaque'; readonly value: unknown };

/** A thrown value in a form that every channel can send. */
export type EncodedThrown =
  | { readonly tag: 'primitive'; readonly value: Exclude<Slot, readonly [number]> }
  /** `nodes[0]` is what was thrown. */
  | { readonly tag: 'graph'; readonly nodes: EncodedNode[] };

/** `errorBrand` of `errors.ts`, which is not loaded in a worker. */
const errorBrand = Symbol.for('rxjs-parallel-map.error');

/** A getter or proxy can make up objects without end. */
const MOST_NODES = 250_000;
/** Each refusal may have taken a look at the whole graph; an error that has so many has nothing to lose by more. */
const MOST_REFUSALS = 100;

/** `DOMException` is told by its tag: naming it here would make Node load it in every worker. */
const builtins = [
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
  'SuppressedError',
  'Error',
];
const builtinsByPrototype = new Map(
  builtins.map((name) => [
    (globalThis as unknown as Record<string, { prototype: object } | undefined>)[name]?.prototype,
    name,
  ]),
);

/** What a class may define for all of its errors, on its prototype or by a getter. */
const inheritable = ['name', 'message', 'stack', 'code', 'cause'];
/** Carried whatever they are. Other properties that do not show up in a loop are carried if they are primitives. */
const wellKnown = new Set([...inheritable, 'errors', 'error', 'suppressed']);

const OMITTED = Symbol('omitted');

/**
 * Makes a thrown value ready to be sent; `decodeThrown` gives it back. Never throws, whatever was thrown.
 *
 * @param isCloneable Whether the channel can send a value. Asked only for what is neither plain nor an error.
 */
export function encodeThrown(thrown: unknown, isCloneable: (value: unknown) => boolean): EncodedThrown {
  try {
    if (!needsNode(thrown)) return { tag: 'primitive', value: thrown as Exclude<Slot, readonly [number]> };
    const nodes = new Graph(isCloneable).encode(thrown);
    return nodes === undefined ? substitute(thrown) : { tag: 'graph', nodes };
  } catch {
    return substitute(thrown);
  }
}

/** An error that tells of a thrown value which cannot be sent. */
function substitute(thrown: unknown): EncodedThrown {
  let text = kindOf(thrown);
  try {
    if (typeof thrown === 'function') text = Function.prototype.toString.call(thrown);
  } catch {
    // the kind will do
  }
  if (text.length > 200) text = `${text.slice(0, 200)}…`;
  const message = `What was thrown cannot be sent from the worker, only described: ${text}`;
  const hidden: Fields = { keys: ['message', 'stack'], slots: [message, `Error: ${message}`] };
  return { tag: 'graph', nodes: [{ tag: 'error', base: 'Error', ours: false, enumerable: noFields(), hidden }] };
}

/** An object that waits to be encoded; its place in the list is the number of its node. */
interface Pending {
  readonly object: object;
  readonly shape: Shape;
  /** Whether all in it is known to be cloneable, so that nothing needs to be asked again at each level. */
  readonly trusted: boolean;
}

/** Encodes the objects that a thrown value leads to, nearest first and without recursion. */
class Graph {
  readonly #isCloneable: (value: unknown) => boolean;
  readonly #pending: Pending[] = [];
  readonly #slots = new Map<object, Slot | typeof OMITTED>();
  #refusals = 0;

  constructor(isCloneable: (value: unknown) => boolean) {
    this.#isCloneable = isCloneable;
  }

  /** `undefined` where there is nothing of the value that could be sent. */
  encode(thrown: object): EncodedNode[] | undefined {
    if (this.#slotOf(thrown, false) === OMITTED) {
      // An object of a class that holds something uncloneable: here the rest of it is worth more than nothing.
      if (shapeOf(thrown) !== 'instance') return undefined;
      this.#add(thrown, 'instance', false);
    }
    const nodes: EncodedNode[] = [];
    for (let i = 0; i < this.#pending.length; i++) nodes.push(this.#nodeOf(this.#pending[i] as Pending));
    return nodes;
  }

  #slotOf(value: unknown, trusted: boolean): Slot | typeof OMITTED {
    if (!needsNode(value)) return value as Slot;
    let slot = this.#slots.get(value);
    if (slot === undefined) {
      const shape = typeof value === 'object' ? shapeOf(value) : 'unreadable';
      const trust = trusted || (shape === 'instance' && this.#trusts(value));
      const isLost =
        shape === 'unreadable' ||
        (shape === 'instance' && !trust) ||
        (shape === 'opaque' && !this.#asks(value)) ||
        this.#pending.length === MOST_NODES;
      slot = isLost ? OMITTED : this.#add(value, shape, trust);
      this.#slots.set(value, slot);
    }
    return slot;
  }

  #add(object: object, shape: Shape, trusted: boolean): Slot {
    const slot: Slot = [this.#pending.push({ object, shape, trusted }) - 1];
    this.#slots.set(object, slot);
    return slot;
  }

  #trusts(instance: object): boolean {
    if (this.#refusals === MOST_REFUSALS) return false;
    const trusts = this.#asks(instance);
    if (!trusts) this.#refusals++;
    return trusts;
  }

  #asks(object: object): boolean {
    try {
      return this.#isCloneable(object);
    } catch {
      return false;
    }
  }

  #nodeOf({ object, shape, trusted }: Pending): EncodedNode {
    switch (shape) {
      case 'error':
        return this.#errorNode(object);
      case 'array': {
        const length = read(object, 'length') as number;
        const isLength = typeof length === 'number' && length >>> 0 === length; // a proxy may say anything
        return { tag: 'array', length: isLength ? length : 0, fields: this.#fieldsOf(object, trusted, undefined) };
      }
      case 'map':
        return this.#mapNode(object as Map<unknown, unknown>, trusted);
      case 'set': {
        const slots = listOf(() => Set.prototype.values.call(object)).map((member) => this.#slotOf(member, trusted));
        return { tag: 'set', members: slots.filter((slot) => slot !== OMITTED) };
      }
      case 'opaque':
        return { tag: 'opaque', value: object };
      default:
        return { tag: 'record', fields: this.#fieldsOf(object, trusted, OMITTED) };
    }
  }

  #mapNode(map: Map<unknown, unknown>, trusted: boolean): EncodedNode {
    const keys: Slot[] = [];
    const values: Slot[] = [];
    for (const [key, value] of listOf(() => Map.prototype.entries.call(map))) {
      const keySlot = this.#slotOf(key, trusted);
      const valueSlot = this.#slotOf(value, trusted);
      if (keySlot === OMITTED || valueSlot === OMITTED) continue;
      keys.push(keySlot);
      values.push(valueSlot);
    }
    return { tag: 'map', keys, values };
  }

  /** @param substitute What takes the place of a property that cannot be sent. */
  #fieldsOf(object: object, trusted: boolean, substitute: undefined | typeof OMITTED): Fields {
    const fields = noFields();
    for (const key of listOf(() => Object.keys(object))) {
      const value = read(object, key);
      const slot = value === OMITTED ? OMITTED : this.#slotOf(value, trusted);
      addField(fields, key, slot === OMITTED ? substitute : slot);
    }
    return fields;
  }

  #errorNode(error: object): EncodedNode {
    const brand = read(error, errorBrand);
    const ours = typeof brand === 'string';
    const base = ours ? brand : builtinOf(error);
    const enumerable = noFields();
    const hidden = noFields();
    const own = listOf(() => Object.getOwnPropertyNames(error));
    for (const key of own) {
      const property = readProperty(error, key);
      if (property === undefined || (key === 'stack' && typeof property.value !== 'string')) continue;
      let slot = this.#slotOf(property.value, false);
      // A name or a message is text for people: better a poor one than none.
      if (slot === OMITTED && (key === 'name' || key === 'message')) slot = kindOf(property.value);
      addField(property.enumerable ? enumerable : hidden, key, slot);
    }
    for (const key of inheritable) {
      if (own.includes(key)) continue;
      const value = read(error, key);
      const isDefault =
        value === undefined ||
        value === OMITTED ||
        value === '' ||
        typeof value === 'function' ||
        (key === 'name' && value === base);
      // The code of a DOMException comes from its name.
      if (!isDefault && !(key === 'code' && base === 'DOMException')) addField(hidden, key, this.#slotOf(value, false));
    }
    return { tag: 'error', base, ours, enumerable, hidden };
  }
}

/** An own property of an error; `undefined` where it is not to be carried, or reading it throws. */
function readProperty(
  error: object,
  key: string,
): { readonly enumerable: boolean; readonly value: unknown } | undefined {
  try {
    const property = Object.getOwnPropertyDescriptor(error, key);
    if (property === undefined) return undefined;
    const enumerable = property.enumerable === true;
    const isCarried = enumerable || wellKnown.has(key) || ('value' in property && !needsNode(property.value));
    return isCarried ? { enumerable, value: (error as Record<string, unknown>)[key] } : undefined;
  } catch {
    return undefined;
  }
}

/** The closest built-in class that an error inherits from. */
function builtinOf(error: object): string {
  try {
    if (Object.prototype.toString.call(error) === '[object DOMException]') return 'DOMException';
    for (let at: unknown = error; needsNode(at); at = Object.getPrototypeOf(at)) {
      const name = builtinsByPrototype.get(at) ?? foreignBuiltin(at);
      if (name !== undefined) return name;
    }
  } catch {
    // a proxy
  }
  return 'Error';
}

/** The name of a built-in class of another realm by its prototype; not that of a class which a user has called so. */
function foreignBuiltin(prototype: object): string | undefined {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof constructor !== 'function') return undefined;
  const source = Function.prototype.toString.call(constructor);
  return builtins.find((name) => source === `function ${name}() { [native code] }`);
}

/** Whether a value is more than a primitive that can be sent. */
function needsNode(value: unknown): value is object {
  return typeof value === 'object' ? value !== null : typeof value === 'function' || typeof value === 'symbol';
}

function read(object: object, key: string | symbol): unknown {
  try {
    return (object as Record<string | symbol, unknown>)[key];
  } catch {
    return OMITTED;
  }
}

/** What a proxy does not let us list, it does not have. */
function listOf<T>(list: () => Iterable<T>): T[] {
  try {
    return [...list()];
  } catch {
    return [];
  }
}

function noFields(): Fields {
  return { keys: [], slots: [] };
}

function addField(fields: Fields, key: string, slot: Slot | typeof OMITTED): void {
  if (slot === OMITTED) return;
  fields.keys.push(key);
  fields.slots.push(slot);
}
