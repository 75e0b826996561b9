/** Typed arrays as input and as results: cut into pieces, and put together again. */

import type { TypedArray } from '../../../taskTypes.js';
import { alloc, isBuffer } from '../../protocol/buffers.js';

/** Whether a value is a typed array, of any realm. A `Buffer` is one. */
export function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) !== '[object DataView]';
}

/** The size of each piece, or into how many pieces all elements go; the sizes of those differ by one at most. */
export type PieceSize = { readonly size: number } | { readonly splits: number };

/** Into how many pieces `length` elements are cut. */
export function countPieces(length: number, pieces: PieceSize): number {
  return 'splits' in pieces ? Math.min(pieces.splits, length) : Math.ceil(length / pieces.size);
}

/** Cuts a typed array into pieces. @param shares Whether memory that is shared stays so; else each piece is a copy. */
export function* cutTypedArray(array: TypedArray, pieces: PieceSize, shares: boolean): Generator<TypedArray, void> {
  const { length } = array;
  // Of a Buffer the method would be Node's own, which does not copy. A view of all elements would be cloned with all of them.
  const { slice, subarray } = Uint8Array.prototype;
  const take = (shares && isShared(array.buffer) ? subarray : slice) as (begin: number, end: number) => TypedArray;
  const splits = countPieces(length, pieces);
  for (let k = 0; k < splits; k++) {
    const [begin, end] =
      'splits' in pieces
        ? [Math.floor((k * length) / splits), Math.floor(((k + 1) * length) / splits)]
        : [k * pieces.size, Math.min((k + 1) * pieces.size, length)];
    yield take.call(array, begin, end);
  }
}

/**
 * The results as one typed array, where all of them are typed arrays of one class.
 *
 * @param input What they were made from: its class is that of the whole where there are no results.
 */
export function concatenated(results: readonly unknown[], input: TypedArray): unknown {
  if (results.length === 0) return emptyOf(input);
  const first = results[0];
  if (!isTypedArray(first)) return results;
  const parts: TypedArray[] = [];
  let length = 0;
  for (const part of results) {
    if (!isTypedArray(part) || part.constructor !== first.constructor) return results;
    parts.push(part);
    length += part.length;
  }
  const whole = isBuffer(first) ? alloc(length) : new (first.constructor as new (count: number) => TypedArray)(length);
  let at = 0;
  for (const part of parts) {
    (whole as Uint8Array).set(part as Uint8Array, at);
    at += part.length;
  }
  return whole;
}

/** Of the class that its pieces would have had: of what is derived from one of the language, that one, but for a Buffer. */
function emptyOf(array: TypedArray): TypedArray {
  if (isBuffer(array)) return alloc(0);
  const name = Object.prototype.toString.call(array).slice(8, -1) as 'Uint8Array';
  return new globalThis[name](0);
}

function isShared(buffer: ArrayBufferLike): boolean {
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
}
