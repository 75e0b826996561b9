/** A chunk that a fake worker has, and what the worker can say of it. */

import { NO_PLACE } from '../../../src/internal/protocol/claims.js';
import {
  CallMode,
  FromWorker,
  ToWorker,
  type CancelMessage,
  type CreditMessage,
  type MessageFromWorker,
  type ReclaimMessage,
  type RunMessage,
} from '../../../src/internal/protocol/messages.js';
import { failureOf, type FakeWorker } from './FakeWorker.js';

export class FakeChunk {
  readonly message: RunMessage;
  isCancelled = false;
  /** Whether it was asked back. */
  isReclaimed = false;
  /** How many batches of what it yields the pool has consumed. */
  credits = 0;
  /** Whether the worker has not ended it. */
  isOpen = true;
  readonly #worker: FakeWorker;
  #done = 0;
  #begun = 0;

  constructor(worker: FakeWorker, message: RunMessage) {
    this.#worker = worker;
    this.message = message;
  }

  get id(): number {
    return this.message.chunk;
  }

  get values(): unknown[] {
    return this.message.values;
  }

  get indexes(): number[] {
    const { indexes, values } = this.message;
    return values.map((_, i) => (typeof indexes === 'number' ? indexes + i : (indexes[i] as number)));
  }

  /** How many of its values have a result. */
  get done(): number {
    return this.#done;
  }

  /** How many of its values the worker has begun. */
  get begun(): number {
    return this.#begun;
  }

  /** Begins the next values. @returns Whether it could: the pool may have taken them back. */
  begin(count = 1): boolean {
    const { claimed } = this.#worker;
    this.#worker.prepareFor(this.message);
    for (let i = 0; i < count; i++) {
      if (this.#begun === this.values.length) throw new Error(`Chunk ${this.id} has only ${this.#begun} values.`);
      if (this.message.place !== NO_PLACE && claimed?.claim(this.message.place) !== true) return false;
      this.#begun++;
    }
    return true;
  }

  /** The next results. */
  results(results: readonly unknown[], elapsed = 1): void {
    this.#advance(results.length);
    this.#tell({ type: FromWorker.Results, chunk: this.id, values: [...results], elapsed });
  }

  /** All results that are missing: what a function makes of the values. */
  finish(fn: (value: never) => unknown = (value) => value, elapsed?: number): void {
    this.results(
      this.values.slice(this.#done).map((value) => fn(value as never)),
      elapsed,
    );
  }

  /** The call of a merge chunk yields. */
  yields(values: readonly unknown[]): void {
    if (this.message.mode !== CallMode.Merge) throw new Error(`Chunk ${this.id} yields nothing.`);
    this.#beginUpTo(1);
    this.#tell({ type: FromWorker.Yields, chunk: this.id, values: [...values] });
  }

  /** The call for the next value reports something. */
  progresses(value: unknown): void {
    this.#beginUpTo(this.#done + 1);
    this.#tell({ type: FromWorker.Progress, chunk: this.id, at: this.#done, value });
  }

  /** The next value fails, and the chunk goes on. */
  rejects(error: unknown, elapsed = 1): void {
    if (this.message.flags?.settles !== true) throw new Error(`Chunk ${this.id} does not go on after a failure.`);
    this.#advance(1);
    this.#tell({ type: FromWorker.Rejected, chunk: this.id, failure: failureOf(error), elapsed });
  }

  /** The next value fails, which ends the chunk; but for a call behind it that is under way. */
  fails(error: unknown, { isRunning = false } = {}): void {
    if (this.message.flags?.settles === true) throw new Error(`Chunk ${this.id} goes on after a failure.`);
    this.#beginUpTo(this.#done + 1);
    const { id } = this;
    this.#end(isRunning);
    this.#say({ type: FromWorker.Failed, chunk: id, failure: failureOf(error), isRunning: isRunning || undefined });
  }

  /** It has ended early: as was asked, or because it cannot be run. */
  stopped(): void {
    const { id } = this;
    this.#end();
    this.#say({ type: FromWorker.Stopped, chunk: id });
  }

  /** The worker keeps what it has begun, or so many values, and gives the others back. */
  reclaimed(kept = this.#begun): void {
    if (kept < this.#begun) throw new Error(`It has begun ${this.#begun} values of chunk ${this.id}.`);
    this.values.length = kept;
    const { id } = this;
    if (kept === this.#done) this.#end();
    this.#say({ type: FromWorker.Reclaimed, chunk: id, kept });
  }

  hear(message: CancelMessage | ReclaimMessage | CreditMessage): void {
    if (message.type === ToWorker.Cancel) this.isCancelled = true;
    else if (message.type === ToWorker.Reclaim) this.isReclaimed = true;
    else this.credits += message.batches;
  }

  #advance(count: number): void {
    this.#beginUpTo(this.#done + count);
    this.#done += count;
  }

  #beginUpTo(count: number): void {
    if (!this.#worker.isRunning(this)) throw new Error(`Chunk ${this.id} waits behind another one.`);
    if (!this.begin(Math.max(0, count - this.#begun))) throw new Error(`A value of chunk ${this.id} was taken back.`);
  }

  #tell(message: MessageFromWorker): void {
    if (this.#done === this.values.length) this.#end();
    this.#say(message);
  }

  #say(message: MessageFromWorker): void {
    this.#worker.tell(message);
  }

  #end(isRunning = false): void {
    if (!this.isOpen) throw new Error(`Chunk ${this.id} has ended.`);
    this.isOpen = isRunning;
  }
}
