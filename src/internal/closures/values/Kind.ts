/** What a kind of captured value is: how it is known, how it is written in the program, and how it is read in the worker. */

import type { ObjectParts, Slot } from '../parts.js';

export interface Kind<V, N extends { readonly type: string }> {
  /** Whether functions can be of this kind, too. */
  readonly hasFunctions?: true;
  /** Runs no code of the value's. The first kind of the table that matches has it. */
  matches(value: unknown, graph: Pick<Writing, 'isBound' | 'isCloneable' | 'hostClassOf'>): value is V;
  /** @throws UnportableFunctionError where it cannot travel. */
  write(value: V, graph: Writing, origin: Origin): N;
  /** By the type of the node. What may refer back to the value is filled in later. */
  readonly read: { readonly [T in N['type']]?: (node: Extract<N, { readonly type: T }>, graph: Reading) => unknown };
}

/** How something was reached: for messages. */
export interface Origin {
  /** The function whose variable it is, or is inside. */
  readonly owner: { readonly name: string; readonly location: string | undefined } | undefined;
  readonly variable: string | undefined;
  /** From the variable on: `config.db.socket`. */
  readonly path: string;
  /** The object whose property it is. */
  readonly holder?: object;
  /** How the function was reached whose variable it is; `undefined` for the one that is captured. */
  readonly from?: Origin | undefined;
}

/** The graph that is being written, in the program. What only the program has is asked for here, so that no worker loads it. */
export interface Writing {
  /** A value as part of a node. */
  slot(value: unknown, origin: Origin): Slot;
  /** What an object is besides its kind. */
  parts(
    object: object,
    natural: object | null,
    origin: Origin,
    isSkipped?: (key: string | symbol) => boolean,
  ): ObjectParts;
  /** Has a value travel beside the graph. @returns Its place there. */
  attach(value: unknown): number;
  /** Whether a value can be sent to the workers. */
  isCloneable(value: unknown): boolean;
  /** The class of Node's or of native code that an object is an instance of; `undefined` where it can be copied by its properties. */
  hostClassOf(object: object): HostClass | undefined;
  /** Whether it is a bound function. */
  isBound(fn: object): boolean;
  /** What V8 has inside an object, by the names that its inspector shows; `undefined` for what it does not tell. */
  internalsOf(object: object, ...names: readonly string[]): readonly unknown[];
  /** Has the methods of an object's classes be taken from these. */
  offerMethodsOf(object: unknown): void;
  /** The entries of a weak collection for the objects of the graph: they grow as these are met. */
  entriesOf(collection: WeakMap<object, unknown> | WeakSet<object>, origin: Origin): (readonly [Slot, Slot])[];
  /** @throws UnportableFunctionError that says what cannot travel, and whose it is. */
  fail(origin: Origin, what: string): never;
}

export interface HostClass {
  readonly name: string | undefined;
  /** Whether it is the object's own class, not one that this extends. */
  readonly isOwn: boolean;
}

/** The graph that is being read, in a worker. */
export interface Reading {
  valueOf(slot: Slot): unknown;
  attachment(at: number): unknown;
  /** An object as it begins: made by `make`, or by the constructors of its classes where these have private fields. */
  fresh<T extends object>(parts: ObjectParts, make: () => T): T;
  /** Gives an object its prototype now and its properties later. */
  finish<T extends object>(object: T, parts: ObjectParts): T;
  /** Does something when all objects exist. */
  later(step: () => void): void;
}
