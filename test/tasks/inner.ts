/** Tasks for pools inside tasks: with no imports to speak of, for each worker has to load them. */

import { writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

export const square = (n: number): number => n * n;

export type Mishap = 'none' | 'throw' | 'exit' | 'uncloneable' | 'leave';

export function squareOrMishap([n, mishap]: readonly [number, Mishap]): unknown {
  switch (mishap) {
    case 'throw':
      throw new RangeError(`inner ${n}`);
    case 'exit':
      return process.exit(3);
    case 'uncloneable':
      return { deep: () => n };
    default:
      return n * n;
  }
}

/** The innermost level of `deep`. */
export function innermost([level, fails]: readonly [number, boolean]): number {
  if (fails) throw new RangeError(`level ${level}`);
  return level;
}

/** An endless loop that shows in a file that it still runs; the file has its process's id and its thread's as name. */
export function beat(folder: string): never {
  const file = `${folder}/${process.pid}-${threadId}`;
  for (let last = 0; ;) {
    if (performance.now() - last < 5) continue;
    last = performance.now();
    writeFileSync(file, String(last));
  }
}
