/**
 * Messages over a byte stream: each is a frame of four bytes of length, little-endian, and the message in V8's own format,
 * which is what structured clone uses between threads: the same values pass, with the same meaning, in every start method.
 */

import { Deserializer, Serializer } from 'node:v8';

const HEADER_SIZE = 4;
const emptyHeader = Buffer.alloc(HEADER_SIZE);

/**
 * A message as a frame.
 *
 * Typed arrays are left to V8, unlike in `v8.serialize`: views of one buffer stay views of one buffer, and none of them
 * points into the frame on the other side.
 *
 * @throws DataCloneError-like errors where something cannot be cloned.
 */
export function encodeFrame(message: unknown): Buffer {
  const serializer = new Serializer();
  serializer.writeRawBytes(emptyHeader);
  serializer.writeHeader();
  serializer.writeValue(message);
  const frame = serializer.releaseBuffer();
  frame.writeUInt32LE(frame.length - HEADER_SIZE, 0);
  return frame;
}

/** Cuts a stream of bytes into messages. */
export class FrameReader {
  #parts: Buffer[] = [];
  #size = 0;
  /** The size of the frame that is awaited, with its header, once that is known. */
  #wanted = HEADER_SIZE;

  /** Takes the next bytes, and hands on each message that is complete. */
  read(bytes: Buffer, receive: (message: unknown) => void): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    while (this.#size >= this.#wanted) {
      // Joined only when a frame is complete, so that a large one is copied once.
      const joined = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts, this.#size);
      this.#parts = [joined];
      const size = HEADER_SIZE + joined.readUInt32LE(0);
      if (this.#size < size) {
        this.#wanted = size;
        return;
      }
      const rest = joined.subarray(size);
      this.#parts = rest.length === 0 ? [] : [rest];
      this.#size = rest.length;
      this.#wanted = HEADER_SIZE;
      receive(decode(joined.subarray(HEADER_SIZE, size)));
    }
  }
}

function decode(payload: Buffer): unknown {
  const deserializer = new Deserializer(payload);
  deserializer.readHeader();
  return deserializer.readValue();
}
