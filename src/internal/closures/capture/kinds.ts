/** Describes what cannot travel, for error messages. */

import { types } from 'node:util';
import { isDetached } from '../../protocol/usedUp.js';

/** What is wrong with capturing an object; `undefined` where it may be fine. Runs no code of the object's. */
export function whyUnportable(value: object): string | undefined {
  if (types.isProxy(value)) return 'a Proxy, which cannot be inspected';
  if (types.isPromise(value)) return 'a Promise, which settles only here: await it, and capture the result';
  if (types.isWeakMap(value)) return 'a WeakMap, whose entries cannot be listed';
  if (types.isWeakSet(value)) return 'a WeakSet, whose entries cannot be listed';
  if (types.isGeneratorObject(value)) return 'a generator in progress';
  if (types.isModuleNamespaceObject(value)) {
    return 'a module namespace that does not come from an import declaration: import it by name';
  }
  if (types.isExternal(value)) return 'a handle of native code';
  const tag = Object.prototype.toString.call(value);
  const memory: unknown = ArrayBuffer.isView(value) ? value.buffer : value;
  if (types.isArrayBuffer(memory) && isDetached(memory)) {
    return `${anInstanceOf(tag.slice('[object '.length, -1))} that is detached: its memory was transferred`;
  }
  // From Node 22 on, everything that inherits from `Iterator` has a tag like theirs.
  if (/^\[object .+ Iterator\]$/.test(tag)) return `${anInstanceOf(tag.slice('[object '.length, -1))} in progress`;
  switch (tag) {
    case '[object WeakRef]':
      return 'a WeakRef';
    case '[object FinalizationRegistry]':
      return 'a FinalizationRegistry';
    default:
      return undefined;
  }
}

/** `a Socket`, `an Agent`. */
export function anInstanceOf(name: string): string {
  return `${/^(?!U(int|RL))[AEIOU]/i.test(name) ? 'an' : 'a'} ${name}`;
}

/** Whether a value is an object or a function. */
export function isThing(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}
