/** `spawn`: a worker is a fresh Node process, heard over a pipe of its own. */

import { clearTimeout, setTimeout } from '../globals.js';
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { runtimeUrl } from '../../runtimeUrl.js';
import { isCloneableByProcess } from '../channel/cloneable.js';
import { encodeFrame, FrameReader } from '../channel/frames.js';
import type { MessageFromWorker } from '../channel/messages.js';
import { processExecArgv } from './execArgv.js';
import { guard, guardIsAvailable } from './guard.js';
import type { StartMethodStrategy, WorkerLink } from './StartMethod.js';

/** The channel's place among the worker's file descriptors. */
const CHANNEL = 3;
/** A worker whose channel is closed has so many milliseconds to leave by itself. */
const LEAVE_TIME = 2000;
/** A worker that has ended, but whose channel something still holds open, is not waited for longer (milliseconds). */
const CLOSE_TIME = 1000;

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

    const channel = child.stdio[CHANNEL] as Socket;
    const reader = new FrameReader();
    let ended = false;
    let overdue: NodeJS.Timeout | undefined;
    let unreadable: { readonly error: unknown } | undefined;

    const end = (exitCode: number | null, signal: string | null): void => {
      if (ended) return;
      ended = true;
      clearTimeout(overdue);
      for (const stream of child.stdio) stream?.destroy();
      events.exit({ exitCode, signal, error: unreadable?.error });
    };

    channel.on('data', (bytes) => {
      if (unreadable !== undefined) return;
      try {
        reader.read(bytes, (message) => events.message(message as MessageFromWorker));
      } catch (error) {
        // A message that cannot be read is lost, and with it the worker: who waits for it has to hear so.
        unreadable = { error };
        child.kill('SIGKILL');
      }
    });
    // Writing to a worker that ends fails; its end, which follows, says all there is to say.
    channel.on('error', () => undefined);
    channel.on('close', () => {
      if (child.exitCode !== null || child.signalCode !== null || ended) return;
      overdue = setTimeout(() => child.kill('SIGKILL'), LEAVE_TIME);
      overdue.unref();
    });
    child.on('error', () => undefined); // a kill that comes too late
    child.on('exit', (exitCode, signal) => {
      if (!watch) guard.remove(pid);
      clearTimeout(overdue);
      overdue = setTimeout(() => end(exitCode, signal), CLOSE_TIME);
    });
    child.on('close', end);
    child.unref();
    for (const stream of child.stdio.slice(CHANNEL)) (stream as Socket).unref();

    return {
      send(message) {
        const frame = encodeFrame(message);
        if (channel.writable) channel.write(frame);
      },
      kill: () => void child.kill('SIGKILL'),
    };
  },
};
