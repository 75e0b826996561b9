/**
 * How the copy of a process ends: by `_exit`, after all that Node does before. Node's own last steps join threads that a copy does
 * not have, which prints an assertion or hangs.
 */

import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { takeCoverage } from 'node:v8';
import type { Libc } from './libc.js';

/** With such a code Node ends where what is to handle an uncaught error throws itself. */
const HANDLER_FAILED = 7;

type OnFatal = (this: typeof process, ...args: unknown[]) => boolean;

/**
 * Sees to it that this process, however it ends by itself, ends by `_exit`.
 *
 * @param aborts Whether an error that nobody catches aborts it instead.
 */
export function leaveByExit({ _exit }: Libc, aborts: boolean): void {
  const leave = (code: unknown): never => {
    try {
      takeCoverage(); // that with `NODE_V8_COVERAGE` Node would write at its end
    } catch {
      // Such as a full disk.
    }
    _exit(Number(code ?? 0) & 0xff);
    throw new Error('_exit has returned'); // which it cannot
  };
  const hooks = process as unknown as { reallyExit(code?: number): never; _fatalException: OnFatal };
  hooks.reallyExit = leave;
  // The only place that sees the end of the event loop, and an uncaught error, before Node acts on them.
  const emit = process.emit as (...args: unknown[]) => boolean;
  process.emit = ((...args: unknown[]): boolean => {
    const heard = Reflect.apply(emit, process, args);
    if (args[0] === 'exit') leave(process.exitCode ?? args[1]);
    if (args[0] === 'uncaughtExceptionMonitor' && !isHandled()) {
      say(args[1]);
      if (aborts) process.abort();
      process.exitCode = 1;
      try {
        process.emit('exit', 1);
      } catch {
        leave(process.exitCode); // of an error in a listener Node says nothing then
      }
    }
    return heard;
  }) as typeof process.emit;
  // Node calls it with such an error. If it throws, because of the user's listeners, Node would end the process.
  const onFatal = hooks._fatalException;
  hooks._fatalException = (...args) => {
    try {
      return Reflect.apply(onFatal, process, args);
    } catch (error) {
      say(error);
      return leave(HANDLER_FAILED);
    }
  };
}

/** Prints an error as Node does. Nothing that happens on the way keeps the process from its end. */
function say(error: unknown): void {
  try {
    writeSync(2, `${show(error)}\n\nNode.js ${process.version}\n`);
  } catch {
    // It is not read, or not as fast.
  }
}

function show(error: unknown): string {
  try {
    return inspect(error);
  } catch {
    return Object.prototype.toString.call(error); // it has a way of its own to be shown, which fails
  }
}

function isHandled(): boolean {
  return process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback();
}
