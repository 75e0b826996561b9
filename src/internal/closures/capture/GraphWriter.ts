/**
 * A function, and all that it captures, turned into a graph.
 *
 * The way goes breadth first, from the function to the variables that it uses, to what these hold, to the functions among that
 * and their variables. Each object becomes one node, however often it is met. Data without classes and functions in it is left to
 * structured clone as a whole, which is far faster.
 */

import { types } from 'node:util';
import { UnportableFunctionError } from '../../../errors.js';
import { makerOf } from '../../../perWorker.js';
import type { Graph, GraphNode, MemberNode, SetupNode } from '../graph.js';
import { nameClass, isOurs } from '../../protocol/classNames.js';
import { originOf } from '../origins.js';
import {
  Accessor,
  Configurable,
  Enumerable,
  Guard,
  Writable,
  type ObjectParts,
  type Property,
  type Slot,
} from '../parts.js';
import type { HostClass, Origin } from '../values/Kind.js';
import { anInstanceOf, tagOf } from '../values/refused.js';
import { kinds } from '../values/table.js';
import type { WeakCollection } from '../values/weakCollections.js';
import { builtinName, isNative } from './builtins.js';
import type { Scope } from './facts.js';
import { FunctionReader } from './FunctionReader.js';
import { FunctionWriter } from './FunctionWriter.js';
import type { Inspector } from './Inspector.js';
import { isThing } from './isThing.js';
import {
  accessTo,
  classesOf,
  guardOf,
  hostClassOf,
  isForeignTwin,
  namespaceOfNode,
  requireFunction,
} from './objects.js';
import type { GraphOptions, OpenGraph } from './openGraph.js';
import { packageExports } from './packages.js';
import { isPlainData } from './plainData.js';
import type { WrittenFunction } from './scripts.js';
import { SetupPlan, type TopVariable } from '../setup/SetupPlan.js';
import { SetupWriter } from '../setup/SetupWriter.js';
import { privatesOf } from './privateFields.js';
import { Storages } from './storages.js';

/** A typed array with more elements than this has no properties besides. */
const MOST_LISTED = 10_000;

/** The nodes of kinds that can begin with the private fields of a class. */
const withPrivates: ReadonlySet<GraphNode['type']> = new Set([
  'object',
  'array',
  'map',
  'set',
  'error',
  'weakMap',
  'weakSet',
]);

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
  readonly #methods = new Map<
    object,
    Omit<MemberNode, 'of' | 'key'> & { readonly of: object; readonly key: string | symbol }
  >();
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
  /** And of how many the inspector was told. */
  #told = 0;
  readonly #setup: SetupWriter | undefined;
  /** What is being written, and what each thing was first reached from. */
  #current: unknown;
  readonly #reachedFrom = new Map<unknown, unknown>();
  /** What is captured. */
  #root: unknown;
  /** What the captured function's own variables hold, with their names. */
  readonly #variables = new Map<unknown, string>();
  readonly #storages: Storages;
  readonly #reader: FunctionReader;
  readonly #functions: FunctionWriter;

  constructor(inspector: Inspector | undefined, options: GraphOptions, plan = new SetupPlan()) {
    this.inspector = inspector;
    this.options = options;
    this.#setup = options.setup === false || options.isLocal === true ? undefined : new SetupWriter(this, plan);
    this.#storages = new Storages(this);
    this.#reader = new FunctionReader(this);
    this.#functions = new FunctionWriter(this, this.#reader, this.#storages);
  }

  /** @throws UnportableFunctionError where something cannot travel. */
  run(root: unknown): WrittenGraph {
    this.#root = root;
    const slot = this.slot(root, { owner: undefined, variable: undefined, path: '' });
    this.#drain();
    // After the function, whose file may import them.
    this.options.classes?.forEach((each, i) => {
      this.slot(each, { owner: undefined, variable: undefined, path: `classes[${i}] (class ${each.name})` });
    });
    this.#drain();
    const setups = this.#writeSetup();
    this.#functions.finish();
    const known = [...this.#numbers].filter(([value, number]) => isKnownClass(value, this.#nodes[number]));
    return {
      graph: {
        nodes: this.#nodes as GraphNode[],
        root: slot,
        sourceMaps: this.sourceMaps,
        ...(setups.length === 0 ? {} : { setups }),
        ...(known.length === 0
          ? {}
          : {
              classes: known.map(([, number]) => number),
              classNames: known.map(([value]) => nameClass(value as Function)),
            }),
      },
      attachments: this.#attachments,
      classes: known.map(([value]) => value as Function),
      isConstant: this.#nodes.every((node, i) =>
        i === 0 && node?.type === 'function' ? this.#functions.isConstant : isImport(node as GraphNode),
      ),
    };
  }

  /** Makes the nodes that wait. Queued rather than called, for what hangs on each other may be longer than the stack is high. */
  #drain(): void {
    do {
      while (this.#taken < this.#objects.length || this.#made < this.#waiting.length) {
        const next = this.#taken < this.#objects.length ? this.#objects[this.#taken++] : this.#waiting[this.#made++];
        this.#current = next?.value;
        next?.run();
      }
    } while (this.#storages.fill());
  }

  /** The set-up of all files. What it needs may bring along more of them. */
  #writeSetup(): SetupNode[] {
    if (this.#setup === undefined) return [];
    for (;;) {
      const { length } = this.#nodes;
      const setups = this.#setup.write(this.#nodes as GraphNode[], (value, variable, place) => {
        this.#current = new Needed(variable);
        return this.slot(value, {
          owner: { name: 'set-up', location: place },
          variable: variable.name,
          path: variable.name,
        });
      });
      this.#drain();
      if (this.#nodes.length === length) return setups;
    }
  }

  /**
   * The variable of the captured function that brings most along; `undefined` where it has none.
   *
   * @param sizeOf What a value that travels as a whole weighs, as a number of nodes.
   */
  heaviestVariable(sizeOf: (value: object) => number): string | undefined {
    const weights = new Map<string, number>();
    const weigh = (variable: string, weight: number): unknown =>
      weights.set(variable, (weights.get(variable) ?? 0) + weight);
    const owners = new Map<unknown, string | undefined>([[this.#root, undefined]]);
    for (const [value, variable] of this.#variables) owners.set(value, variable);
    // What was reached later comes later, so its way up is known.
    for (const value of this.#numbers.keys()) {
      if (!owners.has(value)) owners.set(value, owners.get(this.#reachedFrom.get(value)));
      const owner = owners.get(value);
      if (owner !== undefined) weigh(owner, 1);
    }
    for (const [value, variable] of this.#variables) if (isThing(value)) weigh(variable, sizeOf(value));
    return [...weights].sort(([, a], [, b]) => b - a)[0]?.[0];
  }

  /** After a failure: the variables at the top of files through which the culprit was reached, and which need of set-up has led there. */
  reached(): { readonly variables: readonly TopVariable[]; readonly needed: TopVariable | undefined } {
    const variables: TopVariable[] = [];
    for (let at = this.#current; at !== undefined; at = this.#reachedFrom.get(at)) {
      if (!types.isProxy(at) && at instanceof Needed) return { variables, needed: at.variable };
      const variable = this.#setup?.variableOf(at);
      if (variable !== undefined) variables.push(variable);
    }
    return { variables, needed: undefined };
  }

  meet(written: WrittenFunction, scope: Scope | undefined): void {
    this.#setup?.meet(written, scope);
  }

  setupValueOf(written: WrittenFunction, name: string): GraphNode | undefined {
    return this.#setup?.nodeOf(written, name);
  }

  slot(value: unknown, origin: Origin): Slot {
    if (typeof value !== 'symbol' && !isThing(value)) return [value];
    if (this.#current === this.#root && origin.variable !== undefined) this.#variables.set(value, origin.variable);
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

  newFunctions(): object[] {
    const met = this.#waiting.slice(this.#told).map(({ value }) => value as object);
    this.#told = this.#waiting.length;
    return met.filter((fn) => !types.isProxy(fn));
  }

  numberOf(value: object): number | undefined {
    return this.#numbers.get(value);
  }

  attach(value: unknown): number {
    return this.#attachments.push(value) - 1;
  }

  isCloneable(value: unknown): boolean {
    return this.options.isCloneable(value);
  }

  isBound(fn: object): boolean {
    return this.#reader.isBound(fn);
  }

  internalsOf(object: object, ...names: readonly string[]): readonly unknown[] {
    return this.inspector?.internalsOf(object, names) ?? [];
  }

  offerMethodsOf(object: unknown): void {
    if (!isThing(object) || types.isProxy(object)) return;
    const proto = Object.getPrototypeOf(object) as object | null;
    for (const owner of proto === null ? [] : classesOf(proto)) {
      for (const method of this.#reader.methodsOf(owner)) this.#methods.set(method.fn, { type: 'member', ...method });
    }
  }

  travels(object: unknown): boolean {
    if (this.#numbers.has(object)) return true;
    if (!isThing(object)) return false;
    return this.#plain.has(object) || this.#imports.has(object) || builtinName(object) !== undefined;
  }

  entriesOf(collection: WeakCollection, origin: Origin): (readonly [Slot, Slot])[] {
    return this.#storages.entriesOf(collection, origin);
  }

  hostClassOf(object: object): HostClass | undefined {
    return hostClassOf(object, (owner) => this.#reader.isOfNode(owner));
  }

  fail(origin: Origin, what: string): never {
    const { owner, variable, path } = origin;
    if (owner === undefined && this.options.refusal !== undefined) throw this.options.refusal(path, what);
    throw new UnportableFunctionError({
      functionName: owner?.name ?? 'anonymous',
      location: owner?.location,
      variable,
      reason: path === '' || path === variable ? `it is ${what}` : `${path} is ${what}`,
      way: wayTo(origin),
    });
  }

  properties(object: object, origin: Origin, isSkipped: (key: string | symbol) => boolean = () => false): Property[] {
    const properties: Property[] = [];
    const inside = { ...origin, holder: object };
    // Listing millions of elements, to skip them, would cost more than all the rest, and has a limit.
    const isLarge = types.isTypedArray(object) && object.length > MOST_LISTED;
    for (const key of isLarge ? Object.getOwnPropertySymbols(object) : Reflect.ownKeys(object)) {
      if (isSkipped(key) || isOurs(key, object)) continue;
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
      ...(proto === natural || isForeignTwin(proto, natural) ? {} : { proto: this.#prototype(proto, origin) }),
      ...(own.length === 0 ? {} : { own }),
      ...(guard === Guard.none ? {} : { guard }),
      ...(proto === natural ? {} : privatesOf(object, this, this.#reader, origin)),
    };
  }

  /** A prototype. It is one that can be had in the worker: of a class of the program's, or of an allowed one of Node's. */
  #prototype(proto: object | null, origin: Origin): Slot {
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
    if (this.#current !== undefined) this.#reachedFrom.set(value, this.#current);
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
    if (isMock(value)) this.fail(origin, ofTheRunner);
    const known = isThing(value) ? this.#nodeOfKnown(value, origin) : undefined;
    if (known !== undefined) return known;
    const method = this.#methods.get(value as object);
    if (method !== undefined) {
      const { type, part, of, key } = method;
      return { type, part, of: this.slot(of, origin), key: this.slot(key, origin) };
    }
    const isFunction = typeof value === 'function';
    const kind = kinds.find((each) => (!isFunction || each.hasFunctions === true) && each.matches(value, this));
    if (kind === undefined) return this.#functions.nodeOf(value as (...args: never[]) => unknown, origin);
    const node = kind.write(value, this, origin);
    if ('privates' in node && node.privates !== undefined && !withPrivates.has(node.type)) {
      this.fail(origin, `an instance of a class with private fields that extends ${tagOf(value as object)}`);
    }
    return node;
  }

  /** The node of what is in the worker anyway, or can be loaded there. */
  #nodeOfKnown(object: object, origin: Origin): GraphNode | undefined {
    const builtin = builtinName(object);
    if (builtin !== undefined) return { type: 'named', ...builtin };
    if (types.isProxy(object)) return originOf(object) ?? this.#packageExport(object); // its traps are not to be called
    const maker = makerOf(object);
    if (maker !== undefined) return { type: 'perWorker', id: maker.id, make: this.slot(maker.make, origin) };
    if (this.#copied.has(object)) return undefined;
    return originOf(object) ?? requireFunction(object) ?? this.#packageExport(object) ?? namespaceOfNode(object);
  }

  isKnown(value: unknown): boolean {
    if (!isThing(value)) return false;
    const found = builtinName(value) ?? originOf(value) ?? this.#packageExport(value) ?? namespaceOfNode(value);
    return found !== undefined;
  }

  fillFieldsOf(owner: object): void {
    this.#functions.fill(owner);
  }

  copy(owner: object, origin: Origin): number {
    this.#copied.add(owner);
    const number = this.slot(owner, origin) as number;
    if (isImport((this.#nodes[number] ?? { type: 'function' }) as GraphNode)) {
      this.#nodes[number] = this.#functions.nodeOf(owner as (...args: never[]) => unknown, origin);
    }
    return number;
  }
}

/** From the variable of the function that is captured to what cannot travel, over the functions in between; the first of these first. */
function wayTo(
  origin: Origin,
): { readonly functionName: string; readonly location: string | undefined; readonly path: string }[] {
  const way: ReturnType<typeof wayTo> = [];
  for (let at: Origin | undefined = origin; at !== undefined; at = at.from) {
    way.unshift({ functionName: at.owner?.name ?? '', location: at.owner?.location, path: at.path });
  }
  return way;
}

const ofTheRunner =
  "a mock of the test runner, which would not see its calls in a worker: use startMethod: 'inline', or a plain function";

/** Whether it is what `jest.fn()`, `vi.fn()` and their spies are: both mark it alike. */
function isMock(value: unknown): boolean {
  return typeof value === 'function' && Object.getOwnPropertyDescriptor(value, '_isMockFunction')?.value === true;
}

/** What is first on the way to what only set-up needs. */
class Needed {
  readonly variable: TopVariable;
  constructor(variable: TopVariable) {
    this.variable = variable;
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
