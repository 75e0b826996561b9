/**
 * Scripts that are files as they are on disk, which is what most of them are. V8 tells all about a script only to a debugger, and
 * becoming one took 30 to 40 ms the first time, for it then looks at every script that there is; their names alone take 6 to 11.
 */

import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FunctionFacts, ScriptFacts } from './facts.js';

/** What no compiler is likely to have made on the way from the disk. */
const plainFile = /^file:.*\.[cm]?js$/;
const mapComment = /^\/\/[#@] ?sourceMappingURL=(\S+)\s*$/gm;

/**
 * A script and its source, from its file; `undefined` where that may not be what V8 has read: then V8 has to be asked.
 *
 * @param text Of a function in it, which V8 says to be around `at`.
 */
export function readScriptFile(
  url: string | undefined,
  text: string,
  { scriptId, line, column }: NonNullable<FunctionFacts['location']>,
  isModule: boolean,
): { readonly script: ScriptFacts; readonly source: string } | undefined {
  // Tools that measure coverage or map stacks have their own ways with sources.
  if (process.env['NODE_V8_COVERAGE'] !== undefined || process.sourceMapsEnabled === true) return undefined;
  if (url === undefined || !plainFile.test(url)) return undefined;
  let source: string;
  try {
    const path = fileURLToPath(url);
    if (statSync(path).mtimeMs >= performance.timeOrigin) return undefined; // written anew, perhaps
    source = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    return undefined;
  }
  let start = 0;
  for (let i = 0; i < line; i++) start = source.indexOf('\n', start) + 1;
  const place = start + column;
  const offset = source.lastIndexOf(text, place);
  if (offset < 0 || place >= offset + text.length) return undefined;
  const sourceMapURL = [...source.matchAll(mapComment)].at(-1)?.[1] ?? '';
  return { source, script: { id: scriptId, url, isModule, startLine: 0, startColumn: 0, sourceMapURL } };
}
