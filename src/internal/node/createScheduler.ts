/** Puts a pool together from its parts, for Node. */

import { NestedPoolError, StartMethodUnavailableError } from '../../errors.js';
import type { PoolSettings } from '../../options.js';
import type { AnyTask } from '../../taskTypes.js';
import type { CaptureOptions } from '../closures/capture/capture.js';
import type { CaptureCost } from '../closures/capture/openGraph.js';
import { keepValueLocal, makePortable, makeValuePortable, nameOf } from '../closures/portable.js';
import { Scheduler } from '../core/pool/Scheduler.js';
import type { PoolStartMethod } from '../core/StartMethod.js';
import { nodePlatform } from './nodePlatform.js';
import { createObserver } from '../observe/createObserver.js';
import { quote } from '../options/describeValue.js';
import { nearest } from '../options/nearest.js';
import type { PortableFunction, PortableValue } from '../protocol/portable.js';
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
    makePortable: (functions, { captures, classes, setup }) =>
      makeAllPortable(functions, {
        captures,
        classes,
        setup,
        isLocal,
        isCloneable: (value) => startMethod.isCloneable(value),
      }) as never,
  });
}

function portableShared(shared: unknown, startMethod: PoolStartMethod): PortableValue | undefined {
  if (shared === undefined) return undefined;
  const isCloneable = (value: unknown): boolean => startMethod.isCloneable(value);
  if (startMethod.isLocal === true) return keepValueLocal(shared, isCloneable);
  return makeValuePortable('sharedObjects', shared, isCloneable);
}

function makeAllPortable(
  functions: readonly (AnyTask | undefined)[],
  options: CaptureOptions,
): (PortableFunction | undefined)[] {
  const { captures, isLocal } = options;
  if (isLocal === true && captures !== undefined) {
    throw new TypeError(
      '"captures" cannot be used with startMethod "inline": the function has its own variables. Leave it out.',
    );
  }
  const variables = new Set<string>();
  const onVariable = (name: string): unknown => variables.add(name);
  const portable = functions.map((fn) => {
    const onCostly = (cost: CaptureCost): void => warnOfCost(nameOf(fn as { readonly name: string }), cost);
    return fn && makePortable(fn, { ...options, onVariable, onCostly });
  });
  const unused = Object.keys(captures ?? {}).find((name) => !variables.has(name));
  if (unused === undefined) return portable;
  const meant = nearest(
    unused,
    [...variables].map((name) => ({ name, aliases: [] })),
  );
  throw new TypeError(
    `"captures" has ${quote(unused)}, which no function of the call has as a variable.` +
      (meant === undefined ? ' Leave it out.' : ` Did you mean ${quote(meant.name)}?`),
  );
}

/** The functions and variables that were warned of. */
const warned = new Set<string>();

function warnOfCost(name: string, { milliseconds, size, variable }: CaptureCost): void {
  const key = `${name}\0${variable ?? ''}`;
  if (warned.has(key)) return;
  warned.add(key);
  const megabytes = (size / 2 ** 20).toFixed(1);
  const most = variable === undefined ? '' : `, most of it for its variable ${quote(variable)}`;
  nodePlatform.warn(
    `Capturing the function ${quote(name)} took ${(milliseconds / 1000).toFixed(1)} s and gave ${megabytes} MB${most}. ` +
      'Each call does so again, and each worker gets a copy. ' +
      'Let workers make it by perWorker(() => …), give it to a pool by sharedObjects, or name the function by moduleTask.',
  );
}
