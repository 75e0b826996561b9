/** The children of a process that makes copies of itself: one that it throws away again must not be taken for one that stays. */

import { until } from './until.js';

/** A copy that is thrown away lives for a millisecond, if the machine does not stall. */
const STEADY = 300;

/**
 * Waits until there are so many children, and have been the same for a while.
 *
 * @param list What there is at the moment. @param limit In milliseconds. @returns Their pids.
 */
export async function steadyChildren(
  list: () => number[],
  count: number,
  limit: number,
  what: string,
): Promise<number[]> {
  let seen = '';
  let since = 0;
  let children: number[] = [];
  const isSteady = (): boolean => {
    children = list();
    const now = children.join();
    if (now !== seen) since = performance.now();
    seen = now;
    return children.length === count && performance.now() - since > STEADY;
  };
  await until(isSteady, what, limit);
  return children;
}
