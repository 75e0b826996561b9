/** Arrays, and what functions have as `arguments`. */

import { types } from 'node:util';
import type { ObjectParts } from '../parts.js';
import type { Kind } from './Kind.js';

export interface ArrayNode extends ObjectParts {
  readonly type: 'array';
  readonly length: number;
}

export const arrays: Kind<readonly unknown[], ArrayNode> = {
  matches: (value) => Array.isArray(value),
  write: (array, graph, origin) => ({
    type: 'array',
    length: array.length,
    ...graph.parts(array, Array.prototype, origin, (key) => key === 'length'),
  }),
  read: {
    array: (node, graph) =>
      graph.finish(
        graph.fresh(node, () => new Array<unknown>(node.length)),
        node,
      ),
  },
};

export interface ArgumentsNode extends ObjectParts {
  readonly type: 'arguments';
}

/** The objects of functions that are strict: their `callee` throws. */
function makeArguments(): object {
  // oxlint-disable-next-line prefer-rest-params
  return arguments;
}

export const argumentLists: Kind<object, ArgumentsNode> = {
  matches: (value): value is object => types.isArgumentsObject(value),
  write: (list, graph, origin) => ({
    type: 'arguments',
    ...graph.parts(list, Object.prototype, origin, (key) => key === 'callee'),
  }),
  read: { arguments: (node, graph) => graph.finish(makeArguments(), node) },
};
