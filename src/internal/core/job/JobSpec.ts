/** What a job is made from. */

import type { CallSettings, Overflow } from '../../../options.js';
import type { CallMode } from '../../protocol/messages.js';
import type { InputFacts } from './pull.js';

/** Where the results and the end of a job go. Never called after the job was cancelled, or after its end. */
export interface JobSink {
  next(values: unknown[]): void;
  error(error: unknown): void;
  complete(): void;
  /** There may be room for more values of a pulled input. */
  room?(): void;
  /** No more values are wanted; the end may follow later. */
  close?(): void;
}

export interface JobSpec {
  readonly mode: CallMode;
  readonly call: CallSettings;
  readonly sink: JobSink;
  /** Default: true. */
  readonly ordered: boolean;
  /** How many values may wait. Default: any number. */
  readonly bufferSize: number;
  /** What happens with more. Default: an error. */
  readonly overflow: Overflow;
  /** Whether the sink tells by `consume` when results are consumed. Default: they are as soon as it has them. */
  readonly manualConsume: boolean;
  /** Whether its exit functions run at its end even if workers are kept. Default: false. */
  readonly wantsExitResults: boolean;
  /** What is known of a pulled input. */
  readonly input: InputFacts | undefined;
  /** How many values there will be, if known. */
  readonly total: number | undefined;
}

const defaults = {
  ordered: true,
  bufferSize: Infinity,
  overflow: 'error',
  manualConsume: false,
  wantsExitResults: false,
  input: undefined,
  total: undefined,
} as const;

/** A specification, completed with defaults. */
export function jobSpec(given: Pick<JobSpec, 'mode' | 'call' | 'sink'> & Partial<JobSpec>): JobSpec {
  return { ...defaults, total: given.input?.length, ...given };
}
