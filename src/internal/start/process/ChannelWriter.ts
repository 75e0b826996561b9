/** The sending end of a worker process: frames leave in order, and those not yet out when the process exits leave then. */

import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';

/** What Node's handle of a pipe tells that the stream does not: private, hence asked for with care. */
interface Handle {
  readonly fd?: number;
  readonly writeQueueSize?: number;
}

/** If the reader is busy, the next try comes after this many milliseconds. */
const RETRY_TIME = 1;

export class ChannelWriter {
  readonly #channel: Socket;
  /** Passed to the stream, and perhaps not out yet. One batch at a time, because otherwise it is unknown how much is out. */
  #leaving: Buffer[] = [];
  #waiting: Buffer[] = [];
  #onEmpty: (() => void) | undefined;

  constructor(channel: Socket) {
    this.#channel = channel;
  }

  write(frame: Buffer): void {
    this.#waiting.push(frame);
    if (this.#leaving.length === 0) this.#next();
  }

  /** Closes the channel when all is out, and calls back. */
  end(callback: () => void): void {
    this.#onEmpty = () => this.#channel.end(callback);
    if (this.#leaving.length === 0) this.#onEmpty();
  }

  /** At exit: writes everything that is not out, no matter how long the reader takes. Nothing may be written afterwards. */
  drain(): void {
    const { fd } = this.#handle;
    const unwritten = this.#unwritten;
    if (fd === undefined || fd < 0 || unwritten === undefined) return; // Windows, or closed, or not open yet
    const leaving = Buffer.concat(this.#leaving);
    const rest = Buffer.concat([leaving.subarray(leaving.length - unwritten), ...this.#waiting]);
    this.#leaving = [];
    this.#waiting = [];
    writeAll(fd, rest);
  }

  #next(): void {
    if (!this.#channel.writable) return; // the reader is gone, and this process will end
    const batch = this.#waiting;
    this.#leaving = batch;
    this.#waiting = [];
    this.#channel.cork();
    for (const frame of batch.slice(0, -1)) this.#channel.write(frame);
    this.#channel.write(batch.at(-1) as Buffer, () => {
      if (this.#leaving === batch) this.#left();
    });
    this.#channel.uncork();
    // Mostly it is out at once, which its callback says too late for calls that do not let go of the thread.
    if (this.#unwritten === 0) this.#left();
  }

  #left(): void {
    this.#leaving = [];
    if (this.#waiting.length > 0) this.#next();
    else this.#onEmpty?.();
  }

  get #handle(): Handle {
    return (this.#channel as { _handle?: Handle | null })._handle ?? {};
  }

  /** How many of the last bytes the kernel has not taken yet; `undefined` if unknown. */
  get #unwritten(): number | undefined {
    return this.#channel.connecting ? undefined : this.#handle.writeQueueSize;
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return; // the reader is gone
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_TIME);
    }
  }
}
