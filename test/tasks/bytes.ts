/** What values and answers of the model tests carry, to be moved. */

const SIZE = 64;

/** The bytes of a value, in a buffer of their own. */
export function bytesOf(id: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(SIZE).fill(id % 251);
}

/** Whether these are the bytes of a value, all of them. */
export function areBytesOf(id: number, bytes: Uint8Array | undefined): boolean {
  return bytes?.length === SIZE && bytes.every((byte) => byte === id % 251);
}
