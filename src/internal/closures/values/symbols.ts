/** Symbols: of the registry, of the language, and others, which are one symbol wherever the function has them. */

import { types } from 'node:util';
import type { NamedNode, ObjectParts, Slot } from '../parts.js';
import type { Kind } from './Kind.js';

export interface SymbolNode {
  readonly type: 'symbol';
  readonly key?: string | undefined;
  readonly description?: string | undefined;
}

export const symbols: Kind<symbol, SymbolNode | NamedNode> = {
  matches: (value) => typeof value === 'symbol',
  write: (symbol) => {
    const key = Symbol.keyFor(symbol);
    if (key !== undefined) return { type: 'symbol', key };
    for (const name of Object.getOwnPropertyNames(Symbol)) {
      const isIt = (Symbol as unknown as Record<string, unknown>)[name] === symbol;
      if (isIt) return { type: 'named', path: ['Symbol', name] };
    }
    return { type: 'symbol', description: symbol.description };
  },
  read: { symbol: ({ key, description }) => (key === undefined ? Symbol(description) : Symbol.for(key)) },
};

export interface BoxedSymbolNode extends ObjectParts {
  readonly type: 'boxedSymbol';
  readonly symbol: Slot;
}

export const boxedSymbols: Kind<object, BoxedSymbolNode> = {
  matches: (value): value is object => types.isSymbolObject(value),
  write: (boxed, graph, origin) => ({
    type: 'boxedSymbol',
    symbol: graph.slot(Symbol.prototype.valueOf.call(boxed), origin),
    ...graph.parts(boxed, Symbol.prototype, origin),
  }),
  read: { boxedSymbol: (node, graph) => graph.finish(Object(graph.valueOf(node.symbol)) as object, node) },
};
