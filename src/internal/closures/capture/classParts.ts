/** What functions and classes have besides their code: static members, heritage, names in brackets, and their `prototype`. */

import type { FunctionNode } from '../graph.js';
import type { ObjectParts, Property } from '../parts.js';
import type { Origin } from '../values/Kind.js';
import type { ClassShape } from './classShape.js';
import { freshName, replace, type Draft } from './draft.js';
import type { AnyFunction } from './FunctionReader.js';
import type { OpenGraph } from './openGraph.js';

export function partsOfClass(
  graph: OpenGraph,
  fn: AnyFunction,
  shape: ClassShape,
  draft: Draft,
  origin: Origin,
): ObjectParts {
  for (const { start, end, isBlock } of shape.initialisers) {
    replace(draft, { start, end }, isBlock ? '' : '0'); // its value follows
  }
  if (shape.heritage !== undefined && !shape.heritage.isNull) {
    const name = freshName(draft);
    replace(draft, shape.heritage, name);
    const parent = Object.getPrototypeOf(fn) as object;
    draft.bindings.push({ name, slot: graph.slot(parent, origin), isEager: true });
  }
  keepComputedNames(graph, fn, shape, draft, origin);
  const natural = Object.getPrototypeOf(fn) as object | null;
  const parts = graph.parts(
    fn,
    natural,
    origin,
    (key) => isOfEveryFunction(key, fn) || isMethodOf(shape, Object.getOwnPropertyDescriptor(fn, key)),
  );
  if (shape.staticPrivates.length === 0) return parts;
  const found = new Map(graph.inspector?.privatesOf(fn));
  const values = shape.staticPrivates.map((name) =>
    graph.slot(found.get(name), { ...origin, path: `${origin.path}.${name}` }),
  );
  return { ...parts, privates: [{ class: draft.number, values }] };
}

/** Names in brackets are not evaluated again; V8 may not even have kept their variables. */
function keepComputedNames(graph: OpenGraph, fn: AnyFunction, shape: ClassShape, draft: Draft, origin: Origin): void {
  const taken = { own: new Set<string | symbol>(), prototype: new Set<string | symbol>() };
  for (const { key, method, isStatic } of shape.computedMethods) {
    const holder = isStatic ? fn : (fn as { prototype: object }).prototype;
    const names = isStatic ? taken.own : taken.prototype;
    const isIt = (name: string | symbol): boolean => {
      const property = Object.getOwnPropertyDescriptor(holder, name);
      const functions: unknown[] = [property?.value, property?.get, property?.set];
      return functions.some((each) => typeof each === 'function' && Function.prototype.toString.call(each) === method);
    };
    const name = Reflect.ownKeys(holder).find((each) => !names.has(each) && isIt(each));
    if (name === undefined) continue; // it was deleted, or replaced
    names.add(name);
    const parameter = freshName(draft);
    replace(draft, key, parameter);
    draft.bindings.push({ name: parameter, slot: graph.slot(name, origin), isEager: true });
  }
}

export function prototypeOf(
  graph: OpenGraph,
  fn: AnyFunction,
  shape: ClassShape | undefined,
  origin: Origin,
): Pick<FunctionNode, 'prototype' | 'prototypeOwn' | 'prototypeProto'> {
  const property = Object.getOwnPropertyDescriptor(fn, 'prototype');
  if (property === undefined) return {};
  const prototype: unknown = property.value;
  const path = `${origin.path}.prototype`;
  if (typeof prototype !== 'object' || prototype === null)
    return { prototype: graph.slot(prototype, { ...origin, path }) };
  const inside = { ...origin, path, holder: prototype };
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (constructor !== fn) {
    const isNatural = Reflect.ownKeys(prototype).length === 0 && constructor === undefined;
    return isNatural ? {} : { prototype: graph.slot(prototype, inside) };
  }
  const own: Property[] = graph.properties(
    prototype,
    inside,
    (key) =>
      key === 'constructor' ||
      (shape !== undefined && isMethodOf(shape, Object.getOwnPropertyDescriptor(prototype, key))),
  );
  const proto = Object.getPrototypeOf(prototype) as object | null;
  return {
    ...(own.length === 0 ? {} : { prototypeOwn: own }),
    ...(shape !== undefined || proto === Object.prototype ? {} : { prototypeProto: graph.slot(proto, inside) }),
  };
}

/** Whether every function has a property of this name. */
export function isOfEveryFunction(key: string | symbol, fn?: object): boolean {
  if (key === 'name') return fn === undefined || typeof (fn as { name: unknown }).name === 'string';
  return key === 'length' || key === 'prototype' || key === 'arguments' || key === 'caller';
}

/** Whether a property is one of the methods in the text of a class. */
function isMethodOf(shape: ClassShape, property: PropertyDescriptor | undefined): boolean {
  const functions = [property?.value, property?.get, property?.set].filter((each) => typeof each === 'function');
  return functions.length > 0 && functions.every((each) => shape.methods.has(Function.prototype.toString.call(each)));
}
