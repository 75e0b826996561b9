/**
 * `inline`: there is no worker. Its loop runs in this thread, one value per turn of the event loop.
 *
 * Functions and what they share are the real ones; values and results are cloned as on their way to a worker, so that a program behaves
 * the same. A call that never returns cannot be ended.
 */

import { bindContext } from '../../platform/asyncContext.js';
import { queueMicrotask, setImmediate } from '../../platform/globals.js';
import { threadChannel } from '../../protocol/checked.js';
import { ClassTable, SHARED } from '../../protocol/ClassTable.js';
import { isCloneableByThread } from '../../protocol/cloneable.js';
import {
  FromWorker,
  ToWorker,
  type MessageFromWorker,
  type MessageToWorker,
  type WorkerIdentity,
} from '../../protocol/messages.js';
import { classesOf } from '../../protocol/portable.js';
import { cloneTyped } from '../../protocol/typed.js';
import { packFromWorker, unpackFromWorker, unpackToWorker } from '../../protocol/wire.js';
import { refuseUsedUp } from '../../protocol/usedUp.js';
import { TaskLoop } from '../../worker/TaskLoop.js';
import type { PoolLink, PoolStartMethod, WorkerEvents } from '../../core/StartMethod.js';

const inline: PoolStartMethod = {
  name: 'inline',
  options: [],
  isLocal: true,
  isCloneable: isCloneableByThread,
  channel: threadChannel,
  start: (identity, _resources, events) => new InlineWorker(identity, events),
};

/** A function, for this is loaded at its first use. */
export function inlining(): PoolStartMethod {
  return inline;
}

class InlineWorker implements PoolLink {
  readonly #events: WorkerEvents;
  readonly #loop: TaskLoop;
  readonly #inbox: MessageToWorker[] = [];
  readonly #outbox: MessageFromWorker[] = [];
  #hasEnded = false;
  readonly #classes = new ClassTable();
  /** Bound to the context in which the worker was started, not that of the caller who sends a message. */
  readonly #readLater = bindContext(() => setImmediate(() => this.#read()));
  readonly #writeLater = bindContext(() => queueMicrotask(() => this.#write()));

  constructor(identity: WorkerIdentity, events: WorkerEvents) {
    this.#events = events;
    this.#loop = new TaskLoop({
      workerId: identity.workerId,
      memory: identity.insights ? () => process.memoryUsage.rss() : undefined,
      claims: undefined,
      sharesThread: true,
      channel: threadChannel,
      classes: this.#classes,
      send: (message, transfer) => this.#post(unpackFromWorker(message), transfer),
      isCloneable: isCloneableByThread,
      leave: () => this.#end(0),
    });
    this.#post({ type: FromWorker.Ready });
  }

  send(packed: readonly unknown[], transfer?: readonly object[]): void {
    if (this.#hasEnded) return;
    const message = unpackToWorker(packed);
    if (message.type === ToWorker.Define) this.#classes.learn(message.task, classesOf(message.portable));
    else if (message.type === ToWorker.Share) this.#classes.learn(SHARED, classesOf(message.shared));
    else if (message.type === ToWorker.Forget) this.#classes.forget(message.task);
    if (this.#inbox.push(this.#cloneInput(message, transfer)) === 1) this.#readLater();
  }

  kill(): void {
    this.#loop.abort();
    this.#end(1);
  }

  #read(): void {
    for (const message of this.#inbox.splice(0)) if (!this.#hasEnded) this.#loop.receive(message);
  }

  #post(message: MessageFromWorker, transfer?: readonly object[]): void {
    if (this.#hasEnded) return;
    // Not told at once: the loop is not done yet with what it says this about.
    if (this.#outbox.push(this.#cloneOutput(message, transfer)) === 1) this.#writeLater();
  }

  #write(): void {
    for (const message of this.#outbox.splice(0)) this.#events.message(packFromWorker(message));
  }

  #end(exitCode: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    setImmediate(() => {
      this.#write();
      this.#events.exit({ exitCode, signal: null });
    });
  }

  /** The message with its values cloned. @throws DataCloneError */
  #cloneInput(message: MessageToWorker, transfer?: readonly object[]): MessageToWorker {
    if (message.type !== ToWorker.Run) return message;
    return { ...message, values: this.#cloneAll(message.values, transfer) };
  }

  /** The message with what user code has given cloned. @throws DataCloneError */
  #cloneOutput(message: MessageFromWorker, transfer?: readonly object[]): MessageFromWorker {
    switch (message.type) {
      case FromWorker.Results:
      case FromWorker.Yields:
        return { ...message, values: this.#cloneAll(message.values, transfer) };
      case FromWorker.Progress:
        return { ...message, value: this.#clone(message.value, transfer) };
      case FromWorker.ExitDone:
        return { ...message, result: this.#clone(message.result, transfer) };
      default:
        return message;
    }
  }

  /** What moves is alone in its message. */
  #cloneAll(values: readonly unknown[], transfer?: readonly object[]): unknown[] {
    return transfer === undefined
      ? values.map((value) => this.#clone(value))
      : (this.#clone(values, transfer) as unknown[]);
  }

  #clone(value: unknown, transfer?: readonly object[]): unknown {
    if (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') return value;
    if (transfer !== undefined) refuseUsedUp(transfer);
    return cloneTyped(value, threadChannel, this.#classes, transfer);
  }
}
