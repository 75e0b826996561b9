/** A graph that is being written, as those see it who write the nodes of some kind. */

import type { GraphNode, ObjectParts, Property, Slot } from '../graph.js';
import type { Inspector } from './Inspector.js';

/** How something was reached: for messages. */
export interface Origin {
  /** The function whose variable it is, or is inside of. */
  readonly owner: { readonly name: string; readonly location: string | undefined } | undefined;
  readonly variable: string | undefined;
  /** From the variable on: `config.db.socket`. */
  readonly path: string;
  /** The object whose property it is. */
  readonly holder?: object;
}

export interface GraphOptions {
  /** Values of variables, by name, that come before what is found. */
  readonly captures: Readonly<Record<string, unknown>> | undefined;
  /** Classes that the function is to know. */
  readonly classes?: readonly Function[] | undefined;
  /** Whether the function stays itself, for it does not leave this thread. */
  readonly isLocal?: boolean;
  /** Whether a value can be sent to the workers. */
  isCloneable(value: unknown): boolean;
  /** Where no function is taken but a value: the error about something in it that cannot travel. */
  refusal?(path: string, what: string): Error;
}

/** `GraphWriter`, to those that it has at work. */
export interface OpenGraph {
  readonly inspector: Inspector | undefined;
  readonly options: GraphOptions;
  readonly sourceMaps: Record<string, string>;
  /** A value as part of a node. */
  slot(value: unknown, origin: Origin): Slot;
  numberOf(value: object): number | undefined;
  /** A node that is no object of the program. */
  node(key: string, make: () => GraphNode): number;
  /** Changes a node that is there. */
  update<N extends GraphNode>(number: number, change: (node: N) => N): void;
  /** What an object is besides its kind. */
  parts(
    object: object,
    natural: object | null,
    origin: Origin,
    isSkipped?: (key: string | symbol) => boolean,
  ): ObjectParts;
  /** The own properties of an object, without some. */
  properties(object: object, origin: Origin, isSkipped?: (key: string | symbol) => boolean): Property[];
  property(key: string | symbol, property: PropertyDescriptor, origin: Origin): Property;
  /** Values of a file's imports: whichever way one of them is reached, it is imported. */
  offerImports(imports: Iterable<readonly [unknown, GraphNode]>): void;
  /** The node of an import, and of the object or function that it is. */
  imported(node: GraphNode, value: unknown): number;
  /** The functions that were met so far and are no nodes yet. */
  waitingFunctions(): object[];
  /** @throws UnportableFunctionError that says what cannot travel, and whose it is. */
  fail(origin: Origin, what: string): never;
}
