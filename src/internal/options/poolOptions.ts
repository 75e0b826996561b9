/** The options that say what workers a pool has: documentation, names, checks and defaults. */

import { cpuCount } from './cpuCount.js';
import {
  anything,
  boolean,
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

/** The ways to start a worker; the only list of them. */
export const startMethodNames = ['threading', 'spawn', 'forkserver'] as const;

/**
 * How workers are started.
 *
 * - `'threading'`: a worker is a thread of this program. Starts fastest, and can share memory.
 * - `'spawn'`: a worker is a fresh Node process, so that nothing it does to itself can harm the program.
 * - `'forkserver'`: a worker is a copy of a small process that is up already, by the system call `fork`; it starts much faster than
 *   a fresh one. Linux only, with the optional package `koffi`.
 */
export type StartMethod = (typeof startMethodNames)[number];

/** What each start method is, for messages, and what people call it who come from elsewhere. */
const startMethods: { readonly [Name in StartMethod]: Omit<Choice, 'name'> } = {
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
    aliases: ['forkServer', 'fork_server', 'fork'],
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
   * How workers are started: `'threading'`, each a thread of this program, `'spawn'`, each a process of its own, or
   * `'forkserver'`, each a copy of a process that is up already.
   *
   * Default: `'threading'`.
   *
   * @throws TypeError when it is no string, RangeError when there is no such start method.
   */
  startMethod?: StartMethod | undefined;

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
}

/** {@link WorkerPoolOptions}, checked and complete. */
export interface PoolSettings {
  readonly nJobs: number;
  readonly startMethod: StartMethod;
  readonly daemon: boolean;
  readonly keepAlive: boolean;
  readonly sharedObjects: unknown;
  readonly insights: InsightsSettings | undefined;
}

export interface InsightsSettings {
  /** Milliseconds: at most what a timer can wait, or Infinity. */
  readonly every: number;
}

const insightsCheck: Check = {
  allowed: 'true, false or { every: milliseconds }',
  fault(value) {
    if (typeof value === 'boolean') return undefined;
    const wrong = { error: TypeError, advice: '' };
    if (typeof value !== 'object' || value === null || !isPlainObject(value)) return wrong;
    const others = Object.keys(value).filter((key) => key !== 'every');
    if (others.length > 0 || !('every' in value)) return wrong;
    const fault = positiveMilliseconds.fault(value.every);
    return fault && { ...fault, advice: `"every" must be ${positiveMilliseconds.allowed}.` };
  },
};

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
  startMethod: row<StartMethod>({
    ...oneOf(startMethodNames.map((name) => ({ name, ...startMethods[name] }))),
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
  insights: row<InsightsSettings | undefined>({
    ...insightsCheck,
    default: () => undefined,
    aliases: ['enableInsights', 'metrics', 'monitoring', 'recordTiming', 'statistics', 'stats'],
    normalise: (value) => insightsOf(value as boolean | InsightsSettings),
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
