/** Maps and sets. */

import { types } from 'node:util';
import type { ObjectParts, Slot } from '../parts.js';
import type { Kind } from './Kind.js';

export interface MapNode extends ObjectParts {
  readonly type: 'map';
  readonly entries: readonly (readonly [Slot, Slot])[];
}

export interface SetNode extends ObjectParts {
  readonly type: 'set';
  readonly values: readonly Slot[];
}

export const maps: Kind<ReadonlyMap<unknown, unknown>, MapNode> = {
  matches: types.isMap,
  write: (map, graph, origin) => ({
    type: 'map',
    entries: Array.from(Map.prototype.entries.call(map), ([key, value]: [unknown, unknown], i) => [
      graph.slot(key, { ...origin, path: `${origin.path}.keys()[${i}]` }),
      graph.slot(value, { ...origin, path: `${origin.path}.values()[${i}]` }),
    ]),
    ...graph.parts(map, Map.prototype, origin),
  }),
  read: {
    map: (node, graph) => {
      const map = graph.finish(
        graph.fresh(node, () => new Map<unknown, unknown>()),
        node,
      );
      graph.later(() => {
        for (const [key, value] of node.entries) {
          Map.prototype.set.call(map, graph.valueOf(key), graph.valueOf(value));
        }
      });
      return map;
    },
  },
};

export const sets: Kind<ReadonlySet<unknown>, SetNode> = {
  matches: types.isSet,
  write: (set, graph, origin) => ({
    type: 'set',
    values: Array.from(Set.prototype.values.call(set), (value: unknown, i) =>
      graph.slot(value, { ...origin, path: `${origin.path}.values()[${i}]` }),
    ),
    ...graph.parts(set, Set.prototype, origin),
  }),
  read: {
    set: (node, graph) => {
      const set = graph.finish(
        graph.fresh(node, () => new Set<unknown>()),
        node,
      );
      graph.later(() => {
        for (const value of node.values) Set.prototype.add.call(set, graph.valueOf(value));
      });
      return set;
    },
  },
};
