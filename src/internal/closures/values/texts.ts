/** `TextEncoder` and `TextDecoder`. */

import type { TextDecoder as Decoder, TextEncoder as Encoder } from 'node:util';
import type { ObjectParts } from '../parts.js';
import type { Kind } from './Kind.js';

export interface TextEncoderNode extends ObjectParts {
  readonly type: 'textEncoder';
}

export interface TextDecoderNode extends ObjectParts {
  readonly type: 'textDecoder';
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
}

const isOfNode = (key: string | symbol): boolean => typeof key === 'symbol';

export const encoders: Kind<Encoder, TextEncoderNode> = {
  matches: (value): value is Encoder => value instanceof TextEncoder,
  write: (encoder, graph, origin) => ({
    type: 'textEncoder',
    ...graph.parts(encoder, TextEncoder.prototype, origin, isOfNode),
  }),
  read: { textEncoder: (node, graph) => graph.finish(new TextEncoder(), node) },
};

/** Encodings in which a character may begin in one piece of bytes and end in the next. */
const ofSeveralBytes = /^(utf-|gb|big5|euc-|iso-2022|shift)/;

export const decoders: Kind<Decoder, TextDecoderNode> = {
  matches: (value): value is Decoder => value instanceof TextDecoder,
  write: (decoder, graph, origin) => {
    const { encoding, fatal, ignoreBOM } = decoder;
    if (ofSeveralBytes.test(encoding) && !isFresh(decoder)) {
      graph.fail(origin, `a TextDecoder (${encoding}) that may be in the middle of a text`);
    }
    const parts = graph.parts(decoder, TextDecoder.prototype, origin, isOfNode);
    return { type: 'textDecoder', encoding, fatal, ignoreBOM, ...parts };
  },
  read: {
    textDecoder: (node, graph) => {
      const { encoding, fatal, ignoreBOM } = node;
      return graph.finish(new TextDecoder(encoding, { fatal, ignoreBOM }), node);
    },
  },
};

/** Whether a decoder has surely nothing left of an earlier piece. Of UTF-8, Node notes so on the decoder; else it is in native code. */
function isFresh(decoder: Decoder): boolean {
  const notes = new Map(
    Object.getOwnPropertySymbols(decoder).map((key) => [key.description, Reflect.get(decoder, key) as unknown]),
  );
  return notes.get('kUTF8FastPath') === true && !notes.get('chunk') && notes.get('BOM seen') !== true;
}
