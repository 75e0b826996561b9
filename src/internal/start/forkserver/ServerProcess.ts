/**
 * The program's side of a process of which workers are copies: starts it, asks it for workers, and hears how these end. A copy connects
 * to the program by a socket, and proves by a token that it is one.
 */

import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { StartMethodUnavailableError } from '../../../errors.js';
import type { StartMethodName, WorkerResources } from '../../../options.js';
import { decodeThrown } from '../../protocol/decodeThrown.js';
import { encodeFrame, FrameReader } from '../../protocol/frames.js';
import { isGroupSignal } from '../../protocol/groupSignals.js';
import type { WorkerIdentity } from '../../protocol/messages.js';
import {
  FromServer,
  ToServer,
  type ForkRequest,
  type MessageFromServer,
  type MessageToServer,
} from './serverMessages.js';
import type { PortableFunction, PortableValue } from '../../protocol/portable.js';
import { clearTimeout, setTimeout } from '../../platform/globals.js';
import type { Prepared, WorkerEvents } from '../../core/StartMethod.js';
import { ProcessLink } from '../process/ProcessLink.js';
import { Acceptor, whyNotConnected } from './Acceptor.js';
import { startOriginal, type ServerResources, type StartedOriginal } from './startOriginal.js';

/** The place of the pipe among the server's file descriptors. */
const CONTROL = 3;
/** How long it may take to end by itself, in milliseconds. */
const END_TIME = 100;

interface Worker {
  readonly link: ProcessLink;
  /** Unknown until it was made. */
  pid: number | undefined;
  hasConnected: boolean;
}

/** What there is to hear of such a process. */
export interface ServerEvents {
  /** It is no more. */
  lost(): void;
  /** Whether it is loading functions. */
  isLoading?(): boolean;
  /** A function was loaded, or could not be. */
  prepared?(task: number, succeeded: boolean): void;
}

export interface ServerOptions {
  readonly startMethod: StartMethodName;
  /** What its workers are started with. */
  readonly resources: ServerResources;
  /** Of a template: whether its workers are daemons. */
  readonly template?: { readonly daemon: boolean };
}

export class ServerProcess {
  readonly #startMethod: StartMethodName;
  readonly #workers = new Map<number, Worker>();
  /** Workers that are not wanted any more, killed as soon as their pid is known. */
  readonly #unwanted = new Set<number>();
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #acceptor: Acceptor;
  readonly #events: ServerEvents;
  /** Whether it can load modules for its workers. */
  readonly loads: boolean;
  /** Settles when the server can fork, or cannot. */
  readonly ready: Promise<void>;
  #nextId = 0;
  readonly #onEnded: (() => void)[] = [];
  #overdue: NodeJS.Timeout | undefined;
  #isReady = false;
  #hasForked = false;
  #hasEnded = false;
  #reason: string | undefined;
  #fatal: { readonly error: unknown } | undefined;

  /** Starts the process. */
  constructor({ startMethod, resources, template }: ServerOptions, events: ServerEvents) {
    this.#startMethod = startMethod;
    this.#events = events;
    this.#acceptor = new Acceptor({
      connected: (id, socket, first) => this.#connected(id, socket, first),
      failed: (error) => {
        this.#lose(error);
        this.#child.kill('SIGKILL');
      },
    });
    let started: StartedOriginal;
    try {
      started = startOriginal(resources, this.#acceptor, template);
    } catch (error) {
      this.#acceptor.close();
      throw error;
    }
    this.#child = started.child;
    this.loads = started.loads;
    // Without a descriptor left there are no pipes: nothing but an `error` event says so.
    this.#control = ((this.#child.stdio as ChildProcess['stdio'] | undefined)?.[CONTROL] ?? new Socket()) as Socket;
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
        const refusal = isUp ? undefined : started.refusal(code);
        const error = refusal ?? new Error(`the process that workers are copied from ended with ${signal ?? code}`);
        reject(error);
        // It could not ignore the signal yet: there is nothing wrong with it.
        if (isGroupSignal(signal)) this.#lose(undefined, null, signal);
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

  /** Asks for a worker. @param prepared What it has from the start. */
  fork(
    identity: WorkerIdentity,
    { env, argv }: WorkerResources,
    events: WorkerEvents,
    prepared?: Prepared,
  ): ProcessLink {
    const id = this.#nextId++;
    const end = (): void => this.#end(id, worker);
    const link = new ProcessLink(
      events,
      {
        kill: end,
        giveUp: (error) => {
          end();
          if (this.#isReady) return;
          this.#child.kill('SIGKILL'); // it will not be in time for the next one either
          this.#lose(error);
        },
        isLoading: () => this.#isReady && this.#events.isLoading?.() === true,
      },
      prepared,
    );
    const worker: Worker = { link, pid: undefined, hasConnected: false };
    if (this.#reason !== undefined) {
      const error = new StartMethodUnavailableError({ startMethod: this.#startMethod, reason: this.#reason });
      setImmediate(() => link.exited(null, null, error));
      return link;
    }
    this.#workers.set(id, worker);
    const copy = { ...(env ?? process.env) } as Record<string, string>;
    const request: ForkRequest = { id, identity, cwd: workingDirectory(), env: copy, argv };
    this.#tell([ToServer.Fork, request]);
    return link;
  }

  #end(id: number, { link, pid }: Worker): void {
    if (pid !== undefined) {
      kill(pid);
      return;
    }
    // It may take long until it is made, if what is loaded before takes long.
    if (!this.#workers.delete(id)) return;
    this.#unwanted.add(id);
    setImmediate(() => link.exited(null, 'SIGKILL'));
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
    this.#overdue = setTimeout(() => this.#child.kill('SIGKILL'), END_TIME); // the user's code may block it
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
        this.#isReady = true;
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
        worker.link.exited(message[2], message[3], worker.hasConnected ? undefined : whyNotConnected());
        return;
    }
  }

  #connected(id: number, socket: Socket, first: Buffer): boolean {
    const worker = this.#workers.get(id);
    if (worker === undefined) return false;
    worker.hasConnected = true;
    worker.link.attach(socket, first);
    return true;
  }

  /** The server is no more: the kernel ends its workers. */
  #lose(error: unknown, code: number | null = null, signal: string | null = code === null ? 'SIGKILL' : null): void {
    clearTimeout(this.#overdue);
    this.#events.lost(); // first, for who hears of the end of a worker may want another one
    this.#acceptor.close();
    this.#control.destroy();
    const workers = [...this.#workers.values()];
    this.#workers.clear();
    for (const { link } of workers) link.exited(code, signal, error);
    if (this.#hasEnded) this.#tellEnded();
  }
}

/** `undefined` where it has been deleted. */
function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended already
  }
}
