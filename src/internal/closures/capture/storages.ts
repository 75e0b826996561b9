/**
 * Weak collections: in which classes keep private fields (compilers for older targets write a WeakMap for each field and a WeakSet for each
 * private method), or programs what they know of objects.
 *
 * Such a collection travels with its entries for what travels. The worker has no other objects to look up.
 */

import { types } from 'node:util';
import type { Slot } from '../parts.js';
import type { Origin } from '../values/Kind.js';
import type { WeakCollection } from '../values/weakCollections.js';
import type { OpenGraph } from './openGraph.js';

interface Entry {
  readonly key: unknown;
  readonly value: unknown;
}

interface Storage {
  readonly collection: WeakCollection;
  /** What its node holds, which grows. */
  readonly entries: (readonly [key: Slot, value: Slot])[];
  readonly origin: Origin;
  /** What it has besides. */
  left: readonly Entry[];
}

export class Storages {
  readonly #graph: OpenGraph;
  readonly #met: Storage[] = [];
  readonly #caches = new Set<unknown>();

  constructor(graph: OpenGraph) {
    this.#graph = graph;
  }

  /** The entries of a collection: none at first. */
  entriesOf(collection: WeakCollection, origin: Origin): Storage['entries'] {
    const [list] = this.#graph.internalsOf(collection, '[[Entries]]');
    const isMap = types.isWeakMap(collection);
    if (list === undefined) {
      this.#graph.fail(origin, `a Weak${isMap ? 'Map' : 'Set'}, whose entries only an inspector can list`);
    }
    const left = Array.from(list as ArrayLike<{ readonly key?: unknown; readonly value: unknown }>, ({ key, value }) =>
      isMap ? { key, value } : { key: value, value: undefined },
    );
    const entries: Storage['entries'] = [];
    this.#met.push({ collection, entries, origin, left });
    return entries;
  }

  /** A collection is one of those in which a compiler's helper remembers what it has made of modules. */
  beginEmpty(collection: WeakCollection): void {
    this.#caches.add(collection);
  }

  /** Takes entries for what has become known. @returns Whether there were any, so that there may be more to come. */
  fill(): boolean {
    let hasFound = false;
    for (const storage of this.#met) {
      const { collection, origin, left } = storage;
      if (this.#caches.has(collection)) continue;
      const found = new Set(left.filter(({ key }) => this.#graph.travels(key)));
      if (found.size === 0) continue;
      hasFound = true;
      storage.left = left.filter((entry) => !found.has(entry));
      const inside = { ...origin, path: `${origin.path}.get(…)` };
      for (const { key, value } of found) {
        storage.entries.push([this.#graph.slot(key, origin), this.#graph.slot(value, inside)]);
      }
    }
    return hasFound;
  }
}
