/**
 * What packages of CommonJS export, by identity. An object or function that is one of these, and is captured as a value, is
 * required again in the worker instead of being copied with all that is behind it. Files of the program itself are copied:
 * requiring them would run the program again. So a class of a package is the one that its other exports know, too.
 */

import { createRequire } from 'node:module';
import { isNative } from './builtins.js';
import { isThing } from './isThing.js';
import type { RequireNode } from '../graph.js';

let table = new WeakMap<object, RequireNode>();
let scanned = 0;

/** Looks anew at what is loaded. @returns What a value is exported as. */
export function packageExports(): (value: object) => RequireNode | undefined {
  const { cache } = createRequire(import.meta.url);
  const files = Object.keys(cache);
  if (files.length !== scanned) {
    table = new WeakMap();
    scanned = files.length;
    for (const file of files) if (/[\\/]node_modules[\\/]/.test(file)) scan(file, cache[file]?.exports);
  }
  return (value) => table.get(value);
}

function scan(file: string, exports: unknown): void {
  if (!isThing(exports)) return;
  add(exports, file, '');
  for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(exports))) {
    if (typeof value === 'function' && !isNative(value)) add(value, file, `[${JSON.stringify(key)}]`);
  }
}

/** A file may hand on what another one exports: that of the other is as good. */
function add(value: object, file: string, access: string): void {
  if (table.has(value)) return;
  const code = `const exported = require(${JSON.stringify(file)})${access};`;
  table.set(value, { type: 'require', from: file, code, name: 'exported' });
}
