/** Promises that are settled. Nobody in the worker could settle one that is not. */

import { types } from 'node:util';
import type { ObjectParts, Slot } from '../parts.js';
import type { Kind } from './Kind.js';

export interface PromiseNode extends ObjectParts {
  readonly type: 'promise';
  readonly isFulfilled: boolean;
  readonly result: Slot;
}

export const promises: Kind<Promise<unknown>, PromiseNode> = {
  matches: types.isPromise,
  write: (promise, graph, origin) => {
    const [state, result] = graph.internalsOf(promise, '[[PromiseState]]', '[[PromiseResult]]');
    if (state !== 'fulfilled' && state !== 'rejected') {
      const why = state === undefined ? 'which only an inspector can look into' : 'which settles only here';
      graph.fail(origin, `a Promise, ${why}: await it, and capture the result`);
    }
    return {
      type: 'promise',
      isFulfilled: state === 'fulfilled',
      result: graph.slot(result, { ...origin, path: `the result of ${origin.path}` }),
      ...graph.parts(promise, Promise.prototype, origin),
    };
  },
  read: {
    promise: (node, graph) => {
      let settle: ((result: unknown) => void) | undefined;
      const promise = new Promise((resolve, reject) => (settle = node.isFulfilled ? resolve : reject));
      if (!node.isFulfilled) promise.catch(() => undefined); // whoever has to handle it has been told here
      graph.later(() => settle?.(graph.valueOf(node.result)));
      return graph.finish(promise, node);
    },
  },
};
