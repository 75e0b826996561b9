/** What worker processes do with signals that are the program's to answer: nothing. Its end is their end. */

import { groupSignals } from '../../protocol/groupSignals.js';

const ignore = (): void => undefined;

export function leaveSignalsToProgram(): void {
  for (const signal of groupSignals) if (!process.listeners(signal).includes(ignore)) process.on(signal, ignore);
}
