/** The results of a job as an async iterator. The job runs only as far ahead as its window allows. */

import type { Job } from './Job.js';
import type { JobSink } from './JobSpec.js';

interface Waiter<R> {
  readonly resolve: (result: IteratorResult<R, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const resolved = Promise.resolve();

export class JobIterator<R> implements AsyncIterableIterator<R>, AsyncDisposable {
  readonly #start: (sink: JobSink) => Job;
  #job: Job | undefined;
  /** Results that were not taken yet, in batches. */
  readonly #batches: R[][] = [];
  #taken = 0; // of the first batch
  /** Calls of `next` that wait for a result. */
  readonly #waiters: Waiter<R>[] = [];
  #end: { readonly error?: unknown; readonly failed: boolean } | undefined;

  /** @param start Starts the job. Called at the first `next`. */
  constructor(start: (sink: JobSink) => Job) {
    this.#start = start;
  }

  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#job === undefined && this.#end === undefined) this.#begin();
    const batch = this.#batches[0];
    if (batch !== undefined) return Promise.resolve({ done: false, value: this.#take(batch) });
    if (this.#end === undefined) return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    const { failed, error } = this.#end;
    this.#end = { failed: false }; // an error is told once, as by a generator
    return failed ? Promise.reject(error) : Promise.resolve({ done: true, value: undefined });
  }

  return(): Promise<IteratorResult<R, undefined>> {
    this.#close();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<IteratorResult<R, undefined>> {
    this.#close();
    return Promise.reject(error);
  }

  /** Takes no more results: what `await using` calls. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #begin(): void {
    try {
      this.#job = this.#start({
        next: (values) => this.#receive(values as R[]),
        error: (error) => this.#finish({ failed: true, error }),
        complete: () => this.#finish({ failed: false }),
      });
    } catch (error) {
      this.#end = { failed: true, error };
    }
  }

  #receive(values: R[]): void {
    this.#batches.push(values);
    while (this.#waiters.length > 0 && this.#batches.length > 0) {
      const value = this.#take(this.#batches[0] as R[]);
      this.#waiters.shift()?.resolve({ done: false, value });
    }
  }

  /** Takes the next result. A batch counts as consumed with its last result, which saves a call for each. */
  #take(batch: R[]): R {
    const value = batch[this.#taken++] as R;
    if (this.#taken === batch.length) {
      this.#batches.shift();
      this.#taken = 0;
      // Not during a delivery, which may go on.
      void resolved.then(() => this.#job?.consume(batch.length));
    }
    return value;
  }

  #close(): void {
    this.#job?.cancel();
    this.#batches.length = 0;
    this.#end = undefined; // nobody is left to hear of an error
    this.#finish({ failed: false });
  }

  #finish(end: { readonly error?: unknown; readonly failed: boolean }): void {
    this.#end ??= end;
    for (const { resolve, reject } of this.#waiters.splice(0)) {
      const { failed, error } = this.#end;
      this.#end = { failed: false };
      if (failed) reject(error);
      else resolve({ done: true, value: undefined });
    }
  }
}

/** @param start Starts the job. Called at the first `next`. */
export function createIterator<R>(start: (sink: JobSink) => Job): JobIterator<R> {
  return new JobIterator<R>(start);
}
