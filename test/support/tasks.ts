/** Task functions that many tests use. */

/** Gives its value back. */
export const same = (value: number): number => value;

/** Gives its value back after so many milliseconds. */
export const sleep = (milliseconds: number): Promise<number> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds, milliseconds));

/** Computes for so many milliseconds, and gives them back. */
export const spin = (milliseconds: number): number => {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
  return milliseconds;
};

/** Never ends, and never listens. */
export const loop = (): never => {
  for (;;);
};

/** Gives its value back, and fails for 5. */
export const failsAtFive = (n: number): number => {
  if (n === 5) throw new Error('mapper');
  return n;
};
