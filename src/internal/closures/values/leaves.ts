/** Dates, regular expressions and boxed primitives that have more to them than structured clone carries. */

import { types } from 'node:util';
import type { ObjectParts } from '../parts.js';
import type { Kind } from './Kind.js';

export interface LeafNode extends ObjectParts {
  readonly type: 'leaf';
  /** What structured clone carries. */
  readonly value: unknown;
}

const natural: readonly (readonly [(value: unknown) => boolean, object])[] = [
  [types.isDate, Date.prototype],
  [types.isRegExp, RegExp.prototype],
  [types.isNumberObject, Number.prototype],
  [types.isStringObject, String.prototype],
  [types.isBooleanObject, Boolean.prototype],
  [types.isBigIntObject, BigInt.prototype],
];

function prototypeFor(value: unknown): object | undefined {
  return natural.find(([is]) => is(value))?.[1];
}

export const leaves: Kind<object, LeafNode> = {
  matches: (value): value is object => prototypeFor(value) !== undefined,
  write: (value, graph, origin) => ({
    type: 'leaf',
    value,
    ...graph.parts(value, prototypeFor(value) as object, origin, isElement),
  }),
  read: { leaf: (node, graph) => graph.finish(node.value as object, node) },
};

/** Whether a property is an element, of a typed array or a text, or their number. */
export function isElement(key: string | symbol): boolean {
  return key === 'length' || (typeof key === 'string' && /^\d+$/.test(key));
}
