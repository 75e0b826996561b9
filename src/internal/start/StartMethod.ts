/**
 * What a start method is: a way to have a worker. Nothing above this interface knows which one it has.
 */

import type { StartMethod, WorkerResources } from '../../options.js';
import type { Claims } from '../protocol/claims.js';
import type { MessageFromWorker, MessageToWorker, WorkerIdentity } from '../protocol/messages.js';
import type { PortableFunction, PortableValue } from '../protocol/portable.js';

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
  /** What the worker has from the start, and tells of as of what it is asked for. */
  readonly prepared?: Prepared | undefined;
  /**
   * Sends a message. To a worker that is ending it is no error and does nothing.
   *
   * @throws DOMException named DataCloneError, or an Error, where something cannot be cloned; nothing was sent then.
   */
  send(message: MessageToWorker, transfer?: readonly object[]): void;
  /** Ends the worker at once, in the middle of whatever it does. `exit` follows. */
  kill(): void;
  /** Where the values of chunks from here on are claimed; `undefined` where there can be no such thing. */
  claims(): Claims | undefined;
  /** How many bytes have gone through the channel, where it knows. */
  readonly traffic?: Traffic;
}

export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/** What workers have from the start: `prepareShared` and `prepare` have asked for it. */
export interface Prepared {
  readonly shared: boolean;
  readonly tasks: ReadonlySet<number>;
}

/** A start method, as one pool has it. */
export interface StartMethodStrategy {
  readonly name: StartMethod;
  /** Why there can be no such worker here, as the end of a sentence; `undefined` where there can. @param tries Whether that may take time. */
  whyUnavailable?(tries?: boolean): string | undefined;
  /** Starts ahead of time what all workers need. */
  warmUp?(): Promise<void>;
  /** The workers from here on are to have what the pool's calls share. */
  prepareShared?(shared: PortableValue): void;
  /** The workers that start next will need these functions, and may have them from the start. */
  prepare?(tasks: ReadonlyMap<number, PortableFunction>): void;
  /** A call was given up that needs these functions: loading one may not take longer than `timeout` (milliseconds) from here on. */
  abandon?(tasks: readonly number[], timeout: number): void;
  /** Nobody wants a function any more. */
  forget?(task: number): void;
  /** No worker lives and none is wanted: ends whatever they were started from, and calls back then. False where nothing has to end. */
  release?(callback: () => void): boolean;
  /** Starts a worker. @throws whatever keeps it from being started. */
  start(identity: WorkerIdentity, resources: WorkerResources, events: WorkerEvents): WorkerLink;
  /** Whether a value can be sent to such a worker. */
  isCloneable(value: unknown): boolean;
}
