/** Tasks given by `moduleTask` or `URL`: an ES module with a default and named exports, and state of its own. */

import { basename } from 'node:path';

const prefix = 'module';
let calls = 0;

export default async function (value: unknown): Promise<string> {
  await Promise.resolve();
  return `${prefix}:${String(value)}`;
}

export const named = (value: string): string => basename(value);

export function count(): number {
  return ++calls;
}

export function sum(a: number, b: number): number {
  return a + b;
}
