/**
 * A function, and all that it captures, turned into a graph.
 *
 * The way goes breadth first, from the function to the variables that it uses, to what these hold, to the functions among that
 * and their variables. Each object becomes one node, however often it is met. Data without classes and functions in it is left to
 * structured clone as a whole, which is far faster.
 */

import { types } from 'node:util';
import { UnportableFunctionError } from '../../../errors.js';
import { Accessor, Configurable, Enumerable, Guard, Writable } from '../graph.js';
import type { Graph, GraphNode, ObjectParts, PrivateFields, Property, Slot, ViewNode } from '../graph.js';
import { originOf } from '../origins.js';
import { builtinName, isNative, isPlainPrototype } from './builtins.js';
import { FunctionWriter } from './FunctionWriter.js';
import type { Inspector } from './Inspector.js';
import { anInstanceOf, isThing, whyUnportable } from './kinds.js';
import {
  accessTo,
  classesOf,
  constructorName,
  guardOf,
  isForeignBuiltin,
  isForeignTwin,
  isHostCloneable,
  isIndex,
  isInternalSymbol,
  isSharedView,
  leafPrototype,
  plainLeaf,
  prototypeOwner,
  requireFunction,
  tagOf,
} from './objects.js';
import { packageExports } from './packages.js';
import { isPlainData } from './plainData.js';
import type { GraphOptions, OpenGraph, Origin } from './openGraph.js';
import { isStorage, Storages } from './storages.js';

/** A typed array with more elements than this has no properties besides. */
const MOST_LISTED = 10_000;

/** A node to be made. */
interface Task {
  readonly value: unknown;
  run(): void;
}

/** What a capture gives. */
export interface WrittenGraph {
  readonly graph: Graph;
  /** What has to travel beside the graph. */
  readonly attachments: readonly unknown[];
  /** The classes in it, in the order in which the graph names them. */
  readonly classes: readonly Function[];
  /** Whether it will be the same at any time. */
  readonly isConstant: boolean;
}

export class GraphWriter implements OpenGraph {
  readonly inspector: Inspector | undefined;
  readonly options: GraphOptions;
  readonly sourceMaps: Record<string, string> = {};
  readonly #nodes: (GraphNode | undefined)[] = [];
  readonly #numbers = new Map<unknown, number>();
  /** Nodes that are no objects of the program, by a text that says all of them. */
  readonly #shared = new Map<string, number>();
  readonly #imports = new Map<object, GraphNode>();
  readonly #copied = new Set<object>();
  /** What travels as it is. */
  readonly #plain = new Set<object>();
  readonly #attachments: unknown[] = [];
  readonly #packageExport = packageExports();
  readonly #objects: Task[] = [];
  /** Functions come after objects, so that many are known when the inspector is asked. */
  readonly #waiting: Task[] = [];
  /** How many of them are nodes already. */
  #made = 0;
  /** The same of the objects. */
  #taken = 0;
  readonly #storages: Storages;
  readonly #functions: FunctionWriter;

  constructor(inspector: Inspector | undefined, options: GraphOptions) {
    this.inspector = inspector;
    this.options = options;
    this.#storages = new Storages(this);
    this.#functions = new FunctionWriter(this, this.#storages);
  }

  /** @throws UnportableFunctionError where something cannot travel. */
  run(root: unknown): WrittenGraph {
    const slot = this.slot(root, { owner: undefined, variable: undefined, path: '' });
    this.#drain();
    // After the function, whose file may import them.
    this.options.classes?.forEach((each, i) => {
      this.slot(each, { owner: undefined, variable: undefined, path: `classes[${i}] (class ${each.name})` });
    });
    this.#drain();
    this.#storages.refuseOthers();
    this.#functions.finish();
    const known = [...this.#numbers].filter(([value, number]) => isKnownClass(value, this.#nodes[number]));
    return {
      graph: {
        nodes: this.#nodes as GraphNode[],
        root: slot,
        sourceMaps: this.sourceMaps,
        ...(known.length === 0 ? {} : { classes: known.map(([, number]) => number) }),
      },
      attachments: this.#attachments,
      classes: known.map(([value]) => value as Function),
      isConstant: this.#nodes.every((node, i) => (i === 0 ? this.#functions.isConstant : isImport(node as GraphNode))),
    };
  }

  /** Makes the nodes that wait. Queued rather than called, for what hangs on each other may be longer than the stack is high. */
  #drain(): void {
    do {
      while (this.#taken < this.#objects.length || this.#made < this.#waiting.length) {
        const next = this.#taken < this.#objects.length ? this.#objects[this.#taken++] : this.#waiting[this.#made++];
        next?.run();
      }
    } while (this.#storages.fill([...this.#numbers.keys()]));
  }

  slot(value: unknown, origin: Origin): Slot {
    if (typeof value !== 'symbol' && !isThing(value)) return [value];
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const imported = this.#imports.get(value as object);
    if (imported !== undefined) return this.imported(imported, value);
    if (typeof value === 'object' && this.#isPlain(value)) return [value];
    return this.#add(value, () => this.#nodeOf(value, origin));
  }

  offerImports(imports: Iterable<readonly [unknown, GraphNode]>): void {
    for (const [value, node] of imports) {
      if (isThing(value) && !this.#imports.has(value)) this.#imports.set(value, node);
    }
  }

  imported(node: GraphNode, value: unknown): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const number = this.node(JSON.stringify(node), () => node);
    if (isThing(value)) this.#numbers.set(value, number);
    return number;
  }

  node(key: string, make: () => GraphNode): number {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const number = this.#nodes.push(undefined) - 1;
    this.#shared.set(key, number);
    this.#nodes[number] = make();
    return number;
  }

  update<N extends GraphNode>(number: number, change: (node: N) => N): void {
    this.#nodes[number] = change(this.#nodes[number] as N);
  }

  waitingFunctions(): object[] {
    const waiting = this.#waiting.slice(this.#made).map(({ value }) => value as object);
    return waiting.filter((fn) => !types.isProxy(fn));
  }

  numberOf(value: object): number | undefined {
    return this.#numbers.get(value);
  }

  fail(origin: Origin, what: string): never {
    const { owner, variable, path } = origin;
    if (owner === undefined && this.options.refusal !== undefined) throw this.options.refusal(path, what);
    throw new UnportableFunctionError({
      functionName: owner?.name ?? 'anonymous',
      location: owner?.location,
      variable,
      reason: path === '' || path === variable ? `it is ${what}` : `${path} is ${what}`,
    });
  }

  properties(object: object, origin: Origin, isSkipped: (key: string | symbol) => boolean = () => false): Property[] {
    const properties: Property[] = [];
    const inside = { ...origin, holder: object };
    // Listing millions of elements, to skip them, would cost more than all the rest, and has a limit.
    const isLarge = types.isTypedArray(object) && object.length > MOST_LISTED;
    for (const key of isLarge ? Object.getOwnPropertySymbols(object) : Reflect.ownKeys(object)) {
      if (isSkipped(key)) continue;
      const property = Object.getOwnPropertyDescriptor(object, key);
      if (property !== undefined) properties.push(this.property(key, property, inside));
    }
    return properties;
  }

  property(key: string | symbol, property: PropertyDescriptor, origin: Origin): Property {
    const inside = { ...origin, path: accessTo(origin.path, key) };
    const name = typeof key === 'string' ? key : (this.slot(key, inside) as number);
    const flags = (property.enumerable === true ? Enumerable : 0) | (property.configurable === true ? Configurable : 0);
    if (property.get !== undefined || property.set !== undefined) {
      return [name, flags | Accessor, this.slot(property.get, inside), this.slot(property.set, inside)];
    }
    return [name, flags | (property.writable === true ? Writable : 0), this.slot(property.value, inside)];
  }

  parts(
    object: object,
    natural: object | null,
    origin: Origin,
    isSkipped: (key: string | symbol) => boolean = () => false,
  ): ObjectParts {
    const proto = Object.getPrototypeOf(object) as object | null;
    const own = this.properties(object, origin, isSkipped);
    const guard = guardOf(object);
    return {
      ...(proto === natural || isForeignTwin(proto, natural) ? {} : { proto: this.prototype(proto, origin) }),
      ...(own.length === 0 ? {} : { own }),
      ...(guard === Guard.none ? {} : { guard }),
      ...this.#privatesOf(object, proto, origin),
    };
  }

  /** A prototype. It is one that can be had in the worker: of a class of the program's, or of an allowed one of Node's. */
  prototype(proto: object | null, origin: Origin): Slot {
    if (proto === null) return [null];
    const builtin = builtinName(proto);
    if (builtin !== undefined) return this.slot(proto, origin);
    const { constructor } = proto as { constructor?: unknown };
    if (Object.hasOwn(proto, 'constructor') && typeof constructor === 'function' && isNative(constructor)) {
      this.fail(origin, anInstanceOf(constructor.name));
    }
    return this.slot(proto, origin);
  }

  #add(value: unknown, make: () => GraphNode): number {
    const number = this.#nodes.push(undefined) - 1;
    this.#numbers.set(value, number);
    const queue = typeof value === 'function' ? this.#waiting : this.#objects;
    queue.push({ value, run: () => (this.#nodes[number] = make()) });
    return number;
  }

  #isPlain(value: object): boolean {
    return (
      this.#plain.has(value) ||
      isPlainData(
        value,
        this.#plain,
        (each) =>
          this.#numbers.has(each) ||
          this.#imports.has(each) ||
          originOf(each) !== undefined ||
          this.#packageExport(each) !== undefined,
      )
    );
  }

  #nodeOf(value: unknown, origin: Origin): GraphNode {
    if (typeof value === 'symbol') return symbolNode(value);
    const object = value as object;
    if (types.isProxy(object)) this.fail(origin, whyUnportable(object) as string);
    const builtin = builtinName(object);
    if (builtin !== undefined) return { type: 'named', ...builtin };
    const required = this.#copied.has(object)
      ? undefined
      : (originOf(object) ?? requireFunction(object) ?? this.#packageExport(object));
    if (required !== undefined) return required;
    if (typeof object === 'function') return this.#functions.nodeOf(object as (...args: never[]) => unknown, origin);
    return this.#objectNode(object, origin);
  }

  #objectNode(object: object, origin: Origin): GraphNode {
    if (isStorage(object)) return this.#storages.nodeOf(object, origin);
    const why = whyUnportable(object);
    if (why !== undefined) return namespaceOfNode(object) ?? this.fail(origin, why);
    const owner = prototypeOwner(object);
    if (owner !== undefined) return { type: 'prototype', of: this.slot(owner, origin) as number };

    if (Array.isArray(object)) return this.#arrayNode(object, origin);
    if (types.isMap(object)) {
      const entries = [...Map.prototype.entries.call(object)].map(
        ([key, value]: [unknown, unknown], i) =>
          [
            this.slot(key, { ...origin, path: `${origin.path}.keys()[${i}]` }),
            this.slot(value, { ...origin, path: `${origin.path}.values()[${i}]` }),
          ] as const,
      );
      return { type: 'map', entries, ...this.parts(object, Map.prototype, origin) };
    }
    if (types.isSet(object)) {
      const values = [...Set.prototype.values.call(object)].map((value: unknown, i) =>
        this.slot(value, { ...origin, path: `${origin.path}.values()[${i}]` }),
      );
      return { type: 'set', values, ...this.parts(object, Set.prototype, origin) };
    }
    if (types.isNativeError(object)) return this.#errorNode(object, origin);
    if (object instanceof URL) return { type: 'url', text: object.href, ...this.parts(object, URL.prototype, origin) };
    if (object instanceof URLSearchParams) {
      return {
        type: 'searchParams',
        text: object.toString(),
        ...this.parts(object, URLSearchParams.prototype, origin, isInternalSymbol),
      };
    }
    if (Buffer.isBuffer(object)) {
      const parts = this.parts(object, Buffer.prototype, origin, isIndex);
      if (isSharedView(object)) return { ...this.#viewNode(object, 'Buffer', origin), ...parts };
      return { type: 'buffer', bytes: new Uint8Array(object.buffer, object.byteOffset, object.length), ...parts };
    }
    if (Object.prototype.toString.call(object) === '[object DOMException]') {
      const { name, message, stack } = object as DOMException;
      const own: Property = ['stack', Writable | Configurable, [String(stack)]];
      return { type: 'error', domName: name, message, own: [own] };
    }
    const leaf = leafPrototype(object);
    if (leaf !== undefined) {
      const value = plainLeaf(object);
      if (!this.options.isCloneable(value)) {
        const memory = ArrayBuffer.isView(object) ? object.buffer : object;
        this.fail(origin, `${anInstanceOf(tagOf(memory))}, which cannot be sent to a worker of this start method`);
      }
      if (types.isSharedArrayBuffer(object)) return { type: 'attachment', at: this.#attachments.push(object) - 1 };
      const parts = this.parts(object, leaf, origin, isIndex);
      if (isSharedView(object)) return { ...this.#viewNode(object, leaf.constructor.name, origin), ...parts };
      return { type: 'leaf', value, ...parts };
    }
    return this.#plainObjectNode(object, origin);
  }

  #arrayNode(array: readonly unknown[], origin: Origin): GraphNode {
    return {
      type: 'array',
      length: array.length,
      ...this.parts(array, Array.prototype, origin, (key) => key === 'length'),
    };
  }

  #viewNode(view: object, name: string, origin: Origin): ViewNode {
    const { buffer, byteOffset, byteLength, length = byteLength } = view as ArrayBufferView & { length?: number };
    return { type: 'view', class: name, memory: this.slot(buffer, origin), byteOffset, length };
  }

  #errorNode(error: Error, origin: Origin): GraphNode {
    const { own = [], ...parts } = this.parts(error, Error.prototype, origin, (key) => key === 'stack');
    // In newer versions of V8 it is a pair of native functions.
    const stack: Property = ['stack', Writable | Configurable, [String(error.stack)]];
    return { type: 'error', ...parts, own: Object.hasOwn(error, 'stack') ? [stack, ...own] : own };
  }

  #plainObjectNode(object: object, origin: Origin): GraphNode {
    for (
      let at = Object.getPrototypeOf(object) as object | null;
      at !== null;
      at = Object.getPrototypeOf(at) as object
    ) {
      const builtin = builtinName(at);
      const name = constructorName(at);
      if (builtin === undefined && !isForeignBuiltin(at) && !this.#isOfNode(at)) continue;
      if (builtin === undefined ? name === 'Object' : isPlainPrototype(builtin)) continue;
      // Some of Node's objects pass between threads, with what they are.
      if (at === Object.getPrototypeOf(object) && this.options.isCloneable(object) && isHostCloneable(object)) {
        return { type: 'attachment', at: this.#attachments.push(object) - 1 };
      }
      this.fail(origin, `${anInstanceOf(name ?? tagOf(object))}, which lives only here`);
    }
    return { type: 'object', ...this.parts(object, Object.prototype, origin) };
  }

  /** Whether a prototype belongs to a class inside of Node. */
  #isOfNode(proto: object): boolean {
    const owner: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
    return typeof owner === 'function' && this.#functions.isOfNode(owner);
  }

  /** The values of private fields, for each class of an object that has some. */
  #privatesOf(object: object, proto: object | null, origin: Origin): Pick<ObjectParts, 'privates'> {
    if (typeof object === 'function' || proto === null || builtinName(proto) !== undefined) return {};
    // From the base down, in the order in which constructors have added them: names may be the same.
    const owners = classesOf(proto).reverse();
    for (const owner of owners) if (this.#functions.usesStorages(owner, origin)) this.#copy(owner, origin);
    if (!owners.some((owner) => this.#functions.classOf(owner, origin)?.hasPrivates)) return {};
    if (this.inspector === undefined) this.fail(origin, 'an object with private fields, which need an inspector');
    const found = this.inspector.privatesOf(object);
    const take = (name: string): unknown => {
      const at = found.findIndex((each) => each[0] === name);
      return at < 0 ? undefined : found.splice(at, 1)[0]?.[1];
    };
    const privates: PrivateFields[] = [];
    for (const owner of owners) {
      const shape = this.#functions.classOf(owner, origin);
      if (shape === undefined) continue;
      shape.privateMethods.forEach(take);
      const values = shape.privates.map((name) => this.slot(take(name), { ...origin, path: `${origin.path}.${name}` }));
      const number = this.#copy(owner, origin);
      this.#functions.fill(owner);
      privates.push({ class: number, values });
    }
    return privates.length === 0 ? {} : { privates };
  }

  /** A class that is copied for all that use it, also where it would be imported: only its own code can fill private fields. */
  #copy(owner: object, origin: Origin): number {
    this.#copied.add(owner);
    const number = this.slot(owner, origin) as number;
    if (isImport((this.#nodes[number] ?? { type: 'function' }) as GraphNode)) {
      this.#nodes[number] = this.#functions.nodeOf(owner as (...args: never[]) => unknown, origin);
    }
    return number;
  }
}

/** Whether it is a class that the worker makes, or imports. */
function isKnownClass(value: unknown, node: GraphNode | undefined): boolean {
  if (typeof value !== 'function' || node === undefined || (node.type !== 'function' && !isImport(node))) return false;
  return /^class\b/.test(Function.prototype.toString.call(value));
}

function isImport({ type }: GraphNode): boolean {
  return type === 'import' || type === 'require' || type === 'importMeta';
}

/** The namespace of a module of Node's, which is imported from anywhere. */
function namespaceOfNode(object: object): GraphNode | undefined {
  if (!types.isModuleNamespaceObject(object)) return undefined;
  const { default: exported } = object as { readonly default?: unknown };
  const name = isThing(exported) ? builtinName(exported) : undefined;
  if (name?.module === undefined || name.path.length > 0) return undefined;
  return { type: 'import', from: '', specifier: name.module, name: '*' };
}

function symbolNode(symbol: symbol): GraphNode {
  const key = Symbol.keyFor(symbol);
  if (key !== undefined) return { type: 'symbol', key };
  for (const name of Object.getOwnPropertyNames(Symbol)) {
    if ((Symbol as unknown as Record<string, unknown>)[name] === symbol)
      return { type: 'named', path: ['Symbol', name] };
  }
  return { type: 'symbol', description: symbol.description };
}
