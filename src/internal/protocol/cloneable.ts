/** Whether a value can be sent, by each kind of channel: asked only when sending has failed, to find out why. */

import { structuredClone } from '../platform/globals.js';
import { look, noClasses, processChannel, threadChannel, type Channel } from './checked.js';
import { encodeFrame } from './frames.js';

/** Between threads: structured clone. */
export function isCloneableByThread(value: unknown): boolean {
  return succeeds(value, threadChannel, structuredClone);
}

/** Between processes: the same without what needs shared memory or handles. */
export function isCloneableByProcess(value: unknown): boolean {
  return succeeds(value, processChannel, encodeFrame);
}

function succeeds(value: unknown, channel: Channel, clone: (value: unknown) => unknown): boolean {
  try {
    // First: of a port that is closed, Node does not survive the attempt.
    look([[value]], channel, noClasses);
    clone(value);
    return true;
  } catch {
    return false; // that is the answer
  }
}
