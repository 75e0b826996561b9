/** What a value is, told by its internal slots rather than by its prototype. */

import { types } from 'node:util';

/** Bound once, for user code may replace what a module exports. */
export const isMap: (value: unknown) => value is Map<unknown, unknown> = types.isMap;
export const isSet: (value: unknown) => value is Set<unknown> = types.isSet;
export const {
  isArrayBuffer,
  isBoxedPrimitive,
  isDate,
  isModuleNamespaceObject,
  isProxy,
  isRegExp,
  isSharedArrayBuffer,
} = types;

const { keys } = Object;

/** Whether a value is copied whenever it is assigned. Functions and symbols are not, but cannot be sent. */
export function isPrimitive(value: unknown): value is string | number | bigint | boolean | symbol | null | undefined {
  return value === null || (typeof value !== 'object' && typeof value !== 'function');
}

/** Whether an array has all of its elements, and no properties beside them. Only for short ones: it makes a string for each. */
export function isDense(array: readonly unknown[]): boolean {
  const { length } = array;
  const names = keys(array);
  // Properties that are not elements come last.
  return names.length === length && (length === 0 || names[length - 1] === String(length - 1));
}
