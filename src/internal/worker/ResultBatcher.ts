/** What leaves a worker about its chunks: results in batches, and failures, of calls and of sending. */

import { BATCH_TIME } from '../protocol/tuning.js';
import { now } from '../platform/globals.js';
import { encodeThrown } from '../protocol/errorCodec.js';
import { FromWorker, type EncodedFailure, type Figures } from '../protocol/messages.js';
import { findUnserializable } from '../protocol/unserializable.js';
import { UnserializableError } from '../../errors.js';
import { isTransferred, openEnvelopes } from '../../transfer.js';
import type { HookOutcome } from './WorkerStates.js';
import type { TypedHost } from './Host.js';
import { isPrimitive } from './kinds.js';
import type { Meter } from './Meter.js';
import { snapshotOf } from './snapshot.js';

/** All was told already. */
const nothingNew: Figures = [0, 0, [], [], [], undefined];

export class ResultBatcher {
  readonly #host: TypedHost;
  /** Results of the current chunk that have not been sent yet. */
  #batch: unknown[] = [];
  #chunk = -1;
  /** Whether a result of the chunk that cannot be sent leaves the others as they are. */
  #settles = false;
  /** When the first result of the batch began to be computed. */
  #batchStart = 0;
  /** What sending the last batch took, in milliseconds: it belongs to the pace, and is told with the next batch. */
  #postTime = 0;
  readonly #meter: Meter | undefined;
  /** How many results of the chunk were sent, and how many of the batch are measured: kept for the meter only. */
  #sent = 0;
  #measured = 0;

  constructor(host: TypedHost, meter?: Meter) {
    this.#host = host;
    this.#meter = meter;
  }

  /** How many results wait. */
  get size(): number {
    return this.#batch.length;
  }

  /** Results that follow are those of this chunk. */
  begin(chunk: number, time: number, settles: boolean): void {
    this.#chunk = chunk;
    this.#settles = settles;
    this.#batch = [];
    this.#batchStart = time;
    if (this.#meter === undefined) return;
    this.#sent = 0;
    this.#measured = 0;
    this.#meter.begin(time);
  }

  /** Keeps a result for the next batch. False where it, or one before it, cannot be sent: the chunk has ended. */
  add(result: unknown): boolean {
    if (isPrimitive(result)) {
      this.#batch.push(result);
      return true;
    }
    const moves = isTransferred(result);
    // What moves travels alone, so that a transfer which fails is one result's failure.
    if (moves && !this.flush()) return false;
    // Also of the last one, which cannot change any more: of a copy, no getter is called again.
    const kept = moves ? undefined : snapshotOf(result);
    this.#batch.push(kept ?? result);
    return kept !== undefined || this.flush();
  }

  /** Whether there are results whose calls are not measured yet. */
  get isUnmeasured(): boolean {
    return this.#measured < this.#batch.length;
  }

  /** Measures the calls of the results that have come since the last time. */
  lap(meter: Meter, time: number): void {
    const count = this.#batch.length - this.#measured;
    if (count > 0) meter.lap(time, count, this.#sent + this.#measured);
    this.#measured = this.#batch.length;
  }

  /** For how long results have been gathered, in milliseconds. */
  age(time: number): number {
    return time - this.#batchStart;
  }

  /** Sends the batch where it has waited long enough. False as in `flush`. */
  flushIfDue(time: number): boolean {
    return this.age(time) < BATCH_TIME || this.flush();
  }

  /**
   * Sends the batch. False where a result cannot be sent: it has failed, and the chunk has ended.
   *
   * @param isRunning Whether the call after those is under way, or the worker about to end: it is not free.
   */
  flush(isRunning = false): boolean {
    const batch = this.#batch;
    if (batch.length === 0) return true;
    const time = now();
    const elapsed = time - this.#batchStart + this.#postTime;
    const figures = this.#meter && this.#figures(this.#meter, time);
    this.#batch = [];
    const moving = openEnvelopes(batch);
    try {
      this.#sendResults(batch, elapsed, figures, moving);
    } catch (error) {
      return this.#sendOneByOne(batch, elapsed, figures, error, isRunning);
    }
    this.#batchStart = now();
    this.#postTime = this.#batchStart - time;
    this.#meter?.resume(this.#batchStart);
    return true;
  }

  /** Forgets the results: they are not wanted. */
  discard(): void {
    this.#batch = [];
    this.#measured = 0;
    this.#meter?.discard();
  }

  /** Sends what a `merge` call has yielded. @throws UnsendableYield where some of it cannot be sent; the rest was. */
  sendYields(values: unknown[]): void {
    const moving = openEnvelopes(values);
    try {
      this.#host.post({ type: FromWorker.Yields, chunk: this.#chunk, values }, moving);
    } catch (error) {
      const at = values.findIndex((value) => !this.#host.isCloneable(value));
      if (at > 0) this.#host.post({ type: FromWorker.Yields, chunk: this.#chunk, values: values.slice(0, at) });
      throw new UnsendableYield(this.#unserializable(values[Math.max(at, 0)], error));
    }
  }

  /** Says that the next call of the chunk has failed, which ends the chunk. */
  fail(error: unknown): void {
    this.#sendFailed(this.failureOf(error), false, this.#meter?.take(now()));
  }

  /** Says that the next call of the chunk has failed, after which the chunk goes on. */
  reject(error: unknown): void {
    this.flush();
    const time = now();
    const elapsed = time - this.#batchStart + this.#postTime;
    this.#sendRejected(this.failureOf(error), elapsed, this.#meter?.take(time));
    this.#batchStart = now();
    this.#postTime = this.#batchStart - time;
    this.#sent++;
    this.#meter?.resume(this.#batchStart);
  }

  /** Says that the chunk has ended early, as was asked for. */
  stop(): void {
    this.discard();
    this.#host.post({ type: FromWorker.Stopped, chunk: this.#chunk, figures: this.#meter?.take(now()) });
  }

  /** Sends what a call reports. @throws UnserializableError, for the call. */
  sendProgress(chunk: number, at: number, index: number, value: unknown): void {
    const values = [value];
    const moving = openEnvelopes(values);
    try {
      this.#host.post({ type: FromWorker.Progress, chunk, at, value: values[0] }, moving);
    } catch (cause) {
      const found = findUnserializable(values[0], (part) => this.#host.isCloneable(part));
      const { path = 'value', kind } = found ?? {};
      throw new UnserializableError({ path, kind, index, direction: 'progress', cause });
    }
  }

  /** Says what the exit function of the hooks has come to. */
  sendExit(hooks: number, outcome: HookOutcome, elapsed: number): void {
    const fail = (failure: EncodedFailure): void =>
      this.#host.post({ type: FromWorker.ExitFailed, hooks, failure, elapsed });
    if ('error' in outcome) {
      fail(this.failureOf(outcome.error));
      return;
    }
    const results = [outcome.result];
    const moving = openEnvelopes(results);
    const [result] = results;
    try {
      this.#host.post({ type: FromWorker.ExitDone, hooks, result, elapsed }, moving);
    } catch (error) {
      fail(this.#unserializable(result, error));
    }
  }

  /** A failure as it travels. */
  failureOf(error: unknown): EncodedFailure {
    if (UnsendableYield.is(error)) return error.failure;
    return {
      kind: 'thrown',
      thrown: encodeThrown(error, (value) => this.#host.isCloneable(value), this.#host.classes),
    };
  }

  /** What is told with the batch. */
  #figures(meter: Meter, time: number): Figures {
    this.lap(meter, time);
    this.#sent += this.#batch.length;
    this.#measured = 0;
    return meter.take(time);
  }

  // What is measured goes with what leaves next.

  #sendResults(values: unknown[], elapsed: number, figures: Figures | undefined, moving?: readonly object[]): void {
    this.#host.post({ type: FromWorker.Results, chunk: this.#chunk, values, elapsed, figures }, moving);
  }

  #sendRejected(failure: EncodedFailure, elapsed: number, figures: Figures | undefined): void {
    this.#host.post({ type: FromWorker.Rejected, chunk: this.#chunk, failure, elapsed, figures });
  }

  #sendFailed(failure: EncodedFailure, isRunning: boolean, figures: Figures | undefined): void {
    this.#host.post({
      type: FromWorker.Failed,
      chunk: this.#chunk,
      failure,
      isRunning: isRunning || undefined,
      figures,
    });
  }

  /** A result in the batch cannot be sent: those before it are results all the same, and it has failed. */
  #sendOneByOne(
    batch: unknown[],
    elapsed: number,
    figures: Figures | undefined,
    reason: unknown,
    isRunning: boolean,
  ): boolean {
    const share = elapsed / batch.length;
    let untold = figures;
    for (const result of batch) {
      try {
        if (batch.length === 1) throw reason; // it was tried alone already
        this.#sendResults([result], share, untold);
      } catch (error) {
        const failure = this.#unserializable(result, error);
        if (!this.#settles) {
          this.#sendFailed(failure, isRunning, untold);
          return false;
        }
        this.#sendRejected(failure, share, untold);
      }
      untold &&= nothingNew;
    }
    this.#batchStart = now();
    this.#postTime = 0;
    this.#meter?.resume(this.#batchStart);
    return true;
  }

  #unserializable(result: unknown, error: unknown): EncodedFailure {
    const isCloneable = (value: unknown): boolean => this.#host.isCloneable(value);
    const found = findUnserializable(result, isCloneable);
    return {
      kind: 'unserializable',
      path: found?.path ?? 'value',
      what: found?.kind ?? typeof result,
      thrown: encodeThrown(error, isCloneable, this.#host.classes),
    };
  }
}

/** Carries the failure of a yielded value through the user's generator, which may clean up on its way. */
class UnsendableYield extends Error {
  readonly #failure: EncodedFailure;

  constructor(failure: EncodedFailure) {
    super('A yielded value cannot be sent.');
    this.#failure = failure;
  }

  /** Asks nothing of the value: a proxy may throw at any question. */
  static is(thrown: unknown): thrown is UnsendableYield {
    return typeof thrown === 'object' && thrown !== null && #failure in thrown;
  }

  get failure(): EncodedFailure {
    return this.#failure;
  }
}
