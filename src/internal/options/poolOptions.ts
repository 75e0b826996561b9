/** The options that say what workers a pool has: documentation, names, checks and defaults. */

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
 * - `'threading'`: a worker is a thread of this program. Starts fastest, and can share memory.
 * - `'spawn'`: a worker is a fresh Node process, so that nothing it does to itself can harm the program.
 * - `'forkserver'`: a worker is a copy of a small process that is up already, by the system call `fork`; it starts much faster than
 *   a fresh one. Linux only, with the optional package `koffi`.
 * - `'fork'`: a worker is a copy of a process of this pool, which has loaded the function, what it imports, and `sharedObjects`; the
 *   copies share that memory until somebody writes to it. Linux only, with the optional package `koffi`.
 * - `'inline'`: there is no worker. The function runs in this thread, one value per turn of the event loop: for breakpoints, for
 *   tests with mocks, and where there can be no workers.
 */
export type StartMethodName = (typeof startMethodNames)[number];

/** What each start method is, for messages, and what people call it who come from elsewhere. */
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

/** What workers a pool has. Each option may be left out or `undefined`, which both mean its default. */
export interface WorkerPoolOptions {
  /**
   * How many workers there are at most: a positive integer. They start as work arrives, so a pool that gets one value
   * starts one worker. More workers than CPUs are allowed, and useful where tasks wait for something.
   *
   * Default, also for `null`: the number of CPUs that this program may use (`os.availableParallelism()`).
   *
   * @throws TypeError when it is no number, RangeError when it is no positive integer.
   */
  nJobs?: number | null | undefined;

  /**
   * How workers are started: `'threading'`, each a thread of this program, `'spawn'`, each a process of its own,
   * `'forkserver'`, each a copy of a process that is up already, `'fork'`, each a copy of one that has loaded what they need,
   * `'inline'`, in this thread, without workers, or a {@link StartMethod} of your own.
   *
   * Default: `'threading'`.
   *
   * @throws TypeError when it is neither a string nor a start method, or does not have another option that is given; RangeError when
   *   there is no such start method.
   */
  startMethod?: StartMethodName | StartMethod | undefined;

  /**
   * Whether workers are daemons. A daemon may not make a pool of its own (trying is a `NestedPoolError`), and while idle
   * it does not keep the program running. With `false`, pools inside workers are allowed, and the program keeps running
   * until the pool is joined or terminated. Either way no worker outlives the program.
   *
   * Default: `true`.
   *
   * @throws TypeError when it is no boolean.
   */
  daemon?: boolean | undefined;

  /**
   * Whether workers stay when no call is running, so that the next call finds them started, with their
   * modules loaded. With `false` they leave, and the next call starts others. `stopAndJoin` and `terminate` end them.
   *
   * Default: `false`.
   *
   * @throws TypeError when it is no boolean.
   */
  keepAlive?: boolean | undefined;

  /**
   * What all tasks use: any value, which each worker gets once, as `context.shared` of tasks and of `workerInit` and
   * `workerExit`. It is taken when the pool is made (by an operator, when it is subscribed to), as the variables of a function
   * are: functions, classes and their instances in it come along. Each worker has a copy; a `SharedArrayBuffer` is really shared,
   * where workers are threads.
   *
   * Default: `undefined`.
   *
   * @throws UnserializableError when there is something in it that cannot travel, UnportableFunctionError when it is a function.
   */
  sharedObjects?: unknown;

  /**
   * The CPUs that workers are kept on, by their numbers from 0: an entry for each worker, by `workerId`, or one entry for all. An
   * entry is a number, or an array of numbers, among which the system chooses. Linux only, for processes as for threads, with the
   * optional package `koffi`.
   *
   * Default: all CPUs that the program may use.
   *
   * @throws TypeError when it is no array of such entries; RangeError when this machine has no such CPU, when there are neither one
   *   entry nor `nJobs` of them, or where it cannot be used.
   * @example
   * ```ts
   * const pool = new WorkerPool({ nJobs: 2, cpuIds: [0, [2, 3]] });
   * ```
   */
  cpuIds?: readonly (number | readonly number[])[] | undefined;

  /**
   * Whether the chunks of a call go to the workers in turns: the first one to worker 0, the second one to worker 1, and so on, from
   * worker 0 again after the last one. A chunk then waits for its worker, also where another one is idle. Together with
   * `chunkSize` or `nSplits` it settles which worker does which values.
   *
   * Default: `false`, a chunk goes to whichever worker is free.
   *
   * @throws TypeError when it is no boolean.
   */
  orderTasks?: boolean | undefined;

  /**
   * Whether the pool measures what its workers do: how long they start, wait and work, what the longest tasks were, and more
   * ({@link Insights}). `getInsights` and `printInsights` of a pool tell it, and `onInsights` of an operator. With `every`, so many
   * milliseconds, `onInsights` is called again and again while the Observable runs, and not only at its end.
   *
   * Default: `false`; then nothing is measured. An operator that has `onInsights` measures in any case.
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
   * How many milliseconds a worker may take from being started until it runs: a positive number, or `Infinity`. Where it takes
   * longer, as a process may under a small limit of processes, it is ended, and the calls that wait for a worker fail with a
   * `WorkerStartError`. With `'fork'`, the time in which functions and `sharedObjects` are loaded does not count.
   *
   * Default: 60,000.
   *
   * @throws TypeError when it is no number, RangeError when it is 0, negative or NaN.
   */
  startTimeout?: number | undefined;

  /**
   * The environment variables of workers, by their names, in place of all that the program has: `{ ...process.env, LANG: 'C' }` adds to
   * those. What Node itself reads as it starts, `NODE_OPTIONS` say, has no effect with `'forkserver'`: use `execArgv`.
   *
   * Default: those of the program, as they are when a worker starts.
   *
   * @throws TypeError when it is no object of strings.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined;

  /**
   * The arguments of workers: what `process.argv` has after its first two entries.
   *
   * Default: none.
   *
   * @throws TypeError when it is no array of strings.
   */
  argv?: readonly string[] | undefined;

  /**
   * The flags that Node gets for workers, in place of those that the program was started with. A thread takes only some, for most
   * hold for its whole process. With `'forkserver'` there is a server for each list of flags.
   *
   * Default: those of the program that workers can have.
   *
   * @throws TypeError when it is no array of strings. A flag that Node does not know, or not for threads, is a `WorkerStartError`.
   */
  execArgv?: readonly string[] | undefined;

  /**
   * How much memory the JavaScript heap of a worker may use. A worker that needs more dies with a `WorkerDiedError`, which says so.
   *
   * Default: no other limit than Node's.
   *
   * @throws TypeError when it is no object of such limits, RangeError when one is not positive.
   */
  resourceLimits?: ResourceLimits | undefined;

  /**
   * What workers are called: processes by their title, which `ps` shows, threads by their name in debuggers and profilers.
   *
   * Default: none.
   *
   * @throws TypeError when it is no string, RangeError when it is empty.
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

/** An object of some values; one that is wrong is named. */
function objectOf(
  what: string,
  wrong: (value: unknown, key: string) => TypeErrorConstructor | RangeErrorConstructor | undefined,
): Check {
  return {
    allowed: `an object of ${what}`,
    fault(value) {
      // That of the program has a prototype of its own.
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

/** The options that say how a worker is made, which not every start method can follow. */
export const workerOptions: readonly WorkerOption[] = ['argv', 'cpuIds', 'env', 'execArgv', 'name', 'resourceLimits'];

/** Milliseconds. A worker takes a tenth of a second, on a machine that is busy some seconds. */
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
  // Copies, so that nothing changes any more.
  env: row<Readonly<Record<string, string>> | undefined>({
    ...objectOf('strings', (value) => (value === undefined || typeof value === 'string' ? undefined : TypeError)),
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
  why: 'it says what workers a pool has',
};

function insightsOf(given: boolean | InsightsSettings): InsightsSettings | undefined {
  if (given === false) return undefined;
  return { every: given === true ? Infinity : timerOrInfinity(given.every) };
}
