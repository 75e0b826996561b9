/** Modules imported in a worker as from the file of a function. */

import { isBuiltin } from 'node:module';
import { compile } from './compile.js';
import { loadTypeScript, requireTypeScript } from './typescript.js';

/**
 * Imports what `specifier` means in the file `from`.
 *
 * @param from A `file:` URL or a path; of anything else, the working directory counts.
 */
export async function importModule(
  from: string,
  specifier: string,
  attributes?: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>> {
  const load = compile('return import(specifier, options)', ['specifier', 'options'], { filename: from });
  if (!isBuiltin(specifier)) await loadTypeScript();
  try {
    return (await load(specifier, attributes === undefined ? undefined : { with: attributes })) as Record<
      string,
      unknown
    >;
  } catch (error) {
    const isRelative = /^\.{0,2}\//.test(specifier);
    const required = isRelative ? requireTypeScript(from, specifier, error) : undefined;
    if (required === undefined) throw error;
    return required as Record<string, unknown>;
  }
}
