/** What the flags of the program have a process load before anything else. */

import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { importModule } from '../../closures/importModule.js';
import { tellSourceMaps } from '../../closures/sourceMaps.js';
import type { Preloads } from './serverMessages.js';

/** Loads it in Node's order. A copy does so by itself, for it may start threads, which a copy would lack. */
export async function preload(preloads: Preloads): Promise<void> {
  let from = '/_';
  try {
    from = `${process.cwd()}/_`;
  } catch {
    // It has been deleted: nothing can be meant to be there.
  }
  for (const name of preloads.require) createRequire(from)(name);
  for (const name of preloads.loader) register(name, pathToFileURL(from));
  for (const name of preloads.import) await importModule(from, name);
  tellSourceMaps(); // a template has compiled functions before
}
