/**
 * Weak collections in which classes keep private fields. They travel with what they have of the objects of the graph: nobody in
 * the worker can ask for more of it. Others are refused: see `capture/storages.ts`.
 */

import { types } from 'node:util';
import type { Slot } from '../parts.js';
import type { Kind } from './Kind.js';

type Entries = readonly (readonly [key: Slot, value: Slot])[];

export interface WeakMapNode {
  readonly type: 'weakMap';
  readonly entries: Entries;
}

/** Of whose entries only the keys count. */
export interface WeakSetNode {
  readonly type: 'weakSet';
  readonly entries: Entries;
}

export type WeakCollection = WeakMap<object, unknown> | WeakSet<object>;

export function isWeakCollection(value: unknown): value is WeakCollection {
  return (
    (types.isWeakMap(value) && Object.getPrototypeOf(value) === WeakMap.prototype) ||
    (types.isWeakSet(value) && Object.getPrototypeOf(value) === WeakSet.prototype)
  );
}

export const weakCollections: Kind<WeakCollection, WeakMapNode | WeakSetNode> = {
  matches: isWeakCollection,
  write: (value, graph, origin) => ({
    type: types.isWeakMap(value) ? 'weakMap' : 'weakSet',
    entries: graph.entriesOf(value, origin),
  }),
  read: {
    weakMap: ({ entries }, graph) => {
      const map = new WeakMap<object, unknown>();
      graph.later(() => {
        for (const [key, value] of entries) map.set(graph.valueOf(key) as object, graph.valueOf(value));
      });
      return map;
    },
    weakSet: ({ entries }, graph) => {
      const set = new WeakSet<object>();
      graph.later(() => {
        for (const [key] of entries) set.add(graph.valueOf(key) as object);
      });
      return set;
    },
  },
};
