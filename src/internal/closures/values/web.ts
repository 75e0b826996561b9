/** Objects of the web that are what they say: headers, forms, and signals that are aborted. */

import type { ObjectParts, Slot } from '../parts.js';
import type { Kind } from './Kind.js';

export interface HeadersNode extends ObjectParts {
  readonly type: 'headers';
  readonly entries: readonly (readonly [string, string])[];
}

export interface FormDataNode extends ObjectParts {
  readonly type: 'formData';
  readonly entries: readonly (readonly [string, Slot])[];
}

export interface AbortedNode extends ObjectParts {
  readonly type: 'abortSignal';
  readonly reason: Slot;
}

export interface AbortControllerNode extends ObjectParts {
  readonly type: 'abortController';
  readonly signal: Slot;
}

const isOfNode = (key: string | symbol): boolean => typeof key === 'symbol';

/** Looked at only where such an object may be: Node loads these classes when they are first asked for. */
function isInstance(value: unknown, name: 'Headers' | 'FormData' | 'AbortSignal' | 'AbortController'): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const owner: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (typeof owner === 'function' && owner.name === name) return value instanceof globalThis[name];
  }
  return false;
}

export const headers: Kind<Headers, HeadersNode> = {
  matches: (value): value is Headers => isInstance(value, 'Headers'),
  write: (value, graph, origin) => {
    try {
      Headers.prototype.delete.call(value, 'x-none-has-this-name');
    } catch {
      graph.fail(origin, 'Headers that cannot be changed: capture new Headers(…) of them');
    }
    return {
      type: 'headers',
      entries: [...Headers.prototype.entries.call(value)],
      ...graph.parts(value, Headers.prototype, origin, isOfNode),
    };
  },
  read: { headers: (node, graph) => graph.finish(new Headers(node.entries as [string, string][]), node) },
};

export const forms: Kind<FormData, FormDataNode> = {
  matches: (value): value is FormData => isInstance(value, 'FormData'),
  write: (form, graph, origin) => ({
    type: 'formData',
    entries: Array.from(FormData.prototype.entries.call(form), ([name, value]) => [
      name,
      graph.slot(value, { ...origin, path: `${origin.path}.get(${JSON.stringify(name)})` }),
    ]),
    ...graph.parts(form, FormData.prototype, origin, isOfNode),
  }),
  read: {
    formData: (node, graph) => {
      const form = new FormData();
      for (const [name, value] of node.entries) form.append(name, graph.valueOf(value) as string);
      return graph.finish(form, node);
    },
  },
};

export const abortSignals: Kind<AbortSignal, AbortedNode> = {
  matches: (value): value is AbortSignal => isInstance(value, 'AbortSignal') && (value as AbortSignal).aborted,
  write: (signal, graph, origin) => ({
    type: 'abortSignal',
    reason: graph.slot(signal.reason, { ...origin, path: `${origin.path}.reason` }),
    ...graph.parts(signal, AbortSignal.prototype, origin, isOfNode),
  }),
  read: {
    abortSignal: (node, graph) => {
      const controller = new AbortController();
      controller.abort(graph.valueOf(node.reason));
      return graph.finish(controller.signal, node);
    },
  },
};

export const abortControllers: Kind<AbortController, AbortControllerNode> = {
  matches: (value): value is AbortController =>
    isInstance(value, 'AbortController') && (value as AbortController).signal.aborted,
  write: (controller, graph, origin) => ({
    type: 'abortController',
    signal: graph.slot(controller.signal, { ...origin, path: `${origin.path}.signal` }),
    ...graph.parts(controller, AbortController.prototype, origin, isOfNode),
  }),
  read: {
    abortController: (node, graph) => {
      const controller = new AbortController();
      controller.abort();
      // The signal that others have, too; nothing can happen to it any more.
      Object.defineProperty(controller, 'signal', { value: graph.valueOf(node.signal), configurable: true });
      return graph.finish(controller, node);
    },
  },
};
