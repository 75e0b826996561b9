/**
 * The URLs of CommonJS files whose path has a character that URLs do not have. Node's inspector makes a URL of a path without encoding
 * line breaks, tabs and backslashes: they are gone then, or have become slashes.
 */

import { createRequire } from 'node:module';
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What gives the right URL for that of the inspector, by the CommonJS files that are loaded now. */
export function urlCorrection(): (url: string) => string {
  const right = new Map<string, string>();
  for (const path of Object.keys(createRequire(import.meta.url).cache)) {
    if (sep === '/' && /[\n\r\t\\]/.test(path)) right.set(urlOfInspector(path), pathToFileURL(path).href);
  }
  return (url) => right.get(url) ?? url;
}

function urlOfInspector(path: string): string {
  const url = new URL('file:///');
  url.pathname = path.replaceAll('%', '%25');
  return url.href;
}
