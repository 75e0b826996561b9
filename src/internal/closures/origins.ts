/**
 * Where a worker has imported things from, for a function that travelled. If that function, or one inside it,
 * travels on to a nested pool, they are imported there, too. Every copy of this package in the worker sees the same list.
 */

import type { FileNode, ImportNode, RequireNode } from './graph.js';

export type OriginNode = ImportNode | RequireNode | FileNode;

const mark = Symbol.for('rxjs-parallel-map.origins');

type Place = { [mark]?: WeakMap<object, OriginNode> };

export function originOf(value: object): OriginNode | undefined {
  return (globalThis as Place)[mark]?.get(value);
}

export function rememberOrigin(value: unknown, node: OriginNode): void {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return;
  const place = globalThis as Place;
  if (place[mark] === undefined) Object.defineProperty(place, mark, { value: new WeakMap() });
  place[mark]?.set(value, node);
}
