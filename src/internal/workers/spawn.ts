/** `spawn`: a worker is a fresh Node process, heard over a pipe of its own. */

import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { runtimeUrl } from '../../runtimeUrl.js';
import { isCloneableByProcess } from '../channel/cloneable.js';
import { processExecArgv } from './execArgv.js';
import { guard, guardIsAvailable } from './guard.js';
import { ProcessLink } from './ProcessLink.js';
import type { StartMethodStrategy, WorkerLink } from './StartMethod.js';

/** The places among the worker's file descriptors: of the channel, and of a pipe that only watches. */
const CHANNEL = 3;
const LIFELINE = 4;

export const spawning: StartMethodStrategy = {
  name: 'spawn',
  isCloneable: isCloneableByProcess,

  start(identity, events): WorkerLink {
    const watch = !guardIsAvailable();
    const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', 'pipe'];
    // The lifeline: never written to, and closed by the system when this program ends.
    if (watch) stdio.push('pipe');
    const child: ChildProcess = spawn(
      process.execPath,
      [...processExecArgv(process.execArgv), fileURLToPath(runtimeUrl('process')), JSON.stringify({ identity, watch })],
      { stdio, windowsHide: true },
    );
    const { pid } = child;
    if (pid === undefined) {
      // No process: there is nothing but an `error` event to hear.
      child.once('error', (error) => events.exit({ exitCode: null, signal: null, error }));
      return { send: () => undefined, kill: () => undefined };
    }
    if (!watch) guard.add(pid);

    const link = new ProcessLink(events, () => void child.kill('SIGKILL'));
    link.attach(child.stdio[CHANNEL] as Socket);
    child.on('error', () => undefined); // a kill that comes too late
    child.on('exit', (exitCode, signal) => {
      if (!watch) guard.remove(pid);
      child.stdio[LIFELINE]?.destroy();
      link.exited(exitCode, signal);
    });
    child.unref();
    (child.stdio[LIFELINE] as Socket | undefined)?.unref();
    return link;
  },
};
