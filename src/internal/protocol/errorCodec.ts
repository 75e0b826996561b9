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
 *   arrives: of an `error.response` the `status` and `headers`, not the `socket`. An object of a class with such a thing
 *   in it is left out as a whole, except where it is itself what was thrown. So is all beyond a hundred thousand objects.
 * - A thrown function, symbol, promise and such arrives as an `Error` whose message shows it.
 *
 * Its graph is not that of `closures`: that one refuses what cannot travel, and this one leaves it out.
 */

import { now } from '../platform/globals.js';
import { noClasses, type Classes, type ClassName } from './checked.js';
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
      /** What both sides call its class, where both have it. */
      readonly class?: ClassName | undefined;
      readonly enumerable: Fields;
      readonly hidden: Fields;
    }
  | { readonly tag: 'record'; readonly class?: ClassName | undefined; readonly fields: Fields }
  | { readonly tag: 'array'; readonly class?: ClassName | undefined; readonly length: number; readonly fields: Fields }
  | {
      readonly tag: 'map';
      readonly class?: ClassName | undefined;
      readonly keys: Slot[];
      readonly values: Slot[];
      /** What it has besides, where its class is known. */
      readonly fields?: Fields | undefined;
    }
  | {
      readonly tag: 'set';
      readonly class?: ClassName | undefined;
      readonly members: Slot[];
      readonly fields?: Fields | undefined;
    }
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
const MOST_NODES = 100_000;
/** Milliseconds. Inspecting an object of a class walks through everything that it refers to. */
const LOOKING_TIME = 250;

/** `DOMException` is told by its tag: naming it here would make Node load it in every worker. */
const builtins =
  'EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError SuppressedError Error'.split(' ');
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
 * Encodes a thrown value for sending; `decodeThrown` decodes it. Never throws.
 *
 * @param isCloneable Whether the channel can send a value. Asked only for what is neither plain nor an error.
 * @param classes Those that the other side has, too.
 */
export function encodeThrown(
  thrown: unknown,
  isCloneable: (value: unknown) => boolean,
  classes: Classes = noClasses,
): EncodedThrown {
  try {
    if (!needsNode(thrown)) return { tag: 'primitive', value: thrown as Exclude<Slot, readonly [number]> };
    const nodes = new Graph(isCloneable, classes).encode(thrown);
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
  /** Whether the channel can send all of it, so that its parts need no look; `undefined` where it was not asked yet. */
  trusted: boolean | undefined;
}

/** Encodes the objects that a thrown value leads to, nearest first and without recursion. */
class Graph {
  readonly #isCloneable: (value: unknown) => boolean;
  readonly #classes: Classes;
  readonly #pending: Pending[] = [];
  readonly #slots = new Map<object, Slot | typeof OMITTED>();
  #lookingEnd: number | undefined;

  constructor(isCloneable: (value: unknown) => boolean, classes: Classes) {
    this.#isCloneable = isCloneable;
    this.#classes = classes;
  }

  /** `undefined` where there is nothing of the value that could be sent. */
  encode(thrown: object): EncodedNode[] | undefined {
    // Nothing is trusted because of what is around the thrown value: there is nothing.
    if (this.#slotOf(thrown, { object: thrown, shape: 'error', trusted: false }) === OMITTED) {
      // An object of a class that holds something uncloneable: here the rest of it is worth more than nothing.
      if (shapeOf(thrown) !== 'instance') return undefined;
      this.#add(thrown, 'instance', false);
    }
    const nodes: EncodedNode[] = [];
    for (let i = 0; i < this.#pending.length; i++) nodes.push(this.#nodeOf(this.#pending[i] as Pending));
    return nodes;
  }

  #slotOf(value: unknown, within: Pending): Slot | typeof OMITTED {
    if (!needsNode(value)) return value as Slot;
    const known = this.#slots.get(value);
    if (known !== undefined) return known;
    const shape = typeof value === 'object' ? shapeOf(value) : 'unreadable';
    let isSendable = shape !== 'unreadable' && this.#pending.length < MOST_NODES;
    if (isSendable && shape === 'opaque') isSendable = this.#asks(value);
    if (isSendable && shape === 'instance') {
      // First for all that is around it: a list of such objects is asked for once.
      within.trusted ??= this.#trusts(within.object);
      isSendable = within.trusted || this.#trusts(value);
    }
    if (isSendable) return this.#add(value, shape, shape === 'instance' || within.trusted === true || undefined);
    this.#slots.set(value, OMITTED);
    return OMITTED;
  }

  #add(object: object, shape: Shape, trusted: boolean | undefined): Slot {
    // Channels look only at the cause of an error, while all that it has is sent here.
    const slot: Slot = [this.#pending.push({ object, shape, trusted: shape === 'error' ? false : trusted }) - 1];
    this.#slots.set(object, slot);
    return slot;
  }

  #trusts(object: object): boolean {
    const time = now();
    this.#lookingEnd ??= time + LOOKING_TIME;
    return time < this.#lookingEnd && this.#asks(object);
  }

  #asks(object: object): boolean {
    try {
      return this.#isCloneable(object);
    } catch {
      return false;
    }
  }

  #nodeOf(pending: Pending): EncodedNode {
    const { object, shape } = pending;
    switch (shape) {
      case 'error':
        return this.#errorNode(pending);
      case 'array': {
        const length = read(object, 'length') as number;
        const isLength = typeof length === 'number' && length >>> 0 === length; // a proxy may say anything
        const fields = this.#fieldsOf(pending, undefined);
        return { tag: 'array', class: this.#classOf(object), length: isLength ? length : 0, fields };
      }
      case 'map':
        return this.#mapNode(pending);
      case 'set': {
        const slots = listOf(() => Set.prototype.values.call(object)).map((member) => this.#slotOf(member, pending));
        return { tag: 'set', ...this.#ownOf(pending), members: slots.filter((slot) => slot !== OMITTED) };
      }
      case 'opaque':
        return { tag: 'opaque', value: object };
      default:
        return { tag: 'record', class: this.#classOf(object), fields: this.#fieldsOf(pending, OMITTED) };
    }
  }

  #mapNode(pending: Pending): EncodedNode {
    const keys: Slot[] = [];
    const values: Slot[] = [];
    for (const [key, value] of listOf(() => Map.prototype.entries.call(pending.object))) {
      const keySlot = this.#slotOf(key, pending);
      const valueSlot = this.#slotOf(value, pending);
      if (keySlot === OMITTED || valueSlot === OMITTED) continue;
      keys.push(keySlot);
      values.push(valueSlot);
    }
    return { tag: 'map', ...this.#ownOf(pending), keys, values };
  }

  /** The class of a map or set and its properties, where both sides have the class. */
  #ownOf(pending: Pending): { readonly class?: ClassName | undefined; readonly fields?: Fields | undefined } {
    const known = this.#classOf(pending.object);
    return known === undefined ? {} : { class: known, fields: this.#fieldsOf(pending, OMITTED) };
  }

  /** @param placeholder What takes the place of a property that cannot be sent. */
  #fieldsOf(pending: Pending, placeholder: undefined | typeof OMITTED): Fields {
    const fields = noFields();
    for (const key of listOf(() => Object.keys(pending.object))) {
      const value = read(pending.object, key);
      const slot = value === OMITTED ? OMITTED : this.#slotOf(value, pending);
      addField(fields, key, slot === OMITTED ? placeholder : slot);
    }
    return fields;
  }

  #errorNode(pending: Pending): EncodedNode {
    const error = pending.object;
    const brand = read(error, errorBrand);
    const ours = typeof brand === 'string';
    const base = ours ? brand : builtinOf(error);
    const enumerable = noFields();
    const hidden = noFields();
    const own = listOf(() => Object.getOwnPropertyNames(error));
    for (const key of own) {
      const property = readProperty(error, key);
      if (property === undefined || (key === 'stack' && typeof property.value !== 'string')) continue;
      let slot = this.#slotOf(property.value, pending);
      // A name or a message is text for people: better a poor one than none.
      if (slot === OMITTED && (key === 'name' || key === 'message')) slot = kindOf(property.value);
      addField(property.enumerable ? enumerable : hidden, key, slot);
    }
    const known = this.#classOf(error);
    for (const key of known === undefined ? inheritable : []) {
      if (own.includes(key)) continue;
      const value = read(error, key);
      const isDefault =
        value === undefined ||
        value === OMITTED ||
        value === '' ||
        typeof value === 'function' ||
        (key === 'name' && value === base);
      if (isDefault || (key === 'code' && base === 'DOMException')) continue; // that comes from its name
      addField(hidden, key, this.#slotOf(value, pending));
    }
    return { tag: 'error', base, ours, class: known, enumerable, hidden };
  }

  /** What both sides call the class of an object, unless it has private members, which could not come along. */
  #classOf(object: object): ClassName | undefined {
    try {
      const prototype = Object.getPrototypeOf(object) as object | null;
      const known = prototype === null ? undefined : this.#classes.find(prototype);
      return known?.hides === false ? known.name : undefined;
    } catch {
      return undefined; // a proxy
    }
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
