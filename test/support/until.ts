/** Waits for something that happens elsewhere and sends no event: in a file that another process writes, say. */

import { setTimeout as delay } from 'node:timers/promises';

const LIMIT = 10_000;

/**
 * Resolves once `condition` holds.
 *
 * @param what Completes "Not within 10 seconds: …".
 */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + LIMIT;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not within ${LIMIT / 1000} seconds: ${what}`);
    await delay(2);
  }
}
