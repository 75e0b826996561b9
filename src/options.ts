/**
 * Which groups of options each function accepts. Turns what the user passed into checked and complete settings.
 *
 * The options, with documentation, checks and defaults, are in `internal/options/`. A new option is added there, not here.
 */

import type { Insights } from './insights.js';
import { applyGroup, callRows, mapGroup, shareGroup, type CallSettings } from './internal/options/callOptions.js';
import { describeValue, enumerate } from './internal/options/describeValue.js';
import {
  bufferGroup,
  callbackGroup,
  orderGroup,
  poolChoiceGroup,
  type Overflow,
} from './internal/options/operatorOptions.js';
import { runnerOf, type AnyWorkerPool } from './internal/options/poolBrand.js';
import { poolGroup, workerOptions, type PoolSettings } from './internal/options/poolOptions.js';
import { placeFor, readOptions, settle, type Given } from './internal/options/readOptions.js';
import type { OptionGroup } from './internal/options/rows.js';

export { startMethodNames } from './internal/options/startMethodNames.js';
export type { PoolSettings, StartMethodName, WorkerPoolOptions } from './internal/options/poolOptions.js';
export type { ResourceLimits, WorkerResources } from './StartMethod.js';
export type { ApplyOptions, CallOptions, CallSettings, MapOptions } from './internal/options/callOptions.js';
export type { ProgressBarOptions, ProgressBarSettings, ProgressStream } from './internal/options/progressBarOptions.js';
export type { AnyWorkerPool } from './internal/options/poolBrand.js';
export type { FromOptions, MapOperatorOptions, Overflow } from './internal/options/operatorOptions.js';

/** {@link FromOptions}, checked and complete. */
export interface FromSettings {
  /** An existing pool (see `isWorkerPool`), or the settings of a new one. */
  readonly pool: AnyWorkerPool | PoolSettings;
  readonly call: CallSettings;
  readonly ordered: boolean;
  readonly onExitResults: ((results: unknown[]) => void) | undefined;
  readonly onInsights: ((insights: Insights) => void) | undefined;
}

/** {@link MapOperatorOptions}, checked and complete. */
export interface OperatorSettings extends FromSettings {
  readonly bufferSize: number;
  readonly overflow: Overflow;
}

const callGroups: readonly OptionGroup[] = [shareGroup, applyGroup];
const fromGroups: readonly OptionGroup[] = [poolGroup, ...callGroups, orderGroup, poolChoiceGroup, callbackGroup];
const operatorGroups: readonly OptionGroup[] = [...fromGroups, bufferGroup];

const allGroups: readonly OptionGroup[] = [...operatorGroups, mapGroup];

const atPool = placeFor([poolGroup], allGroups);
const atCall = placeFor(callGroups, allGroups);
const atMap = placeFor([...callGroups, mapGroup], allGroups);
const atApply = placeFor([applyGroup], allGroups);
const atFrom = placeFor(fromGroups, allGroups);
const atOperator = placeFor(operatorGroups, allGroups);

/** The options of `new WorkerPool(options)`. */
export function resolvePoolOptions(options: unknown, caller: string): PoolSettings {
  return poolSettings(readOptions(options, caller, atPool), caller);
}

/** The options of `map`. */
export function resolveMapOptions(options: unknown, caller: string): { call: CallSettings; concatenate: boolean } {
  const given = readOptions(options, caller, atMap);
  return { call: settle(callRows, given), ...settle(mapGroup.rows, given) };
}

/** The options of `mapUnordered`, `imap` and `imapUnordered`. */
export function resolveCallOptions(options: unknown, caller: string): CallSettings {
  return settle(callRows, readOptions(options, caller, atCall));
}

/** The options of `apply`. It takes fewer than other calls; the settings have the same shape. */
export function resolveApplyOptions(options: unknown, caller: string): CallSettings {
  return settle(callRows, readOptions(options, caller, atApply));
}

/** The options of `parallelMap` and `parallelMergeMap`. */
export function resolveOperatorOptions(options: unknown, caller: string): OperatorSettings {
  const given = readOptions(options, caller, atOperator);
  return {
    pool: poolOf(given, caller),
    call: settle(callRows, given),
    ...settle(orderGroup.rows, given),
    ...settle(callbackGroup.rows, given),
    ...settle(bufferGroup.rows, given),
  };
}

/** The options of `parallelFrom`. */
export function resolveFromOptions(options: unknown, caller: string): FromSettings {
  const given = readOptions(options, caller, atFrom);
  return {
    pool: poolOf(given, caller),
    call: settle(callRows, given),
    ...settle(orderGroup.rows, given),
    ...settle(callbackGroup.rows, given),
  };
}

/**
 * The options of an operator that also takes its first three by position. Turns the arguments after the function, in
 * `parallelMap(fn, { nJobs: 4 })` or `parallelMap(fn, 4, 'spawn', true)`, into one options object, not yet checked.
 */
export function operatorArguments(args: readonly unknown[], caller = 'parallelMap'): unknown {
  const surplus = args.slice(isObject(args[0]) ? 1 : 3).find((argument) => argument !== undefined);
  if (isObject(args[0])) {
    if (surplus === undefined) return args[0];
    throw new TypeError(`${caller}: nothing may follow the options object, got ${describeValue(surplus)}.`);
  }
  if (args.some(isObject)) {
    throw new TypeError(
      `${caller}: options are given by position or in an object, not both. Put all of them into one object.`,
    );
  }
  if (surplus !== undefined) {
    throw new TypeError(
      `${caller}: only nJobs, startMethod and daemon can be given by position, got ${describeValue(surplus)} after them. ` +
        'Put all options into one object.',
    );
  }
  const [nJobs, startMethod, daemon] = args;
  return { nJobs, startMethod, daemon };
}

function poolSettings(given: Given, caller: string): PoolSettings {
  const settings = settle(poolGroup.rows, given);
  const { cpuIds, nJobs, startMethod } = settings;
  checkWorkerOptions(given, startMethod, caller);
  if (cpuIds !== undefined && cpuIds.length !== 1 && cpuIds.length !== nJobs) {
    throw new RangeError(
      `${caller}: "cpuIds" must have one entry for all workers, or one for each of them ("nJobs" is ${nJobs}), got ${cpuIds.length} entries.`,
    );
  }
  return settings;
}

/** Refuses options that the start method does not support, instead of ignoring them. */
function checkWorkerOptions(given: Given, startMethod: PoolSettings['startMethod'], caller: string): void {
  const isOwn = typeof startMethod === 'string';
  if (isOwn && startMethod !== 'inline') return;
  const { name, options = [] } = isOwn ? { name: startMethod } : startMethod;
  const refused = workerOptions.filter((option) => given.has(option) && !options.includes(option));
  if (refused.length === 0) return;
  const names = enumerate(refused.map((option) => `"${option}"`));
  throw new TypeError(`${caller}: the start method "${name}" does not support the option ${names}. Leave it out.`);
}

/** The given pool, or the settings of a new one. */
function poolOf(given: Given, caller: string): AnyWorkerPool | PoolSettings {
  const { pool } = settle(poolChoiceGroup.rows, given);
  const wantsInsights = given.has('onInsights');
  if (pool === undefined) {
    const settings = poolSettings(given, caller);
    if (!wantsInsights || settings.insights !== undefined) return settings;
    if (!given.has('insights')) return { ...settings, insights: { every: Infinity } };
    throw new TypeError(`${caller}: option "onInsights" cannot be given together with "insights: false".`);
  }
  if (wantsInsights && !hasInsights(pool)) {
    throw new TypeError(
      `${caller}: option "onInsights" needs a pool that measures: pass "insights: true" to its new WorkerPool().`,
    );
  }

  const refused = Object.keys(poolGroup.rows).filter((name) => given.has(name));
  if (refused.length === 0) return pool;
  const names = enumerate(refused.map((name) => `"${name}"`));
  throw new TypeError(
    `${caller}: option "pool" cannot be given together with ${names}, because the pool exists already. ` +
      `Pass ${names} to its new WorkerPool() instead.`,
  );
}

/** Whether a pool measures what its workers do. */
function hasInsights(pool: AnyWorkerPool): boolean {
  return runnerOf<{ readonly measurements?: unknown }>(pool).measurements !== undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
