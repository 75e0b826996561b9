/**
 * Finds the values of one chunk that have an object in common.
 *
 * Structured clone keeps identity within a message, so values that share an object in the program share it in the worker, too: what a
 * task changes there would show in another call. Values that share are cloned once more before their call. The worker does that, since the
 * program has more to do. With `snapshot.ts` it costs small objects an eighth of their rate, and numbers nothing.
 *
 * A walk of its own: it sees only what was deserialized, and copies nothing.
 */

import { isDense, isMap, isPrimitive, isSet, isSharedArrayBuffer } from './kinds.js';

const { getPrototypeOf, keys, prototype: objectPrototype } = Object;
const { isArray } = Array;
const { isView } = ArrayBuffer;

/** Deeper than this `isNew` does not look: calls can be nested only so deep. */
const DEEPEST = 500;
/** To look into a longer array may cost more than to clone it: then all values are taken to share. */
const LONGEST = 1000;

/**
 * @param values As they were deserialized: without getters and proxies.
 * @returns The places of the values that share an object with another one; `undefined` where none does.
 */
export function findSharing(values: readonly unknown[]): Set<number> | undefined {
  let seen: Set<object> | undefined;
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (typeof value !== 'object' || value === null) continue;
    seen ??= new Set();
    // Mostly nothing is shared, not even within a value, and that is told twice as fast.
    if (!isNew(value, seen, 0)) return whoShares(values);
  }
  return undefined;
}

/** Whether an object and all that it refers to are seen for the first time. What is seen is added to `seen`. */
function isNew(object: object, seen: Set<object>, depth: number): boolean {
  const { size } = seen;
  seen.add(object);
  if (seen.size === size || depth === DEEPEST) return false;
  if (isArray(object)) {
    if (object.length > LONGEST) return false;
    for (let i = 0; i < object.length; i++) {
      const part: unknown = object[i];
      if (typeof part === 'object' && part !== null && !isNew(part, seen, depth + 1)) return false;
    }
    return isDense(object);
  }
  if (getPrototypeOf(object) === objectPrototype) {
    for (const key in object) {
      const part = (object as Record<string, unknown>)[key];
      if (typeof part === 'object' && part !== null && !isNew(part, seen, depth + 1)) return false;
    }
    return true;
  }
  const parts: object[] = [];
  pushParts(object, parts);
  return parts.every((part) => isNew(part, seen, depth + 1));
}

function whoShares(values: readonly unknown[]): Set<number> | undefined {
  const owners = new Map<object, number>();
  let sharing: Set<number> | undefined;
  /** Parts not looked at yet. */
  const waiting: object[] = [];
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (isPrimitive(value)) continue;
    waiting.push(value);
    for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
      const owner = owners.get(part);
      if (owner === undefined) {
        if (isArray(part) && part.length > LONGEST) return new Set(values.keys());
        owners.set(part, at);
        pushParts(part, waiting);
      } else if (owner !== at && !isSharedArrayBuffer(part)) {
        sharing ??= new Set();
        sharing.add(owner).add(at);
      }
    }
  }
  return sharing;
}

/** Adds the objects that an object refers to. */
function pushParts(object: object, parts: object[]): void {
  const push = (part: unknown): void => {
    if (!isPrimitive(part)) parts.push(part);
  };
  if (isView(object)) {
    push(object.buffer);
  } else if (isMap(object)) {
    for (const [key, value] of object) {
      push(key);
      push(value);
    }
  } else if (isSet(object)) {
    for (const member of object) push(member);
  } else {
    // The elements of an array, too.
    for (const key of keys(object)) push((object as Record<string, unknown>)[key]);
    push((object as { cause?: unknown }).cause); // of an error, where it is not enumerable
  }
}
