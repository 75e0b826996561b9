/** A graph that is being written, as those see it who write the nodes of some kind. */

import type { GraphNode } from '../graph.js';
import type { Property } from '../parts.js';
import type { Origin, Writing } from '../values/Kind.js';
import type { Scope } from './facts.js';
import type { Inspector } from './Inspector.js';
import type { WrittenFunction } from './scripts.js';

/** What a capture has cost. */
export interface CaptureCost {
  readonly milliseconds: number;
  /** In bytes. */
  readonly size: number;
  /** The variable of the function that most of it is for, if it has one. */
  readonly variable: string | undefined;
}

export interface GraphOptions {
  /** Values of variables, by name, that come before what is found. */
  readonly captures: Readonly<Record<string, unknown>> | undefined;
  /** Classes that the function is to know. */
  readonly classes?: readonly Function[] | undefined;
  /** Is told the name of each variable that `captures` could give a value. */
  onVariable?(name: string): void;
  /** Whether the function stays itself, for it does not leave this thread. */
  readonly isLocal?: boolean;
  /** Whether set-up runs again in the worker. Default: true. */
  readonly setup?: boolean | undefined;
  /** Whether a value can be sent to the workers. */
  isCloneable(value: unknown): boolean;
  /** Is told when a capture took long, or is large. */
  onCostly?(cost: CaptureCost): void;
  /** Where no function is taken but a value: the error about something in it that cannot travel. */
  refusal?(path: string, what: string): Error;
}

/** `GraphWriter`, to those that it has at work. */
export interface OpenGraph extends Writing {
  readonly inspector: Inspector | undefined;
  readonly options: GraphOptions;
  readonly sourceMaps: Record<string, string>;
  /** A function travels, with the scope at the top of its file. */
  meet(written: WrittenFunction, scope: Scope | undefined): void;
  /** The node of a variable at the top of a file whose value set-up makes. */
  setupValueOf(written: WrittenFunction, name: string): GraphNode | undefined;
  /** Whether the worker has a thing, too. */
  travels(value: unknown): boolean;
  /** Whether the worker finds an object by itself, or imports it. */
  isKnown(value: unknown): boolean;
  numberOf(value: object): number | undefined;
  /** A node that is no object of the program. */
  node(key: string, make: () => GraphNode): number;
  /** Changes a node that is there. */
  update<N extends GraphNode>(number: number, change: (node: N) => N): void;
  /** The own properties of an object, without some. */
  properties(object: object, origin: Origin, isSkipped?: (key: string | symbol) => boolean): Property[];
  property(key: string | symbol, property: PropertyDescriptor, origin: Origin): Property;
  /** Values of a file's imports: each is imported, however it is reached. */
  offerImports(imports: Iterable<readonly [unknown, GraphNode]>): void;
  /** The node of an import, and of the object or function that it is. */
  imported(node: GraphNode, value: unknown): number;
  /** Has a class be copied, also where it would be imported: only its own code can fill private fields. @returns Its node. */
  copy(owner: object, origin: Origin): number;
  /** Has the code of a class fill the private fields of instances. */
  fillFieldsOf(owner: object): void;
  /** The functions that were met since this was asked for last. */
  newFunctions(): object[];
}
