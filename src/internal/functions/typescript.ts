/**
 * TypeScript modules in threads of Node 20 under tsx.
 *
 * There the hooks of tsx do not reach `import` in a thread, and it loads nothing into threads by itself. Its other door, for
 * `require`, works: so a module that cannot be loaded for its ending is required through that, and one that is not there
 * under its name, for the name is that of the file which a compiler would make.
 */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const reasons: ReadonlySet<unknown> = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
]);

let isRegistered = false;

/**
 * Loads TypeScript by `require`, where the program does.
 *
 * @param error With which loading something has failed.
 * @returns Whether it may work now.
 */
export function registerTypeScript(error: unknown): boolean {
  if (!reasons.has((error as { code?: unknown } | null)?.code)) return false;
  const flags = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/[\s"=]+/)];
  const loader = flags.find((argument) => /\btsx\b/.test(argument));
  if (loader === undefined) return false;
  if (isRegistered) return true; // once more would compile each file once more
  isRegistered = true;
  const place = /(?:file:|\/).*$/.exec(loader)?.[0] ?? `${process.cwd()}/`;
  const require = createRequire(place.startsWith('file:') ? place : pathToFileURL(place));
  (require('tsx/cjs/api') as { register(): void }).register();
  return true;
}

/**
 * The exports of the module that `specifier` is in the file `from`; `undefined` where `error`, with which its import has
 * failed, is not about TypeScript.
 *
 * @throws what the module throws.
 */
export function requireTypeScript(from: string, specifier: string, error: unknown): unknown {
  return registerTypeScript(error) ? createRequire(from)(specifier) : undefined;
}
