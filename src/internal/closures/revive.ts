/** A graph made a function again, in a worker: see `graph.ts`. */

import { receivePerWorker } from '../../perWorker.js';
import { compile } from './compile.js';
import { ownName, type FunctionNode, type Graph, type GraphNode } from './graph.js';
import {
  Accessor,
  Configurable,
  Enumerable,
  Guard,
  Writable,
  type ObjectParts,
  type Property,
  type Slot,
} from './parts.js';
import { filling, fillPrivates, makeEmptyInstance, takeFiller } from './privates.js';
import { evaluateRequire, loadImport, lookUp, ofFile, remember } from './references.js';
import { addCopy } from '../protocol/classNames.js';
import { setClasses } from '../protocol/portable.js';
import { importBare, runSetup } from './setup/runSetup.js';
import { setSourceMapsFor } from './sourceMaps.js';
import { loadTypeScript } from './typescript.js';
import type { Reading } from './values/Kind.js';
import { readers } from './values/table.js';

/** What a graph stands for. A promise where modules have to be imported first. */
export function revive(graph: Graph, attachments: readonly unknown[]): unknown {
  setSourceMapsFor(graph.sourceMaps);
  const { setups = [] } = graph;
  const imports = graph.nodes.filter((node) => node.type === 'import');
  const reviver = new Reviver(graph, attachments);
  const importsItself = graph.nodes.some((node) => node.type === 'function' && /\bimport\b/.test(node.code));
  const loading = importsItself ? loadTypeScript() : undefined;
  const load = (): Promise<unknown[]> => Promise.all([loading, ...imports.map(loadImport)]);
  const hasBare = setups.some(({ bare }) => bare.length > 0);
  if (imports.length === 0 && loading === undefined && !hasBare) return reviver.run();
  // What other files may need comes first.
  return (hasBare ? importBare(setups).then(load) : load()).then(([, ...values]) => {
    imports.forEach((node, i) => reviver.imported.set(node, values[i]));
    return reviver.run();
  });
}

class Reviver implements Reading {
  readonly imported = new Map<GraphNode, unknown>();
  readonly #graph: Graph;
  readonly #attachments: readonly unknown[];
  readonly #values = new Map<number, unknown>();
  /** What gives functions their variables. */
  readonly #bindings: (() => void)[] = [];
  #areBound = false;
  /** The values that set-up has made, by file. */
  readonly #setUp = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #planned = new Set<object>();
  /** What is done when all objects exist: their properties. */
  readonly #fill: (() => void)[] = [];
  /** What comes last: what is frozen stays as it is from then on. */
  readonly #close: (() => void)[] = [];

  constructor(graph: Graph, attachments: readonly unknown[]) {
    this.#graph = graph;
    this.#attachments = attachments;
  }

  run(): unknown {
    for (const number of this.#graph.nodes.keys()) if (!this.#isLate(number)) this.#make(number);
    // Constructors run now, of objects with private fields: with all variables but those that hold such objects.
    for (const bind of this.#bindings) bind();
    this.#areBound = true;
    for (const number of this.#graph.nodes.keys()) this.#make(number);
    for (const step of this.#fill) step();
    for (const bind of this.#bindings) bind();
    for (const setup of this.#graph.setups ?? []) {
      const values = runSetup(
        setup,
        setup.bindings.map((slot) => this.valueOf(slot)),
      );
      if (setup.names.length === 0) continue;
      this.#setUp.set(setup.file, values);
      for (const step of this.#fill) step();
      for (const bind of this.#bindings) bind();
    }
    const { classes = [], classNames = [] } = this.#graph;
    const owners = classes.map((slot) => this.valueOf(slot) as Function);
    classes.forEach((slot, at) => {
      const node = this.#graph.nodes[slot as number] as Partial<ObjectParts>;
      addCopy(owners[at] as Function, classNames[at] as string, node.guard !== undefined);
    });
    for (const step of this.#close) step();
    const root = this.valueOf(this.#graph.root);
    setClasses(root as object, owners);
    return root;
  }

  valueOf(slot: Slot): unknown {
    return typeof slot === 'number' ? this.#make(slot) : slot[0];
  }

  attachment(at: number): unknown {
    return this.#attachments[at];
  }

  later(step: () => void): void {
    this.#fill.push(step);
  }

  /** The value of a variable; none as long as making it could need other variables. */
  #bindingOf(slot: Slot): unknown {
    return !this.#areBound && this.#isLate(slot) ? undefined : this.valueOf(slot);
  }

  /** Whether constructors of the program's run when a value is made. */
  #isLate(slot: Slot): boolean {
    if (typeof slot !== 'number') return false;
    const node = this.#graph.nodes[slot] as GraphNode;
    return hasPrivates(node) || madeFrom(node).some((part) => this.#isLate(part));
  }

  #make(number: number): unknown {
    const node = this.#graph.nodes[number] as GraphNode;
    if (node.type === 'setupValue') return this.#setUp.get(node.file)?.[node.name];
    if (!this.#values.has(number)) {
      const value = this.#create(node, number);
      // Making it may have needed something that needs it.
      if (!this.#values.has(number)) this.#values.set(number, value);
    }
    return this.#values.get(number);
  }

  #create(node: GraphNode, number: number): unknown {
    switch (node.type) {
      case 'named':
        return lookUp(node);
      case 'import':
        return remember(this.imported.get(node), node);
      case 'require':
        return evaluateRequire(node);
      case 'requireFunction':
      case 'moduleObject':
      case 'importMeta':
        return ofFile(node);
      case 'filling':
        return filling;
      case 'cell': {
        const cell: { v: unknown } = { v: undefined };
        this.later(() => (cell.v = this.valueOf(node.value)));
        return cell;
      }
      case 'perWorker': {
        const { access, setMaker } = receivePerWorker(node.id);
        this.later(() => setMaker(this.valueOf(node.make) as () => unknown));
        return access;
      }
      case 'member': {
        const holder = this.valueOf(node.of) as object;
        return Object.getOwnPropertyDescriptor(holder, this.valueOf(node.key) as string)?.[node.part];
      }
      case 'function':
        return this.#function(node, number);
      default: {
        const { [node.type]: read } = readers;
        if (read === undefined)
          throw new Error(`A captured value is of the kind "${node.type}", which nothing here can read.`);
        return read(node as never, this);
      }
    }
  }

  finish<T extends object>(object: T, parts: ObjectParts): T {
    if (parts.proto !== undefined) Object.setPrototypeOf(object, this.valueOf(parts.proto) as object | null);
    this.#complete(object, parts);
    return object;
  }

  #complete(object: object, { own, guard }: ObjectParts): void {
    if (this.#planned.has(object)) return;
    this.#planned.add(object);
    if (own !== undefined) this.later(() => this.#define(object, own));
    if (guard === undefined) return;
    this.#close.push(() => {
      if (guard === Guard.freeze) Object.freeze(object);
      else if (guard === Guard.seal) Object.seal(object);
      else Object.preventExtensions(object);
    });
  }

  #define(object: object, properties: readonly Property[]): void {
    for (const [key, flags, value, setter] of properties) {
      const name = typeof key === 'number' ? (this.#make(key) as symbol) : key;
      const common = { enumerable: (flags & Enumerable) !== 0, configurable: (flags & Configurable) !== 0 };
      Object.defineProperty(
        object,
        name,
        (flags & Accessor) === 0
          ? { ...common, writable: (flags & Writable) !== 0, value: this.valueOf(value) }
          : { ...common, get: this.valueOf(value) as () => unknown, set: this.valueOf(setter as Slot) as () => void },
      );
    }
  }

  /** An object with private members. Only its constructors can give it those, and only code of its classes can fill them. */
  #instance(parts: ObjectParts): object {
    const object = makeEmptyInstance(this.valueOf(parts.proto as Slot) as { constructor: new () => object });
    for (const { class: owner, values } of parts.privates ?? []) {
      this.later(() =>
        fillPrivates(
          this.#make(owner) as object,
          object,
          values.map((slot) => this.valueOf(slot)),
        ),
      );
    }
    return object;
  }

  fresh<T extends object>(parts: ObjectParts, make: () => T): T {
    return parts.privates === undefined ? make() : (this.#instance(parts) as T);
  }

  #function(node: FunctionNode, number: number): object {
    const { parameters, bindings, eager, form, isStrict, code } = node;
    const early = bindings.slice(0, eager).map((slot) => this.valueOf(slot));
    const before = `${isStrict ? "'use strict';" : ''}return[${form === 'method' ? '{' : ''}`;
    const after = `\n${form === 'method' ? '}' : ''},${ownName}Values=>{[${parameters.join(',')}]=${ownName}Values}]`;
    const [made, bind] = compile(before + code + after, parameters, {
      filename: node.file === '' ? 'rxjs-parallel-map/task' : node.file,
      line: node.line,
      column: node.column - before.length,
    })(...early) as [object, (values: unknown[]) => void];
    const fn = form === 'method' ? methodOf(made) : made;
    this.#values.set(number, fn);
    this.#bindings.push(() => bind(bindings.map((slot) => this.#bindingOf(slot))));
    if (Object.getOwnPropertyDescriptor(fn, 'name')?.configurable === true) {
      Object.defineProperty(fn, 'name', { value: node.name, configurable: true });
    }
    if ((fn as { length: unknown }).length !== node.length) {
      Object.defineProperty(fn, 'length', { value: node.length, configurable: true });
    }
    this.#finishFunction(fn as object & { prototype: object }, made, node);
    return fn;
  }

  #finishFunction(fn: object & { prototype: object }, made: object, node: FunctionNode): void {
    const { home, proto, prototype, prototypeOwn, prototypeProto, privates } = node;
    if (home !== undefined) this.later(() => Object.setPrototypeOf(made, this.valueOf(home) as object | null));
    if (proto !== undefined) this.later(() => Object.setPrototypeOf(fn, this.valueOf(proto) as object | null));
    if (prototype !== undefined) this.later(() => (fn.prototype = this.valueOf(prototype) as object));
    if (prototypeOwn !== undefined) this.later(() => this.#define(fn.prototype, prototypeOwn));
    if (prototypeProto !== undefined) {
      this.later(() => Object.setPrototypeOf(fn.prototype, this.valueOf(prototypeProto) as object | null));
    }
    const [statics] = privates ?? [];
    if (statics !== undefined) {
      this.later(() =>
        fillPrivates(
          fn,
          fn,
          statics.values.map((slot) => this.valueOf(slot)),
        ),
      );
    }
    takeFiller(fn);
    this.#complete(fn, node);
  }
}

/** What has to be there before a value can be made. */
function madeFrom(node: GraphNode): readonly Slot[] {
  switch (node.type) {
    case 'bound':
      return [node.target, node.self, ...node.args];
    case 'proxy':
      return [node.target, node.handler];
    case 'weakRef':
      return node.target === undefined ? [] : [node.target];
    case 'abortSignal':
      return [node.reason];
    case 'abortController':
      return [node.signal];
    default:
      return [];
  }
}

function hasPrivates(node: GraphNode): boolean {
  return node.type !== 'function' && 'privates' in node && node.privates !== undefined;
}

function methodOf(holder: object): object {
  const property = Object.getOwnPropertyDescriptor(holder, Reflect.ownKeys(holder)[0] as string);
  return (property?.value ?? property?.get ?? property?.set) as object;
}
