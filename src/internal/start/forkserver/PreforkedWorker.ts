/**
 * A copy of this process that is made in advance, so that the next worker has its first result after 5 ms instead of 10 to 14. Most of a
 * start is not the `fork` but what follows: the first write to each page copies it, and code is slow when it first runs.
 *
 * The copy is parked: it waits for its request in a system call, so no timer of the user's runs in it and it takes no CPU time. It waits for
 * this process, not for the program. The program knows nothing of it.
 */

import { closeSync, readSync, writeSync } from 'node:fs';
import { encodeFrame, FrameReader } from '../../protocol/frames.js';
import type { ForkRequest } from './serverMessages.js';
import type { Forker } from '../../posix/Forker.js';
import { uninterrupted } from '../../posix/uninterrupted.js';
import { O_CLOEXEC, SIGKILL, type Libc } from '../../posix/libc.js';

export class PreforkedWorker {
  readonly #libc: Libc;
  readonly #forker: Forker;
  #parked: { readonly pid: number; readonly pipe: number } | undefined;

  constructor(libc: Libc, forker: Forker) {
    this.#libc = libc;
    this.#forker = forker;
  }

  /** The process, where there is one. */
  get pid(): number | undefined {
    return this.#parked?.pid;
  }

  /**
   * Makes the copy.
   *
   * @returns `undefined`; in the copy, what it is to {@link park} with.
   * @throws Error where there can be none.
   */
  make(): number | undefined {
    const ends: [number, number] = [0, 0];
    if (this.#libc.pipe2(ends, O_CLOEXEC) !== 0) throw new Error('there are too many open files');
    const [output, input] = ends;
    let pid: number;
    try {
      pid = this.#forker.fork();
    } catch (error) {
      closeSync(input);
      closeSync(output);
      throw error;
    }
    if (pid === 0) {
      closeSync(input);
      return output;
    }
    closeSync(output);
    this.#parked = { pid, pipe: input };
    return undefined;
  }

  /** Has the copy become a worker. @returns Whether it lives: else there has to be another one. */
  use(request: ForkRequest): boolean {
    const parked = this.#parked;
    if (parked === undefined) return false;
    this.#parked = undefined;
    const bytes = encodeFrame(request);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(parked.pipe, bytes, written);
      return true;
    } catch {
      return false; // it was killed
    } finally {
      closeSync(parked.pipe);
    }
  }

  /** Ends the copy. The caller has to reap it. */
  discard(): void {
    if (this.#parked === undefined) return;
    process.kill(this.#parked.pid, SIGKILL);
    this.lost();
  }

  /** The copy has ended on its own. */
  lost(): void {
    if (this.#parked !== undefined) closeSync(this.#parked.pipe);
    this.#parked = undefined;
  }
}

/** In the copy: waits until a worker is wanted. */
export function park(pipe: number): ForkRequest {
  const reader = new FrameReader();
  const bytes = Buffer.alloc(65_536);
  let request: ForkRequest | undefined;
  while (request === undefined) {
    const read = uninterrupted(() => readSync(pipe, bytes));
    if (read === 0) process.kill(process.pid, SIGKILL); // the original is gone
    reader.read(Buffer.from(bytes.subarray(0, read)), (message) => (request = message as ForkRequest));
  }
  closeSync(pipe);
  return request;
}
