/**
 * `AsyncLocalStorage`. What it holds where the function is captured, it holds in the tasks: they are what would run there.
 */

import { createRequire } from 'node:module';
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { ObjectParts, Slot } from '../parts.js';
import type { Kind } from './Kind.js';

export interface StorageNode extends ObjectParts {
  readonly type: 'asyncLocalStorage';
  readonly store: Slot;
  readonly name: string | undefined;
}

type StorageClass = typeof AsyncLocalStorage<unknown>;

/** Loaded when it is needed: most workers never do. */
function storageClass(): StorageClass {
  const require = createRequire(import.meta.url);
  return (require('node:async_hooks') as { readonly AsyncLocalStorage: StorageClass }).AsyncLocalStorage;
}

/** Marks those that were made here, by every copy of this package in a worker. */
const mark = Symbol.for('rxjs-parallel-map.storage');

const methodNames = ['getStore', 'run', 'exit', 'enterWith', 'disable'] as const;

/** Whether a property is Node's or ours. */
function isHidden(key: string | symbol, isOurs: boolean): boolean {
  if (typeof key === 'symbol' || ['kResourceStore', 'enabled', '_onPropagate'].includes(key)) return true;
  return isOurs && (methodNames as readonly string[]).includes(key);
}

export const storages: Kind<AsyncLocalStorage<unknown>, StorageNode> = {
  matches: (value): value is AsyncLocalStorage<unknown> => {
    if (typeof value !== 'object' || value === null) return false;
    const proto = Object.getPrototypeOf(value) as { readonly constructor?: unknown } | null;
    const owner =
      proto === null ? undefined : (Object.getOwnPropertyDescriptor(proto, 'constructor')?.value as unknown);
    if (typeof owner !== 'function' || owner.name !== 'AsyncLocalStorage') return false;
    return owner === storageClass() && proto === storageClass().prototype;
  },
  write: (storage, graph, origin) => {
    const { prototype } = storageClass();
    const isOurs = Object.hasOwn(storage, mark);
    const store = isOurs ? storage.getStore() : prototype.getStore.call(storage);
    return {
      type: 'asyncLocalStorage',
      store: graph.slot(store, { ...origin, path: `${origin.path}.getStore()` }),
      name: (storage as { readonly name?: string }).name,
      ...graph.parts(storage, prototype, origin, (key) => isHidden(key, isOurs)),
    };
  },
  read: {
    asyncLocalStorage: (node, graph) =>
      graph.finish(
        storageWith(node.name, () => graph.valueOf(node.store)),
        node,
      ),
  },
};

/** A storage that holds something wherever nothing else was put into it; Node's own option for that is newer. */
function storageWith(name: string | undefined, initial: () => unknown): AsyncLocalStorage<unknown> {
  const Storage = storageClass();
  // Of values in boxes, so that `undefined` can be told from nothing.
  const inner = new Storage() as AsyncLocalStorage<{ readonly value: unknown } | undefined>;
  let hasInitial = true;
  const options = name === undefined ? {} : { name };
  const storage = new (Storage as new (options: object) => AsyncLocalStorage<unknown>)(options);
  const methods: Record<(typeof methodNames)[number], (...args: never[]) => unknown> = {
    getStore: () => {
      const boxed = inner.getStore();
      if (boxed !== undefined) return boxed.value;
      return hasInitial ? initial() : undefined;
    },
    run: (value: unknown, fn: () => unknown, ...args: []) => inner.run({ value }, fn, ...args),
    exit: (fn: () => unknown, ...args: []) => inner.run({ value: undefined }, fn, ...args),
    enterWith: (value: unknown) => inner.enterWith({ value }),
    disable: () => {
      hasInitial = false;
      inner.disable();
    },
  };
  for (const key of methodNames) Object.defineProperty(storage, key, { value: methods[key], configurable: true });
  Object.defineProperty(storage, mark, { value: true });
  return storage;
}
