/**
 * Weak collections in which classes keep private fields. Compilers for older targets write those so, a WeakMap for each field and a
 * WeakSet for each private method, and people do by hand.
 *
 * Such a collection travels with its entries for the objects that travel. The worker has no other objects to look up.
 */

import { types } from 'node:util';
import type { Slot } from '../parts.js';
import type { Origin } from '../values/Kind.js';
import { whyUnportable } from '../values/refused.js';
import type { WeakCollection } from '../values/weakCollections.js';
import type { OpenGraph } from './openGraph.js';

interface Storage {
  readonly collection: WeakCollection;
  /** What its node holds, which grows. */
  readonly entries: (readonly [key: Slot, value: Slot])[];
  readonly origin: Origin;
  /** How many of the objects that travel were looked up in it. */
  asked: number;
}

export class Storages {
  readonly #graph: OpenGraph;
  readonly #met: Storage[] = [];
  /** Those that are used as storages are. Which ones is known when all code has been read. */
  readonly #used = new Set<unknown>();
  readonly #caches = new Set<unknown>();

  constructor(graph: OpenGraph) {
    this.#graph = graph;
  }

  /** The entries of a collection: none at first. */
  entriesOf(collection: WeakCollection, origin: Origin): Storage['entries'] {
    const entries: Storage['entries'] = [];
    this.#met.push({ collection, entries, origin, asked: 0 });
    return entries;
  }

  /** Some code uses a collection as a storage. */
  use(collection: WeakCollection): void {
    this.#used.add(collection);
  }

  /** A collection is one of those in which a compiler's helper remembers what it has made of modules. */
  beginEmpty(collection: WeakCollection): void {
    this.#caches.add(collection);
  }

  /** Takes entries for objects that have become known. @returns Whether there were any, so that there may be more to come. */
  fill(objects: readonly unknown[]): boolean {
    let hasFound = false;
    for (const storage of this.#met) {
      const { collection, origin } = storage;
      if (!this.#used.has(collection) || this.#caches.has(collection)) continue;
      const found = objects.slice(storage.asked).filter((each) => has(collection, each)) as object[];
      storage.asked = objects.length;
      if (found.length === 0) continue;
      hasFound = true;
      const slotOf = (value: unknown): Slot => this.#graph.slot(value, origin);
      for (const key of found) {
        const value: unknown = types.isWeakMap(collection) ? WeakMap.prototype.get.call(collection, key) : undefined;
        storage.entries.push([slotOf(key), slotOf(value)]);
      }
    }
    return hasFound;
  }

  /** @throws where a weak collection is no storage. */
  refuseOthers(): void {
    const other = this.#met.find(({ collection }) => !this.#used.has(collection) && !this.#caches.has(collection));
    if (other !== undefined) this.#graph.fail(other.origin, whyUnportable(other.collection) as string);
  }
}

function has(collection: WeakCollection, value: unknown): boolean {
  return types.isWeakMap(collection)
    ? WeakMap.prototype.has.call(collection, value as object)
    : WeakSet.prototype.has.call(collection, value as object);
}
