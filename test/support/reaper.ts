/** A program to which the processes fall whose parent has ended, as they do to the first one in a container. */

import { createRequire } from 'node:module';

const PR_SET_CHILD_SUBREAPER = 36;

export function becomeReaper(): void {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const prctl = koffi
    .load(null)
    .func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)') as (
    ...args: number[]
  ) => number;
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0) throw new Error('prctl has failed');
}
