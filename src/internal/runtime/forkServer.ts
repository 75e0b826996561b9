/**
 * The entry of a process of which workers are copies. There are two kinds:
 *
 * - The fork server: one small process of the program's that does nothing but be copied. It loads nothing of the user's, so that every
 *   worker begins where a fresh process would; what the program preloads, by `--import` and the like, each copy loads for itself, for
 *   it may start threads, which a copy would lack.
 * - The template of a pool, which loads functions and what they share before it is copied.
 */

import { createRequire, register } from 'node:module';
import { connect, Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { isCloneableByProcess } from '../channel/cloneable.js';
import { encodeThrown } from '../channel/errorCodec.js';
import { encodeFrame, FrameReader } from '../channel/frames.js';
import {
  FromServer,
  ToServer,
  type ForkRequest,
  type MessageFromServer,
  type MessageToServer,
  type ServerData,
} from '../channel/serverMessages.js';
import { importModule } from '../functions/importModule.js';
import { now, setImmediate, setTimeout } from '../globals.js';
import { Forker } from '../posix/Forker.js';
import { leaveByExit } from '../posix/leaving.js';
import { loadLibc, PR_SET_PDEATHSIG, SIGKILL, type Libc } from '../posix/libc.js';
import { drainStores, prepareRandom, reseed } from '../posix/randomness.js';
import { signalName } from '../posix/signals.js';
import { becomeWorker } from './identity.js';
import { Preparation } from './Preparation.js';
import { rehearse } from './rehearsal.js';
import { runProcessWorker } from './processWorker.js';

/** So many milliseconds at most a template waits for what the modules of the user have begun and not awaited. */
const QUIET_LIMIT = 1000;
/** The file descriptor of the pipe to the program. */
const CONTROL = 3;

const { address, token, programPid, execArgv, preloads, template } = JSON.parse(
  process.argv.splice(2, 1)[0] as string,
) as ServerData;
const control = new Socket({ fd: CONTROL });
const requests: MessageToServer[] = [];
const workers = new Map<number, number>();
const preparation = template === undefined ? undefined : new Preparation();

const tell = (message: MessageFromServer): void => void control.write(encodeFrame(message));

const onInterrupt = (): void => undefined; // Ctrl-C is for the program to answer
process.on('SIGINT', onInterrupt);
control.on('error', () => undefined);
control.on('close', () => process.exit(0));

let libc: Libc;
let forker: Forker;
let random: () => number;
/** Whether a request is being answered. */
let isBusy = false;
/** Whether anything was loaded since garbage was collected. */
let isUntidy = false;

try {
  libc = loadLibc();
  forker = new Forker(libc);
  random = prepareRandom();
  libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (libc.getppid() !== programPid) process.exit(0); // it has died in between
  serve();
} catch (error) {
  tell([FromServer.Unavailable, error instanceof Error ? error.message : String(error)]);
}

function serve(): void {
  const reader = new FrameReader();
  control.on('data', (bytes) => {
    reader.read(bytes, (request) => requests.push(request as MessageToServer));
    setImmediate(serveNext);
  });
  process.on('SIGCHLD', reap);
  if (template !== undefined) {
    // For what is loaded: each copy has an id of its own, and prints through the program.
    const identity = { workerId: 0, daemon: template.daemon, insights: false, bars: false, name: undefined };
    becomeWorker(identity, (text) => void process.stderr.write(`${text}\n`));
    process.on('uncaughtExceptionMonitor', onFatal);
    process.execArgv = [...execArgv];
    process.argv.push(...template.argv);
    if (template.preloads) void preload(process.cwd()); // an error ends it, and is told as what has ended it
  } else {
    isBusy = true;
    void rehearse(address).then(() => {
      isBusy = false;
      isUntidy = true;
      setImmediate(serveNext);
    });
  }
  tell([FromServer.Ready]);
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
  const done = (): void => {
    isBusy = false;
    if (requests.length > 0) setImmediate(serveNext);
  };
  switch (request[0]) {
    case ToServer.Share:
      isUntidy = true;
      preparation?.share(request[1], done);
      return;
    case ToServer.Define: {
      const [, task, portable] = request;
      isUntidy = true;
      preparation?.define(task, portable, (succeeded) => {
        tell([FromServer.Prepared, task, succeeded]);
        done();
      });
      return;
    }
    case ToServer.Forget:
      preparation?.forget(request[1]);
      done();
      return;
    case ToServer.Fork:
      whenQuiet(() => {
        if (fork(request[1])) done();
      });
      return;
  }
}

/** Calls back when nothing is under way that only one of several copies could hear the end of. */
function whenQuiet(callback: () => void): void {
  if (preparation === undefined) {
    callback();
    return;
  }
  const limit = now() + QUIET_LIMIT;
  const look = (): void => {
    const isQuiet = !process.getActiveResourcesInfo().some((name) => /Req|Request|ConnectWrap$/.test(name));
    if (isQuiet || now() > limit) preparation.output.whenOut(callback);
    else setTimeout(look, 1);
  };
  look();
}

/** Makes a worker. False in that worker. */
function fork(request: ForkRequest): boolean {
  let pid: number;
  try {
    if (isUntidy) forker.collectGarbage();
    isUntidy = false;
    pid = forker.fork();
  } catch (error) {
    tell([FromServer.Failed, request.id, (error as Error).message]);
    return true;
  }
  if (pid === 0) {
    begin(request);
    return false;
  }
  workers.set(pid, request.id);
  tell([FromServer.Forked, request.id, pid]);
  return true;
}

function reap(): void {
  for (const [pid, id] of workers) {
    const end = forker.reap(pid);
    if (end === undefined) continue;
    workers.delete(pid);
    tell([FromServer.Exited, id, end.exitCode, end.exitCode === null ? signalName(end.signal) : null]);
  }
}

/** In a copy: what belongs to the server goes, and a channel of the worker's own comes. */
function begin({ id, identity, cwd, env, argv }: ForkRequest): void {
  requests.length = 0;
  workers.clear();
  control.removeAllListeners();
  control.destroy();
  process.off('SIGCHLD', reap);
  process.off('SIGINT', onInterrupt);
  process.off('uncaughtExceptionMonitor', onFatal);
  leaveByExit(libc);
  Object.defineProperty(process, 'pid', { value: libc.getpid(), enumerable: true, configurable: true });
  Object.defineProperty(process, 'ppid', { get: () => libc.getppid(), enumerable: true, configurable: true });
  reseed(random);
  if (preparation !== undefined) drainStores();
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.execArgv = [...execArgv];
  if (template === undefined) process.argv.push(...argv);
  process.chdir(cwd);

  const channel = connect(address);
  channel.write(`${token}${String(id).padStart(10, '0')}`);
  const isPreloaded = template?.preloads === true;
  void (isPreloaded ? Promise.resolve() : preload(cwd)).then(() => runProcessWorker(identity, channel, preparation));
}

/** What the flags of the program ask for, in Node's order. */
async function preload(cwd: string): Promise<void> {
  const from = `${cwd}/_`;
  for (const name of preloads.require) createRequire(from)(name);
  for (const name of preloads.loader) register(name, pathToFileURL(from));
  for (const name of preloads.import) await importModule(from, name);
}
