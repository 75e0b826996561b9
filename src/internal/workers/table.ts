/** The start methods, by name: the one place that knows them all. */

import type { StartMethod } from '../../options.js';
import type { StartMethodStrategy } from './StartMethod.js';
import { forkserver } from './forkserver.js';
import { spawning } from './spawn.js';
import { threading } from './threading.js';

const strategies: Readonly<Record<StartMethod, StartMethodStrategy>> = { threading, spawn: spawning, forkserver };

export function startMethod(name: StartMethod): StartMethodStrategy {
  return strategies[name];
}
