/** The machine of all operators: a subscriber on one side, a job on the other. */

import { Observable, type Subscriber } from 'rxjs';
import type { CallSettings, FromSettings, Overflow, PoolSettings } from '../../options.js';
import { isWorkerPool, runnerOf } from '../options/poolBrand.js';
import { bindContext } from '../platform/asyncContext.js';
import type { CallMode } from '../protocol/messages.js';
import type { AnyTask } from '../../taskTypes.js';
import { clearInterval, queueMicrotask, setInterval } from '../platform/globals.js';
import type { Job } from '../core/job/Job.js';
import { jobSpec, type JobSpec } from '../core/job/JobSpec.js';
import type { PoolObserver } from '../core/PoolObserver.js';
import { createScheduler } from '../node/createScheduler.js';
import type { InputFacts } from '../core/job/pull.js';

/** What an operator runs. */
export interface JobRequest {
  readonly fn: AnyTask;
  readonly mode: CallMode;
  readonly settings: FromSettings;
  readonly bufferSize?: number;
  readonly overflow?: Overflow;
}

/** A source of values that was connected to a job. */
export interface Feed {
  /** Begins: only now, so that a source that emits at once can be stopped while it does. */
  start?(): void;
  /** Pulled input: there is room. */
  advance?(): void;
  /** No more values are wanted. */
  stop(): void;
}

/** What a pool keeps under its brand: enough to run jobs on it. */
export interface JobRunner {
  readonly settings: PoolSettings;
  readonly measurements: PoolObserver['measurements'];
  open(fn: AnyTask, spec: JobSpec): Job;
}

/**
 * An Observable that runs a job per subscription.
 *
 * @param connect Connects the source of values to the job.
 * @param input What is known of the source, where it is pulled.
 */
export function observeJob<R>(request: JobRequest, connect: (job: Job) => Feed, input?: InputFacts): Observable<R> {
  return new Observable<R>((subscriber) => {
    const { call, onInsights } = request.settings;
    const isAborted = call.signal?.aborted === true;
    if (isAborted && onInsights === undefined) {
      subscriber.error(call.signal.reason);
      return;
    }
    let feed: Feed | undefined;
    const runner = openRunner(request.settings);
    const report = insightsReport(request.settings, runner);
    const spec = specOf(request, call, subscriber, input, report, {
      room: () => feed?.advance?.(),
      close: () => feed?.stop(),
      isOpen: () => !job.ended && !subscriber.closed,
      exitResults: () => job.exitResults,
    });
    if (isAborted) {
      spec.sink.error(call.signal.reason); // which tells what was measured, too
      return;
    }
    const job: Job = runner.open(request.fn, spec);
    subscriber.add(() => job.cancel());
    if (report !== undefined) subscriber.add(repeat(report, runner, job));
    feed = connect(job);
    feed.start?.();
    feed.advance?.();
  });
}

function openRunner({ pool }: FromSettings): JobRunner {
  if (isWorkerPool(pool)) return runnerOf<JobRunner>(pool);
  // The pool of one subscription ends with its one job.
  return createScheduler({ ...pool, keepAlive: false });
}

/** Tells the user what was measured; `undefined` where that is not asked for. */
function insightsReport({ onInsights }: FromSettings, { measurements }: JobRunner): (() => void) | undefined {
  if (onInsights === undefined || measurements === undefined) return undefined;
  let hasThrown = false;
  return () => {
    if (hasThrown) return; // what it has thrown ends the job, which is no reason to call it again
    hasThrown = true;
    onInsights(measurements.insights());
    hasThrown = false;
  };
}

/** Reports again and again while a job runs, where that is asked for. @returns What ends it. */
function repeat(report: () => void, { settings }: JobRunner, job: Job): () => void {
  const every = settings.insights?.every ?? Infinity;
  if (every === Infinity) return () => undefined;
  const timer = setInterval(
    bindContext(() => {
      try {
        if (!job.ended) report();
      } catch (error) {
        job.fail(error);
      }
    }),
    every,
  );
  timer.unref();
  return () => clearInterval(timer);
}

function specOf<R>(
  { mode, settings, bufferSize, overflow }: JobRequest,
  call: CallSettings,
  subscriber: Subscriber<R>,
  input: InputFacts | undefined,
  report: (() => void) | undefined,
  feed: { room(): void; close(): void; isOpen(): boolean; exitResults(): unknown[] },
): JobSpec {
  const { onExitResults } = settings;
  return jobSpec({
    mode,
    ordered: settings.ordered,
    call,
    bufferSize,
    overflow,
    input,
    wantsExitResults: onExitResults !== undefined,
    sink: {
      // In the async context of the subscriber, not in that in which the worker was started.
      next: bindContext((values: unknown[]) => {
        for (const value of values) {
          if (!feed.isOpen()) return; // the one before was the last: it has ended the job
          subscriber.next(value as R);
        }
      }),
      error: bindContext((error: unknown) => {
        try {
          if (!subscriber.closed) report?.();
        } catch (other) {
          // The Observable has its error; that of the callback is not to be lost either.
          queueMicrotask(() => {
            throw other;
          });
        }
        subscriber.error(error);
      }),
      complete: bindContext(() => {
        try {
          if (!subscriber.closed) onExitResults?.(feed.exitResults());
          if (!subscriber.closed) report?.();
        } catch (error) {
          subscriber.error(error);
          return;
        }
        subscriber.complete();
      }),
      room: bindContext(feed.room),
      close: bindContext(feed.close),
    },
  });
}
