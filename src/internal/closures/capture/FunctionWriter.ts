/** Functions and classes as nodes of the graph: their code, changed where it has to be, and the variables that it needs. */

import { types } from 'node:util';
import type { FunctionNode, GraphNode, ImportNode, RequireNode } from '../graph.js';
import type { ObjectParts, Slot } from '../parts.js';
import type { Origin } from '../values/Kind.js';
import { isWeakCollection } from '../values/weakCollections.js';
import { builtinName } from './builtins.js';
import type { FreeVariable, LexicalUse } from './analyse.js';
import { isOfEveryFunction, partsOfClass, prototypeOf } from './classParts.js';
import type { FunctionFacts } from './facts.js';
import { editsForPrivates, freshName, replace, replaceUses, shareVariable, type Draft } from './draft.js';
import { globalOf, importNode, importsIn, isGlobal, isLoadedElsewhere, isModuleObject, isTopScope } from './names.js';
import { interop } from './imports.js';
import { isThing } from './isThing.js';
import {
  forItsVariables,
  nameOf,
  noFacts,
  ofTheFunctionAround,
  type AnyFunction,
  type FunctionReader,
} from './FunctionReader.js';
import type { OpenGraph } from './openGraph.js';
import type { WrittenFunction } from './scripts.js';
import { groupShared, type SharedUse } from './shared.js';
import type { Storages } from './storages.js';
import { applyEdits } from './syntax.js';

/** What Vite writes for `import()` and `import.meta`. */
const meaningsOfVite: ReadonlyMap<string, 'import' | 'meta'> = new Map([
  ['__vite_ssr_dynamic_import__', 'import'],
  ['__vi_dynamic_import__', 'import'],
  ['__vite_ssr_import_meta__', 'meta'],
  ['__vi_import_meta__', 'meta'],
]);

const functionPrototypes: ReadonlySet<unknown> = new Set(
  [() => undefined, async () => undefined, function* () {}, async function* () {}].map((each) =>
    Object.getPrototypeOf(each),
  ),
);

export class FunctionWriter {
  /** Whether all variables are imports, or of JavaScript and Node. */
  isConstant = true;

  readonly #graph: OpenGraph;
  readonly #reader: FunctionReader;
  readonly #storages: Storages;
  readonly #drafts: Draft[] = [];
  /** Variables that may have to be shared. */
  readonly #uses: (SharedUse & { readonly draft: Draft; readonly variable: FreeVariable })[] = [];
  readonly #partials = new Map<object, { readonly number: number; readonly taken: Set<string> }>();
  /** Classes of which instances with private fields travel. */
  readonly #filled = new Set<object>();
  /** Scripts of which all imports at the top are known. */
  readonly #scripts = new Set<string>();
  #rootScript: string | undefined;
  #rootNumber: number | undefined;

  constructor(graph: OpenGraph, reader: FunctionReader, storages: Storages) {
    this.#graph = graph;
    this.#reader = reader;
    this.#storages = storages;
  }

  nodeOf(fn: AnyFunction, origin: Origin): GraphNode {
    const { facts, ...read } = this.#reader.read(fn, origin);
    const written = forItsVariables(read.written, fn, facts);
    this.#rootScript ??= written.script.id;
    const { url, sourceMapURL } = written.script;
    if (process.sourceMapsEnabled === true && sourceMapURL !== '') this.#graph.sourceMaps[url] = sourceMapURL;
    const owner = { name: nameOf(fn), location: written.location };
    const from = origin.owner === undefined ? undefined : origin;
    this.#refuse(written, owner, from);

    const draft: Draft = {
      number: this.#graph.numberOf(fn) as number,
      fn,
      written,
      edits: [],
      bindings: [],
      names: new Set(),
    };
    this.#drafts.push(draft);
    this.#rootNumber ??= draft.number;
    this.#graph.offerImports(importsIn(facts.scopes, written, this.#scripts.has(written.script.id)));
    this.#scripts.add(written.script.id);
    const top = facts.scopes.findIndex((scope, i) => !isGlobal(scope) && isTopScope(facts.scopes, i));
    this.#graph.meet(written, facts.scopes[top]);
    for (const variable of written.shape.variables) this.#bind(draft, variable, facts, owner, from);
    for (const use of written.shape.lexical) this.#bindLexical(draft, use, facts, owner, from);
    this.#rewriteNames(draft);
    const { shape } = written;
    const proto = Object.getPrototypeOf(fn) as object | null;
    // A property of a captured function is captured by the owner of that function.
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
        : partsOfClass(this.#graph, fn, shape.class, draft, inside)),
      ...prototypeOf(this.#graph, fn, shape.class, inside),
      ...(shape.usesSuper && origin.holder !== undefined
        ? { home: this.#graph.slot(Object.getPrototypeOf(origin.holder), inside) }
        : {}),
    };
  }

  /** The fields of the instances of a class have to be filled. */
  fill(owner: object): void {
    this.#filled.add(owner);
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

  #refuse({ shape }: WrittenFunction, owner: NonNullable<Origin['owner']>, from: Origin | undefined): void {
    if (shape.privateName !== undefined) {
      this.#graph.fail(
        { owner, variable: shape.privateName, path: shape.privateName, from },
        `a private name of the class around it`,
      );
    }
  }

  /** What an arrow function takes from the function around it: a variable of ours. */
  #bindLexical(
    draft: Draft,
    { name, uses }: LexicalUse,
    facts: FunctionFacts,
    owner: NonNullable<Origin['owner']>,
    from: Origin | undefined,
  ): void {
    const origin: Origin = { owner, variable: name, path: name, from };
    this.isConstant = false;
    const slot = this.#graph.slot(this.#lexicalValue(draft, name, facts, origin), origin);
    const own = freshName(draft);
    for (const range of uses) replace(draft, range, own);
    draft.bindings.push({ name: own, slot, isEager: false });
  }

  #lexicalValue(
    { fn, written, number }: Draft,
    name: LexicalUse['name'],
    facts: FunctionFacts,
    origin: Origin,
  ): unknown {
    const { captures, onVariable } = this.#graph.options;
    const isGiven = captures !== undefined && Object.hasOwn(captures, name);
    const isInRoot = written.script.id === this.#rootScript;
    if (isInRoot) onVariable?.(name);
    if (isGiven && isInRoot && number === this.#rootNumber) return captures[name];
    if (name === 'super' || name === 'new.target') return this.#graph.fail(origin, ofTheFunctionAround);
    const { inspector } = this.#graph;
    const { location: at } = facts;
    const values =
      inspector === undefined || at === undefined
        ? { refusal: 'only an inspector can read it' }
        : inspector.lexicalOf({ fn, at, written });
    if ('refusal' in values) {
      // By hand it is the same for all functions of the file: for one of which it is not known.
      if (isGiven && isInRoot) return captures[name];
      return this.#graph.fail(origin, `${ofTheFunctionAround}, and ${values.refusal}`);
    }
    return values[name];
  }

  #bind(
    draft: Draft,
    variable: FreeVariable,
    facts: FunctionFacts,
    owner: NonNullable<Origin['owner']>,
    from: Origin | undefined,
  ): void {
    const { name } = variable;
    const { script, shape } = draft.written;
    if (name === 'arguments' && shape.lexical.some((use) => use.name === name)) return;
    const origin: Origin = { owner, variable: name, path: name, from };
    const { captures, onVariable } = this.#graph.options;
    const isInRoot = script.id === this.#rootScript;
    if (isInRoot) onVariable?.(name);
    const add = (slot: Slot): unknown => draft.bindings.push({ name, slot, isEager: variable.isEager });
    if (captures !== undefined && Object.hasOwn(captures, name) && isInRoot) {
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
    const meaning = draft.written.scriptShape.isWrapped === true ? meaningsOfVite.get(name) : undefined;
    if (meaning === 'import' && variable.uses.every(({ place }) => place === 'callee')) {
      for (const { start, end } of variable.uses) replace(draft, { start, end }, meaning);
      return;
    }
    if (meaning === 'meta') {
      const { url } = scope.object[name] as { readonly url: string };
      const node: GraphNode = { type: 'importMeta', from: url };
      add(this.#graph.node(JSON.stringify(node), () => node));
      return;
    }
    const imported = importNode(name, scope, isTop, draft.written);
    if (imported !== undefined && !isReplaceable(draft.written, value)) {
      this.#bindImport(draft, variable, imported, value);
      return;
    }
    this.isConstant = false;
    const made = isTop ? this.#graph.setupValueOf(draft.written, name) : undefined;
    if (made !== undefined) {
      add(this.#graph.imported(made, value));
      return;
    }
    const isModule = this.#isTakenAsModule(draft.written, name, value) || (name === 'exports' && isTop);
    if (isModule && variable.members !== undefined && typeof value === 'object' && value !== null) {
      add(this.#partial(value, variable.members, origin));
      return;
    }
    if (name === 'module' && isTop && isModuleObject(value)) {
      const node: GraphNode = { type: 'moduleObject', from: value.filename };
      add(this.#graph.node(JSON.stringify(node), () => node));
      return;
    }
    if (isWeakCollection(value) && this.#isInterop(draft)) this.#storages.beginEmpty(value);
    add(this.#graph.slot(value, origin));
    const scopes = facts.scopes.slice(at).filter(({ description }) => !/^(Module|Script|Global)/.test(description));
    this.#uses.push({ draft, variable, fn: draft.fn, written: draft.written, scopes });
  }

  /** Whether a name is a module that something else than Node has loaded: only what is used of it travels. */
  #isTakenAsModule(written: WrittenFunction, name: string, value: unknown): boolean {
    return isLoadedElsewhere(written) && written.scriptShape.imports.has(name) && !this.#graph.isKnown(value);
  }

  /** Whether a function is what compilers put around imports; where names are short, by what it begins with. */
  #isInterop({ fn, written: { script, offset } }: Draft): boolean {
    if (interop.test(nameOf(fn))) return true;
    const before = this.#graph.inspector?.sourceOf(script).text.slice(Math.max(0, offset - 200), offset) ?? '';
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
    const known = this.#partials.get(object);
    const number =
      known?.number ??
      this.#graph.node(`exports of ${origin.owner?.location?.replace(/:\d+:\d+$/, '')} ${this.#partials.size}`, () => ({
        type: 'object',
        own: [],
      }));
    const taken = known?.taken ?? new Set<string>();
    this.#partials.set(object, { number, taken });
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
}

/** Whether what is imported has to be taken as it is here: a test runner has transformed it, or put something else in its place. */
function isReplaceable(written: WrittenFunction, value: unknown): boolean {
  return isLoadedElsewhere(written) && !types.isModuleNamespaceObject(value);
}

function isNodes(value: unknown): boolean {
  return typeof value === 'function' && builtinName(value) !== undefined;
}

/** Of functions of the same text: one may have been made thousands of times. */
const strict = new WeakMap<WrittenFunction, boolean>();

function isStrict(fn: AnyFunction, written: WrittenFunction): boolean {
  const { shape, scriptShape } = written;
  if (scriptShape.isStrict) return true;
  const known = strict.get(written);
  if (known !== undefined) return known;
  const tells = shape.kind === 'function' && shape.form === 'expression' && Object.hasOwn(fn, 'prototype');
  const is = tells && functionPrototypes.has(Object.getPrototypeOf(fn)) && !hasCaller(fn);
  strict.set(written, is);
  return is;
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
