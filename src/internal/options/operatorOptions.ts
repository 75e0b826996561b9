/** The options that only the operators and `parallelFrom` have: documentation, names, checks and defaults. */

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
 * The options of `parallelFrom`: those of the pool, those of the call, and how results come out. Each option may be left out
 * or `undefined`, which both mean its default.
 *
 * @typeParam Settle As of {@link ApplyOptions}.
 */
export interface FromOptions<Settle extends boolean = false> extends WorkerPoolOptions, CallOptions<Settle> {
  /**
   * Whether results are emitted in the order of their values, or as they finish.
   *
   * Default: `true`.
   *
   * @throws TypeError when it is no boolean.
   */
  ordered?: boolean | undefined;

  /**
   * A pool to use instead of one made for each subscription. It is neither joined nor terminated by the operator; several
   * may use it at once.
   *
   * Default: none; subscribing makes a pool, which ends with the subscription.
   *
   * @throws TypeError when it is no `WorkerPool`, or is given together with `nJobs`, `startMethod`, `daemon` or `keepAlive`,
   *   which that pool has settled already.
   */
  pool?: AnyWorkerPool | undefined;

  /**
   * Called just before the Observable completes, with what the `workerExit` of each worker has returned, in the order of the
   * worker ids; with an empty array where none has run. What it throws becomes the error of the Observable. Given together with
   * a `pool` that has `keepAlive`, it makes `workerExit` run at the end of each subscription, not when the workers leave.
   *
   * Default: none.
   *
   * @throws TypeError when it is no function.
   */
  onExitResults?: ((results: any[]) => void) | undefined;

  /**
   * Called with what was measured of the workers, just before the Observable completes or fails, and, with `insights: { every }`,
   * again and again while it runs. Not called once it is unsubscribed from. What it throws becomes the error of the Observable,
   * unless that has one already. Of a `pool` given, they are the insights of all that the pool has done.
   *
   * Default: none.
   *
   * @throws TypeError when it is no function, or is given together with `insights: false` or a `pool` that has no `insights`.
   */
  onInsights?: ((insights: Insights) => void) | undefined;
}

/**
 * The options of `parallelMap` and `parallelMergeMap`: those of the pool, those of the call, how results come out and how many
 * values may wait. Each option may be left out or `undefined`, which both mean its default.
 *
 * @typeParam Settle As of {@link ApplyOptions}.
 */
export interface MapOperatorOptions<Settle extends boolean = false> extends FromOptions<Settle> {
  /**
   * How many values may wait for a worker: an integer of at least 0, or `Infinity`. A source that pushes cannot be slowed
   * down, so whatever exceeds this meets `overflow`. With 0 nothing may wait: a value that finds no free worker overflows.
   *
   * Default: `Infinity`.
   *
   * @throws TypeError when it is no number, RangeError when it is negative, NaN or a fraction.
   */
  bufferSize?: number | undefined;

  /**
   * What happens when a value arrives and `bufferSize` others wait: `'error'` ends the Observable with a
   * `BufferOverflowError`, `'drop-oldest'` drops the value that has waited longest, `'drop-newest'` the one that arrives.
   *
   * Default: `'error'`.
   *
   * @throws TypeError when it is no string, RangeError when it is none of the three.
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
