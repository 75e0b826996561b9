/** Errors, with their stacks. */

import { types } from 'node:util';
import { Configurable, Writable, type ObjectParts, type Property } from '../parts.js';
import type { Kind } from './Kind.js';

export interface ErrorNode extends ObjectParts {
  readonly type: 'error';
}

/** A `DOMException` has its name and message from its constructor. */
export interface DomExceptionNode extends ObjectParts {
  readonly type: 'domException';
  readonly name: string;
  readonly message: string;
}

export const errors: Kind<Error, ErrorNode> = {
  matches: types.isNativeError,
  write: (error, graph, origin) => {
    const { own = [], ...parts } = graph.parts(error, Error.prototype, origin, (key) => key === 'stack');
    return { type: 'error', ...parts, own: Object.hasOwn(error, 'stack') ? [stackOf(error), ...own] : own };
  },
  read: {
    error: (node, graph) => {
      const error = graph.fresh(node, () => new Error());
      for (const key of Reflect.ownKeys(error)) Reflect.deleteProperty(error, key);
      return graph.finish(error, node);
    },
  },
};

export const domExceptions: Kind<DOMException, DomExceptionNode> = {
  matches: (value): value is DOMException => Object.prototype.toString.call(value) === '[object DOMException]',
  write: (exception) => {
    const { name, message } = exception;
    return { type: 'domException', name, message, own: [stackOf(exception)] };
  },
  read: { domException: (node, graph) => graph.finish(new DOMException(node.message, node.name), node) },
};

/** A stack is a text: in newer versions of V8 the property is a pair of native functions. */
function stackOf({ stack }: { readonly stack?: string | undefined }): Property {
  return ['stack', Writable | Configurable, [String(stack)]];
}
