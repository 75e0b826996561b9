/**
 * The realm that this package was loaded in. Test runners load modules inside of a context of `node:vm`, which has an `Object`, an `Array`
 * and an `Error` of its own, while what Node makes – messages, too – has those of the thread's main realm.
 */

import { runInThisContext } from 'node:vm';

type Global = Record<string | symbol, unknown>;

let main: Global | undefined;

/** The global object of the main realm, which V8's inspector means. */
export function mainGlobal(): Global {
  return (main ??= runInThisContext('globalThis') as Global);
}

/** Prototypes of the main realm, and what is the same here. Empty where this is the main realm. */
let twins: Map<object, object> | undefined;

function findTwins(): Map<object, object> {
  const found = new Map<object, object>();
  const here = globalThis as unknown as Global;
  const there = mainGlobal();
  if (there === here) return found;
  for (const name of Object.getOwnPropertyNames(here)) {
    if (!/^[A-Z]/.test(name)) continue;
    const own = prototypeOf(here, name);
    const other = prototypeOf(there, name);
    if (own !== undefined && other !== undefined && own !== other) found.set(other, own);
  }
  return found;
}

function prototypeOf(place: Global, name: string): object | undefined {
  const owner: unknown = Object.getOwnPropertyDescriptor(place, name)?.value;
  if (typeof owner !== 'function') return undefined;
  return Object.getOwnPropertyDescriptor(owner, 'prototype')?.value as object | undefined;
}

/** Makes the objects in what has arrived instances of this realm's classes. */
export function bringHome<T>(message: T): T {
  twins ??= findTwins();
  if (twins.size === 0) return message;
  const seen = new Set<unknown>();
  const waiting: unknown[] = [message];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    const own = twins.get(Object.getPrototypeOf(value) as object);
    if (own !== undefined && Object.isExtensible(value)) Object.setPrototypeOf(value, own);
    if (ArrayBuffer.isView(value)) continue;
    if (value instanceof Map) waiting.push(...value.keys(), ...value.values());
    else if (value instanceof Set) waiting.push(...value);
    for (const { value: part } of Object.values(Object.getOwnPropertyDescriptors(value))) waiting.push(part);
  }
  return message;
}
