/** Objects with properties: plain ones, instances of the program's classes, and those of Node's that pass between threads. */

import type { ObjectParts } from '../parts.js';
import type { Kind } from './Kind.js';
import { anInstanceOf, tagOf } from './refused.js';

export interface ObjectNode extends ObjectParts {
  readonly type: 'object';
}

/** What only structured clone between threads can carry: it travels beside the graph. */
export interface AttachmentNode {
  readonly type: 'attachment';
  readonly at: number;
}

/** Keys, certificates, blobs, compiled WebAssembly. */
const cloneable: ReadonlySet<string | undefined> = new Set([
  'KeyObject',
  'SecretKeyObject',
  'PublicKeyObject',
  'PrivateKeyObject',
  'CryptoKey',
  'X509Certificate',
  'Blob',
  'File',
  'BlockList',
  'SocketAddress',
  'Module',
  'Histogram',
  'RecordableHistogram',
  'DOMException',
]);

export const objects: Kind<object, ObjectNode | AttachmentNode> = {
  matches: (value): value is object => typeof value === 'object' && value !== null,
  write: (object, graph, origin) => {
    const host = graph.hostClassOf(object);
    if (host === undefined) return { type: 'object', ...graph.parts(object, Object.prototype, origin) };
    if (host.isOwn && cloneable.has(host.name) && graph.isCloneable(object)) {
      return { type: 'attachment', at: graph.attach(object) };
    }
    return graph.fail(origin, `${anInstanceOf(host.name ?? tagOf(object))}, which lives only here`);
  },
  read: {
    object: (node, graph) =>
      graph.finish(
        graph.fresh(node, () => ({})),
        node,
      ),
    attachment: ({ at }, graph) => graph.attachment(at),
  },
};
