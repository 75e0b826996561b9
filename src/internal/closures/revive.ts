/** A graph made a function again, in a worker: see `graph.ts`. */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as path from 'node:path';
import { setSourceMapsFor } from './sourceMaps.js';
import { compile } from './compile.js';
import {
  Accessor,
  Configurable,
  Enumerable,
  fillName,
  Guard,
  ownName,
  Writable,
  type FunctionNode,
  type Graph,
  type GraphNode,
  type ImportNode,
  type ObjectParts,
  type Property,
  type RequireNode,
  type Slot,
} from './graph.js';
import { importMetaOf } from './importMeta.js';
import { importModule } from './importModule.js';
import { follow, intrinsics, ofTheLanguage } from './intrinsics.js';
import { rememberOrigin } from './origins.js';
import { setClasses } from '../protocol/portable.js';
import { loadTypeScript, registerTypeScript } from './typescript.js';

/** What a graph stands for. A promise where modules have to be imported first. */
export function revive(graph: Graph, attachments: readonly unknown[]): unknown {
  setSourceMapsFor(graph.sourceMaps);
  const imports = graph.nodes.filter((node) => node.type === 'import');
  const reviver = new Reviver(graph, attachments);
  const importsItself = graph.nodes.some((node) => node.type === 'function' && /\bimport\b/.test(node.code));
  const loading = importsItself ? loadTypeScript() : undefined;
  if (imports.length === 0 && loading === undefined) return reviver.run();
  return Promise.all([loading, ...imports.map(loadImport)]).then(([, ...values]) => {
    imports.forEach((node, i) => reviver.imported.set(node, values[i]));
    return reviver.run();
  });
}

async function loadImport({ from, specifier, name, member, attributes }: ImportNode): Promise<unknown> {
  const namespace = await importModule(from, specifier, attributes);
  const value: unknown = name === '*' ? namespace : namespace[name];
  return member === undefined ? value : (value as Record<string, unknown>)[member];
}

class Reviver {
  readonly imported = new Map<GraphNode, unknown>();
  readonly #graph: Graph;
  readonly #attachments: readonly unknown[];
  readonly #values = new Map<number, unknown>();
  /** What gives functions their variables. */
  readonly #bindings: (() => void)[] = [];
  #areBound = false;
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
    for (const [number, node] of this.#graph.nodes.entries()) if (!hasPrivates(node)) this.#make(number);
    // Constructors run now, of objects with private fields: with all variables but those that hold such objects.
    for (const bind of this.#bindings) bind();
    this.#areBound = true;
    for (const number of this.#graph.nodes.keys()) this.#make(number);
    for (const step of this.#fill) step();
    for (const bind of this.#bindings) bind();
    for (const step of this.#close) step();
    const root = this.#valueOf(this.#graph.root);
    const { classes } = this.#graph;
    if (classes !== undefined)
      setClasses(
        root as object,
        classes.map((slot) => this.#valueOf(slot) as Function),
      );
    return root;
  }

  #valueOf(slot: Slot): unknown {
    return typeof slot === 'number' ? this.#make(slot) : slot[0];
  }

  /** The value of a variable; none as long as making it could need other variables. */
  #bindingOf(slot: Slot): unknown {
    const isEarly = !this.#areBound && typeof slot === 'number' && hasPrivates(this.#graph.nodes[slot] as GraphNode);
    return isEarly ? undefined : this.#valueOf(slot);
  }

  #make(number: number): unknown {
    if (!this.#values.has(number)) {
      const value = this.#create(this.#graph.nodes[number] as GraphNode, number);
      // Making it may have needed something that needs it.
      if (!this.#values.has(number)) this.#values.set(number, value);
    }
    return this.#values.get(number);
  }

  #create(node: GraphNode, number: number): unknown {
    switch (node.type) {
      case 'named':
        return lookUp(node.module, node.path);
      case 'symbol':
        return node.key === undefined ? Symbol(node.description) : Symbol.for(node.key);
      case 'import':
        return remember(this.imported.get(node), node);
      case 'require':
        return remember(evaluateRequire(node), node);
      case 'requireFunction':
        return remember(createRequire(pathOf(node.from)), node);
      case 'moduleObject':
        return remember(moduleObject(pathOf(node.from)), node);
      case 'importMeta':
        return importMetaOf(node.from);
      case 'weakMap': {
        const map = new WeakMap<object, unknown>();
        this.#fill.push(() => {
          for (const [key, value] of node.entries) map.set(this.#valueOf(key) as object, this.#valueOf(value));
        });
        return map;
      }
      case 'weakSet': {
        const set = new WeakSet<object>();
        this.#fill.push(() => {
          for (const value of node.values) set.add(this.#valueOf(value) as object);
        });
        return set;
      }
      case 'filling':
        return filling;
      case 'attachment':
        return this.#attachments[node.at];
      case 'cell':
        return this.#cell(node.value);
      case 'prototype':
        return (this.#make(node.of) as { prototype: unknown }).prototype;
      case 'function':
        return this.#function(node, number);
      default:
        return this.#object(node);
    }
  }

  #cell(value: Slot): { v: unknown } {
    const cell: { v: unknown } = { v: undefined };
    this.#fill.push(() => (cell.v = this.#valueOf(value)));
    return cell;
  }

  #object(
    node: Exclude<
      GraphNode,
      { type: 'function' | 'named' | 'symbol' | 'import' | 'require' | 'cell' | 'filling' | 'weakMap' | 'weakSet' }
    >,
  ): unknown {
    const parts = node as ObjectParts;
    switch (node.type) {
      case 'array':
        return this.#finish(
          this.#fresh(parts, () => new Array<unknown>(node.length)),
          Array.prototype,
          parts,
        );
      case 'map': {
        const map = this.#finish(
          this.#fresh(parts, () => new Map<unknown, unknown>()),
          Map.prototype,
          parts,
        );
        this.#fill.push(() => {
          for (const [key, value] of node.entries)
            Map.prototype.set.call(map, this.#valueOf(key), this.#valueOf(value));
        });
        return map;
      }
      case 'set': {
        const set = this.#finish(
          this.#fresh(parts, () => new Set<unknown>()),
          Set.prototype,
          parts,
        );
        this.#fill.push(() => {
          for (const value of node.values) Set.prototype.add.call(set, this.#valueOf(value));
        });
        return set;
      }
      case 'leaf':
        return this.#finish(node.value as object, undefined, parts);
      case 'view': {
        const memory = this.#valueOf(node.memory) as SharedArrayBuffer;
        const view =
          node.class === 'Buffer'
            ? Buffer.from(memory, node.byteOffset, node.length)
            : (Reflect.construct(lookUp(undefined, [node.class]) as () => void, [
                memory,
                node.byteOffset,
                node.length,
              ]) as object);
        return this.#finish(view, undefined, parts);
      }
      case 'buffer': {
        const { buffer, byteOffset, length } = node.bytes;
        return this.#finish(Buffer.from(buffer, byteOffset, length), Buffer.prototype, parts);
      }
      case 'error': {
        if (node.domName !== undefined) {
          const exception = new DOMException(node.message, node.domName);
          return this.#finish(exception, DOMException.prototype, parts);
        }
        const error = this.#fresh(parts, () => new Error());
        for (const key of Reflect.ownKeys(error)) Reflect.deleteProperty(error, key);
        return this.#finish(error, Error.prototype, parts);
      }
      case 'url':
        return this.#finish(new URL(node.text), URL.prototype, parts);
      case 'searchParams':
        return this.#finish(new URLSearchParams(node.text), URLSearchParams.prototype, parts);
      default:
        return this.#finish(
          this.#fresh(parts, () => ({})),
          Object.prototype,
          parts,
        );
    }
  }

  /** Gives an object its prototype now and its properties later. */
  #finish<T extends object>(object: T, natural: object | undefined, parts: ObjectParts): T {
    if (parts.proto !== undefined) Object.setPrototypeOf(object, this.#valueOf(parts.proto) as object | null);
    this.#later(object, parts);
    return object;
  }

  #later(object: object, { own, guard }: ObjectParts): void {
    if (this.#planned.has(object)) return;
    this.#planned.add(object);
    if (own !== undefined) this.#fill.push(() => this.#define(object, own));
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
          ? { ...common, writable: (flags & Writable) !== 0, value: this.#valueOf(value) }
          : { ...common, get: this.#valueOf(value) as () => unknown, set: this.#valueOf(setter as Slot) as () => void },
      );
    }
  }

  /** An object with private members. Only its constructors can give it those, and only code of its classes can fill them. */
  #instance(parts: ObjectParts): object {
    const object = makeEmptyInstance(this.#valueOf(parts.proto as Slot) as { constructor: new () => object });
    for (const key of Reflect.ownKeys(object)) Reflect.deleteProperty(object, key);
    for (const { class: owner, values } of parts.privates ?? []) {
      this.#fill.push(() =>
        fillPrivates(
          this.#make(owner) as object,
          object,
          values.map((slot) => this.#valueOf(slot)),
        ),
      );
    }
    return object;
  }

  /** An object as it begins: made here, or by the constructors of its classes. */
  #fresh<T extends object>(parts: ObjectParts, make: () => T): T {
    return parts.privates === undefined ? make() : (this.#instance(parts) as T);
  }

  #function(node: FunctionNode, number: number): object {
    const { parameters, bindings, eager, form, isStrict, code } = node;
    const early = bindings.slice(0, eager).map((slot) => this.#valueOf(slot));
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
    if (home !== undefined) this.#fill.push(() => Object.setPrototypeOf(made, this.#valueOf(home) as object | null));
    if (proto !== undefined) this.#fill.push(() => Object.setPrototypeOf(fn, this.#valueOf(proto) as object | null));
    if (prototype !== undefined) this.#fill.push(() => (fn.prototype = this.#valueOf(prototype) as object));
    if (prototypeOwn !== undefined) this.#fill.push(() => this.#define(fn.prototype, prototypeOwn));
    if (prototypeProto !== undefined) {
      this.#fill.push(() => Object.setPrototypeOf(fn.prototype, this.#valueOf(prototypeProto) as object | null));
    }
    const [statics] = privates ?? [];
    if (statics !== undefined) {
      this.#fill.push(() =>
        fillPrivates(
          fn,
          fn,
          statics.values.map((slot) => this.#valueOf(slot)),
        ),
      );
    }
    if (Object.hasOwn(fn, fillName)) {
      const { [fillName]: fill } = fn as { [fillName]?: Fill };
      Reflect.deleteProperty(fn, fillName);
      if (fill !== undefined) fillers.set(fn, fill);
    }
    this.#later(fn, node);
  }
}

function hasPrivates(node: GraphNode): boolean {
  return node.type !== 'function' && 'privates' in node && node.privates !== undefined;
}

type Fill = (this: object, object: object, values: readonly unknown[]) => void;

const fillers = new WeakMap<object, Fill>();

function fillPrivates(owner: object, object: object, values: readonly unknown[]): void {
  fillers.get(owner)?.call(owner, object, values);
}

/** What stands in for the arguments of a constructor that is only to make its fields: all is there, and is nothing. */
const anything: unknown = new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.iterator ? noValues : key === Symbol.toPrimitive ? () => '' : anything),
  apply: () => anything,
  construct: () => anything as object,
});

function* noValues(): Generator<never> {}

const filling = { on: false };

function makeEmptyInstance(proto: { constructor: new () => object }): object {
  const target = function () {};
  target.prototype = proto;
  filling.on = true;
  try {
    return Reflect.construct(proto.constructor, new Array(16).fill(anything), target) as object;
  } finally {
    filling.on = false;
  }
}

function methodOf(holder: object): object {
  const property = Object.getOwnPropertyDescriptor(holder, Reflect.ownKeys(holder)[0] as string);
  return (property?.value ?? property?.get ?? property?.set) as object;
}

function lookUp(module: string | undefined, names: readonly string[]): unknown {
  if (module === undefined) return follow(globalThis, names);
  return follow(module === ofTheLanguage ? intrinsics : createRequire(import.meta.url)(module), names);
}

function remember<T>(value: T, node: GraphNode): T {
  rememberOrigin(value, node as ImportNode);
  return value;
}

/** The value of a name that a CommonJS file has declared by `require`: the declaration runs again. */
function evaluateRequire({ from, code, name }: RequireNode): unknown {
  const file = pathOf(from);
  const names = ['require', 'module', 'exports', '__filename', '__dirname'];
  const values = [createRequire(file), { exports: {} }, {}, file, path.dirname(file)];
  const evaluate = compile(`${code}\nreturn ${name}`, names, { filename: file });
  try {
    return evaluate.apply({}, values);
  } catch (error) {
    if (!registerTypeScript(error)) throw error;
    return evaluate.apply({}, values);
  }
}

function moduleObject(file: string): object {
  const Module = createRequire(import.meta.url)('node:module') as typeof import('node:module') & {
    new (id: string): { filename: string; paths: string[]; loaded: boolean };
    _nodeModulePaths(folder: string): string[];
  };
  const module = new Module(file);
  return Object.assign(module, { filename: file, paths: Module._nodeModulePaths(path.dirname(file)), loaded: true });
}

function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file;
}
