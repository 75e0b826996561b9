/**
 * The form in which a function travels with all that it captures: a graph of nodes, in which what is one object stays one,
 * and circles are allowed. `capture/` writes it, `revive.ts` makes a function of it again, and structured clone carries it. The nodes of
 * values are in `values/`, each beside what writes and reads it.
 */

import type { NamedNode, ObjectParts, Property, Slot } from './parts.js';
import type { ValueNode } from './values/table.js';

/** A name that the file of a function has imported. */
export interface ImportNode {
  readonly type: 'import';
  readonly from: string;
  readonly specifier: string;
  /** An export, or `*` for the namespace. */
  readonly name: string;
  /** What it is of that export, where that is a namespace itself. */
  readonly member?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** A name that a CommonJS file has by `require`. */
export interface RequireNode {
  readonly type: 'require';
  readonly from: string;
  readonly code: string;
  readonly name: string;
}

/** `require`, `module` or `import.meta` of a file. */
export interface FileNode {
  readonly type: 'requireFunction' | 'moduleObject' | 'importMeta';
  readonly from: string;
}

/** A variable that several functions share and some of them change: an object with the value as `v`. */
export interface CellNode {
  readonly type: 'cell';
  readonly value: Slot;
}

/** An object whose `on` says whether constructors are only to make the fields of an instance. */
export interface FillingNode {
  readonly type: 'filling';
}

/** A function that `perWorker` has made. */
export interface PerWorkerNode {
  readonly type: 'perWorker';
  readonly id: string;
  readonly make: Slot;
}

/** A method, or an accessor's function, of a class or its `prototype`. */
export interface MemberNode {
  readonly type: 'member';
  readonly of: Slot;
  /** The slot of a name or symbol. */
  readonly key: Slot;
  readonly part: 'value' | 'get' | 'set';
}

export interface FunctionNode extends ObjectParts {
  readonly type: 'function';
  readonly form: 'expression' | 'method';
  readonly code: string;
  readonly isStrict: boolean;
  readonly name: string;
  readonly length: number;
  /** The file, as V8 calls it: a URL, a path, or something else. */
  readonly file: string;
  /** Where the code begins, counted from 0. */
  readonly line: number;
  readonly column: number;
  /** The variables of the surroundings, and their values. */
  readonly parameters: readonly string[];
  readonly bindings: readonly Slot[];
  /** How many of them, counted from the first, are needed when the function is made. */
  readonly eager: number;
  /** Its `prototype`, where that is no object of its own making. */
  readonly prototype?: Slot | undefined;
  /** What was put on its `prototype`, and the prototype of that. */
  readonly prototypeOwn?: readonly Property[] | undefined;
  readonly prototypeProto?: Slot | undefined;
  /** The prototype of the object whose method it is: where `super` looks. */
  readonly home?: Slot | undefined;
}

export type GraphNode =
  | NamedNode
  | ImportNode
  | RequireNode
  | FileNode
  | CellNode
  | FillingNode
  | PerWorkerNode
  | SetupValueNode
  | MemberNode
  | FunctionNode
  | ValueNode;

/** A package that a file imports for its effects. */
export interface BareImport {
  readonly specifier: string;
  readonly isRequire: boolean;
}

/** Statements at the top of a file that run again in the worker: see `setup/`. No value of the graph, but beside them. */
export interface SetupNode {
  readonly type: 'setup';
  readonly file: string;
  readonly isModule: boolean;
  readonly isStrict: boolean;
  readonly line: number;
  readonly bare: readonly BareImport[];
  readonly code: string;
  /** The variables whose values are wanted. */
  readonly names: readonly string[];
  readonly parameters: readonly string[];
  readonly bindings: readonly Slot[];
  /** What would configure something and does not run. */
  readonly skipped: readonly string[];
}

/** The value of a variable that set-up makes. */
export interface SetupValueNode {
  readonly type: 'setupValue';
  readonly file: string;
  readonly name: string;
}

/** A graph. */
export interface Graph {
  /** The set-up of the files, where there is any. */
  readonly setups?: readonly SetupNode[] | undefined;
  readonly nodes: readonly GraphNode[];
  readonly root: Slot;
  /** The classes in it, which a worker and the program both have; `undefined` where there are none. */
  readonly classes?: readonly Slot[] | undefined;
  /** Their names on both sides: see `classNames.ts`. */
  readonly classNames?: readonly string[] | undefined;
  /** The source maps of the files, by file, where Node maps stacks. */
  readonly sourceMaps: Readonly<Record<string, string>>;
}

/** The prefix of our own names in code that travels. No other name has it. */
export const ownName = '$rxjsParallelMap';

/** The functions around statements of set-up: one that runs it once in a worker, and one that keeps the members of classes as they are. */
export const onceName = `${ownName}Once`;
export const keepName = `${ownName}Keep`;

/** The static method that a class is given so that private fields can be filled, of itself and of its instances. */
export const fillName = '$rxjsParallelMapFill';
