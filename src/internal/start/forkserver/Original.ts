/** A process of which workers are copies: takes the program's requests one after the other, makes copies, and tells how these end. */

import type { Socket } from 'node:net';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { encodeThrown } from '../../protocol/errorCodec.js';
import { FrameReader } from '../../protocol/frames.js';
import { clearTimeout, setImmediate, setTimeout } from '../../platform/globals.js';
import type { Forker } from '../../posix/Forker.js';
import { SIGKILL, type Libc } from '../../posix/libc.js';
import { signalName } from '../../posix/signals.js';
import { becomeWorker } from '../../worker/identity.js';
import { TemplateState } from '../../worker/TemplateState.js';
import { writeOutputAtOnce } from '../process/output.js';
import type { Copy } from './Copy.js';
import { preload } from './preload.js';
import { park, PreforkedWorker } from './PreforkedWorker.js';
import { isQuiet, whenQuiet } from './quiet.js';
import {
  FromServer,
  ToServer,
  type ForkRequest,
  type MessageFromServer,
  type MessageToServer,
  type ServerData,
} from './serverMessages.js';
import { warmUp, warmUpCopy, warmUpWithoutModules } from './warmUp.js';

/**
 * How long after a preforked worker has been used the next one is made, in milliseconds: until then the program and the worker have two
 * CPUs busy.
 */
const PREFORK_DELAY = 5;

export interface OriginalParts {
  readonly libc: Libc;
  readonly forker: Forker;
  readonly copy: Copy;
  /** The pipe to the program. */
  readonly control: Socket;
  readonly tell: (message: MessageFromServer) => void;
}

export class Original {
  readonly #forker: Forker;
  readonly #copy: Copy;
  readonly #control: Socket;
  readonly #tell: OriginalParts['tell'];
  readonly #data: ServerData;
  readonly #template: TemplateState | undefined;
  readonly #preforked: PreforkedWorker;
  readonly #requests: MessageToServer[] = [];
  /** The ids of the copies that live, by their pids; `undefined` for the preforked one. */
  readonly #workers = new Map<number, number | undefined>();
  /** Whether a request is being answered. */
  #isBusy = false;
  #preforkTimer: NodeJS.Timeout | undefined;
  /** What copies do first is compiled: by a fork server before all, by a template when it has loaded what it was asked to. */
  #warmUp: Promise<void> | undefined;
  /** Whether anything was loaded since garbage was collected. */
  #isUntidy = false;

  constructor({ libc, forker, copy, control, tell }: OriginalParts, data: ServerData) {
    this.#forker = forker;
    this.#copy = copy;
    this.#control = control;
    this.#tell = tell;
    this.#data = data;
    this.#template = data.template === undefined ? undefined : new TemplateState();
    this.#preforked = new PreforkedWorker(libc, forker);
  }

  serve(): void {
    const reader = new FrameReader();
    this.#control.on('data', (bytes) => {
      reader.read(bytes, (message) => {
        const request = message as MessageToServer;
        if (request[0] === ToServer.End) this.#end(); // at once, even while something is being loaded
        this.#requests.push(request);
      });
      setImmediate(() => this.#serveNext());
    });
    process.on('SIGCHLD', this.#reap);
    this.#copy.warmUp();
    if (this.#data.template === undefined) this.#becomeForkServer();
    else this.#becomeTemplate(this.#data.template);
  }

  #becomeForkServer(): void {
    this.#isBusy = true;
    this.#warmUp = warmUp();
    void this.#warmUp.then(() => {
      this.#isBusy = false;
      this.#isUntidy = true;
      if (this.#requests.length > 0) setImmediate(() => this.#serveNext());
      else this.#prefork();
      this.#tell([FromServer.Ready]);
    });
  }

  #becomeTemplate({ daemon, argv, preloads }: NonNullable<ServerData['template']>): void {
    // For what is loaded: each copy has an id of its own, and prints through the program.
    const identity = { workerId: 0, daemon, insights: false, bars: false, name: undefined };
    becomeWorker(identity, (text) => void process.stderr.write(`${text}\n`));
    writeOutputAtOnce();
    process.on('uncaughtExceptionMonitor', this.#onFatal);
    process.execArgv = [...this.#data.execArgv];
    process.argv.push(...argv);
    if (preloads) void preload(this.#data.preloads); // an error ends it, and is told as what has ended it
    this.#tell([FromServer.Ready]);
  }

  readonly #onFatal = (error: unknown): void => {
    this.#tell([FromServer.Fatal, encodeThrown(error, isCloneableByProcess)]);
  };

  /** One at a time, and from the event loop: a copy goes on from here, too. */
  #serveNext(): void {
    if (this.#isBusy) return;
    const request = this.#requests.shift();
    if (request === undefined) return;
    this.#isBusy = true;
    if (request[0] !== ToServer.Fork) this.#preforked.discard(); // it does not have what the next worker is to have
    switch (request[0]) {
      case ToServer.Share:
        this.#isUntidy = true;
        this.#template?.share(request[1], () => this.#served());
        return;
      case ToServer.Define: {
        const [, task, portable] = request;
        this.#isUntidy = true;
        this.#template?.define(task, portable, (succeeded) => {
          this.#tell([FromServer.Prepared, task, succeeded]);
          this.#served();
        });
        return;
      }
      case ToServer.Forget:
        this.#template?.forget(request[1]);
        this.#served();
        return;
      case ToServer.Fork:
        if (this.#usePreforked(request[1])) {
          this.#served();
          return;
        }
        this.#warmUp ??= warmUpWithoutModules();
        void this.#warmUp.then(() => setImmediate(() => this.#whenQuiet(() => this.#fork(request[1]))));
        return;
    }
  }

  /** A request is answered. @param delay How long the next prefork waits, in milliseconds. */
  #served(delay = PREFORK_DELAY): void {
    this.#isBusy = false;
    if (this.#requests.length > 0) setImmediate(() => this.#serveNext());
    else if (this.#workers.size > 0) this.#preforkIn(delay);
  }

  #whenQuiet(callback: () => void): void {
    if (this.#template === undefined) callback();
    else whenQuiet(callback);
  }

  /** Makes a worker. */
  #fork(request: ForkRequest): void {
    let pid: number;
    try {
      this.#tidy();
      pid = this.#forker.fork();
    } catch (error) {
      this.#tell([FromServer.Failed, request.id, (error as Error).message]);
      this.#served(0);
      return;
    }
    if (pid === 0) {
      this.#detach();
      this.#copy.begin(request, this.#template);
      return;
    }
    this.#made(pid, request);
    this.#served(0);
  }

  #preforkIn(delay: number): void {
    clearTimeout(this.#preforkTimer);
    if (delay === 0) {
      setImmediate(() => this.#prefork());
      return;
    }
    this.#preforkTimer = setTimeout(() => this.#prefork(), delay);
    this.#preforkTimer.unref();
  }

  /**
   * Makes the next worker ahead, where no request waits. Not while the user's code has anything under way, timers included: that may still
   * change what is loaded.
   */
  #prefork(): void {
    if (this.#isBusy || this.#requests.length > 0 || this.#preforked.pid !== undefined) return;
    if (this.#template !== undefined && !isQuiet()) return;
    const pipe = this.#makeAhead();
    if (pipe === 'none') return;
    if (pipe === undefined) {
      this.#workers.set(this.#preforked.pid as unknown as number, undefined);
      return;
    }
    this.#detach();
    const work = (): void => this.#copy.begin(park(pipe), this.#template);
    // A template has code of the user, which is not to run now.
    if (this.#template === undefined) void warmUpCopy().then(work);
    else work();
  }

  /** @returns As {@link PreforkedWorker.make}; `none` where that fails: if it is no accident, the request for a worker tells. */
  #makeAhead(): number | undefined | 'none' {
    try {
      this.#tidy();
      return this.#preforked.make();
    } catch {
      return 'none';
    }
  }

  /** Hands a request to the preforked worker. False where there is none. */
  #usePreforked(request: ForkRequest): boolean {
    const { pid } = this.#preforked;
    if (pid === undefined || !this.#preforked.use(request)) return false;
    this.#made(pid, request);
    return true;
  }

  #made(pid: number, { id }: ForkRequest): void {
    this.#workers.set(pid, id);
    this.#tell([FromServer.Forked, id, pid]);
  }

  #tidy(): void {
    if (this.#isUntidy) this.#forker.collectGarbage();
    this.#isUntidy = false;
  }

  readonly #reap = (): void => {
    for (const [pid, id] of this.#workers) {
      const end = this.#forker.reap(pid);
      if (end === undefined) continue;
      this.#workers.delete(pid);
      if (pid === this.#preforked.pid) this.#preforked.lost();
      if (id === undefined) continue;
      this.#tell([FromServer.Exited, id, end.exitCode, end.exitCode === null ? signalName(end.signal) : null]);
    }
  };

  /** Ends this process, of which no worker lives. It reaps its preforked worker: in some containers no other process would. */
  #end(): void {
    const { pid } = this.#preforked;
    this.#preforked.discard();
    if (pid !== undefined) this.#forker.reap(pid, true);
    process.kill(process.pid, SIGKILL);
  }

  /** In a copy: what belongs to the original goes. */
  #detach(): void {
    this.#isBusy = true; // for ever: it makes no copies
    clearTimeout(this.#preforkTimer);
    this.#requests.length = 0;
    this.#workers.clear();
    this.#control.removeAllListeners();
    this.#control.destroy();
    process.off('SIGCHLD', this.#reap);
    process.off('uncaughtExceptionMonitor', this.#onFatal);
    this.#copy.detach();
  }
}
