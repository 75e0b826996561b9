/** `import.meta` of a file, for a function of it that runs in a worker. */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** @param url The file. */
export function importMetaOf(url: string): object {
  const meta: Record<string, unknown> = { __proto__: null, url };
  if (url.startsWith('file:')) {
    const filename = fileURLToPath(url);
    meta['filename'] = filename;
    meta['dirname'] = path.dirname(filename);
  }
  meta['resolve'] = (specifier: string): string => resolve(specifier, url);
  return meta;
}

/** What Node's own does, which cannot be had for another file. */
function resolve(specifier: string, url: string): string {
  if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, url).href;
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier)) return new URL(specifier).href;
  const require = createRequire(url);
  const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
  for (const folder of require.resolve.paths(specifier) ?? []) {
    const home = path.join(folder, name);
    const description = path.join(home, 'package.json');
    if (!existsSync(description)) continue;
    const { exports } = JSON.parse(readFileSync(description, 'utf8')) as { readonly exports?: unknown };
    if (exports === undefined) break;
    const target = exportOf(exports, `.${rest}`);
    if (target !== undefined) return pathToFileURL(path.join(home, target)).href;
  }
  const found = require.resolve(specifier); // it throws where there is none
  return path.isAbsolute(found) ? pathToFileURL(found).href : `node:${found.replace(/^node:/, '')}`;
}

/** The file of a package that the `exports` of its description give for a subpath. */
function exportOf(exports: unknown, subpath: string): string | undefined {
  const isOneEntry =
    typeof exports !== 'object' || Array.isArray(exports) || !('.' in (exports ?? {}) || hasSubpaths(exports));
  const entries = (isOneEntry ? { '.': exports } : exports) as Readonly<Record<string, unknown>>;
  if (subpath in entries && !subpath.includes('*')) return targetOf(entries[subpath], '');
  // The longest pattern that fits.
  const patterns = Object.keys(entries).filter((key) => key.includes('*'));
  for (const key of patterns.sort((a, b) => b.indexOf('*') - a.indexOf('*'))) {
    const [before = '', after = ''] = key.split('*');
    if (!subpath.startsWith(before) || !subpath.endsWith(after) || subpath.length < key.length) continue;
    return targetOf(entries[key], subpath.slice(before.length, subpath.length - after.length));
  }
  return undefined;
}

function hasSubpaths(exports: object | null): boolean {
  return Object.keys(exports ?? {}).some((key) => key.startsWith('.'));
}

function targetOf(target: unknown, filling: string): string | undefined {
  if (typeof target === 'string') return target.replaceAll('*', filling);
  if (typeof target !== 'object' || target === null) return undefined;
  const known = conditions();
  for (const [key, each] of Object.entries(target)) {
    if (!Array.isArray(target) && !known.has(key)) continue;
    const found = targetOf(each, filling);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The conditions under which this process imports. */
function conditions(): Set<string> {
  const given = process.execArgv.flatMap((argument, i) => {
    const [, inline, separate] = /^(?:--conditions|-C)(?:=(.*)|(.*))$/s.exec(argument) ?? [];
    return inline ?? (separate === '' ? (process.execArgv[i + 1] ?? []) : (separate ?? []));
  });
  const { require_module: requiresModules } = process.features as { readonly require_module?: boolean };
  return new Set(['node', 'import', 'default', ...(requiresModules === true ? ['module-sync'] : []), ...given]);
}
