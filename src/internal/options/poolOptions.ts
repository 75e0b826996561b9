/** The options of pools: documentation, names, checks and defaults. */

import type { ResourceLimits, StartMethod, WorkerOption, WorkerResources } from '../../StartMethod.js';
import { cpuCount, onlineCpus } from '../platform/cpus.js';
import { startMethodNames } from './startMethodNames.js';
import { describeValue, quote } from './describeValue.js';
import {
  anything,
  boolean,
  cpuList,
  isPlainObject,
  oneOf,
  operators,
  positiveInteger,
  positiveMilliseconds,
  row,
  timerOrInfinity,
  type Check,
  type Choice,
  type OptionGroup,
  type Rows,
} from './rows.js';

/**
 * How workers are started.
 *
 * - `'threading'`: a worker is a thread of this program. It starts fast, and can share memory.
 * - `'spawn'`: a worker is a fresh Node process, so a crash cannot harm the program.
 * - `'forkserver'`: a worker is a copy, by the system call `fork`, of a small process that is already running. It starts much faster than
 *   a fresh one. Linux only, with the optional package `koffi`.
 * - `'fork'`: a worker is a copy of a process of this pool that has loaded the function, its imports and `sharedObjects`. The
 *   copies share that memory until one writes to it. Linux only, with the optional package `koffi`.
 * - `'inline'`: no worker. The function runs in this thread, one value per turn of the event loop: for breakpoints, for
 *   tests with mocks, and where workers are not available.
 */
export type StartMethodName = (typeof startMethodNames)[number];

/** What each start method is, for error messages, and its names elsewhere. */
const startMethods: { readonly [Name in StartMethodName]: Omit<Choice, 'name'> } = {
  threading: {
    meaning: 'a worker is a thread of this program',
    aliases: ['thread', 'threads', 'worker', 'workers', 'workerThread', 'workerThreads', 'webWorker', 'webWorkers'],
  },
  spawn: {
    meaning: 'a worker is a fresh Node process',
    aliases: ['process', 'processes', 'childProcess', 'childProcesses', 'multiprocessing'],
  },
  forkserver: {
    meaning: 'a worker is a copy of a small process',
    aliases: ['forkServer', 'fork_server'],
  },
  fork: {
    meaning: 'a worker is a copy of a process that has loaded the function',
    aliases: ['forking', 'forked', 'copy', 'template', 'fork_template'],
  },
  inline: {
    meaning: 'the function runs in this thread',
    aliases: ['sync', 'same', 'none', 'main', 'mainThread', 'local', 'synchronous', 'sequential', 'runInBand'],
  },
};

/** The options of a pool. An option that is `undefined` has its default. */
export interface WorkerPoolOptions {
  /**
   * The maximum number of workers: a positive integer. Workers start as work arrives, so a pool that gets one value
   * starts one worker. More workers than CPUs are allowed, and useful if tasks wait for something.
   *
   * Default, also for `null`: the number of CPUs that this program may use (`os.availableParallelism()`).
   *
   * @throws TypeError when it is not a number, RangeError when it is not a positive integer.
   */
  nJobs?: number | null | undefined;

  /**
   * How workers are started: one of the names that {@link StartMethodName} explains, or a {@link StartMethod} of your own.
   *
   * Default: `'threading'`.
   *
   * @throws TypeError when it is neither a string nor a start method, or does not support another option that is given; RangeError when
   *   there is no such start method.
   */
  startMethod?: StartMethodName | StartMethod | undefined;

  /**
   * Whether workers are daemons. A daemon cannot make a pool of its own (that is a `NestedPoolError`), and does not keep the program
   * running while it is idle. With `false`, workers can have pools, and the program keeps running
   * until the pool is joined or terminated. In both cases no worker outlives the program.
   *
   * Default: `true`.
   *
   * @throws TypeError when it is not a boolean.
   */
  daemon?: boolean | undefined;

  /**
   * Whether workers stay when no call is running, so the next call finds them started, with their
   * modules loaded. With `false` they leave, and the next call starts new ones. `stopAndJoin` and `terminate` end them.
   *
   * Default: `false`.
   *
   * @throws TypeError when it is not a boolean.
   */
  keepAlive?: boolean | undefined;

  /**
   * A value that all tasks use. Each worker gets it once, as `context.shared` of tasks, `workerInit` and `workerExit`. It is captured when
   * you make the pool, or subscribe to the operator, like the variables of a function:
   * functions, classes and their instances in it come along, and keep their class as results. Each worker has a copy, but threads really share a `SharedArrayBuffer`.
   *
   * Default: `undefined`.
   *
   * @throws UnserializableError when something in it cannot travel, UnportableFunctionError when that is a function.
   */
  sharedObjects?: unknown;

  /**
   * The CPUs that workers are pinned to, by their numbers from 0: an entry for each worker, by `workerId`, or one entry for all. An
   * entry is a number, or an array of numbers for the system to choose from. It works for processes and threads. Linux only, with the
   * optional package `koffi`.
   *
   * Default: all CPUs that the program may use.
   *
   * @throws TypeError when it is not an array of such entries; RangeError when this machine has no such CPU, when there are neither one
   *   entry nor `nJobs` of them, or when pinning is not available.
   * @example
   * ```ts
   * const pool = new WorkerPool({ nJobs: 2, cpuIds: [0, [2, 3]] });
   * ```
   */
  cpuIds?: readonly (number | readonly number[])[] | undefined;

  /**
   * Whether the chunks of a call go to the workers in turn: the first chunk to worker 0, the second to worker 1, and so on, and to worker 0
   * again after the last one. A chunk then waits for its worker, even if another one is idle. Together with
   * `chunkSize` or `nSplits` it determines which worker gets which values.
   *
   * Default: `false`, a chunk goes to any free worker.
   *
   * @throws TypeError when it is not a boolean.
   */
  orderTasks?: boolean | undefined;

  /**
   * Whether the pool measures what its workers do: how long they start, wait and work, the longest tasks, and more
   * ({@link Insights}). A pool reports it by `getInsights` and `printInsights`, an operator by `onInsights`. `every` is a number of
   * milliseconds: `onInsights` is then also called at that interval while the Observable runs.
   *
   * Default: `false`, nothing is measured. An operator with `onInsights` measures in any case.
   *
   * @throws TypeError when it is neither a boolean nor an object with `every`, RangeError when `every` is not positive.
   */
  insights?:
    | boolean
    | {
        /** Milliseconds between two calls of `onInsights`, or `Infinity`. */
        every: number;
      }
    | undefined;

  /**
   * How many milliseconds a worker may take to start: a positive number, or `Infinity`. A worker that takes longer is killed, and
   * the calls that wait for a worker fail with a `WorkerStartError`. Node can hang in its start if the number of processes is limited.
   * With `'fork'`, loading functions and `sharedObjects` into the template does not count.
   *
   * Default: 60,000.
   *
   * @throws TypeError when it is not a number, RangeError when it is 0, negative or NaN.
   */
  startTimeout?: number | undefined;

  /**
   * The environment variables of workers, in place of the program's. `{ ...process.env, LANG: 'C' }` adds to the
   * program's. Variables that Node reads as it starts, such as `NODE_OPTIONS`, have no effect with `'forkserver'`: use `execArgv`.
   *
   * Default: those of the program at the start of a worker.
   *
   * @throws TypeError when it is not an object of strings.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined;

  /**
   * The arguments of workers: the entries of `process.argv` from the third one on.
   *
   * Default: none.
   *
   * @throws TypeError when it is not an array of strings.
   */
  argv?: readonly string[] | undefined;

  /**
   * The Node flags of workers, in place of the program's. A thread takes only some flags, because most
   * apply to a whole process. `'forkserver'` has a server for each list of flags.
   *
   * Default: those of the program that workers can have.
   *
   * @throws TypeError when it is not an array of strings. A flag that Node does not accept, or not for threads, is a `WorkerStartError`.
   */
  execArgv?: readonly string[] | undefined;

  /**
   * How much memory the JavaScript heap of a worker may use. A worker that needs more dies with a `WorkerDiedError`, which says so.
   *
   * Default: Node's own limits.
   *
   * @throws TypeError when it is not an object of such limits, RangeError when one is not positive.
   */
  resourceLimits?: ResourceLimits | undefined;

  /**
   * The name of workers: the title of processes, which `ps` shows, and the name of threads in debuggers and profilers.
   *
   * Default: none.
   *
   * @throws TypeError when it is not a string, RangeError when it is empty.
   */
  name?: string | undefined;
}

/** {@link WorkerPoolOptions}, checked and complete. */
export interface PoolSettings extends WorkerResources {
  readonly nJobs: number;
  readonly startMethod: StartMethodName | StartMethod;
  readonly daemon: boolean;
  readonly keepAlive: boolean;
  readonly sharedObjects: unknown;
  readonly cpuIds: readonly (number | readonly number[])[] | undefined;
  readonly orderTasks: boolean;
  readonly insights: InsightsSettings | undefined;
  /** Milliseconds: at most what a timer can wait, or Infinity. */
  readonly startTimeout: number;
}

export interface InsightsSettings {
  /** Milliseconds: at most what a timer can wait, or Infinity. */
  readonly every: number;
}

const strings: Check = {
  allowed: 'an array of strings',
  fault(value) {
    if (!Array.isArray(value)) return { error: TypeError, advice: '' };
    const entries: readonly unknown[] = value;
    const at = entries.findIndex((entry) => typeof entry !== 'string');
    return at < 0 ? undefined : { error: TypeError, advice: `Its [${at}] is ${describeValue(entries[at])}.` };
  },
};

/** An object of some values. The message names a wrong one. */
function objectOf(
  what: string,
  wrong: (value: unknown, key: string) => TypeErrorConstructor | RangeErrorConstructor | undefined,
): Check {
  return {
    allowed: `an object of ${what}`,
    fault(value) {
      // `process.env` has its own prototype.
      const isOne = value === process.env || (typeof value === 'object' && value !== null && isPlainObject(value));
      if (!isOne) return { error: TypeError, advice: '' };
      for (const [key, entry] of Object.entries(value)) {
        const error = wrong(entry, key);
        if (error !== undefined) return { error, advice: `Its ${quote(key)} is ${describeValue(entry)}.` };
      }
      return undefined;
    },
  };
}

/** Refuses what no environment can hold: each start method would drop or refuse it in another way. */
function envFault(value: unknown, name: string): TypeErrorConstructor | RangeErrorConstructor | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return TypeError;
  // Windows has hidden variables such as "=C:".
  return name === '' || name.slice(1).includes('=') || `${name}${value}`.includes('\0') ? RangeError : undefined;
}

const limitNames = ['maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb'];

function withoutUndefined(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

const insightsCheck: Check = {
  allowed: 'true, false or { every: milliseconds }',
  fault(value) {
    if (typeof value === 'boolean') return undefined;
    const wrong = { error: TypeError, advice: '' };
    if (typeof value !== 'object' || value === null || !isPlainObject(value)) return wrong;
    const others = Object.keys(value).filter((key) => key !== 'every');
    if (others.length > 0) return { ...wrong, advice: `It has no ${quote(others[0] as string)}.` };
    if (!('every' in value)) return wrong;
    const fault = positiveMilliseconds.fault(value.every);
    const got = describeValue(value.every);
    return fault && { ...fault, advice: `Its 'every' must be ${positiveMilliseconds.allowed}, got ${got}.` };
  },
};

const startMethodName = oneOf(startMethodNames.map((name) => ({ name, ...startMethods[name] })));

const startMethodCheck: Check = {
  allowed: `${startMethodName.allowed}, or a start method of your own`,
  fault(value) {
    if (typeof value !== 'object' || value === null) return startMethodName.fault(value);
    const { name, start } = value as Partial<StartMethod>;
    if (typeof name === 'string' && typeof start === 'function') return undefined;
    return { error: TypeError, advice: 'That is an object with a "name" and a function "start".' };
  },
};

/** The options that not every start method supports. */
export const workerOptions: readonly WorkerOption[] = ['argv', 'cpuIds', 'env', 'execArgv', 'name', 'resourceLimits'];

/** Milliseconds. A worker takes a tenth of a second; on a busy machine, some seconds. */
const START_TIMEOUT = 60_000;

const rows: Rows<PoolSettings> = {
  nJobs: row({
    ...positiveInteger,
    nullMeans: 'the number of CPUs',
    default: cpuCount,
    aliases: [
      'concurrency',
      'concurrent',
      'cpus',
      'jobs',
      'maxConcurrency',
      'maxThreads',
      'maxWorkers',
      'numWorkers',
      'nWorkers',
      'parallelism',
      'poolSize',
      'processes',
      'threads',
      'workers',
    ],
  }),
  startMethod: row<PoolSettings['startMethod']>({
    ...startMethodCheck,
    default: () => 'threading',
    aliases: ['backend', 'method', 'runtime', 'workerType'],
  }),
  daemon: row({
    ...boolean,
    default: () => true,
    aliases: ['daemonic', 'isDaemon'],
  }),
  keepAlive: row({
    ...boolean,
    default: () => false,
    aliases: ['persistent', 'reuseWorkers'],
  }),
  sharedObjects: row<unknown>({
    ...anything,
    default: () => undefined,
    aliases: ['initialData', 'shared', 'sharedData', 'sharedObject', 'workerData'],
  }),
  cpuIds: row<PoolSettings['cpuIds']>({
    ...cpuList(onlineCpus),
    default: () => undefined,
    aliases: ['affinity', 'cores', 'cpuAffinity', 'cpuId', 'pin'],
  }),
  orderTasks: row({
    ...boolean,
    default: () => false,
    aliases: ['orderedTasks', 'roundRobin', 'taskOrder'],
  }),
  insights: row<InsightsSettings | undefined>({
    ...insightsCheck,
    default: () => undefined,
    aliases: ['enableInsights', 'metrics', 'monitoring', 'recordTiming', 'statistics', 'stats'],
    normalise: (value) => insightsOf(value as boolean | InsightsSettings),
  }),
  startTimeout: row({
    ...positiveMilliseconds,
    default: () => START_TIMEOUT,
    aliases: ['bootTimeout', 'spawnTimeout', 'startupTimeout', 'workerStartTimeout'],
    normalise: timerOrInfinity,
  }),
  // Copies, so that later changes have no effect.
  env: row<Readonly<Record<string, string>> | undefined>({
    ...objectOf('strings, none with a NUL character, whose names are not empty and have no "="', envFault),
    default: () => undefined,
    aliases: ['environment', 'environmentVariables', 'envVars'],
    normalise: (env) => withoutUndefined(env as object) as Record<string, string>,
  }),
  argv: row<readonly string[]>({
    ...strings,
    default: () => [],
    aliases: ['args', 'arguments', 'processArgv'],
    normalise: (list) => [...list],
  }),
  execArgv: row<readonly string[] | undefined>({
    ...strings,
    default: () => undefined,
    aliases: ['execArgs', 'flags', 'nodeArgs', 'nodeOptions'],
    normalise: (list) => [...(list as string[])],
  }),
  resourceLimits: row<ResourceLimits | undefined>({
    ...objectOf('positive numbers, maxOldGenerationSizeMb and maxYoungGenerationSizeMb', (value, key) => {
      if (!limitNames.includes(key)) return TypeError;
      if (value !== undefined && typeof value !== 'number') return TypeError;
      return value === undefined || (value > 0 && value < Infinity) ? undefined : RangeError;
    }),
    default: () => undefined,
    aliases: ['heapLimits', 'limits', 'maxMemory', 'memoryLimit', 'workerMemoryLimit'],
    normalise: (limits) => withoutUndefined(limits as object),
  }),
  name: row<string | undefined>({
    allowed: 'a string that is not empty',
    fault(value) {
      if (typeof value !== 'string') return { error: TypeError, advice: '' };
      return value === '' ? { error: RangeError, advice: '' } : undefined;
    },
    default: () => undefined,
    aliases: ['processTitle', 'threadName', 'title', 'workerName'],
  }),
};

export const poolGroup: OptionGroup<PoolSettings> = {
  rows,
  where: `new WorkerPool(), ${operators}`,
  why: 'it describes the workers of a pool',
};

function insightsOf(given: boolean | InsightsSettings): InsightsSettings | undefined {
  if (given === false) return undefined;
  return { every: given === true ? Infinity : timerOrInfinity(given.every) };
}
