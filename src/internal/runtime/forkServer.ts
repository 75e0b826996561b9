/**
 * The entry of the fork server: a small process of the program's that does nothing but be copied. Each copy is a worker. It loads
 * nothing of the user's, so that every worker begins where a fresh process would; what the program preloads, by `--import` and the
 * like, each copy loads for itself, for it may start threads, which a copy would lack.
 */

import { register } from 'node:module';
import { createRequire } from 'node:module';
import { connect, Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { encodeFrame, FrameReader } from '../channel/frames.js';
import { importModule } from '../functions/importModule.js';
import { Forker } from '../posix/Forker.js';
import { leaveByExit } from '../posix/leaving.js';
import { loadLibc, PR_SET_PDEATHSIG, SIGKILL, type Libc } from '../posix/libc.js';
import { prepareRandom, reseed } from '../posix/randomness.js';
import { signalName } from '../posix/signals.js';
import { FromServer, type ForkRequest, type MessageFromServer, type ServerData } from '../channel/serverMessages.js';
import { runProcessWorker } from './processWorker.js';

/** The file descriptor of the pipe to the program. */
const CONTROL = 3;

const { address, token, programPid, execArgv, preloads } = JSON.parse(
  process.argv.splice(2, 1)[0] as string,
) as ServerData;
const control = new Socket({ fd: CONTROL });
const requests: ForkRequest[] = [];
const workers = new Map<number, number>();

const tell = (message: MessageFromServer): void => void control.write(encodeFrame(message));

const onInterrupt = (): void => undefined; // Ctrl-C is for the program to answer
process.on('SIGINT', onInterrupt);
control.on('error', () => undefined);
control.on('close', () => process.exit(0));

let libc: Libc;
let forker: Forker;
let random: () => number;
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
    reader.read(bytes, (request) => requests.push(request as ForkRequest));
    setImmediate(forkNext);
  });
  process.on('SIGCHLD', reap);
  tell([FromServer.Ready]);
}

/** One at a time, and from the event loop: the copy goes on from here, too. */
function forkNext(): void {
  const request = requests.shift();
  if (request === undefined) return;
  let pid: number;
  try {
    pid = forker.fork();
  } catch (error) {
    tell([FromServer.Failed, request.id, (error as Error).message]);
    return;
  }
  if (pid === 0) {
    becomeWorker(request);
    return;
  }
  workers.set(pid, request.id);
  tell([FromServer.Forked, request.id, pid]);
  if (requests.length > 0) setImmediate(forkNext);
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
function becomeWorker({ id, identity, cwd, env, argv }: ForkRequest): void {
  requests.length = 0;
  workers.clear();
  control.removeAllListeners();
  control.destroy();
  process.off('SIGCHLD', reap);
  process.off('SIGINT', onInterrupt);
  leaveByExit(libc);
  Object.defineProperty(process, 'pid', { value: libc.getpid(), enumerable: true, configurable: true });
  Object.defineProperty(process, 'ppid', { get: () => libc.getppid(), enumerable: true, configurable: true });
  reseed(random);
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.execArgv = [...execArgv];
  process.argv.push(...argv);
  process.chdir(cwd);

  const channel = connect(address);
  channel.write(`${token}${String(id).padStart(10, '0')}`);
  void preload(cwd).then(() => runProcessWorker(identity, channel));
}

/** What the flags of the program ask for, in Node's order. */
async function preload(cwd: string): Promise<void> {
  const from = `${cwd}/_`;
  for (const name of preloads.require) createRequire(from)(name);
  for (const name of preloads.loader) register(name, pathToFileURL(from));
  for (const name of preloads.import) await importModule(from, name);
}
