/**
 * Which classes are the same one. A worker makes a copy of a class for each function that brings it along, and for `sharedObjects`: each
 * copy has the variables of its function. All of them have the name that the program has given to the class, and know each other's
 * instances. Every copy of this package sees the same names.
 */

const mark = Symbol.for('rxjs-parallel-map.classes');

interface Names {
  /** By prototype: what an object has need not be looked at for that. */
  readonly byPrototype: WeakMap<object, string>;
  /** The first copy of each class that was made here. */
  readonly copies: Map<string, WeakRef<Function>>;
  readonly collected: FinalizationRegistry<string>;
  /** The names that are given here begin with this: a worker has names from its program, too. */
  readonly prefix: string;
  given: number;
  hasInstance(this: unknown, value: unknown): boolean;
}

type Place = { [mark]?: Names };

const usual = Function.prototype[Symbol.hasInstance];

function names(): Names {
  const place = globalThis as Place;
  if (place[mark] === undefined) Object.defineProperty(place, mark, { value: createNames() });
  return place[mark] as Names;
}

function createNames(): Names {
  const byPrototype = new WeakMap<object, string>();
  const copies = new Map<string, WeakRef<Function>>();
  return {
    byPrototype,
    copies,
    collected: new FinalizationRegistry((name) => {
      if (copies.get(name)?.deref() === undefined) copies.delete(name);
    }),
    prefix: Math.random().toString(36).slice(2),
    given: 0,
    hasInstance(value) {
      if (usual.call(this as Function, value)) return true;
      const name = typeof this === 'function' ? className(this.prototype) : undefined;
      if (name === undefined || value === null || (typeof value !== 'object' && typeof value !== 'function'))
        return false;
      for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null) {
        if (byPrototype.get(at) === name) return true;
      }
      return false;
    },
  };
}

/** The name of the class with a prototype; `undefined` where it has never left a program. */
export function className(prototype: unknown): string | undefined {
  const known = (globalThis as Place)[mark]?.byPrototype;
  return typeof prototype === 'object' && prototype !== null ? known?.get(prototype) : undefined;
}

/** The name of a class that leaves the program. */
export function nameClass({ prototype }: Function): string {
  const known = className(prototype);
  if (known !== undefined) return known;
  const all = names();
  const name = `${all.prefix}.${all.given++}`;
  if (typeof prototype === 'object' && prototype !== null) all.byPrototype.set(prototype as object, name);
  return name;
}

/**
 * A copy of a class has been made here, or the class itself was imported.
 *
 * @param isClosed Whether nothing can be added to it later, for it is about to be frozen.
 */
export function addCopy(owner: Function, name: string, isClosed = false): void {
  const { prototype } = owner as { readonly prototype: unknown };
  const { byPrototype, copies, collected, hasInstance } = names();
  if (typeof prototype !== 'object' || prototype === null || byPrototype.has(prototype)) return;
  byPrototype.set(prototype, name);
  const first = copies.get(name)?.deref();
  if (first === undefined) {
    copies.set(name, new WeakRef(owner));
    collected.register(owner, name);
    if (!isClosed) return;
  }
  // Only now: most classes have one copy, and `instanceof` is slower with this.
  for (const copy of [first, owner]) {
    if (copy?.[Symbol.hasInstance] === usual) Reflect.defineProperty(copy, Symbol.hasInstance, { value: hasInstance });
  }
}

/** Whether a property was put on a class here: it does not belong to the code of the user. */
export function isOurs(key: string | symbol, owner: object): boolean {
  if (key !== Symbol.hasInstance) return false;
  const value: unknown = Object.getOwnPropertyDescriptor(owner, key)?.value;
  return value !== undefined && value === (globalThis as Place)[mark]?.hasInstance;
}
