/**
 * The inverse of `encodeThrown`: gives a thrown value back. It is a file of its own because only the pool needs it, and it
 * loads the error classes.
 */

import { errorClasses, WorkerPoolError } from '../../errors.js';
import type { ClassTable } from './ClassTable.js';
import type { EncodedNode, EncodedThrown, Fields, Slot } from './errorCodec.js';

// A class may have methods of these names.
const { set: addEntry } = Map.prototype;
const { add: addMember } = Set.prototype;

/** What was thrown on the other side. */
export function decodeThrown(encoded: EncodedThrown, classes?: ClassTable): unknown {
  if (encoded.tag === 'primitive') return encoded.value;
  // First every object, then what is in them: they may contain each other.
  const objects = encoded.nodes.map((node) => {
    const object = create(node);
    const prototype = 'class' in node && node.class !== undefined ? classes?.prototype(node.class) : undefined;
    return prototype === undefined ? object : (Object.setPrototypeOf(object, prototype) as object);
  });
  const resolve = (slot: Slot): unknown => (Array.isArray(slot) ? objects[slot[0] as number] : slot);
  encoded.nodes.forEach((node, at) => fill(node, objects[at], resolve));
  return objects[0];
}

function create(node: EncodedNode): unknown {
  switch (node.tag) {
    case 'error':
      return createError(node);
    case 'record':
      return {};
    case 'array':
      return [];
    case 'map':
      return new Map();
    case 'set':
      return new Set();
    case 'opaque':
      return node.value;
  }
}

function createError({ base, ours, hidden }: EncodedNode & { tag: 'error' }): object {
  if (ours) {
    // Not by the class's own constructor, which wants its fields: these are not there yet.
    const error = Reflect.construct(Error, [], errorClasses[base] ?? WorkerPoolError) as object;
    // One of a newer version of this package.
    if (errorClasses[base] === undefined) Object.defineProperty(error, 'name', { value: base, configurable: true });
    return error;
  }
  if (base === 'DOMException') return new DOMException(textOf(hidden, 'message'), textOf(hidden, 'name'));
  const builtin = (globalThis as Record<string, unknown>)[base];
  const constructor = typeof builtin === 'function' ? builtin : Error; // Node 20 has no SuppressedError
  return Reflect.construct(constructor, base === 'AggregateError' ? [[]] : []) as object;
}

function fill(node: EncodedNode, target: unknown, resolve: (slot: Slot) => unknown): void {
  switch (node.tag) {
    case 'error':
      Reflect.deleteProperty(target as Error, 'stack'); // it tells of this file
      defineAll(target as Error, node.hidden, false, resolve);
      defineAll(target as Error, node.enumerable, true, resolve);
      break;
    case 'record':
      defineAll(target as object, node.fields, true, resolve);
      break;
    case 'array':
      (target as unknown[]).length = node.length;
      defineAll(target as object, node.fields, true, resolve);
      break;
    case 'map':
      node.keys.forEach((key, at) =>
        addEntry.call(target as Map<unknown, unknown>, resolve(key), resolve(node.values[at])),
      );
      if (node.fields !== undefined) defineAll(target as object, node.fields, true, resolve);
      break;
    case 'set':
      for (const member of node.members) addMember.call(target as Set<unknown>, resolve(member));
      if (node.fields !== undefined) defineAll(target as object, node.fields, true, resolve);
      break;
    case 'opaque':
      break;
  }
}

/** Defines rather than assigns: a key may be `__proto__`, or have a setter on the prototype. */
function defineAll(
  target: object,
  { keys, slots }: Fields,
  enumerable: boolean,
  resolve: (slot: Slot) => unknown,
): void {
  keys.forEach((key, at) => {
    const value = resolve(slots[at]);
    // A built-in class may have put it there already, or on the prototype: the name and message of a DOMException.
    if (!enumerable && key in target && (target as Record<string, unknown>)[key] === value) return;
    Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
  });
}

function textOf({ keys, slots }: Fields, key: string): string {
  const slot = slots[keys.indexOf(key)];
  return typeof slot === 'string' ? slot : '';
}
