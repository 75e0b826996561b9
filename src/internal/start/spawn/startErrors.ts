/** How a process says why it does not become a worker: what is preloaded fails before any other code of this package runs. */

import { writeSync } from 'node:fs';
import { isCloneableByProcess } from '../../protocol/cloneable.js';
import { encodeThrown } from '../../protocol/errorCodec.js';
import { encodeFrame } from '../../protocol/frames.js';
import { FromWorker } from '../../protocol/messages.js';
import { currentWorker } from '../../worker/identity.js';

/** Writes an error that nobody catches to the channel, until this process is a worker, which does so itself. */
export function tellStartErrors(channel: number): void {
  process.on('uncaughtExceptionMonitor', (error) => {
    if (currentWorker() !== undefined) return;
    try {
      writeSync(channel, encodeFrame([FromWorker.Fatal, encodeThrown(error, isCloneableByProcess)]));
    } catch {
      // The program is gone.
    }
  });
}
