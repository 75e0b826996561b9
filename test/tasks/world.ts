/**
 * What the tasks of the model tests do to the world around them: they take time, leave word, and end their workers. In a simulation all
 * of that is simulated.
 */

import { appendFileSync, closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface World {
  /** Waits, in milliseconds. */
  sleep(ms: number): Promise<void>;
  /** Blocks the thread, in milliseconds. */
  spin(ms: number): void;
  /** Ends the worker. */
  exit(code: number): never;
  /** Adds a line to what is written under a name in a folder. */
  note(folder: string, name: string, line: string): void;
  /** True for the first to leave a mark. */
  leaveMark(folder: string, name: string): boolean;
}

const real: World = {
  sleep: (ms) => sleep(ms),
  spin(ms) {
    for (const end = performance.now() + ms; performance.now() < end;);
  },
  exit: (code) => process.exit(code),
  note: (folder, name, line) => appendFileSync(`${folder}/${name}`, `${line}\n`),
  leaveMark(folder, name) {
    try {
      closeSync(openSync(`${folder}/${name}`, 'wx'));
      return true;
    } catch {
      return false;
    }
  },
};

/** The one that tasks live in. */
export let world = real;

export function setWorld(other: World): void {
  world = other;
}
