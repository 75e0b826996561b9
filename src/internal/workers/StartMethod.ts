/**
 * What a start method is: a way to have a worker. Nothing above this interface knows which one it has.
 */

import type { StartMethod, WorkerResources } from '../../options.js';
import type { MessageFromWorker, MessageToWorker, WorkerIdentity } from '../channel/messages.js';

/** How a worker has ended. */
export interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What the platform says about it, where it says anything: memory that ran out, an entry that cannot be loaded. */
  readonly error?: unknown;
}

/** What a worker does, as heard by the pool. */
export interface WorkerEvents {
  message(message: MessageFromWorker): void;
  /** Heard once, after the last message. */
  exit(end: WorkerEnd): void;
}

/** A worker that was started. It never holds the program open: whoever waits for it does. */
export interface WorkerLink {
  /**
   * Sends a message. To a worker that is ending it is no error and does nothing.
   *
   * @throws DOMException named DataCloneError, or an Error, where something cannot be cloned; nothing was sent then.
   */
  send(message: MessageToWorker, transfer?: readonly object[]): void;
  /** Ends the worker at once, in the middle of whatever it does. `exit` follows. */
  kill(): void;
  /** How many bytes have gone through the channel, where it knows. */
  readonly traffic?: Traffic;
}

export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

export interface StartMethodStrategy {
  readonly name: StartMethod;
  /** Why there can be no such worker here, as the end of a sentence; `undefined` where there can. */
  whyUnavailable?(): string | undefined;
  /** Starts ahead of time what all workers need. */
  warmUp?(): Promise<void>;
  /** Starts a worker. @throws whatever keeps it from being started. */
  start(identity: WorkerIdentity, resources: WorkerResources, events: WorkerEvents): WorkerLink;
  /** Whether a value can be sent to such a worker. */
  isCloneable(value: unknown): boolean;
}
