/** Where workers that are copies connect to the program, and say which worker they are. */

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { openSync, closeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

const TOKEN_LENGTH = 32;
const ID_LENGTH = 10;

/** What a worker says first. */
export function greeting(token: string, id: number): string {
  return `${token}${String(id).padStart(ID_LENGTH, '0')}`;
}

export interface AcceptorEvents {
  /** A worker has connected. @param first What it has sent behind its greeting. @returns Whether it is expected. */
  connected(id: number, socket: Socket, first: Buffer): boolean;
  /** Workers cannot connect. */
  failed(error: Error): void;
}

export class Acceptor {
  /** In the abstract namespace of Linux, so that no file is left, whatever happens. */
  readonly address = `\0rxjs-parallel-map-${process.pid}-${randomBytes(8).toString('hex')}`;
  /** What workers prove themselves by. */
  readonly token = randomBytes(TOKEN_LENGTH / 2).toString('hex');
  readonly #listener: Server;
  readonly #events: AcceptorEvents;

  constructor(events: AcceptorEvents) {
    this.#events = events;
    this.#listener = createServer((socket) => this.#greet(socket));
    this.#listener.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (this.#listener.listening) return; // only one connection has failed: see `whyNotConnected`
      const error = new Error(`no socket can be opened on which workers connect (${code})`);
      events.failed(Object.assign(error, { code }));
    });
    this.#listener.listen(this.address).unref();
  }

  close(): void {
    this.#listener.close();
  }

  #greet(socket: Socket): void {
    let heard: Buffer = Buffer.alloc(0);
    socket.unref();
    socket.on('error', () => undefined);
    const read = (bytes: Buffer): void => {
      heard = Buffer.concat([heard, bytes]);
      if (heard.length < TOKEN_LENGTH + ID_LENGTH) return;
      socket.off('data', read);
      const isGenuine = timingSafeEqual(heard.subarray(0, TOKEN_LENGTH), Buffer.from(this.token));
      const id = Number(heard.toString('latin1', TOKEN_LENGTH, TOKEN_LENGTH + ID_LENGTH));
      const rest = heard.subarray(TOKEN_LENGTH + ID_LENGTH);
      if (!isGenuine || !this.#events.connected(id, socket, rest)) socket.destroy();
    };
    socket.on('data', read);
  }
}

/**
 * Why a worker may have been turned away, if that can still be seen: without a descriptor left libuv closes connections and says
 * nothing.
 */
export function whyNotConnected(): unknown {
  try {
    closeSync(openSync('/proc/self', 'r'));
    return undefined;
  } catch (error) {
    return error;
  }
}
