/**
 * What works on one chunk after the other: calls the function for each value, hands the results to its batcher.
 *
 * A worker has one lane, or `tasksPerWorker` of them for calls that wait. Each lane has a batcher of its own, so order, claims and merge runs
 * work per chunk as if it were alone, and a worker with one lane pays nothing. In a lane one call runs at a time. A call that returns
 * a plain value is followed by the next one at once, without a promise in between; one that returns a promise is followed when that
 * has settled. Between two calls the lane looks at the clock: a batch of results leaves after a few milliseconds whether the chunk
 * is done or not, and a chunk that takes longer than it should lets the event loop turn, so that the worker hears a `Cancel`
 * or `Reclaim` and user code its own timers.
 */

import { LAP_TIME, LARGEST_STRIDE, STRIDE_TIME, TURN_TIME } from '../protocol/tuning.js';
import { now, setImmediate } from '../platform/globals.js';
import { NO_PLACE } from '../protocol/claims.js';
import { CallMode, FromWorker, type ChunkIndexes, type RunMessage } from '../protocol/messages.js';
import { cloneTyped } from '../protocol/typed.js';
import type { Task } from '../closures/rebuild.js';
import type { TypedHost } from './Host.js';
import { isThenable } from './isThenable.js';
import { Meter } from './Meter.js';
import { MergeRun } from './MergeRun.js';
import { ResultBatcher } from './ResultBatcher.js';
import { findSharing } from './sharedParts.js';
import { ReportingContext, TaskContext, type WorkerScope } from './TaskContext.js';

/** The chunk that is being worked on. */
interface Current {
  readonly chunk: number;
  readonly task: Task;
  readonly mode: CallMode;
  readonly scope: WorkerScope;
  readonly indexes: ChunkIndexes;
  readonly values: unknown[];
  /** The places of the values that share an object with another one. */
  readonly sharing: ReadonlySet<number> | undefined;
  /** Where its values are claimed, or `NO_PLACE`. */
  readonly place: number;
  /** Whether it goes on after a call that failed. */
  readonly settles: boolean;
  /** Whether the reports of its calls are listened to. */
  readonly reports: boolean;
  /** How many values have been started. */
  started: number;
  /** The context of the call that runs. */
  context: TaskContext | undefined;
  merge: MergeRun | undefined;
  /** Whether it goes on when the event loop has turned: no call of it runs meanwhile. */
  paused: boolean;
  /** The results are no longer wanted. */
  cancelled: boolean;
}

/** What a lane reports. */
export interface LaneListener {
  /** The lane can take the next chunk. */
  onFree(): void;
  /** A chunk has ended with a failure: what comes after it may not be wanted any more. */
  onFailed(): void;
}

export class Lane {
  readonly batcher: ResultBatcher;
  /** There if the worker is measured. */
  readonly meter: Meter | undefined;
  readonly #host: TypedHost;
  readonly #listener: LaneListener;
  readonly #strideTime: number;
  #current: Current | undefined;
  /** Whether the lane is inside `#run`, so that a call settling at once does not enter it again. */
  #running = false;
  /** When the event loop last had its turn. */
  #turnStart = 0;
  #stride = 1;
  #flushArmed = false;

  /** @param isFirst Whether it is this lane of the worker whose waiting is measured: for all of them the same time passes. */
  constructor(host: TypedHost, isFirst: boolean, listener: LaneListener) {
    this.#host = host;
    this.#listener = listener;
    this.meter = host.memory && new Meter(host.memory, isFirst);
    this.#strideTime = host.sharesThread === true ? 0 : this.meter === undefined ? STRIDE_TIME : LAP_TIME;
    this.batcher = new ResultBatcher(host, this.meter);
  }

  /** The number of the chunk that it works on. */
  get chunk(): number | undefined {
    return this.#current?.chunk;
  }

  get isFree(): boolean {
    return this.#current === undefined && !this.#running;
  }

  /** Sends what is finished: the worker is about to end by itself, so it is not free. */
  flush(): void {
    this.batcher.flush(true);
  }

  /** Works on a chunk. Only where the lane is free. */
  start({ chunk, mode, indexes, values, place, flags }: RunMessage, task: Task, scope: WorkerScope): void {
    this.#current = {
      chunk,
      task,
      mode,
      scope,
      indexes,
      values,
      sharing: values.length > 1 ? findSharing(values) : undefined,
      place,
      settles: flags?.settles === true,
      reports: flags?.reports === true,
      started: 0,
      context: undefined,
      merge: undefined,
      paused: false,
      cancelled: false,
    };
    this.#turnStart = now();
    this.batcher.begin(chunk, this.#turnStart, this.#current.settles);
    this.#run();
  }

  /** The results of the chunk are not wanted. */
  cancel(): void {
    const current = this.#current;
    if (current === undefined) return;
    current.cancelled = true;
    this.batcher.discard();
    current.context?.abort();
    current.merge?.cancel();
    if (current.paused) this.#run(); // else the call that runs ends it
  }

  /** Gives back what has not been started. */
  release(): void {
    const current = this.#current;
    if (current === undefined || current.started === current.values.length) return;
    this.#giveBack(current);
    if (current.paused) this.#run();
  }

  /** The call that runs may send more of what it yields. */
  credit(batches: number): void {
    this.#current?.merge?.credit(batches);
  }

  /** Starts one value after the other, until one has to be waited for, the chunk is done or the event loop is due. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    const current = this.#current as Current;
    const { place } = current;
    const { claims } = this.#host;
    try {
      while (this.#current === current) {
        if (current.cancelled || current.started === current.values.length) this.#end(current);
        // Nor is it ours where we cannot claim it: the pool counts on that.
        else if (place !== NO_PLACE && claims?.claim(place) !== true) this.#giveBack(current);
        else if (!this.#step(current) || this.#pauses(current)) break;
      }
    } finally {
      this.#running = false;
    }
    if (this.#current === undefined) this.#listener.onFree();
  }

  /** What has not been started is no longer ours. */
  #giveBack(current: Current): void {
    current.values.length = current.started;
    this.#host.post({ type: FromWorker.Reclaimed, chunk: current.chunk, kept: current.started });
  }

  /** Starts the next value. False where the lane has to wait: for a promise, or because the chunk has ended. */
  #step(current: Current): boolean {
    const at = current.started++;
    const index = typeof current.indexes === 'number' ? current.indexes + at : (current.indexes[at] as number);
    const context = current.reports ? this.#report(current, at, index) : new TaskContext(index, current.scope);
    current.context = context;
    const { task } = current;
    let result: unknown;
    let pending: boolean;
    try {
      let value = current.values[at];
      if (current.sharing?.has(at) === true) value = cloneTyped(value, this.#host.channel, this.#host.classes);
      result = current.mode === CallMode.Apply ? task(...(value as unknown[]), context) : task(value, context);
      pending = isThenable(result);
    } catch (error) {
      return this.#fail(current, error);
    }
    if (current.mode === CallMode.Merge) {
      this.#merge(current, result, pending);
      return false;
    }
    if (!pending) return this.#collect(current, result);
    this.#armFlush();
    if (this.meter !== undefined) this.#suspend(this.meter);
    Promise.resolve(result).then(
      (settled) => {
        if (this.#current !== current) return;
        this.meter?.settle();
        this.#goOn(current, this.#collect(current, settled));
      },
      (error: unknown) => {
        if (this.#current !== current) return;
        this.meter?.settle();
        this.#goOn(current, this.#fail(current, error));
      },
    );
    return false;
  }

  /** The call that has been made waits: the results before it are not to be measured with it. */
  #suspend(meter: Meter): void {
    if (this.batcher.isUnmeasured) this.batcher.lap(meter, now());
    meter.suspend();
  }

  /** A call that had to be waited for is done. @param isOpen Whether its chunk goes on. */
  #goOn(current: Current, isOpen: boolean): void {
    if (isOpen && this.meter !== undefined) this.batcher.lap(this.meter, now());
    if (!isOpen) this.#listener.onFree();
    else if (!this.#pauses(current)) this.#run();
    else if (this.#current === undefined) this.#listener.onFree();
  }

  /** The context of a call that is listened to. */
  #report({ chunk, scope }: Current, at: number, index: number): TaskContext {
    return new ReportingContext(index, scope, (value) => this.batcher.sendProgress(chunk, at, index, value));
  }

  #merge(current: Current, result: unknown, pending: boolean): void {
    const settle = (failure?: { readonly thrown: unknown }): void => {
      if (this.#current !== current) return;
      this.meter?.settle();
      current.merge = undefined;
      // Its one result says that there is no more.
      const isOpen = failure === undefined ? this.#collect(current, undefined) : this.#fail(current, failure.thrown);
      if (isOpen) this.#run();
      else this.#listener.onFree();
    };
    this.meter?.suspend();
    const begin = (output: unknown): void => {
      if (this.#current !== current) return;
      current.merge = new MergeRun((values) => this.batcher.sendYields(values), settle);
      current.merge.start(output);
      if (current.cancelled) current.merge.cancel();
    };
    if (pending) Promise.resolve(result).then(begin, (thrown: unknown) => settle({ thrown }));
    else begin(result);
  }

  /** Keeps a result. False where it cannot be sent, which has ended the chunk. */
  #collect(current: Current, result: unknown): boolean {
    if (current.reports) (current.context as ReportingContext).finish();
    if (this.batcher.add(result)) return true;
    this.#endFailed();
    return false;
  }

  /** Looks at the clock, if it is time for that. True where `#run` goes on later, from the event loop, or not at all. */
  #pauses(current: Current): boolean {
    if (current.started % this.#stride !== 0 || current.started === current.values.length) return false;
    const time = now();
    if (this.meter !== undefined) this.batcher.lap(this.meter, time);
    const perCall = this.batcher.age(time) / Math.max(this.batcher.size, 1);
    const isQuick = perCall * this.#stride * 2 < this.#strideTime;
    this.#stride = isQuick ? Math.min(this.#stride * 2, LARGEST_STRIDE) : 1;
    if (!this.batcher.flushIfDue(time)) {
      this.#endFailed();
      return true;
    }
    if (time - this.#turnStart < TURN_TIME && this.#host.sharesThread !== true) return false;
    current.paused = true;
    setImmediate(() => {
      current.paused = false;
      this.#turnStart = now();
      this.meter?.resume(this.#turnStart);
      if (this.#current === current) this.#run();
    });
    return true;
  }

  /** A call that waits for the outside keeps the results before it no longer than until the event loop turns. */
  #armFlush(): void {
    if (this.#flushArmed) return;
    this.#flushArmed = true;
    setImmediate(() => {
      this.#flushArmed = false;
      this.#turnStart = now();
      const current = this.#current;
      const isRunning = current !== undefined && !current.paused;
      if (this.batcher.flush(isRunning)) return;
      if (isRunning) {
        // The lane is not free before that call is: it may still do anything, such as end the worker.
        this.cancel();
        this.#listener.onFailed();
        return;
      }
      this.#endFailed();
      this.#listener.onFree();
    });
  }

  #end(current: Current): void {
    this.#current = undefined;
    if (!current.cancelled) {
      if (!this.batcher.flush()) this.#endFailed();
      return;
    }
    this.meter?.work(now());
    this.batcher.stop();
  }

  /** A call has failed: the results before it leave, and nothing after it is started. False where that has ended the chunk. */
  #fail(current: Current, error: unknown): boolean {
    if (this.meter !== undefined) {
      const time = now();
      this.batcher.lap(this.meter, time);
      this.meter.work(time);
    }
    if (current.reports) (current.context as ReportingContext).finish();
    if (current.settles) {
      if (!current.cancelled) this.batcher.reject(error);
      return true;
    }
    if (this.batcher.flush()) this.batcher.fail(error);
    this.#endFailed();
    return false;
  }

  #endFailed(): void {
    this.#current = undefined;
    this.#listener.onFailed();
  }
}
