/** The sending end of a worker process: frames leave in order, and those not yet out when the process exits leave then. */

import type { Socket } from 'node:net';
import { writeAll } from './writeAll.js';

/** What Node's handle of a pipe tells that the stream does not: private, hence asked for with care. */
interface Handle {
  readonly fd?: number;
  readonly writeQueueSize?: number;
}

export class ChannelWriter {
  readonly #channel: Socket;
  /** Handed to the stream, and not known to be out. One batch at a time: the stream tells only of all that it has. */
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

  /** At the process's end: writes what is not out, and waits for it. Nothing may be written afterwards. */
  drain(): void {
    const { fd } = this.#handle;
    const unwritten = this.#unwritten;
    if (fd === undefined || fd < 0 || unwritten === undefined) return; // Windows, or closed, or not open yet
    const leaving = Buffer.concat(this.#leaving);
    const rest = Buffer.concat([leaving.subarray(leaving.length - unwritten), ...this.#waiting]);
    this.#leaving = [];
    this.#waiting = [];
    try {
      writeAll(fd, rest);
    } catch {
      // Nobody reads any more.
    }
  }

  #next(): void {
    if (!this.#channel.writable) return; // the program is gone, and so will be this process
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

  /** How many bytes at the end of what is leaving the kernel has not taken; `undefined` where that is not known. */
  get #unwritten(): number | undefined {
    return this.#channel.connecting ? undefined : this.#handle.writeQueueSize;
  }
}
