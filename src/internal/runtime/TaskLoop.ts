/**
 * The loop inside a worker: takes chunks, calls the function for each value, sends results in batches.
 *
 * One call runs at a time. A call that returns a plain value is followed by the next one at once, without a promise in
 * between; one that returns a promise is followed when that has settled. Between two calls the loop looks at the clock: a
 * batch of results leaves after a few milliseconds whether the chunk is done or not, and a chunk that takes longer than
 * it should lets the event loop turn, so that the worker hears a `Cancel` or `Recall` and user code its own timers.
 */

import { encodeThrown } from '../channel/errorCodec.js';
import {
  CallMode,
  FromWorker,
  ToWorker,
  type ChunkIndexes,
  type EncodedFailure,
  type MessageToWorker,
  type RunMessage,
} from '../channel/messages.js';
import { findUnserializable } from '../channel/unserializable.js';
import { missingVariable, rebuild, type Task } from '../functions/rebuild.js';
import type { PortableFunction } from '../functions/portable.js';
import { isTransferred, openEnvelopes } from '../../transfer.js';
import type { Host } from './Host.js';
import { MergeRun } from './MergeRun.js';
import { TaskContext } from './TaskContext.js';

/** A batch of results waits this long at most, in milliseconds, for others to travel with. */
const BATCH_TIME = 4;
/** After so many milliseconds without a pause the event loop gets its turn. */
const TURN_TIME = 12;
/** Quick calls look at the clock only once in so many: a look costs as much as a small call. */
const LARGEST_STRIDE = 16;
const STRIDE_TIME = 0.1;

type Load = { readonly portable: PortableFunction } & (
  { state: 'loading' } | { state: 'loaded'; task: Task } | { state: 'failed' }
);

/** The chunk that is being worked on. */
interface Current {
  readonly chunk: number;
  readonly load: Load & { state: 'loaded' };
  readonly mode: CallMode;
  readonly indexes: ChunkIndexes;
  readonly values: unknown[];
  /** How many values have been started. */
  started: number;
  /** Results that have not been sent yet. */
  batch: unknown[];
  /** When the first result of the batch began to be computed. */
  batchStart: number;
  /** The context of the call that runs. */
  context: TaskContext | undefined;
  merge: MergeRun | undefined;
  /** Nobody wants the results any more. */
  cancelled: boolean;
}

export class TaskLoop {
  readonly #host: Host;
  readonly #loads = new Map<number, Load>();
  readonly #queue: RunMessage[] = [];
  #current: Current | undefined;
  /** Whether the loop is inside `#run`, so that a call settling at once does not enter it again. */
  #running = false;
  /** Whether a pause was asked of the event loop, after which `#run` goes on. */
  #paused = false;
  #leaving = false;
  /** When the event loop last had its turn. */
  #turnStart = 0;
  #stride = 1;
  #flushArmed = false;
  /** What sending the last batch took, in milliseconds: it belongs to the pace, and is told with the next batch. */
  #postTime = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Does what a message says. */
  receive(message: MessageToWorker): void {
    switch (message[0]) {
      case ToWorker.Define:
        this.#define(message[1], message[2]);
        break;
      case ToWorker.Forget:
        this.#loads.delete(message[1]);
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
    }
  }

  /** Sends what is finished: the worker is about to end although nobody asked it to. */
  flush(): void {
    if (this.#current !== undefined) this.#sendBatch(this.#current);
  }

  #define(task: number, portable: PortableFunction): void {
    const load = { portable, state: 'loading' } as Load;
    this.#loads.set(task, load);
    const loaded = (fn: Task): void => {
      Object.assign(load, { state: 'loaded', task: fn });
      this.#host.post([FromWorker.Defined, task]);
      this.#startNext();
    };
    const failed = (error: unknown): void => {
      Object.assign(load, { state: 'failed' });
      this.#host.post([FromWorker.DefineFailed, task, this.#encodeFailure(portable, error)]);
      this.#startNext();
    };
    try {
      const rebuilt = rebuild(portable);
      if (typeof rebuilt === 'function') loaded(rebuilt);
      else rebuilt.then(loaded, failed);
    } catch (error) {
      failed(error);
    }
  }

  #startNext(): void {
    while (this.#current === undefined && this.#queue.length > 0) {
      const [, chunk, task, mode, indexes, values] = this.#queue[0] as RunMessage;
      const load = this.#loads.get(task);
      if (load?.state === 'loading') return;
      this.#queue.shift(); // two chunks at most ever wait here
      if (load?.state !== 'loaded') {
        this.#host.post([FromWorker.Stopped, chunk]);
        continue;
      }
      this.#current = {
        chunk,
        load,
        mode,
        indexes,
        values,
        started: 0,
        batch: [],
        batchStart: performance.now(),
        context: undefined,
        merge: undefined,
        cancelled: false,
      };
      this.#turnStart = this.#current.batchStart;
      this.#run();
    }
    if (this.#leaving && this.#current === undefined && this.#queue.length === 0) this.#host.leave();
  }

  /** Starts one value after the other, until one has to be waited for, the chunk is done or the event loop is due. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let current = this.#current; current !== undefined; current = this.#current) {
        if (current.cancelled || current.started === current.values.length) {
          this.#end(current);
          break;
        }
        if (!this.#step(current)) break;
        if (current.started % this.#stride === 0 && this.#pauseIsDue(current)) break;
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
    const context = new TaskContext(index, this.#host.workerId);
    current.context = context;
    const { task } = current.load;
    let result: unknown;
    let pending: boolean;
    try {
      result = current.mode === CallMode.Apply ? task(...(value as unknown[]), context) : task(value, context);
      pending = isThenable(result);
    } catch (error) {
      this.#fail(current, error);
      return false;
    }
    if (current.mode === CallMode.Merge) {
      this.#merge(current, result, pending);
      return false;
    }
    if (!pending) return this.#collect(current, result);
    this.#armFlush();
    Promise.resolve(result).then(
      (settled) => {
        if (this.#current !== current) return;
        if (!this.#collect(current, settled)) return;
        if (!(current.started % this.#stride === 0 && this.#pauseIsDue(current))) this.#run();
      },
      (error: unknown) => {
        if (this.#current === current) this.#fail(current, error);
      },
    );
    return false;
  }

  /** Keeps a result for the next batch. False where sending it has ended the chunk. */
  #collect(current: Current, result: unknown): boolean {
    if (!isTransferred(result)) {
      current.batch.push(result);
      return true;
    }
    // What moves travels alone, so that a transfer which fails is one result's failure.
    if (!this.#sendBatch(current)) return false;
    current.batch.push(result);
    return this.#sendBatch(current);
  }

  #merge(current: Current, result: unknown, pending: boolean): void {
    const settle = (error?: { thrown: unknown }): void => {
      if (this.#current !== current) return;
      if (error !== undefined) {
        this.#fail(current, error.thrown);
        return;
      }
      current.merge = undefined;
      current.batch.push(undefined);
      this.#run();
    };
    const begin = (output: unknown): void => {
      if (this.#current !== current) return;
      current.merge = new MergeRun((values) => this.#sendYields(current, values), settle);
      current.merge.start(output);
    };
    if (pending) Promise.resolve(result).then(begin, (thrown: unknown) => settle({ thrown }));
    else begin(result);
  }

  /** Looks at the clock; true where `#run` goes on later, from the event loop. */
  #pauseIsDue(current: Current): boolean {
    const now = performance.now();
    const sinceBatch = now - current.batchStart;
    // As many calls between two looks as fit into a tenth of a millisecond.
    const perCall = sinceBatch / Math.max(current.batch.length, 1);
    this.#stride = perCall * this.#stride * 2 < STRIDE_TIME ? Math.min(this.#stride * 2, LARGEST_STRIDE) : 1;
    if (sinceBatch >= BATCH_TIME) this.#sendBatch(current);
    if (now - this.#turnStart < TURN_TIME || current.started === current.values.length) return false;
    this.#paused = true;
    setImmediate(() => {
      this.#paused = false;
      this.#turnStart = performance.now();
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
      this.#turnStart = performance.now();
      if (this.#current !== undefined) this.#sendBatch(this.#current);
    });
  }

  #cancel(chunk: number): void {
    const current = this.#current;
    if (current?.chunk !== chunk) {
      this.#unqueue(chunk);
      return;
    }
    current.cancelled = true;
    current.batch = [];
    current.context?.abort();
    current.merge?.cancel();
    if (this.#paused) this.#run(); // nothing of it runs at the moment
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
    if (this.#paused) this.#run();
  }

  #unqueue(chunk: number): void {
    const at = this.#queue.findIndex((message) => message[1] === chunk);
    if (at < 0) return; // it has ended, and the pool will have heard so
    this.#queue.splice(at, 1);
    this.#host.post([FromWorker.Stopped, chunk]);
  }

  #end(current: Current): void {
    if (!this.#sendBatch(current)) return;
    this.#current = undefined;
    if (current.cancelled) this.#host.post([FromWorker.Stopped, current.chunk]);
  }

  #fail(current: Current, error: unknown): void {
    if (!this.#sendBatch(current)) return;
    this.#current = undefined;
    this.#host.post([FromWorker.Failed, current.chunk, this.#encodeFailure(current.load.portable, error)]);
    if (!this.#running) this.#startNext();
  }

  /** Sends the finished results. False where one of them could not be sent, which has ended the chunk. */
  #sendBatch(current: Current): boolean {
    const { batch } = current;
    if (batch.length === 0 || current.cancelled) return true;
    const now = performance.now();
    const elapsed = now - current.batchStart + this.#postTime;
    current.batch = [];
    const moving = openEnvelopes(batch);
    try {
      this.#host.post([FromWorker.Results, current.chunk, batch, elapsed], moving);
      current.batchStart = performance.now();
      this.#postTime = current.batchStart - now;
      return true;
    } catch (error) {
      return this.#sendOneByOne(current, batch, elapsed, error);
    }
  }

  /** A result in the batch cannot be sent: those before it are results all the same, and it has failed. */
  #sendOneByOne(current: Current, batch: unknown[], elapsed: number, reason: unknown): boolean {
    for (const result of batch) {
      try {
        if (batch.length === 1) throw reason; // it was tried alone already
        this.#host.post([FromWorker.Results, current.chunk, [result], elapsed / batch.length]);
      } catch (error) {
        this.#current = undefined;
        this.#host.post([FromWorker.Failed, current.chunk, this.#encodeUnserializable(result, error)]);
        if (!this.#running) this.#startNext();
        return false;
      }
    }
    return true;
  }

  #sendYields(current: Current, values: unknown[]): void {
    const moving = openEnvelopes(values);
    try {
      this.#host.post([FromWorker.Yields, current.chunk, values], moving);
    } catch (error) {
      const index = values.findIndex((value) => !this.#host.isCloneable(value));
      if (index > 0) this.#host.post([FromWorker.Yields, current.chunk, values.slice(0, index)]);
      throw new UnsendableYield(this.#encodeUnserializable(values[Math.max(index, 0)], error));
    }
  }

  #encodeUnserializable(result: unknown, error: unknown): EncodedFailure {
    const isCloneable = (value: unknown): boolean => this.#host.isCloneable(value);
    const found = findUnserializable(result, isCloneable);
    return {
      kind: 'unserializable',
      path: found?.path ?? 'value',
      what: found?.kind ?? typeof result,
      thrown: encodeThrown(error, isCloneable),
    };
  }

  #encodeFailure(portable: PortableFunction, error: unknown): EncodedFailure {
    if (error instanceof UnsendableYield) return error.failure;
    const thrown = encodeThrown(error, (value) => this.#host.isCloneable(value));
    const variable = missingVariable(portable, error);
    return variable === undefined
      ? { kind: 'thrown', thrown }
      : { kind: 'unportable', variable, functionName: portable.name, thrown };
  }
}

/** Carries the failure of a yielded value through the user's generator, which may clean up on its way. */
class UnsendableYield extends Error {
  readonly failure: EncodedFailure;

  constructor(failure: EncodedFailure) {
    super('A yielded value cannot be sent.');
    this.failure = failure;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
