/** What the task loop needs from the thread or process that it runs in: one small object per start method. */

import type { Claims } from '../protocol/claims.js';
import type { MessageFromWorker } from '../protocol/messages.js';

export interface Host {
  readonly workerId: number;
  /** The memory that the worker uses, in bytes; `undefined` without `insights`. */
  readonly memory: (() => number) | undefined;
  /** Whether the program runs in the same thread: its event loop turns after each value. */
  readonly sharesThread?: boolean;
  /** Where it claims values; `undefined` as long as no chunk has a place there. */
  readonly claims: Claims | undefined;
  /** Sends a message. Throws where it cannot be cloned, and then has sent nothing. */
  post(message: MessageFromWorker, transfer?: readonly object[]): void;
  /** Whether a value can be sent. */
  isCloneable(value: unknown): boolean;
  /** Leaves once all output and messages have arrived. */
  leave(): void;
}
