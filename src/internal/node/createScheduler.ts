/** Puts a pool together from its parts, for Node. */

import { NestedPoolError, StartMethodUnavailableError } from '../../errors.js';
import type { PoolSettings } from '../../options.js';
import { makePortable, makeValuePortable } from '../closures/portable.js';
import { Scheduler } from '../core/pool/Scheduler.js';
import type { PoolStartMethod } from '../core/StartMethod.js';
import { nodePlatform } from './nodePlatform.js';
import { createObserver } from '../observe/createObserver.js';
import type { PortableValue } from '../protocol/portable.js';
import { startMethodOf, whyNoPinning } from '../start/table.js';

/**
 * @throws NestedPoolError inside a worker that is a daemon.
 * @throws StartMethodUnavailableError where there can be no such workers.
 * @throws RangeError where the workers cannot be kept on some CPUs.
 * @throws UnserializableError or UnportableFunctionError where `sharedObjects` cannot travel.
 */
export function createScheduler(settings: PoolSettings): Scheduler {
  if (nodePlatform.currentWorker()?.daemon === true) throw new NestedPoolError();
  const startMethod = startMethodOf(settings.startMethod, settings.daemon);
  const reason = startMethod.whyUnavailable?.();
  if (reason !== undefined) throw new StartMethodUnavailableError({ startMethod: startMethod.name, reason });
  const noPinning = settings.cpuIds && whyNoPinning();
  if (noPinning !== undefined) throw new RangeError(`"cpuIds" cannot be used here: ${noPinning}. Leave it out.`);
  const isLocal = startMethod.isLocal === true;
  return new Scheduler(settings, {
    platform: nodePlatform,
    startMethod,
    observer: createObserver(startMethod.name, settings.insights && settings.nJobs),
    shared: portableShared(settings.sharedObjects, startMethod),
    makePortable(fn, captures) {
      if (isLocal && captures !== undefined) {
        throw new TypeError(
          '"captures" cannot be used with startMethod "inline": the function has its own variables. Leave it out.',
        );
      }
      return makePortable(fn, { captures, isLocal, isCloneable: (value) => startMethod.isCloneable(value) });
    },
  });
}

function portableShared(shared: unknown, startMethod: PoolStartMethod): PortableValue | undefined {
  if (shared === undefined) return undefined;
  if (startMethod.isLocal === true) return { local: shared, imports: false };
  return makeValuePortable('sharedObjects', shared, (value) => startMethod.isCloneable(value));
}
