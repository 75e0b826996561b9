/** The options that say what workers a pool has: documentation, names, checks and defaults. */

import { onlineCpus } from '../posix/cpus.js';
import { cpuCount } from './cpuCount.js';
import {
  anything,
  boolean,
  cpuList,
  oneOf,
  operators,
  positiveInteger,
  row,
  type Choice,
  type OptionGroup,
  type Rows,
} from './rows.js';

/** The ways to start a worker; the only list of them. */
export const startMethodNames = ['threading', 'spawn', 'forkserver', 'fork'] as const;

/**
 * How workers are started.
 *
 * - `'threading'`: a worker is a thread of this program. Starts fastest, and can share memory.
 * - `'spawn'`: a worker is a fresh Node process, so that nothing it does to itself can harm the program.
 * - `'forkserver'`: a worker is a copy of a small process that is up already, by the system call `fork`; it starts much faster than
 *   a fresh one. Linux only, with the optional package `koffi`.
 * - `'fork'`: a worker is a copy of a process of this pool, which has loaded the function, what it imports, and `sharedObjects`; the
 *   copies share that memory until somebody writes to it. Linux only, with the optional package `koffi`.
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
    aliases: ['forkServer', 'fork_server'],
  },
  fork: {
    meaning: 'a worker is a copy of a process that has loaded the function',
    aliases: ['forking', 'forked', 'copy', 'template', 'fork_template'],
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
   * `'forkserver'`, each a copy of a process that is up already, or `'fork'`, each a copy of one that has loaded what they need.
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
}

/** {@link WorkerPoolOptions}, checked and complete. */
export interface PoolSettings {
  readonly nJobs: number;
  readonly startMethod: StartMethod;
  readonly daemon: boolean;
  readonly keepAlive: boolean;
  readonly sharedObjects: unknown;
  readonly cpuIds: readonly (number | readonly number[])[] | undefined;
  readonly orderTasks: boolean;
}

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
};

export const poolGroup: OptionGroup<PoolSettings> = {
  rows,
  where: `new WorkerPool(), ${operators}`,
  why: 'it says what workers a pool has',
};
