/** The start methods, by name: the one place that knows them all. */

import type { StartMethod } from '../../options.js';
import type { StartMethodStrategy } from './StartMethod.js';
import { forking } from './fork/fork.js';
import { forkserving } from './forkserver/forkserver.js';
import { spawning } from './spawn/spawn.js';
import { threading } from './threading/threading.js';

const strategies: Readonly<Record<StartMethod, (daemon: boolean) => StartMethodStrategy>> = {
  threading: () => threading,
  spawn: () => spawning(),
  forkserver: () => forkserving(),
  fork: (daemon) => forking(daemon),
};

/** A start method, for one pool. */
export function startMethod(name: StartMethod, daemon: boolean): StartMethodStrategy {
  return strategies[name](daemon);
}
