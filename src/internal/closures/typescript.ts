/**
 * TypeScript in threads, where the program is run by tsx.
 *
 * With Node 20 and some versions of 22, tsx begins to load TypeScript in the program only, and in no thread of it. So where a
 * function imports something in a thread, it is seen whether tsx is at work there; else it is told to begin, by the doors that it has for
 * programs: one for `import`, one for `require`.
 */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { compile } from './compile.js';
import { pathOfFile } from './filePath.js';

let beginning: Promise<void> | undefined;

/** Has tsx load what is imported from now on, where it is to and does not. Takes some 100 ms, once in a thread. */
export function loadTypeScript(): Promise<void> | undefined {
  if (isMainThread) return undefined; // tsx sees to that itself
  const { ofImport } = loaderFlags();
  if (ofImport === undefined) return undefined;
  return (beginning ??= isAtWork().then((is) => (is ? undefined : begin(ofImport))));
}

async function begin(loader: string): Promise<void> {
  // By `import`: what tsx has here for `require` does not find its own files.
  const load = compile("return import('tsx/esm/api')", [], { filename: placeOf(loader) });
  ((await load()) as { register(): unknown }).register();
}

/** Whether TypeScript can be imported. For tsx, anything that ends with `.ts` is TypeScript. */
async function isAtWork(): Promise<boolean> {
  const load = compile("return import('data:text/javascript,let is: unknown //.ts')", [], { filename: '' });
  try {
    await load();
    return true;
  } catch {
    return false;
  }
}

let isRequired = false;

/**
 * Has tsx load what is required from now on, where it is to and does not.
 *
 * @param error With which loading something has failed.
 * @returns Whether it may work now.
 */
export function registerTypeScript(error: unknown): boolean {
  if (!isAboutFiles(error)) return false;
  const { ofRequire, ofImport } = loaderFlags();
  const loader = ofRequire ?? ofImport;
  if (loader === undefined) return false;
  if (isRequired) return true; // once more would compile each file once more
  isRequired = true;
  const require = createRequire(placeOf(loader));
  (require('tsx/cjs/api') as { register(): void }).register();
  return true;
}

/**
 * Where tsx is only to load what is required: the exports of the module that `specifier` is in the file `from`, whose import has
 * failed with `error`; `undefined` where that is not about TypeScript.
 *
 * @throws what the module throws.
 */
export function requireTypeScript(from: string, specifier: string, error: unknown): unknown {
  if (loaderFlags().ofImport !== undefined) return undefined;
  return registerTypeScript(error) ? createRequire(pathOfFile(from))(specifier) : undefined;
}

const codes: ReadonlySet<unknown> = new Set(['ERR_UNKNOWN_FILE_EXTENSION', 'ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

function isAboutFiles(error: unknown): boolean {
  return codes.has((error as { readonly code?: unknown } | null)?.code);
}

/** What the program was told to load tsx by: as a whole, or for `require` alone. */
function loaderFlags(): { readonly ofImport: string | undefined; readonly ofRequire: string | undefined } {
  const flags = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/[\s"=]+/)];
  const loaders = flags.filter((argument) => /\btsx\b/.test(argument));
  const isOfRequire = (flag: string): boolean => /\/cjs\b/.test(flag);
  return { ofImport: loaders.find((flag) => !isOfRequire(flag)), ofRequire: loaders.find(isOfRequire) };
}

/** From where the tsx is found that a flag means. */
function placeOf(loader: string): string {
  const place = /(?:file:|\/).*$/.exec(loader)?.[0] ?? `${process.cwd()}/_`;
  return place.startsWith('file:') ? place : pathToFileURL(place).href;
}
