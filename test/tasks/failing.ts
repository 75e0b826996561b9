/** Tasks that fail, given by `moduleTask`. */

export function throwRangeError(): never {
  throw new RangeError('from a module');
}

/** Exported, and no function. */
export const notAFunction = 5;
export const nothing = null;

export function echo<T>(value: T): T {
  return value;
}
