/** All that watches a pool, as one: what each is asked for decides what is loaded. */

import type { ProgressBarSettings } from '../../options.js';
import type { Job, JobEnd } from '../core/job/Job.js';
import type { PoolObserver } from '../core/PoolObserver.js';
import type { WorkerHandle } from '../core/pool/WorkerHandle.js';
import { publishExit, publishStart, publishTaskError, type WorkerMessage } from './diagnostics.js';
import { createMeasurements } from './Measurements.js';
import { checkReport, createReport, type ProgressReport } from './progress/ProgressReport.js';
import type { ProgressEnd } from './progress/text.js';
import { endRemoteBars, showRemoteBar } from './progress/remoteBars.js';

/**
 * @param startMethod What diagnostics call it.
 * @param measuredJobs How many workers are measured; `undefined` where none is.
 */
export function createObserver(startMethod: string, measuredJobs: number | undefined): PoolObserver {
  const measurements = measuredJobs === undefined ? undefined : createMeasurements(measuredJobs);
  const reports = new Map<Job, ProgressReport>();
  const published = new WeakMap<WorkerHandle, WorkerMessage>();
  /** As long as no worker has had a bar, nothing of bars is loaded. */
  let hasRemoteBars = false;

  return {
    measurements,
    checkCall({ progressBar }) {
      if (progressBar !== undefined) checkReport(progressBar);
    },
    onCallStart(job, fail) {
      const { progressBar } = job.call;
      if (progressBar !== undefined) reports.set(job, report(progressBar, job, fail));
    },
    onCallEnd(job, end) {
      const shown = reports.get(job);
      if (shown === undefined) return;
      reports.delete(job);
      shown.end(shownEnd(end));
    },
    onWorkerStart(worker) {
      published.set(worker, publishStart(worker.id, startMethod));
    },
    onWorkerReady(worker) {
      measurements?.onReady(worker);
    },
    onWorkerEnd(worker, end) {
      publishExit(published.get(worker) as WorkerMessage, end);
      measurements?.onEnd(worker);
      if (hasRemoteBars) endRemoteBars(worker);
    },
    onWorkerBusy(worker, time) {
      measurements?.onSupplied(worker, time);
    },
    onFigures(worker, chunk, count, figures) {
      measurements?.onFigures(worker, chunk, count, figures);
    },
    onHookEnd(worker, message) {
      measurements?.onHook(worker, message);
    },
    onTaskError(worker, index, error) {
      publishTaskError(published.get(worker) as WorkerMessage, index, error);
    },
    onRemoteBar(worker, bar) {
      hasRemoteBars = true;
      showRemoteBar(worker, bar);
    },
  };
}

function report(settings: ProgressBarSettings, job: Job, fail: (error: unknown) => void): ProgressReport {
  return createReport(settings, job, job.expectedCount, fail);
}

/** A call whose signal has fired was cancelled by its user. */
function shownEnd({ outcome, error, isAborted }: JobEnd): ProgressEnd {
  if (isAborted === true) return { outcome: 'cancelled', error };
  return outcome === 'failed' ? { outcome, error } : { outcome };
}
