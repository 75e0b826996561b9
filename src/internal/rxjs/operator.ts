/** What `parallelMap` and `parallelMergeMap` have in common: a source that pushes its values. */

import { Subject, takeUntil, type OperatorFunction } from 'rxjs';
import { operatorArguments, resolveOperatorOptions } from '../../options.js';
import type { CallMode } from '../protocol/messages.js';
import { checkTask } from '../closures/checkTask.js';
import { observeJob } from './subscribeJob.js';

/** Makes an operator that runs `fn` over what the source emits. @throws TypeError or RangeError on bad arguments. */
export function createOperator<T, R>(
  caller: string,
  mode: CallMode,
  fn: unknown,
  args: readonly unknown[],
): OperatorFunction<T, R> {
  const settings = resolveOperatorOptions(operatorArguments(args, caller), caller);
  checkTask(fn, caller);
  const request = { fn, mode, settings, bufferSize: settings.bufferSize, overflow: settings.overflow };
  return (source) =>
    observeJob<R>(request, (job) => {
      // By a notifier rather than the subscription, which a source that emits at once has not returned yet.
      const ended = new Subject<void>();
      return {
        start() {
          source.pipe(takeUntil(ended)).subscribe({
            next: (value) => job.push(value),
            error: (error: unknown) => job.fail(error),
            complete: () => job.end(),
          });
        },
        stop: () => ended.next(),
      };
    });
}
