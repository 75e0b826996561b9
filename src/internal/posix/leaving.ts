/**
 * How the copy of a process ends: by `_exit`, after all that Node does before. Node's own last steps join threads that a copy does
 * not have, which prints an assertion or hangs.
 */

import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import type { Libc } from './libc.js';

/** Sees to it that this process, however it ends by itself, ends by `_exit`. */
export function leaveByExit({ _exit }: Libc): void {
  const leave = (code: unknown): never => {
    _exit(Number(code ?? 0) & 0xff);
    throw new Error('_exit has returned'); // which it cannot
  };
  (process as unknown as { reallyExit(code?: number): never }).reallyExit = leave;
  // The one place that sees the end of the event loop and an error that nobody catches before Node itself acts on them.
  const emit = process.emit as (...args: unknown[]) => boolean;
  process.emit = ((...args: unknown[]): boolean => {
    const heard = Reflect.apply(emit, process, args);
    if (args[0] === 'exit') leave(process.exitCode ?? args[1]);
    if (args[0] === 'uncaughtExceptionMonitor' && !isHandled()) {
      writeSync(2, `${inspect(args[1])}\n\nNode.js ${process.version}\n`);
      process.exitCode = 1;
      process.emit('exit', 1);
    }
    return heard;
  }) as typeof process.emit;
}

function isHandled(): boolean {
  return process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback();
}
