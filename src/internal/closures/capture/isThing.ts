/** Whether a value is an object or a function. */
export function isThing(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}
