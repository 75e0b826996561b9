/** Bound functions: what they call, with what `this` and with what arguments. */

import type { ObjectParts, Slot } from '../parts.js';
import type { Kind } from './Kind.js';

export interface BoundNode extends ObjectParts {
  readonly type: 'bound';
  readonly target: Slot;
  readonly self: Slot;
  readonly args: readonly Slot[];
}

type AnyFunction = (...args: unknown[]) => unknown;

export const boundFunctions: Kind<AnyFunction, BoundNode> = {
  hasFunctions: true,
  matches: (value, graph): value is AnyFunction => typeof value === 'function' && graph.isBound(value),
  write: (fn, graph, origin) => {
    const { name } = fn;
    const path = origin.path === '' ? name : origin.path;
    const inside = { ...origin, owner: origin.owner ?? { name, location: undefined } };
    const [target, self, args] = graph.internalsOf(fn, '[[TargetFunction]]', '[[BoundThis]]', '[[BoundArgs]]');
    graph.offerMethodsOf(self); // `this.method = this.method.bind(this)`
    return {
      type: 'bound',
      target: graph.slot(target, origin),
      self: graph.slot(self, { ...inside, path: `this of ${path}` }),
      args: Array.from(args as ArrayLike<unknown>, (each, i) =>
        graph.slot(each, { ...inside, path: `argument ${i + 1} of ${path}` }),
      ),
      // Its prototype is that which the target had when it was bound.
      ...graph.parts(fn, fn, origin),
    };
  },
  read: {
    bound: (node, graph) => {
      const args = node.args.map((slot) => graph.valueOf(slot));
      const target = graph.valueOf(node.target) as AnyFunction;
      return graph.finish(Function.prototype.bind.call(target, graph.valueOf(node.self), ...args) as AnyFunction, node);
    },
  },
};
