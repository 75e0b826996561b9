/**
 * The loop inside a worker: takes chunks, calls the function for each value, hands the results to the outbox.
 *
 * One call runs at a time. A call that returns a plain value is followed by the next one at once, without a promise in
 * between; one that returns a promise is followed when that has settled. Between two calls the loop looks at the clock: a
 * batch of results leaves after a few milliseconds whether the chunk is done or not, and a chunk that takes longer than
 * it should lets the event loop turn, so that the worker hears a `Cancel` or `Recall` and user code its own timers.
 */

import { LAP_TIME, LARGEST_STRIDE, STRIDE_TIME, TURN_TIME } from '../tuning.js';
import { now, setImmediate } from '../globals.js';
import {
  CallMode,
  FromWorker,
  ToWorker,
  type ChunkIndexes,
  type MessageToWorker,
  type RunMessage,
} from '../channel/messages.js';
import type { PortableFunction, PortableValue } from '../functions/portable.js';
import { rebuildValue } from '../functions/rebuild.js';
import { DutyShelf } from './DutyShelf.js';
import type { Host } from './Host.js';
import { isThenable } from './isThenable.js';
import { Meter } from './Meter.js';
import { MergeRun } from './MergeRun.js';
import { Outbox } from './Outbox.js';
import type { Preparation } from './Preparation.js';
import { ReportingContext, TaskContext, type WorkerScope } from './TaskContext.js';
import { TaskShelf, type Load } from './TaskShelf.js';

/** The chunk that is being worked on. */
interface Current {
  readonly chunk: number;
  readonly load: Load & { state: 'loaded' };
  readonly mode: CallMode;
  readonly scope: WorkerScope;
  readonly indexes: ChunkIndexes;
  readonly values: unknown[];
  /** Whether it goes on after a call that failed. */
  readonly settles: boolean;
  /** Whether somebody listens to what its calls report. */
  readonly reports: boolean;
  /** How many values have been started. */
  started: number;
  /** The context of the call that runs. */
  context: TaskContext | undefined;
  merge: MergeRun | undefined;
  /** Whether it goes on when the event loop has turned: no call of it runs meanwhile. */
  paused: boolean;
  /** Nobody wants the results any more. */
  cancelled: boolean;
}

export class TaskLoop {
  readonly #host: Host;
  /** There where somebody wants to know what the worker does. */
  readonly #meter: Meter | undefined;
  readonly #strideTime: number;
  readonly #prepared: Preparation | undefined;
  readonly #outbox: Outbox;
  readonly #shelf: TaskShelf;
  readonly #duties: DutyShelf;
  readonly #queue: RunMessage[] = [];
  /** Messages that wait until an init or exit function is done. */
  #held: MessageToWorker[] | undefined;
  /** Chunks that were cancelled among them. */
  readonly #cancelled: number[] = [];
  #current: Current | undefined;
  /** Whether the loop is inside `#run`, so that a call settling at once does not enter it again. */
  #running = false;
  #leaving = false;
  /** When the event loop last had its turn. */
  #turnStart = 0;
  #stride = 1;
  #flushArmed = false;

  /** @param prepared What was loaded before there was a worker. Told to the pool by {@link tellPrepared}. */
  constructor(host: Host, prepared?: Preparation) {
    this.#host = host;
    this.#meter = host.memory && new Meter(host.memory);
    this.#strideTime = this.#meter === undefined ? STRIDE_TIME : LAP_TIME;
    this.#prepared = prepared;
    this.#outbox = new Outbox(host, this.#meter);
    this.#shelf = prepared?.shelf ?? new TaskShelf();
    this.#duties = new DutyShelf(host.workerId);
  }

  /** Answers what was asked for before there was a worker. */
  tellPrepared(): void {
    const { shared, tasks } = this.#prepared ?? {};
    for (const [task, failure] of tasks ?? []) this.#tellDefined(task, failure);
    if (shared === undefined) return;
    if ('value' in shared) this.#duties.share(shared.value);
    else this.#failToShare(shared.error);
  }

  /** Does what a message says. */
  receive(message: MessageToWorker): void {
    if (this.#held !== undefined) {
      this.#hold(this.#held, message);
      return;
    }
    switch (message[0]) {
      case ToWorker.Define:
        this.#define(message[1], message[2]);
        break;
      case ToWorker.Forget:
        this.#shelf.forget(message[1]);
        break;
      case ToWorker.Run:
        this.#queue.push(message);
        this.#startNext();
        break;
      case ToWorker.Cancel:
        this.#cancel(message[1]);
        break;
      case ToWorker.Recall:
        this.#release(message[1]);
        break;
      case ToWorker.Credit:
        if (this.#current?.chunk === message[1]) this.#current.merge?.credit(message[2]);
        break;
      case ToWorker.Leave:
        this.#leaving = true;
        this.#startNext();
        break;
      case ToWorker.Share:
        this.#share(message[1]);
        break;
      case ToWorker.Begin:
        this.#begin(message[1], message[2]);
        break;
      case ToWorker.End:
        this.#endDuty(message[1], message[2]);
        break;
      case ToWorker.Drop:
        this.#duties.drop(message[1]);
        break;
    }
  }

  /** Sends what is finished: the worker is about to end although nobody asked it to. */
  flush(): void {
    this.#outbox.flush();
  }

  #define(task: number, portable: PortableFunction): void {
    this.#shelf.define(task, portable, (failure) => {
      this.#tellDefined(task, failure);
      this.#startNext();
    });
  }

  #tellDefined(task: number, failure: { readonly error: unknown } | undefined): void {
    this.#host.post(
      failure === undefined
        ? [FromWorker.Defined, task]
        : [FromWorker.DefineFailed, task, this.#outbox.failureOf(failure.error)],
    );
  }

  // --- what comes before the first task and after the last: it runs alone

  #share(portable: PortableValue): void {
    this.#held = [];
    rebuildValue(portable).then(
      (shared) => {
        this.#duties.share(shared.value);
        this.#resume();
      },
      (error: unknown) => this.#failToShare(error),
    );
  }

  /** The worker is of no use. */
  #failToShare(error: unknown): void {
    this.#held = [];
    this.#host.post([FromWorker.ShareFailed, this.#outbox.failureOf(error)]);
  }

  #begin(duty: number, init: number | undefined): void {
    if (init === undefined) {
      this.#duties.add(duty);
      return;
    }
    this.#held = [];
    this.#shelf.whenSettled(init, (fn) => {
      if (fn === undefined) {
        this.#resume(); // that it could not be loaded was told
        return;
      }
      this.#duties.add(duty);
      this.#meter?.beginDuty();
      this.#duties.call(duty, fn, (outcome) => {
        const elapsed = this.#meter?.endDuty() ?? 0;
        if ('error' in outcome) {
          this.#duties.drop(duty);
          this.#host.post([FromWorker.BeginFailed, duty, this.#outbox.failureOf(outcome.error), elapsed]);
        } else {
          this.#host.post([FromWorker.Begun, duty, elapsed]);
        }
        this.#resume();
      });
    });
  }

  #endDuty(duty: number, exit: number): void {
    this.#held = [];
    this.#shelf.whenSettled(exit, (fn) => {
      if (fn === undefined) {
        this.#resume();
        return;
      }
      this.#meter?.beginDuty();
      this.#duties.call(duty, fn, (outcome) => {
        const elapsed = this.#meter?.endDuty() ?? 0;
        this.#duties.drop(duty);
        this.#outbox.sendEnd(duty, outcome, elapsed);
        this.#resume();
      });
    });
  }

  #hold(held: MessageToWorker[], message: MessageToWorker): void {
    if (message[0] === ToWorker.Recall) {
      this.#recallHeld(held, message[1]);
    } else if (message[0] === ToWorker.Cancel) {
      const at = held.findIndex((other) => other[0] === ToWorker.Run && other[1] === message[1]);
      // Its end is told only when the worker is free again: until then it is busy with this chunk, in the pool's eyes.
      if (at >= 0) this.#cancelled.push((held.splice(at, 1)[0] as RunMessage)[1]);
    } else {
      held.push(message);
    }
  }

  /** Others may have what waits for an init function, but for one value: a worker without any would pass for idle. */
  #recallHeld(held: MessageToWorker[], chunk: number): void {
    const runs = held.filter((message) => message[0] === ToWorker.Run);
    const run = runs.find((message) => message[1] === chunk);
    if (run === undefined) return;
    if (run !== runs[0]) {
      held.splice(held.indexOf(run), 1);
      this.#host.post([FromWorker.Stopped, chunk]);
    } else if (run[6].length > 1) {
      run[6].length = 1;
      this.#host.post([FromWorker.Released, chunk, 1]);
    }
  }

  #resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const chunk of this.#cancelled.splice(0)) this.#host.post([FromWorker.Stopped, chunk]);
    for (const message of held) this.receive(message);
  }

  // --- tasks

  #startNext(): void {
    while (this.#current === undefined && !this.#running && this.#queue.length > 0) {
      const [, chunk, task, mode, duty, indexes, values, terms] = this.#queue[0] as RunMessage;
      const load = this.#shelf.get(task);
      if (load?.state === 'loading') return;
      this.#queue.shift(); // a few chunks at most ever wait here
      const scope = this.#duties.get(duty);
      if (load?.state !== 'loaded' || scope === undefined) {
        this.#host.post([FromWorker.Stopped, chunk]);
        continue;
      }
      this.#current = {
        chunk,
        load,
        mode,
        scope,
        indexes,
        values,
        settles: terms?.settles === true,
        reports: terms?.reports === true,
        started: 0,
        context: undefined,
        merge: undefined,
        paused: false,
        cancelled: false,
      };
      this.#turnStart = now();
      this.#outbox.begin(chunk, this.#turnStart, this.#current.settles);
      this.#run();
    }
    if (this.#leaving && this.#current === undefined && this.#queue.length === 0) this.#host.leave();
  }

  /** Starts one value after the other, until one has to be waited for, the chunk is done or the event loop is due. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    const current = this.#current as Current;
    try {
      while (this.#current === current) {
        if (current.cancelled || current.started === current.values.length) this.#end(current);
        else if (!this.#step(current) || this.#pauses(current)) break;
      }
    } finally {
      this.#running = false;
    }
    if (this.#current === undefined) this.#startNext();
  }

  /** Starts the next value. False where the loop has to wait: for a promise, or because the chunk has ended. */
  #step(current: Current): boolean {
    const at = current.started++;
    const value = current.values[at];
    const index = typeof current.indexes === 'number' ? current.indexes + at : (current.indexes[at] as number);
    const context = current.reports ? this.#report(current, at, index) : new TaskContext(index, current.scope);
    current.context = context;
    const { task } = current.load;
    let result: unknown;
    let pending: boolean;
    try {
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
    if (this.#meter !== undefined) this.#suspend(this.#meter);
    Promise.resolve(result).then(
      (settled) => {
        if (this.#current !== current) return;
        this.#meter?.settle();
        this.#goOn(current, this.#collect(current, settled));
      },
      (error: unknown) => {
        if (this.#current !== current) return;
        this.#meter?.settle();
        this.#goOn(current, this.#fail(current, error));
      },
    );
    return false;
  }

  /** The call that has been made waits: the results before it are not to be measured with it. */
  #suspend(meter: Meter): void {
    if (this.#outbox.isUnmeasured) this.#outbox.lap(meter, now());
    meter.suspend();
  }

  /** A call that had to be waited for is done. @param isOpen Whether its chunk goes on. */
  #goOn(current: Current, isOpen: boolean): void {
    if (isOpen && this.#meter !== undefined) this.#outbox.lap(this.#meter, now());
    if (!isOpen) this.#startNext();
    else if (!this.#pauses(current)) this.#run();
    else if (this.#current === undefined) this.#startNext();
  }

  /** The context of a call that is listened to. */
  #report({ chunk, scope }: Current, at: number, index: number): TaskContext {
    return new ReportingContext(index, scope, (value) => this.#outbox.sendProgress(chunk, at, index, value));
  }

  #merge(current: Current, result: unknown, pending: boolean): void {
    const settle = (failure?: { readonly thrown: unknown }): void => {
      if (this.#current !== current) return;
      this.#meter?.settle();
      current.merge = undefined;
      // Its one result says that there is no more.
      const isOpen = failure === undefined ? this.#collect(current, undefined) : this.#fail(current, failure.thrown);
      if (isOpen) this.#run();
      else this.#startNext();
    };
    this.#meter?.suspend();
    const begin = (output: unknown): void => {
      if (this.#current !== current) return;
      current.merge = new MergeRun((values) => this.#outbox.sendYields(values), settle);
      current.merge.start(output);
      if (current.cancelled) current.merge.cancel();
    };
    if (pending) Promise.resolve(result).then(begin, (thrown: unknown) => settle({ thrown }));
    else begin(result);
  }

  /** Keeps a result. False where it cannot be sent, which has ended the chunk. */
  #collect(current: Current, result: unknown): boolean {
    if (current.reports) (current.context as ReportingContext).finish();
    if (this.#outbox.add(result)) return true;
    this.#endFailed();
    return false;
  }

  /** Looks at the clock, if it is time for that. True where `#run` goes on later, from the event loop, or not at all. */
  #pauses(current: Current): boolean {
    if (current.started % this.#stride !== 0 || current.started === current.values.length) return false;
    const time = now();
    if (this.#meter !== undefined) this.#outbox.lap(this.#meter, time);
    const perCall = this.#outbox.age(time) / Math.max(this.#outbox.size, 1);
    const isQuick = perCall * this.#stride * 2 < this.#strideTime;
    this.#stride = isQuick ? Math.min(this.#stride * 2, LARGEST_STRIDE) : 1;
    if (!this.#outbox.flushIfDue(time)) {
      this.#endFailed();
      return true;
    }
    if (time - this.#turnStart < TURN_TIME) return false;
    current.paused = true;
    setImmediate(() => {
      current.paused = false;
      this.#turnStart = now();
      this.#meter?.resume(this.#turnStart);
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
      if (this.#outbox.flush()) return;
      this.#endFailed();
      this.#startNext();
    });
  }

  #cancel(chunk: number): void {
    const current = this.#current;
    if (current?.chunk !== chunk) {
      this.#unqueue(chunk);
      return;
    }
    current.cancelled = true;
    this.#outbox.discard();
    current.context?.abort();
    current.merge?.cancel();
    if (current.paused) this.#run(); // else the call that runs ends it
  }

  #release(chunk: number): void {
    const current = this.#current;
    if (current?.chunk !== chunk) {
      this.#unqueue(chunk);
      return;
    }
    if (current.started === current.values.length) return;
    current.values.length = current.started;
    this.#host.post([FromWorker.Released, chunk, current.started]);
    if (current.paused) this.#run();
  }

  #unqueue(chunk: number): void {
    const at = this.#queue.findIndex((message) => message[1] === chunk);
    if (at < 0) return; // it has ended, and the pool will have heard so
    this.#queue.splice(at, 1);
    this.#host.post([FromWorker.Stopped, chunk]);
  }

  #end(current: Current): void {
    this.#current = undefined;
    if (!current.cancelled) {
      if (!this.#outbox.flush()) this.#endFailed();
      return;
    }
    this.#meter?.work(now());
    this.#outbox.discard();
    this.#host.post([FromWorker.Stopped, current.chunk]);
  }

  /** A call has failed: the results before it leave, and nothing after it is started. False where that has ended the chunk. */
  #fail(current: Current, error: unknown): boolean {
    if (this.#meter !== undefined) {
      const time = now();
      this.#outbox.lap(this.#meter, time);
      this.#meter.work(time);
    }
    if (current.reports) (current.context as ReportingContext).finish();
    if (current.settles) {
      if (!current.cancelled) this.#outbox.reject(error);
      return true;
    }
    if (this.#outbox.flush()) this.#outbox.fail(error);
    this.#endFailed();
    return false;
  }

  /** The chunk has ended with a failure. What waits behind it comes after what failed: nobody may want that any more. */
  #endFailed(): void {
    this.#current = undefined;
    for (const [, chunk] of this.#queue.splice(0)) this.#host.post([FromWorker.Stopped, chunk]);
  }
}
