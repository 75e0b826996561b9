/** The values of private fields of an object, for each of its classes that has some. */

import type { ObjectParts, PrivateFields } from '../parts.js';
import type { Origin } from '../values/Kind.js';
import { builtinName } from './builtins.js';
import type { FunctionReader } from './FunctionReader.js';
import { classesOf } from './objects.js';
import type { OpenGraph } from './openGraph.js';

export function privatesOf(
  object: object,
  graph: OpenGraph,
  reader: FunctionReader,
  origin: Origin,
): Pick<ObjectParts, 'privates'> {
  const proto = Object.getPrototypeOf(object) as object | null;
  if (typeof object === 'function' || proto === null || builtinName(proto) !== undefined) return {};
  // From the base down, in the order in which constructors have added them: names may be the same.
  const owners = classesOf(proto)
    .reverse()
    .filter((owner) => !reader.isOfNode(owner));
  for (const owner of owners) if (reader.usesStorages(owner, origin)) graph.copy(owner, origin);
  if (!owners.some((owner) => reader.classOf(owner, origin)?.hasPrivates)) return {};
  if (graph.inspector === undefined) graph.fail(origin, 'an object with private fields, which need an inspector');
  const found = graph.inspector.privatesOf(object);
  const take = (name: string): unknown => {
    const at = found.findIndex((each) => each[0] === name);
    return at < 0 ? undefined : found.splice(at, 1)[0]?.[1];
  };
  const privates: PrivateFields[] = [];
  for (const owner of owners) {
    const shape = reader.classOf(owner, origin);
    if (shape === undefined) continue;
    shape.privateMethods.forEach(take);
    const values = shape.privates.map((name) => graph.slot(take(name), { ...origin, path: `${origin.path}.${name}` }));
    privates.push({ class: graph.copy(owner, origin), values });
    graph.fillFieldsOf(owner);
  }
  return privates.length === 0 ? {} : { privates };
}
