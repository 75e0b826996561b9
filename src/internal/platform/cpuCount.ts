/**
 * How many workers can really run at once here: the default of `nJobs`.
 *
 * The only file of the options that needs Node: a build for browsers puts `navigator.hardwareConcurrency` in its place.
 */

import { availableParallelism } from 'node:os';

/** The number of CPUs that this program may use; at least 1. */
export function cpuCount(): number {
  return availableParallelism();
}
