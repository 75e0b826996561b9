/**
 * What a thread prints, on its way through the program's thread. Node has a thread wait, with each piece, until the program has taken the
 * one before, and what waits is lost when the thread is ended. So pieces are sent at once, and arrive before the result that follows them.
 * But a thread is faster than what it prints is read: where too much is unread, it stops and waits, as a process does at a full pipe.
 */

import type { Readable } from 'node:stream';

/** How much may be unread: in bytes, and in pieces, each of which is a message. */
const MOST_BYTES = 2 ** 20;
const MOST_PIECES = 4096;

/** Milliseconds between two looks at what is unread. */
const RETRY_TIME = 1;
/** For `Atomics.wait`: it never changes. */
const never = new Int32Array(new SharedArrayBuffer(4));

const names = ['stdout', 'stderr'] as const;

/** How many bytes of each stream the program has passed on, modulo 2^32. */
export type PassedOn = Int32Array;

export function createPassedOn(): PassedOn {
  return new Int32Array(new SharedArrayBuffer(names.length * Int32Array.BYTES_PER_ELEMENT));
}

/** In the program: passes the streams of a thread on to its own of the same name. */
export function passOn(streams: Readonly<Record<'stdout' | 'stderr', Readable>>, passedOn: PassedOn): void {
  for (const [at, name] of names.entries()) {
    const source = streams[name];
    // Node's own way there; streams that one asks Node for would hold the program open.
    source.unpipe();
    source.on('data', (bytes: Buffer) => {
      const target = process[name]; // where a program captures its output, it may be another one each time
      target.write(bytes);
      Atomics.add(passedOn, at, bytes.length);
      if (target.writableNeedDrain) pauseUntilDrain(source, target);
    });
    source.resume();
  }
}

const paused = new Map<NodeJS.WriteStream, Set<Readable>>();

/** One listener for all threads: there may be many. */
function pauseUntilDrain(source: Readable, target: NodeJS.WriteStream): void {
  source.pause();
  const waiting = paused.get(target);
  if (waiting !== undefined) {
    waiting.add(source);
    return;
  }
  paused.set(target, new Set([source]));
  const resume = (): void => {
    target.off('drain', resume).off('close', resume);
    const sources = paused.get(target) ?? [];
    paused.delete(target);
    for (const each of sources) each.resume();
  };
  target.on('drain', resume).on('close', resume);
}

type Write = (
  pieces: readonly { readonly chunk: string | Uint8Array; readonly encoding: string }[],
  callback: () => void,
) => void;

/** In a thread: sends what it prints at once, as long as not too much is unread. */
export function sendOutputAtOnce(passedOn: PassedOn): void {
  for (const [at, name] of names.entries()) {
    const stream = process[name] as unknown as { _writev?: Write };
    const { _writev: send } = stream;
    if (send === undefined) continue;
    const unread = new Unread(passedOn, at);
    stream._writev = (pieces, callback) => {
      unread.waitForRoom();
      for (const { chunk, encoding } of pieces) unread.add(lengthOf(chunk, encoding));
      send.call(stream, pieces, () => undefined);
      callback();
    };
  }
}

function lengthOf(chunk: string | Uint8Array, encoding: string): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding as BufferEncoding) : chunk.length;
}

/** What of a stream was sent and is not passed on. */
class Unread {
  readonly #passedOn: PassedOn;
  readonly #at: number;
  /** Where the pieces end, in bytes from the beginning of the stream: the oldest first. */
  readonly #ends: number[] = [];
  #first = 0;
  #sent = 0;

  constructor(passedOn: PassedOn, at: number) {
    this.#passedOn = passedOn;
    this.#at = at;
  }

  add(bytes: number): void {
    this.#sent = (this.#sent + bytes) | 0;
    this.#ends.push(this.#sent);
  }

  waitForRoom(): void {
    for (;;) {
      const passed = Atomics.load(this.#passedOn, this.#at);
      while (this.#first < this.#ends.length && ((passed - (this.#ends[this.#first] as number)) | 0) >= 0)
        this.#first++;
      if (this.#first === this.#ends.length || this.#first > MOST_PIECES) this.#forget();
      if (this.#ends.length - this.#first < MOST_PIECES && ((this.#sent - passed) | 0) < MOST_BYTES) return;
      Atomics.wait(never, 0, 0, RETRY_TIME); // to be woken with each piece takes longer
    }
  }

  #forget(): void {
    this.#ends.splice(0, this.#first);
    this.#first = 0;
  }
}
