/** What is known of functions before they are written: their text, what is around it, and of classes what is in them. */

import type { Origin } from '../values/Kind.js';
import { isWeakCollection } from '../values/weakCollections.js';
import { isNative } from './builtins.js';
import type { ClassShape } from './classShape.js';
import type { FunctionFacts } from './facts.js';
import type { OpenGraph } from './openGraph.js';
import { findWritten, InsideNodeError, locate, writtenAlone, type WrittenFunction } from './scripts.js';

export type AnyFunction = (...args: never[]) => unknown;

export const ofTheFunctionAround = 'that of the function around the arrow function';

/** What is known of a function where there is no inspector. */
export const noFacts: FunctionFacts = { location: undefined, scopes: [], isBound: false };

const nobody: Origin = { owner: undefined, variable: undefined, path: '' };

export class FunctionReader {
  readonly #graph: OpenGraph;
  readonly #classes = new Map<object, ClassShape | undefined>();
  readonly #usingStorages = new Map<object, boolean>();

  constructor(graph: OpenGraph) {
    this.#graph = graph;
  }

  /** The text of a function, and what is around it. */
  read(fn: AnyFunction, origin: Origin): { readonly written: WrittenFunction; readonly facts: FunctionFacts } {
    const { inspector } = this.#graph;
    const refuse = (what: string): never => this.#graph.fail(this.#named(origin, fn), what);
    const text = Function.prototype.toString.call(fn);
    const facts = inspector?.factsOf(fn, () => this.#graph.newFunctions()) ?? noFacts;
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

  isBound(fn: object): boolean {
    return this.#graph.inspector?.factsOf(fn, () => this.#graph.newFunctions()).isBound ?? false;
  }

  /** For a function that is the subject itself: then it has no variable, but a name and a place. */
  #named(origin: Origin, fn: AnyFunction): Origin {
    if (origin.owner !== undefined) return origin;
    const { inspector } = this.#graph;
    const at = inspector?.factsOf(fn).location;
    const location = at && inspector && locate(Function.prototype.toString.call(fn), at, inspector);
    return { ...origin, owner: { name: nameOf(fn), location } };
  }

  /** What is known of a class; `undefined` for a function that is none. */
  classOf(owner: object, origin: Origin): ClassShape | undefined {
    if (!this.#classes.has(owner)) {
      this.#classes.set(owner, this.read(owner as AnyFunction, origin).written.shape.class);
    }
    return this.#classes.get(owner);
  }

  /** The methods in the text of a class that its `prototype` still has. */
  methodsOf(owner: object): { fn: object; of: object; key: string | symbol; part: 'value' | 'get' | 'set' }[] {
    const shape = this.classOf(owner, nobody);
    const { prototype } = owner as { readonly prototype: object };
    if (shape === undefined) return [];
    return Reflect.ownKeys(prototype).flatMap((key) => {
      const property = Object.getOwnPropertyDescriptor(prototype, key);
      return (['value', 'get', 'set'] as const).flatMap((part) => {
        const fn: unknown = property?.[part];
        const isIt =
          typeof fn === 'function' && key !== 'constructor' && shape.methods.has(Function.prototype.toString.call(fn));
        return isIt ? [{ fn, of: prototype, key, part }] : [];
      });
    });
  }

  /** Whether a class keeps private fields of its instances in weak collections. */
  usesStorages(owner: object, origin: Origin): boolean {
    const known = this.#usingStorages.get(owner);
    if (known !== undefined) return known;
    const { written, facts } = this.read(owner as AnyFunction, origin);
    const uses = written.shape.variables.some(({ name, isStorage: mayBe }) => {
      const scope = mayBe ? facts.scopes.find(({ object }) => Object.hasOwn(object, name)) : undefined;
      return isWeakCollection(scope?.object[name]);
    });
    this.#usingStorages.set(owner, uses);
    return uses;
  }

  /** Whether a class is inside Node, without a name by which a worker could find it. */
  isOfNode(owner: object): boolean {
    const { inspector } = this.#graph;
    const scriptId = inspector?.factsOf(owner).location?.scriptId;
    return scriptId !== undefined && inspector?.scriptOf(scriptId)?.url.startsWith('node:') === true;
  }
}

/** A function that is declared and assigned anew, by itself or before: what it calls by its name is what that stands for. */
export function forItsVariables(written: WrittenFunction, fn: AnyFunction, { scopes }: FunctionFacts): WrittenFunction {
  const { nameless } = written.shape;
  if (nameless === undefined || !written.isDeclared) return written;
  const own = nameless.shape.variables.find((each) => !written.shape.variables.some(({ name }) => name === each.name));
  const scope = own && scopes.find(({ object }) => Object.hasOwn(object, own.name));
  if (own === undefined || scope === undefined) return written;
  return own.isWritten || scope.object[own.name] !== fn ? { ...written, ...nameless } : written;
}

export function nameOf(fn: AnyFunction): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value;
  return typeof name === 'string' ? name : '';
}
