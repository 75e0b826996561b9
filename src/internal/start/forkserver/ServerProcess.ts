/**
 * The program's side of a process of which workers are copies: starts it, asks it for workers, and hears how these end. A copy connects
 * to the program by a socket, and proves by a token that it is one.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { StartMethodUnavailableError } from '../../../errors.js';
import type { StartMethodName, WorkerResources } from '../../../options.js';
import { runtimeUrl } from '../../runtimeUrl.js';
import { decodeThrown } from '../../protocol/decodeThrown.js';
import { encodeFrame, FrameReader } from '../../protocol/frames.js';
import type { WorkerIdentity } from '../../protocol/messages.js';
import {
  FromServer,
  ToServer,
  type ForkRequest,
  type MessageFromServer,
  type MessageToServer,
  type ServerData,
} from './serverMessages.js';
import type { PortableFunction, PortableValue } from '../../protocol/portable.js';
import { clearTimeout, setTimeout } from '../../platform/globals.js';
import { forkFlags } from '../../posix/Forker.js';
import { limitFlags, processExecArgv, withoutPreloads } from '../process/execArgv.js';
import type { ProcessLink } from '../process/ProcessLink.js';
import { refusalOfProcess } from '../process/refusedFlags.js';

/** The place of the pipe among the server's file descriptors. */
const CONTROL = 3;
const TOKEN_LENGTH = 32;
const ID_LENGTH = 10;
/** The process has this many milliseconds to end before it is killed. */
const END_TIME = 100;

interface Worker {
  readonly link: ProcessLink;
  /** Unknown until it was made. */
  pid: number | undefined;
}

/** What there is to hear of such a process. */
export interface ServerEvents {
  /** It is no more. */
  lost(): void;
  /** A function was loaded, or could not be. */
  prepared?(task: number, succeeded: boolean): void;
}

/** What such a process itself is started with: less than its workers. */
export type ServerResources = Pick<WorkerResources, 'env' | 'argv' | 'execArgv' | 'resourceLimits'>;

export interface ServerOptions {
  readonly startMethod: StartMethodName;
  /** What its workers are started with. */
  readonly resources: ServerResources;
  /** Of a template: whether its workers are daemons. */
  readonly template?: { readonly daemon: boolean };
}

export class ServerProcess {
  readonly #token = randomBytes(TOKEN_LENGTH / 2).toString('hex');
  readonly #startMethod: StartMethodName;
  readonly #workers = new Map<number, Worker>();
  /** Copies that are no longer wanted: killed as soon as their pid is known. */
  readonly #unwanted = new Set<number>();
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #listener: Server;
  readonly #events: ServerEvents;
  /** Whether it can load modules for its workers. */
  readonly loads: boolean;
  /** Settles when the server can fork, or cannot. */
  readonly ready: Promise<void>;
  #nextId = 0;
  readonly #onEnded: (() => void)[] = [];
  #overdue: NodeJS.Timeout | undefined;
  #hasForked = false;
  #hasEnded = false;
  #reason: string | undefined;
  #fatal: { readonly error: unknown } | undefined;

  /** Starts the process. */
  constructor({ startMethod, resources, template }: ServerOptions, events: ServerEvents) {
    this.#startMethod = startMethod;
    this.#events = events;
    // In the abstract namespace of Linux, so that no file is ever left.
    const address = `\0rxjs-parallel-map-${process.pid}-${randomBytes(8).toString('hex')}`;
    this.#listener = createServer((socket) => this.#greet(socket));
    this.#listener.on('error', () => undefined); // then no worker connects, and each fails by its end
    this.#listener.listen(address).unref();

    const execArgv = [...(resources.execArgv ?? processExecArgv(process.execArgv))];
    // A server serves pools whose workers may have any environment; a template loads what its workers would.
    const environment = (template && resources.env) ?? process.env;
    const { flags, nodeOptions, preloads } = withoutPreloads(execArgv, environment['NODE_OPTIONS']);
    // libuv's way to read files by io_uring has a thread that never rests.
    const env = { ...environment, NODE_OPTIONS: nodeOptions, UV_USE_IO_URING: '0' };
    // What is preloaded may start threads, which customization hooks have: then only the copies can do it, and load what needs it.
    this.loads = template !== undefined && preloads.loader.length === 0 && preloads.import.length === 0;
    const data: ServerData = {
      address,
      token: this.#token,
      programPid: process.pid,
      execArgv,
      preloads,
      template: template && { ...template, preloads: this.loads, argv: resources.argv },
    };
    const limits = limitFlags(resources.resourceLimits);
    this.#child = spawn(
      process.execPath,
      // V8 takes the last of several: a program with other flags has them for its workers, too.
      [...flags, ...limits, ...forkFlags, fileURLToPath(runtimeUrl('forkserver/server')), JSON.stringify(data)],
      { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env },
    );
    this.#control = this.#child.stdio[CONTROL] as Socket;
    this.#child.unref();
    this.#control.unref();
    this.#control.on('error', () => undefined); // its end says so
    const reader = new FrameReader();
    this.ready = new Promise((resolve, reject) => {
      let isUp = false;
      this.#control.on('data', (bytes) => {
        isUp = true;
        reader.read(bytes, (message) => this.#receive(message as MessageFromServer, resolve, reject));
      });
      const lost = (error: Error): void => {
        reject(error);
        this.#lose(error);
      };
      this.#child.on('error', (error) => {
        this.#hasEnded = this.#child.pid === undefined;
        lost(error);
      });
      this.#child.on('exit', (code, signal) => {
        this.#hasEnded = true;
        const refusal = isUp ? undefined : refusalOfProcess(code, resources.execArgv, execArgv, environment);
        const error = refusal ?? new Error(`the process that workers are copied from ended with ${signal ?? code}`);
        reject(error);
        // Ctrl-C has reached it before it could ignore that: then there is nothing wrong with it.
        if (signal === 'SIGINT') this.#lose(undefined, null, 'SIGINT');
        else if (template === undefined) this.#lose(error);
        else this.#lose(this.#fatal?.error ?? refusal, code, signal); // by what it has loaded: as workers would have
      });
    });
    this.ready.catch(() => undefined); // who asks for a worker hears of it
  }

  /** Has what all calls of the pool share built. */
  share(shared: PortableValue): void {
    this.#tell([ToServer.Share, shared]);
  }

  /** Has a function loaded. */
  define(task: number, portable: PortableFunction): void {
    this.#tell([ToServer.Define, task, portable]);
  }

  forget(task: number): void {
    this.#tell([ToServer.Forget, task]);
  }

  /** Asks for a worker. @returns What kills it. */
  fork(identity: WorkerIdentity, { env, argv }: WorkerResources, link: ProcessLink): () => void {
    const id = this.#nextId++;
    const worker: Worker = { link, pid: undefined };
    if (this.#reason !== undefined) {
      const error = new StartMethodUnavailableError({ startMethod: this.#startMethod, reason: this.#reason });
      setImmediate(() => link.exited(null, null, error));
      return () => undefined;
    }
    this.#workers.set(id, worker);
    const copy = { ...(env ?? process.env) } as Record<string, string>;
    const request: ForkRequest = { id, identity, cwd: process.cwd(), env: copy, argv };
    this.#tell([ToServer.Fork, request]);
    return () => {
      if (worker.pid !== undefined) {
        kill(worker.pid);
        return;
      }
      // It may take long until it is made, if what is loaded before takes long.
      if (!this.#workers.delete(id)) return;
      this.#unwanted.add(id);
      setImmediate(() => link.exited(null, 'SIGKILL'));
    };
  }

  /** Ends the process, of which no worker lives; calls back when it is no more. */
  end(callback?: () => void): void {
    if (callback !== undefined) this.#onEnded.push(callback);
    if (this.#hasEnded) {
      setImmediate(() => this.#tellEnded());
      return;
    }
    // By itself, so that it can clear away the copy that it may have made ahead. Not before it has made any: it may still be loading.
    if (!this.#hasForked) {
      this.#child.kill('SIGKILL');
      return;
    }
    this.#tell([ToServer.End]);
    this.#overdue = setTimeout(() => this.#child.kill('SIGKILL'), END_TIME); // it may be at something of the user's
    this.#overdue.unref();
  }

  /** Ends the process at once, which is no failure of the workers that it was asked for: others may be started. */
  interrupt(): void {
    this.#child.kill('SIGKILL');
    this.#lose(undefined, null, 'SIGINT');
  }

  #tellEnded(): void {
    for (const callback of this.#onEnded.splice(0)) callback();
  }

  #tell(message: MessageToServer): void {
    this.#control.write(encodeFrame(message));
  }

  #receive(message: MessageFromServer, ready: () => void, unavailable: (error: Error) => void): void {
    switch (message[0]) {
      case FromServer.Ready:
        ready();
        return;
      case FromServer.Unavailable: {
        this.#reason = message[1];
        const error = new StartMethodUnavailableError({ startMethod: this.#startMethod, reason: message[1] });
        unavailable(error);
        this.#lose(error);
        return;
      }
      case FromServer.Fatal:
        this.#fatal = { error: decodeThrown(message[1]) };
        return;
      case FromServer.Prepared:
        this.#events.prepared?.(message[1], message[2]);
        return;
    }
    if (message[0] === FromServer.Forked) this.#hasForked = true;
    if (message[0] === FromServer.Forked && this.#unwanted.delete(message[1])) kill(message[2]);
    const worker = this.#workers.get(message[1]);
    if (worker === undefined) return;
    switch (message[0]) {
      case FromServer.Forked:
        worker.pid = message[2];
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
  #lose(error: unknown, code: number | null = null, signal: string | null = code === null ? 'SIGKILL' : null): void {
    clearTimeout(this.#overdue);
    this.#events.lost(); // first, for who hears of the end of a worker may want another one
    this.#listener.close();
    this.#control.destroy();
    const workers = [...this.#workers.values()];
    this.#workers.clear();
    for (const { link } of workers) link.exited(code, signal, error);
    if (this.#hasEnded) this.#tellEnded();
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended already
  }
}
