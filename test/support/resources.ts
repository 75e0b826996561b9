/**
 * What lives in this program: everything that a pool could leave behind.
 *
 * Node's own `process.getActiveResourcesInfo` tells only of what holds the program open; a hook sees what was unref'd, too.
 */

import { createHook } from 'node:async_hooks';
import { readdirSync, readlinkSync } from 'node:fs';
import { childrenOf } from './processes.js';

const watched = /^(WORKER|MESSAGEPORT|PIPEWRAP|PROCESSWRAP|TCPWRAP|FSEVENTWRAP|Timeout)$/;

interface Living {
  readonly type: string;
  /** Where it was made. Its stack is text, and costly, only when asked for. */
  readonly made: Error;
}

const living = new Map<number, Living>();

createHook({
  init(id, type) {
    if (watched.test(type)) living.set(id, { type, made: new Error(type) });
  },
  destroy(id) {
    living.delete(id);
  },
}).enable();

export interface Snapshot {
  readonly resources: ReadonlySet<number>;
  readonly children: ReadonlySet<number>;
  readonly listeners: ReadonlyMap<string | symbol, number>;
  readonly descriptors: ReadonlyMap<string, number>;
}

export function snapshot(): Snapshot {
  return {
    resources: new Set(living.keys()),
    children: new Set(childrenOf(process.pid)),
    listeners: listeners(),
    descriptors: descriptors(),
  };
}

/**
 * Waits until nothing is left that was not there before.
 *
 * @throws Error naming what is left after `limit` milliseconds.
 */
export async function settled(before: Snapshot, limit = 3000): Promise<void> {
  const end = performance.now() + limit;
  for (;;) {
    await pause();
    const left = difference(before);
    if (left.length === 0) return;
    if (performance.now() > end) throw new Error(`Left behind: ${left.join(', ')}`);
  }
}

/** A pause in which workers can end, by a timer that is not taken for a resource. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1);
    living.delete(Number(timer)); // a timer is, as a number, the id of its resource
  });
}

function difference(before: Snapshot): string[] {
  const left: string[] = [];
  for (const [id, { type, made }] of living) {
    if (before.resources.has(id)) continue;
    const frames = userFrames(made);
    // The test's own time limit, which mocha sets when the test is running already.
    if (frames === '' || /^ at (Test|Hook)\.resetTimeout/.test(frames)) continue;
    left.push(`${type} ${id}, made${frames}`);
  }
  if (left.length > 0) return left; // reading /proc is for when the cheap part is in order
  for (const pid of childrenOf(process.pid)) if (!before.children.has(pid)) left.push(`process ${pid}`);
  for (const [name, count] of listeners()) {
    if (count > (before.listeners.get(name) ?? 0)) left.push(`listener of '${String(name)}'`);
  }
  for (const [kind, count] of descriptors()) {
    if (count > (before.descriptors.get(kind) ?? 0)) left.push(`descriptor of ${kind}`);
  }
  return left;
}

function listeners(): Map<string | symbol, number> {
  return new Map(process.eventNames().map((name) => [name, process.listenerCount(name)]));
}

/** How many file descriptors there are of each kind; none where the system does not tell. */
/** Node leaks the descriptor of a module that a thread is importing when it is terminated: of 334 plain workers ended so, 60 did. */
const isModule = /\.[cm]?js$/;

function descriptors(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const fd of process.platform === 'linux' ? readdirSync('/proc/self/fd') : []) {
    try {
      const kind = readlinkSync(`/proc/self/fd/${fd}`).replace(/:\[\d+\]$/, '');
      if (!isModule.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    } catch {
      // that of the folder itself, which is closed by now
    }
  }
  return counts;
}

function userFrames({ stack = '' }: Error): string {
  const frames = stack.split('\n').slice(2); // the first frame is the hook's
  // As one line: mocha takes the lines of a message that look like a stack for the stack.
  return frames
    .filter((frame) => /^\s+at /.test(frame) && !frame.includes('node:'))
    .map((frame) => ` ${frame.trim()}`)
    .join('');
}
