/**
 * TypeScript modules in threads of Node 20 under tsx.
 *
 * There the hooks of tsx do not reach `import` in a thread, and it loads nothing into threads by itself. Its other door, for
 * `require`, works: so a module that cannot be imported for its ending is required through that, and one that is not there
 * under its name, for the name is that of the file which a compiler would make.
 */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const reasons: ReadonlySet<unknown> = new Set(['ERR_UNKNOWN_FILE_EXTENSION', 'ERR_MODULE_NOT_FOUND']);

let isRegistered = false;

/**
 * The exports of the module that `specifier` is in the file `from`; `undefined` where `error`, with which its import has
 * failed, is not about tsx.
 *
 * @throws what the module throws.
 */
export function requireThroughTsx(from: string, specifier: string, error: unknown): unknown {
  if (!reasons.has((error as { code?: unknown } | null)?.code)) return undefined;
  const loader = process.execArgv.find((argument) => /\btsx\b/.test(argument));
  if (loader === undefined) return undefined;
  const place = /(?:file:|\/).*$/.exec(loader)?.[0] ?? `${process.cwd()}/`;
  const { register } = createRequire(place.startsWith('file:') ? place : pathToFileURL(place))('tsx/cjs/api') as {
    register(): void;
  };
  if (!isRegistered) register();
  isRegistered = true; // once more would compile each file once more
  return createRequire(from)(specifier);
}
