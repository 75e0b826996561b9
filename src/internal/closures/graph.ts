/**
 * The form in which a function travels with all that it captures: a graph of nodes, in which what is one object stays one,
 * and circles are allowed. `capture/` makes it, `revive/` makes a function of it again; structured clone carries it.
 */

/** A value: the number of its node, or, in an array of one, what structured clone carries faithfully by itself. */
export type Slot = number | readonly [unknown];

/** A property: its key (of a symbol, the node), flags, and its value, or its getter and setter. */
export type Property = readonly [key: string | number, flags: number, value: Slot, setter?: Slot];

/** Flags of a property. */
export const Writable = 1;
export const Enumerable = 2;
export const Configurable = 4;
export const Accessor = 8;
/** What a property is unless somebody has said otherwise. */
export const Plain = Writable | Enumerable | Configurable;

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

export interface SymbolNode {
  readonly type: 'symbol';
  readonly key?: string | undefined;
  readonly description?: string | undefined;
}

export interface ObjectNode extends ObjectParts {
  readonly type: 'object';
}

export interface ArrayNode extends ObjectParts {
  readonly type: 'array';
  readonly length: number;
}

export interface MapNode extends ObjectParts {
  readonly type: 'map';
  readonly entries: readonly (readonly [Slot, Slot])[];
}

export interface SetNode extends ObjectParts {
  readonly type: 'set';
  readonly values: readonly Slot[];
}

/** A date, a typed array or the like, with more to it than structured clone carries. */
export interface LeafNode extends ObjectParts {
  readonly type: 'leaf';
  readonly value: unknown;
}

/** A view of shared memory. */
export interface ViewNode extends ObjectParts {
  readonly type: 'view';
  /** The name of its class. */
  readonly class: string;
  readonly memory: Slot;
  readonly byteOffset: number;
  readonly length: number;
}

export interface BufferNode extends ObjectParts {
  readonly type: 'buffer';
  readonly bytes: Uint8Array;
}

export interface ErrorNode extends ObjectParts {
  readonly type: 'error';
  /** The name of a `DOMException`, whose message it has from its constructor. */
  readonly domName?: string | undefined;
  readonly message?: string | undefined;
}

export interface UrlNode extends ObjectParts {
  readonly type: 'url' | 'searchParams';
  readonly text: string;
}

/** What only structured clone between threads can carry: it travels beside the graph. */
export interface AttachmentNode {
  readonly type: 'attachment';
  readonly at: number;
}

/** The `prototype` of a function or class of the graph. */
export interface PrototypeNode {
  readonly type: 'prototype';
  readonly of: number;
}

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

/** A weak collection, with what it has of the objects of the graph: nobody can ask for more of it. */
export interface WeakMapNode {
  readonly type: 'weakMap';
  readonly entries: readonly (readonly [key: Slot, value: Slot])[];
}

export interface WeakSetNode {
  readonly type: 'weakSet';
  readonly values: readonly Slot[];
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
  | SymbolNode
  | ObjectNode
  | ArrayNode
  | MapNode
  | SetNode
  | LeafNode
  | ViewNode
  | BufferNode
  | ErrorNode
  | UrlNode
  | AttachmentNode
  | PrototypeNode
  | ImportNode
  | RequireNode
  | FileNode
  | CellNode
  | FillingNode
  | WeakMapNode
  | WeakSetNode
  | FunctionNode;

/** A graph. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly root: Slot;
  /** The classes in it, which a worker and the program both have; `undefined` where there are none. */
  readonly classes?: readonly Slot[] | undefined;
  /** The source maps of the files, by file, where Node maps stacks. */
  readonly sourceMaps: Readonly<Record<string, string>>;
}

/** What names of our own begin with, in code that travels: nobody else's do. */
export const ownName = '$rxjsParallelMap';

/** The static method that a class is given so that private fields can be filled, of itself and of its instances. */
export const fillName = '$rxjsParallelMapFill';
