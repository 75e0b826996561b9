/**
 * The entry of a process of which workers are copies. The program itself cannot be copied: `fork` copies one thread only, and the copy
 * would hang on the threads of V8 and of the user. There are two kinds:
 *
 * - The fork server: one small process of the program's that does nothing but be copied. It loads nothing of the user's, so that every
 *   worker begins where a fresh process would; what the program preloads, by `--import` and the like, each copy loads for itself, for
 *   it may start threads, which a copy would lack.
 * - The template of a pool, which loads functions and what they share before it is copied.
 */

import { createRequire, register } from 'node:module';
import { connect, Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { encodeThrown } from '../../protocol/errorCodec.js';
import { encodeFrame, FrameReader } from '../../protocol/frames.js';
import {
  FromServer,
  ToServer,
  type ForkRequest,
  type MessageFromServer,
  type MessageToServer,
  type ServerData,
} from './serverMessages.js';
import { importModule } from '../../closures/importModule.js';
import { clearTimeout, now, setImmediate, setTimeout } from '../../platform/globals.js';
import { endIdleConnections, idleConnections } from '../../posix/connections.js';
import { Forker } from '../../posix/Forker.js';
import { leaveByExit } from '../../posix/leaving.js';
import { tellSourceMaps } from '../../closures/sourceMaps.js';
import { loadLibc, PR_SET_PDEATHSIG, SIGKILL, whyNoCopies, type Libc } from '../../posix/libc.js';
import { drainStores, prepareRandom, redirectRandom, reseed } from '../../posix/randomness.js';
import { signalName } from '../../posix/signals.js';
import { V8Threads } from '../../posix/v8Threads.js';
import { becomeWorker } from '../../worker/identity.js';
import { TemplateState } from '../../worker/TemplateState.js';
import { warmUp, warmUpCopy, warmUpWithoutModules } from './warmUp.js';
import { runProcessWorker } from '../process/processWorker.js';
import { park, PreforkedWorker } from './PreforkedWorker.js';

/** A template waits at most this many milliseconds for work that the user's modules have started and not awaited. */
const QUIET_LIMIT = 1000;
/**
 * The next spare copy is made this many milliseconds after the last one became a worker, because the program and the starting worker keep two
 * CPUs busy. A worker that is no spare takes longer to start, and the next spare is made meanwhile.
 */
const SPARE_DELAY = 5;
/** The file descriptor of the pipe to the program. */
const CONTROL = 3;

const { address, token, programPid, execArgv, preloads, template } = JSON.parse(
  process.argv.splice(2, 1)[0] as string,
) as ServerData;
const control = new Socket({ fd: CONTROL });
const requests: MessageToServer[] = [];
/** The ids of the living copies, by their pids; `undefined` for the spare. */
const workers = new Map<number, number | undefined>();
const templateState = template === undefined ? undefined : new TemplateState();

const tell = (message: MessageFromServer): void => void control.write(encodeFrame(message));

const onInterrupt = (): void => undefined; // Ctrl-C is for the program to answer
process.on('SIGINT', onInterrupt);
control.on('error', () => undefined);
control.on('close', () => process.exit(0));

let libc: Libc;
let forker: Forker;
let preforked: PreforkedWorker;
let random: () => number;
let v8Threads: V8Threads;
/** Whether a request is being answered. */
let isBusy = false;
let spareTimer: NodeJS.Timeout | undefined;
/** What copies do first is compiled: by a fork server before all, by a template when it has loaded what it was asked to. */
let warmedUp: Promise<void> | undefined;
/** Whether anything was loaded since garbage was collected. */
let isUntidy = false;

try {
  const reason = whyNoCopies(); // by flags that only workers have
  if (reason !== undefined) throw new Error(reason);
  libc = loadLibc();
  forker = new Forker(libc);
  preforked = new PreforkedWorker(libc, forker);
  random = prepareRandom();
  v8Threads = new V8Threads();
  libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (libc.getppid() !== programPid) process.exit(0); // it has died in between
  serve();
} catch (error) {
  tell([FromServer.Unavailable, error instanceof Error ? error.message : String(error)]);
}

function serve(): void {
  const reader = new FrameReader();
  control.on('data', (bytes) => {
    reader.read(bytes, (message) => {
      const request = message as MessageToServer;
      if (request[0] === ToServer.End) end(); // at once, even while something is being loaded
      requests.push(request);
    });
    setImmediate(serveNext);
  });
  process.on('SIGCHLD', reap);
  if (template !== undefined) {
    redirectRandom();
    drainStores(); // this and the next line compile what each copy does: it then takes 0.8 ms there instead of 1.5 to 7
    idleConnections(libc);
    // For what is loaded: each copy has an id of its own, and prints through the program.
    const identity = { workerId: 0, daemon: template.daemon, insights: false, bars: false, name: undefined };
    becomeWorker(identity, (text) => void process.stderr.write(`${text}\n`));
    process.on('uncaughtExceptionMonitor', onFatal);
    process.execArgv = [...execArgv];
    process.argv.push(...template.argv);
    if (template.preloads) void preload(process.cwd()); // an error ends it, and is told as what has ended it
    tell([FromServer.Ready]);
  } else {
    isBusy = true;
    reseed(prepareRandom()); // copies do that, too
    warmedUp = warmUp();
    void warmedUp.then(() => {
      isBusy = false;
      isUntidy = true;
      if (requests.length > 0) setImmediate(serveNext);
      else makeSpare();
      tell([FromServer.Ready]);
    });
  }
}

function onFatal(error: unknown): void {
  tell([FromServer.Fatal, encodeThrown(error, isCloneableByProcess)]);
}

/** One at a time, and from the event loop: a copy goes on from here, too. */
function serveNext(): void {
  if (isBusy) return;
  const request = requests.shift();
  if (request === undefined) return;
  isBusy = true;
  const done = (delay = SPARE_DELAY): void => {
    isBusy = false;
    if (requests.length > 0) setImmediate(serveNext);
    else if (workers.size > 0) makeSpareIn(delay);
  };
  if (request[0] !== ToServer.Fork) preforked.discard(); // it does not have what the next worker is to have
  switch (request[0]) {
    case ToServer.Share:
      isUntidy = true;
      templateState?.share(request[1], done);
      return;
    case ToServer.Define: {
      const [, task, portable] = request;
      isUntidy = true;
      templateState?.define(task, portable, (succeeded) => {
        tell([FromServer.Prepared, task, succeeded]);
        done();
      });
      return;
    }
    case ToServer.Forget:
      templateState?.forget(request[1]);
      done();
      return;
    case ToServer.Fork:
      if (useSpare(request[1])) {
        done();
        return;
      }
      warmedUp ??= warmUpWithoutModules();
      void warmedUp.then(() =>
        setImmediate(() =>
          whenQuiet(() => {
            if (fork(request[1])) done(0);
          }),
        ),
      );
      return;
  }
}

/** Calls back when nothing is under way that only one of several copies could hear the end of. */
function whenQuiet(callback: () => void): void {
  if (templateState === undefined) {
    callback();
    return;
  }
  const limit = now() + QUIET_LIMIT;
  const look = (): void => {
    if (isQuiet(/Req|Request|ConnectWrap$/) || now() > limit) templateState.output.whenOut(callback);
    else setTimeout(look, 1);
  };
  look();
}

/** Whether nothing is under way whose name is of this kind. */
function isQuiet(kind: RegExp): boolean {
  return !process.getActiveResourcesInfo().some((name) => kind.test(name));
}

function makeSpareIn(delay: number): void {
  clearTimeout(spareTimer);
  if (delay === 0) {
    setImmediate(makeSpare);
    return;
  }
  spareTimer = setTimeout(makeSpare, delay);
  spareTimer.unref();
}

/**
 * Makes the next worker ahead, where nobody waits for anything else. Not while anything of the user's is under way, timers included: it
 * may change what is loaded, which a copy would not have if it were made before.
 */
function makeSpare(): void {
  if (isBusy || requests.length > 0 || preforked.pid !== undefined) return;
  if (templateState !== undefined && (!isQuiet(/^(?!PipeWrap$|TTYWrap$)/) || templateState.output.isPending)) return;
  let pipe: number | undefined;
  try {
    tidy();
    pipe = preforked.make();
  } catch {
    return; // if it fails again, the next request for a worker reports it
  }
  if (pipe === undefined) {
    workers.set(preforked.pid as unknown as number, undefined);
    return;
  }
  detach();
  const work = (): void => begin(park(pipe));
  // What a copy does for the first time takes long, for it gets its own memory page by page. A template has code of the user's, which is
  // not to run now.
  if (templateState === undefined) void warmUpCopy().then(work);
  else work();
}

/** Hands a request to the copy that was made ahead. False where there is none. */
function useSpare(request: ForkRequest): boolean {
  const { pid } = preforked;
  if (pid === undefined || !preforked.use(request)) return false;
  made(pid, request);
  return true;
}

function made(pid: number, { id }: ForkRequest): void {
  workers.set(pid, id);
  tell([FromServer.Forked, id, pid]);
}

function tidy(): void {
  if (isUntidy) forker.collectGarbage();
  isUntidy = false;
}

/** Ends this process, after its last worker. Without the reaping a zombie would stay, for instance in a container whose first process reaps none. */
function end(): void {
  const { pid } = preforked;
  preforked.discard();
  if (pid !== undefined) forker.reap(pid, true);
  process.kill(process.pid, SIGKILL);
}

/** Makes a worker. False in that worker. */
function fork(request: ForkRequest): boolean {
  let pid: number;
  try {
    tidy();
    pid = forker.fork();
  } catch (error) {
    tell([FromServer.Failed, request.id, (error as Error).message]);
    return true;
  }
  if (pid === 0) {
    detach();
    begin(request);
    return false;
  }
  made(pid, request);
  return true;
}

function reap(): void {
  for (const [pid, id] of workers) {
    const end = forker.reap(pid);
    if (end === undefined) continue;
    workers.delete(pid);
    if (pid === preforked.pid) preforked.lost();
    if (id === undefined) continue;
    tell([FromServer.Exited, id, end.exitCode, end.exitCode === null ? signalName(end.signal) : null]);
  }
}

/** In a copy: what belongs to the server goes. */
function detach(): void {
  isBusy = true; // for ever: it makes no copies
  clearTimeout(spareTimer);
  requests.length = 0;
  workers.clear();
  control.removeAllListeners();
  control.destroy();
  process.off('SIGCHLD', reap);
  process.off('uncaughtExceptionMonitor', onFatal);
  leaveByExit(libc);
  Object.defineProperty(process, 'pid', { value: libc.getpid(), enumerable: true, configurable: true });
  Object.defineProperty(process, 'ppid', { get: () => libc.getppid(), enumerable: true, configurable: true });
  reseed(random);
  if (templateState === undefined) return;
  drainStores();
  endIdleConnections(libc);
}

/** In a copy: becomes a worker, with a channel of its own. */
function begin({ id, identity, cwd, env, argv }: ForkRequest): void {
  v8Threads.enter();
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.execArgv = [...execArgv];
  if (templateState === undefined) process.argv.push(...argv);
  process.chdir(cwd);

  const channel = connect(address);
  channel.write(`${token}${String(id).padStart(10, '0')}`);
  const isPreloaded = template?.preloads === true;
  void (isPreloaded ? Promise.resolve() : preload(cwd)).then(() => {
    runProcessWorker(identity, channel, templateState);
    channel.once('data', () => setImmediate(() => v8Threads.startLater()));
    process.off('SIGINT', onInterrupt); // now that the worker minds it
  });
}

/** What the flags of the program ask for, in Node's order. */
async function preload(cwd: string): Promise<void> {
  const from = `${cwd}/_`;
  for (const name of preloads.require) createRequire(from)(name);
  for (const name of preloads.loader) register(name, pathToFileURL(from));
  for (const name of preloads.import) await importModule(from, name);
  tellSourceMaps(); // a template has compiled functions before
}
