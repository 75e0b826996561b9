/** The options of operators and `parallelFrom` only: documentation, names, checks and defaults. */

import type { Insights } from '../../insights.js';
import type { CallOptions } from './callOptions.js';
import { isWorkerPool, otherVersion, type AnyWorkerPool } from './poolBrand.js';
import type { WorkerPoolOptions } from './poolOptions.js';
import {
  boolean,
  callback,
  countFromZeroOrInfinity,
  objectThat,
  oneOf,
  operators,
  row,
  type Choice,
  type OptionGroup,
  type Rows,
} from './rows.js';

/** What happens to a value that finds the buffer full. */
export type Overflow = 'error' | 'drop-oldest' | 'drop-newest';

const overflows: { readonly [Name in Overflow]: Omit<Choice, 'name'> } = {
  error: { meaning: 'the Observable ends with an error', aliases: ['throw', 'fail'] },
  'drop-oldest': { meaning: 'the value that waits longest is dropped', aliases: ['oldest', 'sliding'] },
  'drop-newest': { meaning: 'the value that arrives is dropped', aliases: ['newest', 'drop', 'dropping', 'latest'] },
};

/**
 * The options of `parallelFrom`: those of the pool and the call, and those for the results. An option that is `undefined` has its
 * default.
 *
 * @typeParam Settle As in {@link ApplyOptions}.
 */
export interface FromOptions<Settle extends boolean = false> extends WorkerPoolOptions, CallOptions<Settle> {
  /**
   * Whether to emit results in the order of their values, or as they finish.
   *
   * Default: `true`.
   *
   * @throws TypeError when it is not a boolean.
   */
  ordered?: boolean | undefined;

  /**
   * A pool to use, instead of a new one for each subscription. The operator neither joins nor terminates it. Several operators
   * may use it at once.
   *
   * Default: none; subscribing creates a pool, which ends with the subscription.
   *
   * @throws TypeError when it is not a `WorkerPool`, or is given together with an option of pools, such as `nJobs`, `startMethod`,
   *   `daemon` or `keepAlive`.
   */
  pool?: AnyWorkerPool | undefined;

  /**
   * Called just before the Observable completes, with the result of `workerExit` from each worker, in the order of the
   * worker ids; with an empty array if none has run. If it throws, the Observable fails with that error. With
   * a `pool` that has `keepAlive`, it makes `workerExit` run at the end of each subscription, not when the workers leave.
   *
   * Default: none.
   *
   * @throws TypeError when it is not a function.
   */
  onExitResults?: ((results: any[]) => void) | undefined;

  /**
   * Called with the measurements just before the Observable completes or fails, and, with `insights: { every }`,
   * repeatedly while it runs. Not called after unsubscribing. If it throws, the Observable fails with that error,
   * unless it has failed already. With `pool`, the measurements cover everything that the pool has done.
   *
   * Default: none.
   *
   * @throws TypeError when it is not a function, or is given together with `insights: false` or a `pool` without `insights`.
   */
  onInsights?: ((insights: Insights) => void) | undefined;
}

/**
 * The options of `parallelMap` and `parallelMergeMap`: those of `parallelFrom`, and how many values may wait. An option that is
 * `undefined` has its default.
 *
 * @typeParam Settle As in {@link ApplyOptions}.
 */
export interface MapOperatorOptions<Settle extends boolean = false> extends FromOptions<Settle> {
  /**
   * How many values may wait for a worker: an integer of at least 0, or `Infinity`. A source that pushes cannot be slowed
   * down, so `overflow` says what happens beyond that. With 0 nothing may wait: a value that finds no free worker overflows.
   *
   * Default: `Infinity`.
   *
   * @throws TypeError when it is not a number, RangeError when it is negative, NaN or a fraction.
   */
  bufferSize?: number | undefined;

  /**
   * What happens when a value arrives while `bufferSize` others wait. `'error'` fails the Observable with a
   * `BufferOverflowError`, `'drop-oldest'` drops the value that has waited longest, `'drop-newest'` drops the new one.
   *
   * Default: `'error'`.
   *
   * @throws TypeError when it is not a string, RangeError when it is not one of the three.
   */
  overflow?: Overflow | undefined;
}

interface OrderSettings {
  readonly ordered: boolean;
}

interface CallbackSettings {
  readonly onExitResults: ((results: unknown[]) => void) | undefined;
  readonly onInsights: ((insights: Insights) => void) | undefined;
}

interface PoolChoice {
  readonly pool: AnyWorkerPool | undefined;
}

interface BufferSettings {
  readonly bufferSize: number;
  readonly overflow: Overflow;
}

export const orderGroup: OptionGroup<OrderSettings> = {
  rows: {
    ordered: row({
      ...boolean,
      default: () => true,
      aliases: ['inOrder', 'keepOrder', 'order', 'preserveOrder'],
    }),
  },
  where: operators,
  why: 'a pool has "mapUnordered" and "imapUnordered" instead',
};

export const callbackGroup: OptionGroup<CallbackSettings> = {
  rows: {
    onExitResults: row<((results: unknown[]) => void) | undefined>({
      ...callback,
      default: () => undefined,
      aliases: ['exitResults', 'onExit', 'onWorkerExit'],
    }),
    onInsights: row<((insights: Insights) => void) | undefined>({
      ...callback,
      default: () => undefined,
      aliases: ['onMetrics', 'onStatistics', 'onStats'],
    }),
  },
  where: operators,
  why: 'a pool has "getExitResults()" and "getInsights()" instead',
};

export const poolChoiceGroup: OptionGroup<PoolChoice> = {
  rows: {
    pool: row<AnyWorkerPool | undefined>({
      ...objectThat('a WorkerPool', isWorkerPool, otherVersion),
      default: () => undefined,
      aliases: ['workerPool'],
    }),
  },
  where: operators,
  why: 'it names the pool to use',
};

const bufferRows: Rows<BufferSettings> = {
  bufferSize: row({
    ...countFromZeroOrInfinity,
    default: () => Infinity,
    aliases: ['buffer', 'highWaterMark', 'maxBuffer', 'maxBufferSize', 'maxQueue', 'maxQueueSize', 'queueSize'],
  }),
  overflow: row<Overflow>({
    ...oneOf(Object.entries(overflows).map(([name, choice]) => ({ name, ...choice }))),
    default: () => 'error',
    aliases: ['onOverflow', 'overflowStrategy'],
  }),
};

export const bufferGroup: OptionGroup<BufferSettings> = {
  rows: bufferRows,
  where: 'parallelMap and parallelMergeMap',
  why: 'a pulled input is never buffered, use "maxTasksActive"',
};
