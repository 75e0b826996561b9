/** The machine of all operators: a subscriber on one side, a job on the other. */

import { Observable, type Subscriber } from 'rxjs';
import { isWorkerPool, poolBrand, type CallSettings, type FromSettings, type Overflow } from '../options.js';
import { bindContext } from './asyncContext.js';
import type { CallMode } from './channel/messages.js';
import type { AnyTask } from './functions/portable.js';
import type { Job, JobSpec } from './pool/Job.js';
import { Scheduler } from './pool/Scheduler.js';
import type { InputFacts } from './pull.js';

/** What an operator runs. */
export interface JobRequest {
  readonly fn: AnyTask;
  readonly mode: CallMode;
  readonly settings: FromSettings;
  readonly bufferSize: number;
  readonly overflow: Overflow;
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
    const { call } = request.settings;
    if (call.signal?.aborted === true) {
      subscriber.error(call.signal.reason);
      return;
    }
    let feed: Feed | undefined;
    const job: Job = runnerOf(request.settings).open(
      request.fn,
      specOf(request, call, subscriber, input, {
        room: () => feed?.advance?.(),
        close: () => feed?.stop(),
        isOpen: () => !job.ended && !subscriber.closed,
        exitResults: () => job.exitResults,
      }),
    );
    subscriber.add(() => job.cancel());
    feed = connect(job);
    feed.start?.();
    feed.advance?.();
  });
}

function runnerOf({ pool }: FromSettings): JobRunner {
  if (isWorkerPool(pool)) return (pool as unknown as { readonly [poolBrand]: JobRunner })[poolBrand];
  // The pool of one subscription ends with its one job.
  return new Scheduler({ ...pool, keepAlive: false });
}

function specOf<R>(
  { mode, settings, bufferSize, overflow }: JobRequest,
  call: CallSettings,
  subscriber: Subscriber<R>,
  input: InputFacts | undefined,
  feed: { room(): void; close(): void; isOpen(): boolean; exitResults(): unknown[] },
): JobSpec {
  const { onExitResults } = settings;
  return {
    mode,
    ordered: settings.ordered,
    call,
    bufferSize,
    overflow,
    manualRelease: false,
    input,
    wantsExitResults: onExitResults !== undefined,
    sink: {
      // What the subscriber does runs in its own context, not in that of whoever started the worker.
      next: bindContext((values: unknown[]) => {
        for (const value of values) {
          if (!feed.isOpen()) return; // the one before was the last: it has ended the job
          subscriber.next(value as R);
        }
      }),
      error: bindContext((error: unknown) => subscriber.error(error)),
      complete: bindContext(() => {
        try {
          if (!subscriber.closed) onExitResults?.(feed.exitResults());
        } catch (error) {
          subscriber.error(error);
          return;
        }
        subscriber.complete();
      }),
      room: bindContext(feed.room),
      close: bindContext(feed.close),
    },
  };
}
