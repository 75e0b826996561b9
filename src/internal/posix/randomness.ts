/**
 * Random numbers in the copy of a process. `crypto.randomBytes` already differs. `Math.random`, `crypto.randomUUID` and
 * `crypto.randomInt` would go on with what they have in store, which is the same in all copies.
 */

import * as crypto from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { createContext, runInContext } from 'node:vm';

/** What `crypto` keeps in store: 128 ids, and 6 KiB for integers of 6 bytes. */
const IDS_IN_STORE = 128;
const INTEGERS_IN_STORE = 1024;
/** The one of which no draw is rejected, so that each takes one. */
const LARGEST_RANGE = 2 ** 48 - 1;

/** A `Math.random` that was never called: it takes its seed with the first call. Made ahead, in the process that is copied. */
export function prepareRandom(): () => number {
  return runInContext('Math.random', createContext({})) as () => number;
}

/** What `Math.random` calls where user code may have kept it. */
let current: (() => number) | undefined;

/**
 * For a process that is copied with code of the user's: that may keep `Math.random` itself, as lodash does, and is to have numbers of its
 * own in each copy, too. It costs 2 ns a call.
 */
export function redirectRandom(): void {
  current = Math.random;
  setRandom(() => (current as () => number)());
}

/** For the copy, at once. @param random From {@link prepareRandom}. */
export function reseed(random: () => number): void {
  // Positive, for 0 means a seed of V8's choice, which would be that of the other copies.
  setFlagsFromString(`--random-seed=${(crypto.randomBytes(4).readUInt32LE() >>> 1) + 1}`);
  random();
  setFlagsFromString('--random-seed=0');
  if (current === undefined) setRandom(random);
  else current = random;
}

function setRandom(random: () => number): void {
  Object.defineProperty(Math, 'random', { value: random, writable: true, configurable: true });
}

/** For the copy of a process in which user code may have drawn some: takes what is in store, so that the next are new. */
export function drainStores(): void {
  for (let i = 0; i < IDS_IN_STORE; i++) crypto.randomUUID();
  for (let i = 0; i < INTEGERS_IN_STORE; i++) crypto.randomInt(LARGEST_RANGE);
}
