/** What a pool with the option `insights` tells of its workers. */

/**
 * How often workers were started, what they did and how long, since the pool was made or `resetInsights` was called. The keys
 * are those of MPIRE in camelCase. Times are in milliseconds.
 *
 * Lists have an entry for each of the `nJobs` workers, by its id; a worker that takes the place of another one adds to the same
 * entry. Means and standard deviations are those of the workers that have started, ratios are parts of `totalTime`.
 */
export interface Insights {
  /** How many values each worker has completed. Those that failed are not counted. */
  nCompletedTasks: number[];

  /** How often another worker had to take the place of the one before. */
  workerRestarts: number[];

  /** The sum of all times below, over all workers. */
  totalTime: number;

  /** How long each worker took to start, from the start of its thread or process until it was ready. */
  startUpTime: number[];
  /** The sum of `startUpTime`. */
  totalStartUpTime: number;
  /** The mean of `startUpTime`. */
  startUpTimeMean: number;
  /** The standard deviation of `startUpTime`. */
  startUpTimeStd: number;
  /** The part of `totalTime`. */
  startUpRatio: number;

  /** How long each worker was in `workerInit`. */
  initTime: number[];
  /** The sum of `initTime`. */
  totalInitTime: number;
  /** The mean of `initTime`. */
  initTimeMean: number;
  /** The standard deviation of `initTime`. */
  initTimeStd: number;
  /** The part of `totalTime`. */
  initRatio: number;

  /**
   * How long each worker was neither starting nor in any function of the user's: waiting for values, loading
   * functions, sending results.
   */
  waitingTime: number[];
  /** The sum of `waitingTime`. */
  totalWaitingTime: number;
  /** The mean of `waitingTime`. */
  waitingTimeMean: number;
  /** The standard deviation of `waitingTime`. */
  waitingTimeStd: number;
  /** The part of `totalTime`. */
  waitingRatio: number;
  /** The median of the single waits for a chunk of values. It is exact to about 3%, as all percentiles here are. */
  waitingTimeP50: number;
  /** What nine waits of ten were no longer than. */
  waitingTimeP90: number;
  /** What 99 waits of a hundred were no longer than. */
  waitingTimeP99: number;

  /**
   * How long each worker was in task functions. A call that returns a promise, or values of `parallelMergeMap`, lasts until it is
   * through. What has given no results yet is not known yet, and work that was killed is never.
   */
  workingTime: number[];
  /** The sum of `workingTime`. */
  totalWorkingTime: number;
  /** The mean of `workingTime`. */
  workingTimeMean: number;
  /** The standard deviation of `workingTime`. */
  workingTimeStd: number;
  /** The part of `totalTime`. */
  workingRatio: number;
  /**
   * The median of what single values took. Calls that take a few microseconds are measured some at a time, and each counts as an
   * equal part.
   */
  workingTimeP50: number;
  /** What nine values of ten took no longer than. */
  workingTimeP90: number;
  /** What 99 values of a hundred took no longer than. */
  workingTimeP99: number;

  /** How long each worker was in `workerExit`. */
  exitTime: number[];
  /** The sum of `exitTime`. */
  totalExitTime: number;
  /** The mean of `exitTime`. */
  exitTimeMean: number;
  /** The standard deviation of `exitTime`. */
  exitTimeStd: number;
  /** The part of `totalTime`. */
  exitRatio: number;

  /** How long the longest tasks took, the longest first: five at most. */
  top5MaxTaskDurations: number[];
  /**
   * What these tasks were given, as text, cut where it is long. Where a slow call was among quick ones, which are measured some at a
   * time, it is the values that it may have been, after `one of`.
   */
  top5MaxTaskArgs: string[];

  /**
   * How many bytes each worker was sent: values, functions, and what the pool says besides. `undefined` where workers are threads:
   * what they exchange is never bytes.
   */
  bytesSent: number[] | undefined;
  /** How many bytes came from each worker; `undefined` as above. */
  bytesReceived: number[] | undefined;

  /**
   * How many bytes of memory each worker used when it last told, which it does with results: a process all that it holds (its
   * resident set), a thread its heap and its buffers. 0 where it has not told yet.
   */
  memory: number[];
}
