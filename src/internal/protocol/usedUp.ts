/**
 * What has been transferred before and is to move again. Node refuses most of that itself, but not a detached buffer or file
 * handle: it sends a message that the other side cannot read and loses.
 */

import { isArrayBuffer } from 'node:util/types';
import { DataCloneError, Uint8Array } from '../platform/globals.js';

/** @throws DataCloneError where something that is to move cannot, because it has moved before. */
export function refuseUsedUp(moving: readonly object[]): void {
  for (const item of moving) {
    const name = isArrayBuffer(item) ? isDetached(item) && 'ArrayBuffer' : isMovedFile(item) && 'FileHandle';
    if (name !== false)
      throw new DataCloneError(`${name} is detached: it has been transferred before`, 'DataCloneError');
  }
}

/** Whether the content of a buffer has been transferred. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  const { detached } = buffer as { detached?: boolean }; // not before Node 21
  if (detached !== undefined) return detached;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true; // that is the answer: an empty buffer that is there has views
  }
}

/** A file handle that was closed is none: Node refuses that. */
function isMovedFile(item: object): boolean {
  return item.constructor?.name === 'FileHandle' && (item as { fd?: unknown }).fd === -1;
}
