/** Keys and certificates for a process, which structured clone does not reach: exported and imported. */

import { createRequire } from 'node:module';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { anInstanceOf } from './refused.js';
import type { Kind } from './Kind.js';

export interface KeyNode {
  readonly type: 'key';
  readonly kind: 'secret' | 'public' | 'private' | 'certificate';
  readonly bytes: Uint8Array;
}

type Crypto = typeof import('node:crypto');

/** Loaded when it is needed: most workers never do. */
const cryptoOfNode = (): Crypto => createRequire(import.meta.url)('node:crypto') as Crypto;

const classNames = /^(Secret|Public|Private)KeyObject$|^X509Certificate$/;

export const keys: Kind<KeyObject | X509Certificate, KeyNode> = {
  matches: (value, graph): value is KeyObject | X509Certificate => {
    if (typeof value !== 'object' || value === null) return false;
    const proto = Object.getPrototypeOf(value) as { constructor?: Function } | null;
    if (!classNames.test(String(proto?.constructor?.name))) return false;
    const { KeyObject, X509Certificate } = cryptoOfNode();
    const isOne = value instanceof KeyObject || value instanceof X509Certificate;
    return isOne && graph.hostClassOf(value)?.isOwn === true && !graph.isCloneable(value);
  },
  write: (key, graph, origin) => {
    if (Reflect.ownKeys(key).some((each) => typeof each === 'string')) {
      graph.fail(origin, `${anInstanceOf(key.constructor.name)} with properties of its own`);
    }
    if (key instanceof cryptoOfNode().X509Certificate)
      return { type: 'key', kind: 'certificate', bytes: copy(key.raw) };
    switch (key.type) {
      case 'secret':
        return { type: 'key', kind: 'secret', bytes: copy(key.export()) };
      case 'public':
        return { type: 'key', kind: 'public', bytes: copy(key.export({ type: 'spki', format: 'der' })) };
      case 'private':
        return { type: 'key', kind: 'private', bytes: copy(key.export({ type: 'pkcs8', format: 'der' })) };
    }
  },
  read: {
    key: ({ kind, bytes }) => {
      const crypto = cryptoOfNode();
      const key = Buffer.from(bytes);
      switch (kind) {
        case 'certificate':
          return new crypto.X509Certificate(key);
        case 'secret':
          return crypto.createSecretKey(key);
        case 'public':
          return crypto.createPublicKey({ key, type: 'spki', format: 'der' });
        case 'private':
          return crypto.createPrivateKey({ key, type: 'pkcs8', format: 'der' });
      }
    },
  },
};

/** Out of the pool of buffers, so that nothing else travels with it. */
function copy(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer);
}
