/** A module that takes its time to load. */

/** Milliseconds. */
export const loadTime = 1200;

await new Promise((resolve) => setTimeout(resolve, loadTime));

export default function double(n: number): number {
  return n * 2;
}

export function loop(): never {
  for (;;);
}
