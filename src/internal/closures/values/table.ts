/** The kinds of captured values, in the order in which they are tried. Functions are no such kind: see `capture/FunctionWriter.ts`. */

import { arrays } from './arrays.js';
import { binary, buffers } from './binary.js';
import { domExceptions, errors } from './errors.js';
import type { Kind, Reading } from './Kind.js';
import { leaves } from './leaves.js';
import { maps, sets } from './maps.js';
import { objects } from './objects.js';
import { prototypes } from './prototypes.js';
import { refused } from './refused.js';
import { symbols } from './symbols.js';
import { searchParams, urls } from './urls.js';
import { weakCollections } from './weakCollections.js';

const table = [
  symbols,
  weakCollections,
  refused,
  prototypes,
  arrays,
  maps,
  sets,
  errors,
  urls,
  searchParams,
  buffers,
  domExceptions,
  binary,
  leaves,
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
