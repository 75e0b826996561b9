/** What the nodes of a graph are made of: see `graph.ts`. */

/** A value: the number of its node, or, in an array of one, data that structured clone carries without loss. */
export type Slot = number | readonly [unknown];

/** A property: its key (of a symbol, the node), flags, and its value, or its getter and setter. */
export type Property = readonly [key: string | number, flags: number, value: Slot, setter?: Slot];

/** Flags of a property. */
export const Writable = 1;
export const Enumerable = 2;
export const Configurable = 4;
export const Accessor = 8;

/** How far an object was closed to changes. */
export const Guard = { none: 0, preventExtensions: 1, seal: 2, freeze: 3 } as const;
export type Guard = (typeof Guard)[keyof typeof Guard];

/** What every object has besides what it is. */
export interface ObjectParts {
  /** Its prototype, where it is not that which such an object has anyway. */
  readonly proto?: Slot | undefined;
  readonly own?: readonly Property[] | undefined;
  readonly guard?: Guard | undefined;
  /** Values of private fields, each with the class that they belong to. */
  readonly privates?: readonly PrivateFields[] | undefined;
}

export interface PrivateFields {
  readonly class: number;
  /** In the order of the text of the class. */
  readonly values: readonly Slot[];
}

/** Something that exists in the worker, too, and is found by its name. */
export interface NamedNode {
  readonly type: 'named';
  /** A module of Node's, or `%` for what the language has no names for; otherwise the path begins at the global object. */
  readonly module?: string | undefined;
  readonly path: readonly string[];
}
