export function roundTo(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
/** What no worker can have, beside what it can. */
export const connection = { socket: new WeakRef({}), promise: Promise.resolve(1) };
