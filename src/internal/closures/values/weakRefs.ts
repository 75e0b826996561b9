/** Weak references. In the worker they keep what they refer to: when that is collected is up to the engine anyway. */

import type { ObjectParts, Slot } from '../parts.js';
import type { Kind } from './Kind.js';
import { tagOf } from './refused.js';

export interface WeakRefNode extends ObjectParts {
  readonly type: 'weakRef';
  /** None where it was collected. */
  readonly target: Slot | undefined;
}

const kept = new WeakMap<WeakRef<object>, object>();
const { deref } = WeakRef.prototype;

export const weakRefs: Kind<WeakRef<object>, WeakRefNode> = {
  matches: (value): value is WeakRef<object> => value instanceof WeakRef && tagOf(value) === 'WeakRef',
  write: (ref, graph, origin) => {
    const target = deref.call(ref);
    return {
      type: 'weakRef',
      target: target === undefined ? undefined : graph.slot(target, { ...origin, path: `${origin.path}.deref()` }),
      ...graph.parts(ref, WeakRef.prototype, origin),
    };
  },
  read: {
    weakRef: (node, graph) => {
      const target = node.target === undefined ? {} : (graph.valueOf(node.target) as object);
      const ref = new WeakRef(target);
      if (node.target !== undefined) kept.set(ref, target);
      else Object.defineProperty(ref, 'deref', { value: () => undefined, configurable: true });
      return graph.finish(ref, node);
    },
  },
};
