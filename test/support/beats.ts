/** Endless loops that `beat` of test/tasks/inner.ts runs, as seen from outside. */

import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './until.js';

/** A folder for the loops to beat in. */
export function beatsFolder(): string {
  return mkdtempSync(join(tmpdir(), 'beats-'));
}

/** Waits until so many loops run. */
export async function beating(folder: string, count: number): Promise<void> {
  await until(() => readdirSync(folder).length >= count, `${count} loops run`, 15_000);
}

/** Waits until none of the loops in a folder runs any more. */
export async function silent(folder: string, limit: number): Promise<void> {
  const read = (): string =>
    readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join();
  const still = async (): Promise<boolean> => {
    const before = read();
    await sleep(100); // twenty beats
    return read() === before;
  };
  await until(still, 'the loops have ended', limit);
}
