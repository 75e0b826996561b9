/** The measurements of a pool with the option `insights`. */

/**
 * How often workers were started, and what they spent their time on, since the pool was made or `resetInsights` was called. The keys
 * are those of MPIRE in camelCase. Times are in milliseconds.
 *
 * Lists have an entry for each of the `nJobs` workers, by its id. A worker that replaces another one adds to the same entry.
 * Means and standard deviations cover the workers that have started. Ratios are parts of `totalTime`.
 */
export interface Insights {
  /** How many values each worker has completed. Failed values do not count. */
  nCompletedTasks: number[];

  /** How often each worker was replaced. */
  workerRestarts: number[];

  /** The sum of all times below, over all workers. */
  totalTime: number;

  /** How long each worker took from the start of its thread or process until it was ready. */
  startUpTime: number[];
  /** The sum of `startUpTime`. */
  totalStartUpTime: number;
  /** The mean of `startUpTime`. */
  startUpTimeMean: number;
  /** The standard deviation of `startUpTime`. */
  startUpTimeStd: number;
  /** The part of `totalTime`. */
  startUpRatio: number;

  /** How long each worker spent in `workerInit`. */
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
   * How long each worker was neither starting nor in one of the user's functions: waiting for values, loading
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
  /** The median of the single waits for a chunk of values. All percentiles here are exact to about 3%. */
  waitingTimeP50: number;
  /** 90% of the waits were no longer than this. */
  waitingTimeP90: number;
  /** 99% of the waits were no longer than this. */
  waitingTimeP99: number;

  /**
   * How long each worker spent in task functions. A call that returns a promise, or the results of `parallelMergeMap`, lasts until it
   * has settled. Work counts when its results arrive; work that was killed never counts.
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
   * The median time of a task. Calls that take a few microseconds are measured in groups, and each counts as an equal part.
   */
  workingTimeP50: number;
  /** 90% of the tasks took no longer than this. */
  workingTimeP90: number;
  /** 99% of the tasks took no longer than this. */
  workingTimeP99: number;

  /** How long each worker spent in `workerExit`. */
  exitTime: number[];
  /** The sum of `exitTime`. */
  totalExitTime: number;
  /** The mean of `exitTime`. */
  exitTimeMean: number;
  /** The standard deviation of `exitTime`. */
  exitTimeStd: number;
  /** The part of `totalTime`. */
  exitRatio: number;

  /** The times of the longest tasks, at most five, longest first. */
  top5MaxTaskDurations: number[];
  /**
   * The values of these tasks, as text, shortened if long. If a slow call was measured in a group of quick ones, the text lists the values of
   * the group, after `one of`.
   */
  top5MaxTaskArgs: string[];

  /**
   * How many bytes were sent to each worker: values, functions, and the pool's own messages. `undefined` for threads, whose messages
   * are not bytes.
   */
  bytesSent: number[] | undefined;
  /** How many bytes came from each worker; `undefined` as above. */
  bytesReceived: number[] | undefined;

  /**
   * How many bytes of memory each worker used when it last reported, which it does with results: the resident set of a process, the heap
   * and buffers of a thread. 0 before the first report.
   */
  memory: number[];
}
