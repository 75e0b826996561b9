/** Arrays. */

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
