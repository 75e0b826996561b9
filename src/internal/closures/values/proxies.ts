/** Proxies: their targets and handlers. No trap is called. */

import { types } from 'node:util';
import type { Slot } from '../parts.js';
import type { Kind } from './Kind.js';

export interface ProxyNode {
  readonly type: 'proxy';
  readonly target: Slot;
  readonly handler: Slot;
}

export const proxies: Kind<object, ProxyNode> = {
  hasFunctions: true,
  matches: (value): value is object => types.isProxy(value),
  write: (proxy, graph, origin) => {
    const [target, handler] = graph.internalsOf(proxy, '[[Target]]', '[[Handler]]');
    if (handler === null) graph.fail(origin, 'a Proxy that is revoked');
    if (handler === undefined) graph.fail(origin, 'a Proxy, which only an inspector can look into');
    return {
      type: 'proxy',
      target: graph.slot(target, origin),
      handler: graph.slot(handler, { ...origin, path: `the handler of ${origin.path}` }),
    };
  },
  read: {
    proxy: ({ target, handler }, graph) =>
      new Proxy(graph.valueOf(target) as object, graph.valueOf(handler) as ProxyHandler<object>),
  },
};
