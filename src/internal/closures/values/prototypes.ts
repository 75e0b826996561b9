/** The `prototype` of a function or class of the graph. */

import type { Slot } from '../parts.js';
import type { Kind } from './Kind.js';

export interface PrototypeNode {
  readonly type: 'prototype';
  readonly of: Slot;
}

export const prototypes: Kind<object, PrototypeNode> = {
  matches: (value): value is object => ownerOf(value as object) !== undefined,
  write: (object, graph, origin) => ({ type: 'prototype', of: graph.slot(ownerOf(object), origin) }),
  read: { prototype: ({ of }, graph) => (graph.valueOf(of) as { readonly prototype: unknown }).prototype },
};

function ownerOf(object: object): object | undefined {
  const constructor: unknown = Object.getOwnPropertyDescriptor(object, 'constructor')?.value;
  if (typeof constructor !== 'function') return undefined;
  return (constructor as { prototype?: unknown }).prototype === object ? constructor : undefined;
}
