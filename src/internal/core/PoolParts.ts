/** What a pool is put together from, so that nothing in here knows where it runs. `node/createScheduler.ts` gives the real ones. */

import type { AnyTask } from '../../taskTypes.js';
import type { PortableFunction, PortableValue } from '../protocol/portable.js';
import type { Platform } from './Platform.js';
import type { PoolObserver } from './PoolObserver.js';
import type { PoolStartMethod } from './StartMethod.js';

export interface PoolParts {
  readonly platform: Platform;
  readonly startMethod: PoolStartMethod;
  readonly observer: PoolObserver;
  /**
   * Makes a function portable, with the values that its variables have now.
   *
   * @param captures The option of that name.
   * @throws UnportableFunctionError where the function cannot travel.
   */
  makePortable(fn: AnyTask, captures: Readonly<Record<string, unknown>> | undefined): PortableFunction;
  /** The option `sharedObjects`, made portable when the pool was made. */
  readonly shared: PortableValue | undefined;
}
