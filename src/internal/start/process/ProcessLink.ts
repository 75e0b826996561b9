/** The pool's side of a worker process, however that was started: frames over a channel of its own, and its end. */

import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { encodeFrame, FrameReader } from '../../protocol/frames.js';
import { CLAIM_PLACES, Claims } from '../../protocol/claims.js';
import { ToWorker } from '../../protocol/messages.js';
import { packToWorker } from '../../protocol/wire.js';
import { SharedMemory, type SharedPart } from '../../posix/sharedMemory.js';
import { clearTimeout, setTimeout } from '../../platform/globals.js';
import { bringHome } from '../../platform/realm.js';
import type { Prepared, Traffic, WorkerEvents, PoolLink } from '../../core/StartMethod.js';

/** How long a worker whose channel is closed may take to leave by itself, in milliseconds. */
const LEAVE_TIME = 2000;
/** A worker that has ended, but whose channel something still holds open, is not waited for longer (milliseconds). */
const CLOSE_TIME = 1000;

/** Of the workers of all pools. */
const memory = new SharedMemory(CLAIM_PLACES);

/** The process of a link. */
export interface WorkerProcess {
  /** Ends it at once. */
  kill(): void;
  /** Ends it where it has not started in time; without this, it is killed. */
  giveUp?(error: Error): void;
  /** Whether what it is to be a copy of is still loading functions. */
  isLoading?(): boolean;
}

export class ProcessLink implements PoolLink {
  readonly #events: WorkerEvents;
  readonly #process: WorkerProcess;
  readonly #reader = new FrameReader();
  #channel: Socket | undefined;
  /** What was sent before there was a channel. */
  #early: Buffer[] = [];
  readonly #traffic = { sent: 0, received: 0 };
  #isClosed = false;
  #exit: { readonly code: number | null; readonly signal: string | null } | undefined;
  #hasEnded = false;
  #overdue: NodeJS.Timeout | undefined;
  #unreadable: { readonly error: unknown } | undefined;

  /** Memory for claims, once the worker was told of it. */
  #shared: SharedPart | undefined;

  readonly prepared: Prepared | undefined;

  /** @param prepared What the process has from the start. */
  constructor(events: WorkerEvents, process: WorkerProcess, prepared?: Prepared) {
    this.prepared = prepared;
    this.#events = events;
    this.#process = process;
  }

  get isLoading(): boolean {
    return this.#process.isLoading?.() === true;
  }

  giveUp(error: Error): void {
    if (this.#process.giveUp === undefined) this.#process.kill();
    else this.#process.giveUp(error);
  }

  get traffic(): Traffic {
    return this.#traffic;
  }

  claims(): Claims | undefined {
    this.#shared ??= memory.allocate();
    if (this.#shared === undefined) return undefined;
    this.send(packToWorker({ type: ToWorker.Claim, place: this.#shared.place }));
    return new Claims(this.#shared.words);
  }

  /** There is the channel. @param first What was read of it already. */
  attach(channel: Socket, first?: Buffer): void {
    this.#channel = channel;
    channel.unref();
    readRestBeforeDestroyed(channel);
    channel.on('data', (bytes) => this.#read(bytes));
    // Writing to a worker that ends fails; its end, which follows, says all there is to say.
    channel.on('error', () => undefined);
    channel.on('close', () => {
      this.#isClosed = true;
      if (this.#exit !== undefined) this.#end();
      else this.#watch(LEAVE_TIME, () => this.#process.kill());
    });
    if (first !== undefined) this.#read(first);
    for (const frame of this.#early.splice(0)) channel.write(frame);
  }

  send(message: readonly unknown[]): void {
    const frame = encodeFrame(message);
    this.#traffic.sent += frame.length;
    if (this.#channel === undefined) this.#early.push(frame);
    else if (this.#channel.writable) this.#channel.write(frame);
  }

  kill(): void {
    this.#process.kill();
  }

  /** The process has ended. What it has said before may still be under way. */
  exited(code: number | null, signal: string | null, error?: unknown): void {
    if (this.#exit !== undefined) return;
    this.#exit = { code, signal };
    if (error !== undefined) this.#unreadable ??= { error };
    if (this.#isClosed || this.#channel === undefined) this.#end();
    else this.#watch(CLOSE_TIME, () => this.#end());
  }

  #read(bytes: Buffer): void {
    if (this.#unreadable !== undefined) return;
    this.#traffic.received += bytes.length;
    try {
      this.#reader.read(bytes, (message) => this.#events.message(bringHome(message as unknown[])));
    } catch (error) {
      // A message that cannot be read is lost, and with it the worker: who waits for it has to hear so.
      this.#unreadable = { error };
      this.#process.kill();
    }
  }

  #watch(time: number, act: () => void): void {
    if (this.#hasEnded) return;
    clearTimeout(this.#overdue);
    this.#overdue = setTimeout(act, time);
    this.#overdue.unref();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#overdue);
    this.#channel?.destroy();
    this.#events.exit({
      exitCode: this.#exit?.code ?? null,
      signal: this.#exit?.signal ?? null,
      error: this.#unreadable?.error,
    });
    // Now that its end is told, nobody looks at its claims any more.
    this.#shared?.release();
  }
}

/**
 * Has a channel read what has arrived before it is destroyed. Node destroys a socket of which a write fails, since nobody reads at the
 * other end any more; but what that end said before would be lost with it, and with that results of calls that were made.
 */
function readRestBeforeDestroyed(channel: Socket): void {
  const destroy = channel._destroy;
  channel._destroy = function (error, callback): void {
    const fd = (channel as { _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1;
    if (fd >= 0) for (let bytes = readNow(fd); bytes.length > 0; bytes = readNow(fd)) channel.emit('data', bytes);
    destroy.call(channel, error, callback);
  };
}

/** What can be read at once; nothing at the end, and where there is nothing yet. */
function readNow(fd: number): Buffer {
  const bytes = Buffer.alloc(65_536);
  try {
    return bytes.subarray(0, readSync(fd, bytes));
  } catch {
    return bytes.subarray(0, 0); // EAGAIN, or a connection that was reset, of which all was read
  }
}
