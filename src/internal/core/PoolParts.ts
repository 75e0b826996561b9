/** The parts of a pool that depend on its runtime. `node/createScheduler.ts` provides those for Node. */

import type { AnyTask } from '../../taskTypes.js';
import type { PortableFunction, PortableValue } from '../protocol/portable.js';
import type { Platform } from './Platform.js';
import type { PoolObserver } from './PoolObserver.js';
import type { PoolStartMethod } from './StartMethod.js';

/** What is said about the functions of a call. */
export interface PortableOptions {
  readonly captures: Readonly<Record<string, unknown>> | undefined;
  readonly setup?: boolean | undefined;
  readonly classes: readonly Function[] | undefined;
}

export interface PoolParts {
  readonly platform: Platform;
  readonly startMethod: PoolStartMethod;
  readonly observer: PoolObserver;
  /**
   * Makes the functions of a call portable, with the values that their variables have now.
   *
   * @param options The options of those names.
   * @throws UnportableFunctionError where one cannot travel.
   * @throws TypeError where `captures` has what none of them uses.
   */
  makePortable<F extends readonly (AnyTask | undefined)[]>(
    functions: F,
    options: PortableOptions,
  ): { [I in keyof F]: F[I] extends AnyTask ? PortableFunction : PortableFunction | undefined };
  /** The option `sharedObjects`, made portable when the pool was made. */
  readonly shared: PortableValue | undefined;
}
