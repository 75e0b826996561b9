/** Node's own timers where all ways to them are replaced: a socket that has a timeout has one of them, and with it their class. */

import { createRequire } from 'node:module';

/** The functions for timers. */
export type Timers = Pick<
  typeof globalThis,
  'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval' | 'setImmediate' | 'clearImmediate'
>;

interface Timeout {
  /** Starts it anew. */
  refresh(): this;
  /** Ends it. */
  close(): void;
}

type TimeoutClass = new (
  callback: (...args: unknown[]) => void,
  time: number | undefined,
  args: readonly unknown[] | undefined,
  repeats: boolean,
  keepsProgram: boolean,
) => Timeout;

/** `undefined` where that class cannot be found. */
export function timersOfSockets(): Timers | undefined {
  const { Socket } = createRequire(process.execPath)('node:net') as typeof import('node:net');
  const socket = new Socket();
  socket.setTimeout(1);
  const held = Object.getOwnPropertySymbols(socket).map((key) => (socket as unknown as Record<symbol, unknown>)[key]);
  const timeout = held.find((each) => each?.constructor.name === 'Timeout') as Timeout | undefined;
  if (timeout === undefined) return undefined;
  timeout.close();
  const Timer = timeout.constructor as TimeoutClass;
  const starter =
    (repeats: boolean) =>
    (callback: (...args: unknown[]) => void, time?: number, ...args: unknown[]): Timeout =>
      new Timer(callback, time, args, repeats, true).refresh();
  const clear = (timer: Timeout | undefined): void => timer?.close();
  const startOnce = starter(false);
  return {
    setTimeout: startOnce,
    clearTimeout: clear,
    setInterval: starter(true),
    clearInterval: clear,
    setImmediate: (callback: () => void, ...args: unknown[]) => startOnce(callback, 0, ...args),
    clearImmediate: clear,
  } as unknown as Timers;
}
