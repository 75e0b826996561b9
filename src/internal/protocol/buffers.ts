/** Buffers: typed arrays that only Node has. */

import { Buffer } from '../platform/globals.js';

/** Whether it is a `Buffer` itself, not of a class that extends it. */
export function isBuffer(value: object): boolean {
  return Object.getPrototypeOf(value) === Buffer.prototype;
}

/** A buffer of zeros. */
export function alloc(length: number): Uint8Array {
  return Buffer.alloc(length);
}
