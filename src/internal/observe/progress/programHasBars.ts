/** Whether there can be bars: each worker is told, so it is apart from the code that draws them. */

import { currentWorker } from '../../worker/identity.js';

/** Whether the program that this code runs in, or works for, has a terminal where bars can be drawn. */
export function programHasBars(): boolean {
  const worker = currentWorker();
  if (worker !== undefined) return worker.bars;
  return process.stderr.isTTY && process.env['TERM'] !== 'dumb';
}
