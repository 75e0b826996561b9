/** Whether a value can be sent, by each kind of channel: asked only when sending has failed, to find out why. */

import { structuredClone } from '../platform/globals.js';
import { encodeFrame } from './frames.js';

/** Between threads: structured clone. */
export function isCloneableByThread(value: unknown): boolean {
  return succeeds(() => structuredClone(value));
}

/** Between processes: the same without what needs shared memory or handles. */
export function isCloneableByProcess(value: unknown): boolean {
  return succeeds(() => encodeFrame(value));
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false; // that is the answer
  }
}
