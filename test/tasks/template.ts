/** A module that tells how often, and in which process, it was loaded. */

import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export const loadedIn = process.pid;

if (process.env['LOADED_INTO'] !== undefined) appendFileSync(process.env['LOADED_INTO'], `${process.pid}\n`);

/** Begun while it is being loaded, and not awaited. */
const text = readFile(new URL(import.meta.url), 'utf8');

export default async function task(): Promise<[loadedIn: number, parent: number, self: number, length: number]> {
  return [loadedIn, process.ppid, process.pid, (await text).length];
}
