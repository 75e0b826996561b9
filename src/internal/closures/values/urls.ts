/** URLs and their parameters. */

import type { ObjectParts } from '../parts.js';
import type { Kind } from './Kind.js';

export interface UrlNode extends ObjectParts {
  readonly type: 'url';
  readonly text: string;
}

export interface SearchParamsNode extends ObjectParts {
  readonly type: 'searchParams';
  readonly text: string;
}

export const urls: Kind<URL, UrlNode> = {
  matches: (value) => value instanceof URL,
  write: (url, graph, origin) => ({ type: 'url', text: url.href, ...graph.parts(url, URL.prototype, origin) }),
  read: { url: (node, graph) => graph.finish(new URL(node.text), node) },
};

export const searchParams: Kind<URLSearchParams, SearchParamsNode> = {
  matches: (value) => value instanceof URLSearchParams,
  write: (params, graph, origin) => ({
    type: 'searchParams',
    text: params.toString(),
    // Its symbols are Node's own.
    ...graph.parts(params, URLSearchParams.prototype, origin, (key) => typeof key === 'symbol'),
  }),
  read: { searchParams: (node, graph) => graph.finish(new URLSearchParams(node.text), node) },
};
