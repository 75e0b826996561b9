/** The classes that both sides of a channel have: those that a function or `sharedObjects` know which both have, and `Buffer` and such. */

import type { ClassName, Classes, KnownClass } from './checked.js';
import { Buffer } from '../platform/globals.js';
import { className } from './classNames.js';
import { hasPrivateNames } from './privateNames.js';

/** What `sharedObjects` know is named as if by a function with this number. */
export const SHARED = -2;

/** What is of the language or of Node is named as if by a function with this number. */
const BUILTIN = -1;

/** Classes that everybody has, and structured clone does not know: it makes an Error of an AggregateError. */
const builtins = [Buffer, AggregateError, (globalThis as { readonly SuppressedError?: Function }).SuppressedError];
const byPrototype = new Map<object, KnownClass>();
builtins.forEach((each, at) => {
  if (each !== undefined) byPrototype.set(each.prototype as object, { name: [BUILTIN, at], hides: false });
});

export class ClassTable implements Classes {
  readonly #byTask = new Map<number, ReadonlyMap<object, KnownClass>>();

  /** A function is there on both sides, with these classes; `undefined` for one that is missing here. */
  learn(task: number, classes: readonly (Function | undefined)[]): void {
    if (classes.length === 0 || this.#byTask.has(task)) return;
    const known = new Map<object, KnownClass>();
    classes.forEach((each, at) => {
      const prototype: unknown = each?.prototype;
      if (typeof prototype !== 'object' || prototype === null) return;
      known.set(prototype, { name: [task, at], hides: hasPrivateNames(each as Function) });
    });
    this.#byTask.set(task, known);
  }

  forget(task: number): void {
    this.#byTask.delete(task);
  }

  /** Those that a function knows, or `sharedObjects`. */
  of(task: number): Classes {
    const known = this.#byTask.get(task);
    const shared = this.#byTask.get(SHARED);
    if (known === undefined && shared === undefined) return builtinClasses;
    return { find: (prototype) => byPrototype.get(prototype) ?? known?.get(prototype) ?? shared?.get(prototype) };
  }

  find(prototype: object): KnownClass | undefined {
    const found = byPrototype.get(prototype);
    if (found !== undefined || this.#byTask.size === 0) return found;
    for (const known of this.#byTask.values()) {
      const here = known.get(prototype);
      if (here !== undefined) return here;
    }
    // A copy of a function that is not here any more: an object may outlive it, in the state of a worker.
    const name = className(prototype);
    return name === undefined ? undefined : this.#findCopy(name);
  }

  #findCopy(name: string): KnownClass | undefined {
    for (const known of this.#byTask.values()) {
      for (const [prototype, copy] of known) if (className(prototype) === name) return copy;
    }
    return undefined;
  }

  /** The prototype of a class by its name; `undefined` where it is not known here. */
  prototype([task, at]: ClassName): object | undefined {
    if (task === BUILTIN) return builtins[at]?.prototype as object | undefined;
    for (const [prototype, { name }] of this.#byTask.get(task) ?? []) if (name[1] === at) return prototype;
    return undefined;
  }
}

const builtinClasses: Classes = { find: (prototype) => byPrototype.get(prototype) };
