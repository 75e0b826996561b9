/** Names of signals. */

import { constants } from 'node:os';

/** `SIGKILL` for 9. */
export function signalName(signal: number): string {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}
