/** The program's side of the fork server: starts it, asks it for workers, and hears how these end. */

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { StartMethodUnavailableError } from '../../errors.js';
import type { WorkerResources } from '../../options.js';
import { runtimeUrl } from '../../runtimeUrl.js';
import { encodeFrame, FrameReader } from '../channel/frames.js';
import type { WorkerIdentity } from '../channel/messages.js';
import { FromServer, type ForkRequest, type MessageFromServer, type ServerData } from '../channel/serverMessages.js';
import { forkFlags } from '../posix/Forker.js';
import { processExecArgv, splitPreloads } from './execArgv.js';
import type { ProcessLink } from './ProcessLink.js';

/** The place of the pipe among the server's file descriptors. */
const CONTROL = 3;
const TOKEN_LENGTH = 32;
const ID_LENGTH = 10;

interface Pending {
  readonly link: ProcessLink;
  pid: number | undefined;
  /** Whether it is to be killed as soon as it is known. */
  isUnwanted: boolean;
}

export class ServerProcess {
  readonly #token = randomBytes(TOKEN_LENGTH / 2).toString('hex');
  readonly #workers = new Map<number, Pending>();
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #listener: Server;
  readonly #onLost: () => void;
  /** Settles when the server can fork, or cannot. */
  readonly ready: Promise<void>;
  #nextId = 0;
  #reason: string | undefined;

  /**
   * Starts a server.
   *
   * @param execArgv Flags of Node; `undefined`: those of the program.
   * @param limits Flags that workers do not show.
   * @param onLost Called when it is no more.
   */
  constructor(execArgv: readonly string[] | undefined, limits: readonly string[], onLost: () => void) {
    this.#onLost = onLost;
    // In the abstract namespace of Linux, so that no file is left, whatever happens.
    const address = `\0rxjs-parallel-map-${process.pid}-${randomBytes(8).toString('hex')}`;
    this.#listener = createServer((socket) => this.#greet(socket));
    this.#listener.on('error', () => undefined); // then no worker connects, and each fails by its end
    this.#listener.listen(address).unref();

    const inherited = [...(execArgv ?? processExecArgv(process.execArgv))];
    const { flags, preloads } = splitPreloads(inherited);
    const env = { ...process.env };
    const data: ServerData = { address, token: this.#token, programPid: process.pid, execArgv: inherited, preloads };
    this.#child = spawn(
      process.execPath,
      [...forkFlags, ...flags, ...limits, fileURLToPath(runtimeUrl('forkServer')), JSON.stringify(data)],
      { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env },
    );
    this.#control = this.#child.stdio[CONTROL] as Socket;
    this.#child.unref();
    this.#control.unref();
    this.#control.on('error', () => undefined); // its end says so
    const reader = new FrameReader();
    this.ready = new Promise((resolve, reject) => {
      this.#control.on('data', (bytes) =>
        reader.read(bytes, (message) => this.#receive(message as MessageFromServer, resolve, reject)),
      );
      const lost = (error: Error): void => {
        reject(error);
        this.#lose(error);
      };
      this.#child.on('error', lost);
      this.#child.on('exit', (code, signal) => {
        const error = new Error(`the fork server has ended with ${signal ?? code}`);
        reject(error);
        // Ctrl-C has reached it before it could ignore that: then there is nothing wrong with it.
        if (signal === 'SIGINT') this.#lose(undefined, 'SIGINT');
        else this.#lose(error);
      });
    });
    this.ready.catch(() => undefined); // who asks for a worker hears of it
  }

  /** Asks for a worker. */
  fork(identity: WorkerIdentity, { env, argv }: WorkerResources, link: ProcessLink): { kill(): void } {
    const id = this.#nextId++;
    const worker: Pending = { link, pid: undefined, isUnwanted: false };
    if (this.#reason !== undefined) {
      const error = new StartMethodUnavailableError({ startMethod: 'forkserver', reason: this.#reason });
      setImmediate(() => link.exited(null, null, error));
      return { kill: () => undefined };
    }
    this.#workers.set(id, worker);
    const copy = { ...(env ?? process.env) } as Record<string, string>;
    const request: ForkRequest = { id, identity, cwd: process.cwd(), env: copy, argv };
    this.#control.write(encodeFrame(request));
    return {
      kill: () => {
        if (worker.pid === undefined) worker.isUnwanted = true;
        else kill(worker.pid);
      },
    };
  }

  #receive(message: MessageFromServer, ready: () => void, unavailable: (error: Error) => void): void {
    switch (message[0]) {
      case FromServer.Ready:
        ready();
        return;
      case FromServer.Unavailable: {
        this.#reason = message[1];
        const error = new StartMethodUnavailableError({ startMethod: 'forkserver', reason: message[1] });
        unavailable(error);
        this.#lose(error);
        return;
      }
    }
    const worker = this.#workers.get(message[1]);
    if (worker === undefined) return;
    switch (message[0]) {
      case FromServer.Forked:
        worker.pid = message[2];
        if (worker.isUnwanted) kill(worker.pid);
        return;
      case FromServer.Failed:
        this.#workers.delete(message[1]);
        worker.link.exited(null, null, new Error(message[2]));
        return;
      case FromServer.Exited:
        this.#workers.delete(message[1]);
        worker.link.exited(message[2], message[3]);
        return;
    }
  }

  /** A process has connected: it says which worker it is. */
  #greet(socket: Socket): void {
    let greeting: Buffer = Buffer.alloc(0);
    socket.unref();
    socket.on('error', () => undefined);
    const read = (bytes: Buffer): void => {
      greeting = Buffer.concat([greeting, bytes]);
      if (greeting.length < TOKEN_LENGTH + ID_LENGTH) return;
      socket.off('data', read);
      const token = greeting.subarray(0, TOKEN_LENGTH);
      const id = Number(greeting.toString('latin1', TOKEN_LENGTH, TOKEN_LENGTH + ID_LENGTH));
      const worker = this.#workers.get(id);
      if (!timingSafeEqual(token, Buffer.from(this.#token)) || worker === undefined) {
        socket.destroy();
        return;
      }
      worker.link.attach(socket, greeting.subarray(TOKEN_LENGTH + ID_LENGTH));
    };
    socket.on('data', read);
  }

  /** The server is no more: the kernel ends its workers. */
  #lose(error: Error | undefined, signal = 'SIGKILL'): void {
    this.#onLost(); // first, for who hears of the end of a worker may want another one
    this.#listener.close();
    this.#control.destroy();
    const workers = [...this.#workers.values()];
    this.#workers.clear();
    for (const { link } of workers) link.exited(null, signal, error);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended by itself
  }
}
