/** Waits for something that happens elsewhere and sends no event: in a file that another process writes, say. */

import { setTimeout as delay } from 'node:timers/promises';

const LIMIT = 10_000;

/**
 * Resolves once `condition` holds. Looks every two milliseconds.
 *
 * @param what Completes the message of the error: "Not within 10 seconds: …". @param limit In milliseconds.
 */
export async function until(condition: () => boolean | Promise<boolean>, what: string, limit = LIMIT): Promise<void> {
  const end = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Not within ${limit / 1000} seconds: ${what}`);
    await delay(2);
  }
}
