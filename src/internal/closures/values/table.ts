/**
 * The kinds of captured values, in the order in which they are tried. Of functions only those that have no text of their own are such a
 * kind: see `capture/FunctionWriter.ts` for the others.
 */

import { argumentLists, arrays } from './arrays.js';
import { binary, buffers } from './binary.js';
import { boundFunctions } from './bound.js';
import { channels, tracingChannels } from './channels.js';
import { storages } from './contexts.js';
import { domExceptions, errors } from './errors.js';
import { formatters, locales } from './intl.js';
import { keys } from './keys.js';
import type { Kind, Reading } from './Kind.js';
import { leaves } from './leaves.js';
import { maps, sets } from './maps.js';
import { objects } from './objects.js';
import { promises } from './promises.js';
import { prototypes } from './prototypes.js';
import { proxies } from './proxies.js';
import { refused } from './refused.js';
import { boxedSymbols, symbols } from './symbols.js';
import { decoders, encoders } from './texts.js';
import { searchParams, urls } from './urls.js';
import { weakCollections } from './weakCollections.js';
import { weakRefs } from './weakRefs.js';
import { abortControllers, abortSignals, forms, headers } from './web.js';

const table = [
  symbols,
  proxies,
  boundFunctions,
  weakCollections,
  weakRefs,
  promises,
  refused,
  prototypes,
  arrays,
  argumentLists,
  maps,
  sets,
  domExceptions, // native errors as well, for some versions of Node
  errors,
  urls,
  searchParams,
  buffers,
  binary,
  leaves,
  boxedSymbols,
  formatters,
  locales,
  encoders,
  decoders,
  storages,
  channels,
  tracingChannels,
  headers,
  forms,
  abortSignals,
  abortControllers,
  keys,
  objects,
] as const;

/** The node of a captured value. */
export type ValueNode = ReturnType<(typeof table)[number]['write']>;

/** All kinds. */
export const kinds = table as readonly unknown[] as readonly Kind<unknown, ValueNode>[];

/** What reads a node, by its type; `undefined` for one of a type that no kind has. */
export const readers = Object.assign({ __proto__: null }, ...kinds.map(({ read }) => read)) as Readonly<
  Record<string, ((node: never, graph: Reading) => unknown) | undefined>
>;
