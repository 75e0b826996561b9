/**
 * Values keep their class: structured clone makes a Uint8Array of a Buffer, and a plain object of an instance. A message in which there
 * are such objects travels with lists of them, one for each class that both sides have (`ClassTable`). What is one object in a message
 * stays one: the receiver finds in the lists what is in the values, and sets its prototype. Other messages are sent as they are.
 */

import { structuredClone } from '../platform/globals.js';
import { isHiddenPart, look, type Channel, type Classes, type Found, type KnownClass } from './checked.js';
import type { ClassTable } from './ClassTable.js';
import { ToWorker, Typed, type Group } from './messages.js';

const { defineProperty, keys, setPrototypeOf } = Object;

/**
 * The message, packed by `wire.ts`, as it is to be sent.
 *
 * @param classes Those that both sides have.
 * @param moving What moves with it.
 * @throws DataCloneError where something would not arrive as it is.
 */
export function pack(
  message: readonly unknown[],
  channel: Channel,
  classes: ClassTable,
  moving?: readonly object[],
): readonly unknown[] {
  const known = message[0] === ToWorker.Run ? classes.of(message[2] as number) : classes;
  const found = look(message, channel, known, moving);
  if (found === undefined) return message;
  const groups: Group[] = [];
  for (const [prototype, { objects, fields }] of found) {
    const { name } = known.find(prototype) as KnownClass;
    groups.push([name, objects, fields]);
  }
  return [Typed, message, groups];
}

/** Gives an object its class, and its properties that structured clone drops: the class may have setters for them. */
function complete(object: object, prototype: object, fields: object | undefined): void {
  setPrototypeOf(object, prototype);
  if (fields === undefined) return;
  for (const key of keys(fields)) {
    const value = (fields as Record<string, unknown>)[key];
    defineProperty(object, key, { value, enumerable: !isHiddenPart(object, key), writable: true, configurable: true });
  }
}

/** Gives the objects of a message their classes. */
export function restore(groups: readonly Group[], classes: ClassTable): void {
  for (const [name, objects, fields] of groups) {
    const prototype = classes.prototype(name);
    if (prototype !== undefined) objects.forEach((object, i) => complete(object, prototype, fields[i]));
  }
}

/** A message as it was before it was packed. */
export function unpack(message: readonly unknown[], classes: ClassTable): readonly unknown[] {
  if (message[0] !== Typed) return message;
  const [, typed, groups] = message as [typeof Typed, unknown[], Group[]];
  restore(groups, classes);
  return typed;
}

/** A clone of a value as it would arrive elsewhere. @throws DataCloneError */
export function cloneTyped(value: unknown, channel: Channel, classes: Classes, moving?: readonly object[]): unknown {
  const found = look([[value]], channel, classes, moving);
  const options = moving === undefined ? undefined : { transfer: moving as never };
  if (found === undefined) return structuredClone(value, options);
  const [clone, groups] = structuredClone([value, [...found.values()]], options) as [unknown, Found[]];
  [...found.keys()].forEach((prototype, at) => {
    const { objects, fields } = groups[at] as Found;
    objects.forEach((object, i) => complete(object, prototype, fields[i]));
  });
  return clone;
}

/** Whether a value has no part of a known class that structured clone cannot carry. */
export function isWhole(value: unknown, classes: Classes): boolean {
  try {
    look([[value]], { carries: () => true, moves: true }, classes);
    return true;
  } catch {
    return false; // that is the answer
  }
}
