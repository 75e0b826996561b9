/**
 * TypeScript modules in threads of Node 20 under tsx.
 *
 * There the hooks of tsx do not reach `import` in a thread, and it loads nothing into threads by itself. Its other door, for
 * `require`, works: so a module that cannot be imported for its ending is required through that.
 */

import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The module's exports; `undefined` where this is not about tsx. @throws what the module throws. */
export function requireThroughTsx(url: string, error: unknown): unknown {
  if ((error as { code?: unknown } | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') return undefined;
  const loader = process.execArgv.find((argument) => /\btsx\b/.test(argument));
  if (loader === undefined) return undefined;
  const place = /(?:file:|\/).*$/.exec(loader)?.[0] ?? `${process.cwd()}/`;
  const { register } = createRequire(place.startsWith('file:') ? place : pathToFileURL(place))('tsx/cjs/api') as {
    register(): void;
  };
  register();
  return createRequire(url)(fileURLToPath(url));
}
