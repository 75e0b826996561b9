/**
 * How many workers can really run at once here: the default of `nJobs`.
 *
 * The only file of the options that needs Node: a build for browsers puts `navigator.hardwareConcurrency` in its place.
 */

import { createRequire } from 'node:module';

/** The number of CPUs that this program may use; at least 1. */
export function cpuCount(): number {
  // At first use: importing this package is to load next to nothing. One of Node's own modules is required from any place.
  return (createRequire(process.execPath)('node:os') as typeof import('node:os')).availableParallelism();
}
