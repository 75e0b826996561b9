/** Writing to a descriptor that takes no more for the moment, as that of a full pipe. */

import { writeSync } from 'node:fs';

/** Milliseconds between two tries. */
const RETRY_TIME = 1;

/** For `Atomics.wait`: it never changes. */
const never = new Int32Array(new SharedArrayBuffer(4));

/** Writes all, and waits for the reader where there is no room. @throws what `writeSync` throws where nobody reads any more. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(never, 0, 0, RETRY_TIME);
    }
  }
}
