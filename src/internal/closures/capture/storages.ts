/**
 * Weak collections in which classes keep private fields. Compilers for older targets write those so, a WeakMap for each field and a
 * WeakSet for each private method, and people do by hand.
 *
 * Such a collection travels with its entries for the objects that travel. The worker has no other objects to look up.
 */

import { types } from 'node:util';
import type { GraphNode, Slot } from '../graph.js';
import { whyUnportable } from './kinds.js';
import type { OpenGraph, Origin } from './openGraph.js';

type Collection = WeakMap<object, unknown> | WeakSet<object>;

interface Storage {
  readonly collection: Collection;
  readonly number: number;
  readonly origin: Origin;
  /** How many of the objects that travel were looked up in it. */
  asked: number;
}

export function isStorage(value: unknown): value is Collection {
  return (
    (types.isWeakMap(value) && Object.getPrototypeOf(value) === WeakMap.prototype) ||
    (types.isWeakSet(value) && Object.getPrototypeOf(value) === WeakSet.prototype)
  );
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

  /** The node of a collection, which is empty at first. */
  nodeOf(collection: Collection, origin: Origin): GraphNode {
    const number = this.#graph.numberOf(collection) as number;
    this.#met.push({ collection, number, origin, asked: 0 });
    return types.isWeakMap(collection) ? { type: 'weakMap', entries: [] } : { type: 'weakSet', values: [] };
  }

  /** Some code uses a collection as a storage. */
  use(collection: Collection): void {
    this.#used.add(collection);
  }

  /** A collection is one of those in which a compiler's helper remembers what it has made of modules. */
  beginEmpty(collection: Collection): void {
    this.#caches.add(collection);
  }

  /** Takes entries for objects that have become known. @returns Whether there were any, so that there may be more to come. */
  fill(objects: readonly unknown[]): boolean {
    let hasFound = false;
    for (const storage of this.#met) {
      const { collection, number, origin } = storage;
      if (!this.#used.has(collection) || this.#caches.has(collection)) continue;
      const found = objects.slice(storage.asked).filter((each) => has(collection, each)) as object[];
      storage.asked = objects.length;
      if (found.length === 0) continue;
      hasFound = true;
      const slotOf = (value: unknown): Slot => this.#graph.slot(value, origin);
      if (types.isWeakMap(collection)) {
        const entries = found.map((key) => [slotOf(key), slotOf(WeakMap.prototype.get.call(collection, key))] as const);
        this.#graph.update(number, (node) =>
          node.type === 'weakMap' ? { ...node, entries: [...node.entries, ...entries] } : node,
        );
      } else {
        const values = found.map(slotOf);
        this.#graph.update(number, (node) =>
          node.type === 'weakSet' ? { ...node, values: [...node.values, ...values] } : node,
        );
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

function has(collection: Collection, value: unknown): boolean {
  return types.isWeakMap(collection)
    ? WeakMap.prototype.has.call(collection, value as object)
    : WeakSet.prototype.has.call(collection, value as object);
}
