/** Endless loops that `beat` of test/tasks/inner.ts runs, as seen from outside. */

import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A folder for the loops to beat in. */
export function beatsFolder(): string {
  return mkdtempSync(join(tmpdir(), 'beats-'));
}

/** Waits for a condition. @throws Error saying what was awaited, after `limit` milliseconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, limit: number): Promise<void> {
  const end = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Not within ${limit} ms: ${what}`);
    await sleep(5);
  }
}

/** Waits until so many loops run. */
export async function beating(folder: string, count: number): Promise<void> {
  await until(`${count} loops run`, () => readdirSync(folder).length >= count, 15_000);
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
  await until('the loops have ended', still, limit);
}
