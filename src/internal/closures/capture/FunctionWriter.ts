/** Functions and classes as nodes of the graph: their code, changed where it has to be, and the variables that it needs. */

import {
  type FunctionNode,
  type GraphNode,
  type ImportNode,
  type ObjectParts,
  type Property,
  type RequireNode,
  type Slot,
} from '../graph.js';
import { builtinName, isNative } from './builtins.js';
import type { ClassShape, FreeVariable } from './analyse.js';
import type { FunctionFacts } from './facts.js';
import { editsForPrivates, freshName, replace, replaceUses, shareVariable, type Draft } from './draft.js';
import { globalOf, importNode, importsIn, isGlobal, isModuleObject, isTopScope } from './names.js';
import { interop } from './imports.js';
import { isThing } from './kinds.js';
import type { OpenGraph, Origin } from './openGraph.js';
import { findWritten, InsideNodeError, locate, writtenAlone, type WrittenFunction } from './scripts.js';
import { groupShared, type SharedUse } from './shared.js';
import { isStorage, type Storages } from './storages.js';
import { applyEdits } from './syntax.js';

type AnyFunction = (...args: never[]) => unknown;

const ofTheFunctionAround = 'that of the function around the arrow function. Put what it needs into a constant';

/** What is known of a function where there is no inspector. */
const noFacts: FunctionFacts = { location: undefined, scopes: [], isBound: false };

const functionPrototypes: ReadonlySet<unknown> = new Set(
  [() => undefined, async () => undefined, function* () {}, async function* () {}].map((each) =>
    Object.getPrototypeOf(each),
  ),
);

export class FunctionWriter {
  /** Whether all variables are imports, or of JavaScript and Node. */
  isConstant = true;

  readonly #graph: OpenGraph;
  readonly #storages: Storages;
  readonly #drafts: Draft[] = [];
  /** Variables that may have to be shared. */
  readonly #uses: (SharedUse & { readonly draft: Draft; readonly variable: FreeVariable })[] = [];
  readonly #partials = new Map<object, Set<string>>();
  /** Classes of which instances with private fields travel. */
  readonly #filled = new Set<object>();
  readonly #classes = new Map<object, ClassShape>();
  #rootScript: string | undefined;

  constructor(graph: OpenGraph, storages: Storages) {
    this.#graph = graph;
    this.#storages = storages;
  }

  nodeOf(fn: AnyFunction, origin: Origin): GraphNode {
    const native = this.#nativeBehind(fn);
    if (native !== undefined) return native;
    const { facts, ...read } = this.#read(fn, origin);
    const written = forItsVariables(read.written, fn, facts);
    this.#rootScript ??= written.script.id;
    const { url, sourceMapURL } = written.script;
    if (process.sourceMapsEnabled === true && sourceMapURL !== '') this.#graph.sourceMaps[url] = sourceMapURL;
    const owner = { name: nameOf(fn), location: written.location };
    this.#refuse(written, owner);

    const draft: Draft = {
      number: this.#graph.numberOf(fn) as number,
      fn,
      written,
      edits: [],
      bindings: [],
      names: new Set(),
    };
    this.#drafts.push(draft);
    this.#graph.offerImports(importsIn(facts.scopes, written));
    for (const variable of written.shape.variables) this.#bind(draft, variable, facts, owner);
    this.#rewriteNames(draft);
    const { shape } = written;
    const proto = Object.getPrototypeOf(fn) as object | null;
    // A property of a captured function is captured together with that function.
    const inside =
      origin.owner === undefined
        ? { owner, variable: nameOf(fn) === '' ? undefined : nameOf(fn), path: nameOf(fn) }
        : origin;
    return {
      type: 'function',
      form: shape.form,
      code: '', // when all is known: see `finish`
      isStrict: isStrict(fn, written),
      name: nameOf(fn),
      length: fn.length,
      file: written.script.url,
      line: written.line,
      column: written.column,
      parameters: [],
      bindings: [],
      eager: 0,
      ...(shape.class === undefined
        ? this.#graph.parts(fn, functionPrototypes.has(proto) ? proto : Function.prototype, inside, isOfEveryFunction)
        : this.#partsOfClass(fn, shape.class, draft, inside)),
      ...this.#prototypeOf(fn, shape.class, inside),
      ...(shape.usesSuper && origin.holder !== undefined
        ? { home: this.#graph.slot(Object.getPrototypeOf(origin.holder), inside) }
        : {}),
    };
  }

  /** The fields of the instances of a class have to be filled. */
  fill(owner: object): void {
    this.#filled.add(owner);
  }

  /** What is known of a class; `undefined` for a function that is none. */
  classOf(owner: object, origin: Origin): ClassShape | undefined {
    return this.#classes.get(owner) ?? this.#read(owner as AnyFunction, origin).written.shape.class;
  }

  /** Whether a class keeps private fields of its instances in weak collections. */
  usesStorages(owner: object, origin: Origin): boolean {
    const { written, facts } = this.#read(owner as AnyFunction, origin);
    return written.shape.variables.some(({ name, isStorage: mayBe }) => {
      const scope = mayBe ? facts.scopes.find(({ object }) => Object.hasOwn(object, name)) : undefined;
      return isStorage(scope?.object[name]);
    });
  }

  /** Whether a class is inside Node, without a name by which a worker could find it. */
  isOfNode(owner: object): boolean {
    const { inspector } = this.#graph;
    const scriptId = inspector?.factsOf(owner).location?.scriptId;
    return scriptId !== undefined && inspector?.scriptOf(scriptId)?.url.startsWith('node:') === true;
  }

  /** Writes the code, now that it is known which variables are shared. */
  finish(): void {
    const { inspector } = this.#graph;
    for (const group of inspector === undefined ? [] : groupShared(this.#uses, inspector)) {
      const [first] = group;
      if (first === undefined) continue;
      const { name } = first.variable;
      const binding = first.draft.bindings.find((each) => each.name === name) as Draft['bindings'][number];
      const cell = this.#graph.node(`cell ${first.draft.number} ${name}`, () => ({
        type: 'cell',
        value: binding.slot,
      }));
      for (const { draft, variable } of group) shareVariable(draft, variable, cell);
    }
    for (const draft of this.#drafts) {
      const bindings = [...draft.bindings].sort((a, b) => Number(b.isEager) - Number(a.isEager));
      const { class: shape } = draft.written.shape;
      if (shape !== undefined) {
        const filling = this.#filled.has(draft.fn) ? freshName(draft) : undefined;
        draft.edits.push(...editsForPrivates(shape, filling, isNodes(Object.getPrototypeOf(draft.fn))));
        if (filling !== undefined) {
          const slot = this.#graph.node('filling', () => ({ type: 'filling' }));
          bindings.unshift({ name: filling, slot, isEager: true });
        }
      }
      this.#graph.update<FunctionNode>(draft.number, (node) => ({
        ...node,
        code: applyEdits(draft.written.text, draft.edits),
        parameters: bindings.map(({ name }) => name),
        bindings: bindings.map(({ slot }) => slot),
        eager: bindings.filter(({ isEager }) => isEager).length,
      }));
    }
  }

  /** The text of a function, and what is around it. */
  #read(fn: AnyFunction, origin: Origin): { readonly written: WrittenFunction; readonly facts: FunctionFacts } {
    const { inspector } = this.#graph;
    const refuse = (what: string): never => this.#graph.fail(this.#named(origin, fn), what);
    const text = Function.prototype.toString.call(fn);
    const facts = inspector?.factsOf(fn, this.#graph.waitingFunctions()) ?? noFacts;
    if (facts.isBound) refuse('a bound function');
    if (isNative(fn)) refuse('a native function that has no public name');
    try {
      if (inspector === undefined) return { written: writtenAlone(text), facts };
      if (facts.location === undefined) return refuse('a function without a known location');
      return { written: findWritten(fn, text, facts.location, facts.scopes, inspector), facts };
    } catch (error) {
      if (error instanceof InsideNodeError) return refuse('a function inside Node that has no public name');
      if (!(error instanceof SyntaxError)) throw error;
      if (error.message.includes('new.target')) {
        const location = inspector && facts.location && locate(text, facts.location, inspector);
        const owner = { name: nameOf(fn), location };
        return this.#graph.fail({ owner, variable: 'new.target', path: 'new.target' }, ofTheFunctionAround);
      }
      return refuse(`a function whose text cannot be parsed alone (${error.message})`);
    }
  }

  /** A function of JavaScript's or Node's that is bound to nothing: Babel writes `Object.getPrototypeOf.bind()`. */
  #nativeBehind(fn: AnyFunction): GraphNode | undefined {
    const { inspector } = this.#graph;
    if (inspector === undefined || !nameOf(fn).startsWith('bound ') || !inspector.factsOf(fn).isBound) return undefined;
    const { target, self, args } = inspector.boundOf(fn);
    const name = self === undefined && args.length === 0 && isThing(target) ? builtinName(target) : undefined;
    return name && { type: 'named', ...name };
  }

  /** For a function that is the subject itself: then it has no variable, but a name and a place. */
  #named(origin: Origin, fn: AnyFunction): Origin {
    if (origin.owner !== undefined) return origin;
    const { inspector } = this.#graph;
    let target: unknown = fn;
    while (typeof target === 'function' && inspector?.factsOf(target).isBound) ({ target } = inspector.boundOf(target));
    const at = typeof target === 'function' ? inspector?.factsOf(target).location : undefined;
    const location = at && inspector && locate(Function.prototype.toString.call(target), at, inspector);
    return { ...origin, owner: { name: nameOf(fn), location } };
  }

  #refuse({ shape }: WrittenFunction, owner: NonNullable<Origin['owner']>): void {
    if (shape.lexical !== undefined) {
      this.#graph.fail({ owner, variable: shape.lexical, path: shape.lexical }, ofTheFunctionAround);
    }
    if (shape.privateName !== undefined) {
      this.#graph.fail(
        { owner, variable: shape.privateName, path: shape.privateName },
        `a private name of the class around it. Capture an object of that class instead`,
      );
    }
  }

  #bind(draft: Draft, variable: FreeVariable, facts: FunctionFacts, owner: NonNullable<Origin['owner']>): void {
    const { name } = variable;
    const { script } = draft.written;
    const origin: Origin = { owner, variable: name, path: name };
    const { captures } = this.#graph.options;
    const add = (slot: Slot): unknown => draft.bindings.push({ name, slot, isEager: variable.isEager });
    if (captures !== undefined && Object.hasOwn(captures, name) && script.id === this.#rootScript) {
      add(this.#graph.slot(captures[name], origin));
      return;
    }
    const at = facts.scopes.findIndex((scope) => !isGlobal(scope) && Object.hasOwn(scope.object, name));
    const scope = facts.scopes[at];
    if (scope === undefined) {
      const value = globalOf(name, facts.scopes);
      if (value !== undefined || !(name in globalThis)) this.isConstant = false;
      if (value !== undefined) add(this.#graph.slot(value.value, origin));
      else if (facts === noFacts && !(name in globalThis)) {
        this.#graph.fail(origin, 'unknown, since this Node has no inspector: give it in the option captures');
      }
      return;
    }
    const isTop = isTopScope(facts.scopes, at);
    const value = scope.object[name];
    const imported = importNode(name, scope, isTop, draft.written);
    if (imported !== undefined) {
      this.#bindImport(draft, variable, imported, value);
      return;
    }
    this.isConstant = false;
    if (name === 'exports' && isTop && variable.members !== undefined && typeof value === 'object' && value !== null) {
      add(this.#partial(value, variable.members, origin));
      return;
    }
    if (name === 'module' && isTop && isModuleObject(value)) {
      const node: GraphNode = { type: 'moduleObject', from: value.filename };
      add(this.#graph.node(JSON.stringify(node), () => node));
      return;
    }
    if (isStorage(value)) {
      if (this.#isInterop(draft)) this.#storages.beginEmpty(value);
      else if (variable.isStorage) this.#storages.use(value);
    }
    add(this.#graph.slot(value, origin));
    const scopes = facts.scopes.slice(at).filter(({ description }) => !/^(Module|Script|Global)/.test(description));
    this.#uses.push({ draft, variable, fn: draft.fn, written: draft.written, scopes });
  }

  /** Whether a function is what compilers put around imports; where names are short, by what it begins with. */
  #isInterop({ fn, written: { script, offset } }: Draft): boolean {
    if (interop.test(nameOf(fn))) return true;
    const before = this.#graph.inspector?.sourceOf(script).slice(Math.max(0, offset - 200), offset) ?? '';
    return /typeof WeakMap\b/.test(before);
  }

  /** A name that is imported. One that holds a primitive is read anew each time: the module may change it. */
  #bindImport(draft: Draft, variable: FreeVariable, node: ImportNode | RequireNode, value: unknown): void {
    const { name, isEager } = variable;
    const isLive = node.type === 'import' && node.name !== '*' && !isThing(value);
    const whole: GraphNode = isLive ? { ...node, name: '*' } : node;
    draft.bindings.push({ name, slot: this.#graph.imported(whole, isLive ? undefined : value), isEager });
    if (isLive) replaceUses(draft, variable, (own) => `${own}[${JSON.stringify(node.name)}]`);
  }

  /** `exports`, of which only what is used travels: the rest of a file may be anything. */
  #partial(object: object, members: ReadonlySet<string>, origin: Origin): number {
    const number = this.#graph.node(`exports of ${origin.owner?.location?.replace(/:\d+:\d+$/, '')}`, () => ({
      type: 'object',
      own: [],
    }));
    let taken = this.#partials.get(object);
    if (taken === undefined) this.#partials.set(object, (taken = new Set()));
    for (const key of members) {
      const property = Object.getOwnPropertyDescriptor(object, key);
      if (property === undefined || taken.has(key)) continue;
      taken.add(key);
      const entry = this.#graph.property(key, property, origin);
      this.#graph.update<GraphNode & ObjectParts>(number, (node) => ({ ...node, own: [...(node.own ?? []), entry] }));
    }
    return number;
  }

  /** What in the code is evaluated by its place, and would be another thing elsewhere. */
  #rewriteNames(draft: Draft): void {
    const { shape, script } = draft.written;
    if (shape.importMeta.length > 0) {
      const name = freshName(draft);
      const node: GraphNode = { type: 'importMeta', from: script.url };
      for (const range of shape.importMeta) replace(draft, range, name);
      draft.bindings.push({ name, slot: this.#graph.node(JSON.stringify(node), () => node), isEager: false });
    }
    if (shape.computedName !== undefined) {
      replace(draft, shape.computedName, freshName(draft));
    }
  }

  #partsOfClass(fn: AnyFunction, shape: ClassShape, draft: Draft, origin: Origin): ObjectParts {
    this.#classes.set(fn, shape);
    for (const { start, end, isBlock } of shape.initialisers) {
      replace(draft, { start, end }, isBlock ? '' : '0'); // its value follows
    }
    if (shape.heritage !== undefined && !shape.heritage.isNull) {
      const name = freshName(draft);
      replace(draft, shape.heritage, name);
      const parent = Object.getPrototypeOf(fn) as object;
      draft.bindings.push({ name, slot: this.#graph.slot(parent, origin), isEager: true });
    }
    this.#keepComputedNames(fn, shape, draft, origin);
    const natural = Object.getPrototypeOf(fn) as object | null;
    const parts = this.#graph.parts(
      fn,
      natural,
      origin,
      (key) => isOfEveryFunction(key, fn) || isMethodOf(shape, Object.getOwnPropertyDescriptor(fn, key)),
    );
    if (shape.staticPrivates.length === 0) return parts;
    const found = new Map(this.#graph.inspector?.privatesOf(fn));
    const values = shape.staticPrivates.map((name) =>
      this.#graph.slot(found.get(name), { ...origin, path: `${origin.path}.${name}` }),
    );
    return { ...parts, privates: [{ class: draft.number, values }] };
  }

  /** Names in brackets are not evaluated again; V8 may not even have kept their variables. */
  #keepComputedNames(fn: AnyFunction, shape: ClassShape, draft: Draft, origin: Origin): void {
    const taken = { own: new Set<string | symbol>(), prototype: new Set<string | symbol>() };
    for (const { key, method, isStatic } of shape.computedMethods) {
      const holder = isStatic ? fn : (fn as { prototype: object }).prototype;
      const names = isStatic ? taken.own : taken.prototype;
      const isIt = (name: string | symbol): boolean => {
        const property = Object.getOwnPropertyDescriptor(holder, name);
        const functions: unknown[] = [property?.value, property?.get, property?.set];
        return functions.some(
          (each) => typeof each === 'function' && Function.prototype.toString.call(each) === method,
        );
      };
      const name = Reflect.ownKeys(holder).find((each) => !names.has(each) && isIt(each));
      if (name === undefined) continue; // it was deleted, or replaced
      names.add(name);
      const parameter = freshName(draft);
      replace(draft, key, parameter);
      draft.bindings.push({ name: parameter, slot: this.#graph.slot(name, origin), isEager: true });
    }
  }

  #prototypeOf(
    fn: AnyFunction,
    shape: ClassShape | undefined,
    origin: Origin,
  ): Pick<FunctionNode, 'prototype' | 'prototypeOwn' | 'prototypeProto'> {
    const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value;
    if (typeof prototype !== 'object' || prototype === null) return {};
    const inside = { ...origin, path: `${origin.path}.prototype`, holder: prototype };
    const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
    if (constructor !== fn) {
      const isNatural = Reflect.ownKeys(prototype).length === 0 && constructor === undefined;
      return isNatural ? {} : { prototype: this.#graph.slot(prototype, inside) };
    }
    const own: Property[] = this.#graph.properties(
      prototype,
      inside,
      (key) =>
        key === 'constructor' ||
        (shape !== undefined && isMethodOf(shape, Object.getOwnPropertyDescriptor(prototype, key))),
    );
    const proto = Object.getPrototypeOf(prototype) as object | null;
    return {
      ...(own.length === 0 ? {} : { prototypeOwn: own }),
      ...(shape !== undefined || proto === Object.prototype ? {} : { prototypeProto: this.#graph.slot(proto, inside) }),
    };
  }
}

/** A function that is declared and assigned anew, by itself or before: what it calls by its name is what that stands for. */
function forItsVariables(written: WrittenFunction, fn: AnyFunction, { scopes }: FunctionFacts): WrittenFunction {
  const { nameless } = written.shape;
  if (nameless === undefined || !written.isDeclared) return written;
  const own = nameless.shape.variables.find((each) => !written.shape.variables.some(({ name }) => name === each.name));
  const scope = own && scopes.find(({ object }) => Object.hasOwn(object, own.name));
  if (own === undefined || scope === undefined) return written;
  return own.isWritten || scope.object[own.name] !== fn ? { ...written, ...nameless } : written;
}

function isNodes(value: unknown): boolean {
  return typeof value === 'function' && builtinName(value) !== undefined;
}

function isStrict(fn: AnyFunction, { shape, scriptShape }: WrittenFunction): boolean {
  if (scriptShape.isStrict) return true;
  const tells = shape.kind === 'function' && shape.form === 'expression' && Object.hasOwn(fn, 'prototype');
  return tells && functionPrototypes.has(Object.getPrototypeOf(fn)) && !hasCaller(fn);
}

/** V8 gives `caller` to sloppy functions only, as a property of their own or, from version 14 on, by a getter that throws for others. */
function hasCaller(fn: AnyFunction): boolean {
  if (Object.hasOwn(fn, 'caller')) return true;
  try {
    Reflect.get(Function.prototype, 'caller', fn);
    return true;
  } catch {
    return false;
  }
}

function isOfEveryFunction(key: string | symbol, fn?: object): boolean {
  if (key === 'name') return fn === undefined || typeof (fn as { name: unknown }).name === 'string';
  return key === 'length' || key === 'prototype' || key === 'arguments' || key === 'caller';
}

/** Whether a property is one of the methods in the text of a class. */
function isMethodOf(shape: ClassShape, property: PropertyDescriptor | undefined): boolean {
  const functions = [property?.value, property?.get, property?.set].filter((each) => typeof each === 'function');
  return functions.length > 0 && functions.every((each) => shape.methods.has(Function.prototype.toString.call(each)));
}

function nameOf(fn: AnyFunction): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value;
  return typeof name === 'string' ? name : '';
}
