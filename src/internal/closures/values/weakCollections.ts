/**
 * Weak collections. They travel with what they have of objects that the worker has, too: nobody there can ask for more of it. See
 * `capture/storages.ts`.
 */

import { types } from 'node:util';
import type { ObjectParts, Slot } from '../parts.js';
import type { Kind } from './Kind.js';

type Entries = readonly (readonly [key: Slot, value: Slot])[];

export interface WeakMapNode extends ObjectParts {
  readonly type: 'weakMap';
  readonly entries: Entries;
}

/** Of whose entries only the keys count. */
export interface WeakSetNode extends ObjectParts {
  readonly type: 'weakSet';
  readonly entries: Entries;
}

export type WeakCollection = WeakMap<object, unknown> | WeakSet<object>;

export function isWeakCollection(value: unknown): value is WeakCollection {
  return types.isWeakMap(value) || types.isWeakSet(value);
}

export const weakCollections: Kind<WeakCollection, WeakMapNode | WeakSetNode> = {
  matches: isWeakCollection,
  write: (value, graph, origin) => {
    const isMap = types.isWeakMap(value);
    return {
      type: isMap ? 'weakMap' : 'weakSet',
      entries: graph.entriesOf(value, origin),
      ...graph.parts(value, (isMap ? WeakMap : WeakSet).prototype, origin),
    };
  },
  read: {
    weakMap: (node, graph) => {
      const map = graph.fresh(node, () => new WeakMap<object, unknown>());
      graph.later(() => {
        for (const [key, value] of node.entries) {
          WeakMap.prototype.set.call(map, graph.valueOf(key) as object, graph.valueOf(value));
        }
      });
      return graph.finish(map, node);
    },
    weakSet: (node, graph) => {
      const set = graph.fresh(node, () => new WeakSet<object>());
      graph.later(() => {
        for (const [key] of node.entries) WeakSet.prototype.add.call(set, graph.valueOf(key) as object);
      });
      return graph.finish(set, node);
    },
  },
};
