/**
 * One call of a `merge` function: consumes what it returned and sends the values in batches as they come.
 *
 * Batches are sent on credit: after a few that the pool has not consumed the run waits, so that an endless generator
 * fills no memory, here or there. An Observable cannot be asked to wait: its values wait here.
 */

import { CREDITS, LARGEST_BATCH, BATCH_TIME } from '../protocol/tuning.js';
import { now, setImmediate } from '../platform/globals.js';
import { isPrimitive } from './kinds.js';
import { snapshotOf } from './snapshot.js';

interface ObservableLike {
  subscribe(observer: {
    next(value: unknown): void;
    error(error: unknown): void;
    complete(): void;
  }): { unsubscribe(): void } | (() => void) | undefined;
}

export class MergeRun {
  readonly #send: (values: unknown[]) => void;
  readonly #settle: (error?: { thrown: unknown }) => void;
  #batch: unknown[] = [];
  /** When the last batch was sent. The first value goes at once: the second may never come. */
  #sentAt = -Infinity;
  #credits = CREDITS;
  #onCredit: (() => void) | undefined;
  #cancelled = false;
  #onCancel: (() => void) | undefined;
  #flushArmed = false;

  /**
   * @param send Sends a batch; throws where a value cannot be cloned.
   * @param settle Called once, when all values are sent or the run has failed.
   */
  constructor(send: (values: unknown[]) => void, settle: (error?: { thrown: unknown }) => void) {
    this.#send = send;
    this.#settle = settle;
  }

  start(output: unknown): void {
    this.#consume(output).then(
      () => this.#settle(),
      (thrown: unknown) => this.#settle({ thrown }),
    );
  }

  credit(batches: number): void {
    this.#credits += batches;
    this.#onCredit?.();
  }

  /** The values are no longer wanted: lets the source clean up, and settles. */
  cancel(): void {
    this.#cancelled = true;
    this.#batch = [];
    this.#onCancel?.();
    this.#onCredit?.();
  }

  /** Consumes the output, and sends all of it, also where it fails in the end. */
  async #consume(output: unknown): Promise<void> {
    try {
      await this.#read(output);
    } finally {
      while (this.#batch.length > 0 && !this.#cancelled) {
        await this.#waitForCredit();
        this.#flush();
      }
    }
  }

  async #read(output: unknown): Promise<void> {
    if (isObservable(output)) await this.#consumeObservable(output);
    else if (hasMethod(output, Symbol.asyncIterator)) await this.#consumeAsync(output as AsyncIterable<unknown>);
    else if (typeof output === 'string' || hasMethod(output, Symbol.iterator)) {
      await this.#consumeSync(output as Iterable<unknown>);
    } else {
      throw new TypeError(
        `parallelMergeMap: the function must return an iterable, an async iterable or an Observable, ` +
          `got ${output === null ? 'null' : typeof output}.`,
      );
    }
  }

  async #consumeSync(output: Iterable<unknown>): Promise<void> {
    for (const value of output) {
      this.#push(value);
      if (this.#isFull()) {
        this.#flush();
        // A pause even with credit left: the worker has to hear of a cancellation.
        await new Promise((resolve) => setImmediate(resolve));
        await this.#waitForCredit();
      }
      if (this.#cancelled) break; // which lets the generator clean up
    }
  }

  async #consumeAsync(output: AsyncIterable<unknown>): Promise<void> {
    const iterator = output[Symbol.asyncIterator]();
    let open = true;
    const close = async (): Promise<void> => {
      if (!open) return;
      open = false;
      await iterator.return?.();
    };
    // A generator that waits takes `return` only after the wait; an iterator written by hand may end at once.
    this.#onCancel = () => void close().catch(() => undefined); // too late to tell
    try {
      for (;;) {
        this.#armFlush();
        const { done, value } = await Promise.resolve(iterator.next()).catch((error: unknown) => {
          open = false; // an iterator that has thrown is at its end
          throw error;
        });
        if (done === true) open = false;
        if (done === true || this.#cancelled) return;
        this.#push(value);
        if (this.#isFull()) {
          this.#flush();
          await this.#waitForCredit();
        }
      }
    } finally {
      await close();
    }
  }

  #consumeObservable(output: ObservableLike): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const subscription = output.subscribe({
        next: (value) => {
          if (this.#cancelled || isOver) return;
          try {
            this.#push(value);
            this.#armFlush();
          } catch (thrown) {
            reject(thrown);
            isOver = true;
            this.#onCancel?.(); // there is none yet where the source emits at once
          }
        },
        error: reject,
        complete: resolve,
      });
      this.#onCancel = () => {
        if (typeof subscription === 'function') subscription();
        else subscription?.unsubscribe();
        resolve();
      };
      if (isOver) this.#onCancel();
    });
  }

  /** Keeps a value for the next batch, as it is now. What cannot be copied is sent at once, without credit if need be. */
  #push(value: unknown): void {
    const kept = isPrimitive(value) ? value : snapshotOf(value);
    this.#batch.push(kept ?? value);
    if (kept === undefined && value !== undefined) this.#sendBatch();
  }

  #isFull(): boolean {
    return this.#credits <= 0 || this.#batch.length >= LARGEST_BATCH || now() - this.#sentAt >= BATCH_TIME;
  }

  /** What has come so far leaves when the event loop turns. */
  #armFlush(): void {
    if (this.#flushArmed) return;
    this.#flushArmed = true;
    setImmediate(() => {
      this.#flushArmed = false;
      try {
        this.#flush();
      } catch (thrown) {
        this.#settle({ thrown });
        this.cancel();
      }
    });
  }

  #flush(): void {
    if (this.#batch.length > 0 && this.#credits > 0) this.#sendBatch();
  }

  #sendBatch(): void {
    if (this.#cancelled) return;
    const values = this.#batch;
    this.#batch = [];
    this.#credits--;
    this.#sentAt = now();
    this.#send(values);
  }

  #waitForCredit(): Promise<void> | void {
    if (this.#credits > 0 || this.#cancelled) return;
    return new Promise((resolve) => {
      this.#onCredit = () => {
        this.#onCredit = undefined;
        resolve();
      };
    });
  }
}

function hasMethod(value: unknown, key: symbol): boolean {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as Record<symbol, unknown>)[key] === 'function'
  );
}

function isObservable(value: unknown): value is ObservableLike {
  return typeof value === 'object' && value !== null && typeof (value as ObservableLike).subscribe === 'function';
}
