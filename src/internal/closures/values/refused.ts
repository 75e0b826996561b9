/** What cannot travel, in words for the person who has captured it. */

import { types } from 'node:util';
import { isDetached } from '../../protocol/usedUp.js';
import type { Kind } from './Kind.js';

export const refused: Kind<object, never> = {
  matches: (value): value is object => typeof value === 'object' && whyUnportable(value as object) !== undefined,
  write: (value, graph, origin) => graph.fail(origin, whyUnportable(value) as string),
  read: {},
};

/** What is wrong with capturing an object; `undefined` where it may be fine. Runs no code of the object's. */
function whyUnportable(value: object): string | undefined {
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

export function tagOf(object: object): string {
  return Object.prototype.toString.call(object).slice('[object '.length, -1);
}
