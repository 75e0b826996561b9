/** What a pool knows of a start method: the public interface, with what only those of this package have. */

import type { StartMethod, WorkerEnd, WorkerLink, WorkerOption, WorkerResources } from '../../StartMethod.js';
import type { Claims } from '../protocol/claims.js';
import type { Channel } from '../protocol/checked.js';
import type { WorkerIdentity } from '../protocol/messages.js';
import type { PortableFunction, PortableValue } from '../protocol/portable.js';

/** What a worker does, as heard by the pool. */
export interface WorkerEvents {
  /** A message as it travels: see `wire.ts`. */
  message(message: readonly unknown[]): void;
  /** Heard once, after the last message. */
  exit(end: WorkerEnd): void;
}

/** A worker that was started. */
export interface PoolLink extends WorkerLink {
  /** What the worker has from the start, and tells of as of what it is asked for. */
  readonly prepared?: Prepared | undefined;
  /** Where the values of chunks from here on are claimed; `undefined` where there can be no such thing. */
  claims?(): Claims | undefined;
  /** Whether what the worker is made from is still loading functions of the user's, which may take long. */
  readonly isLoading?: boolean;
  /** Ends a worker that has not started in time, and what it was to be made from where that has not either. */
  giveUp?(error: Error): void;
  /** How many bytes have gone through the channel, where it knows. */
  readonly traffic?: Traffic;
}

export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/** What workers have from the start: their template was asked for it. */
export interface Prepared {
  readonly shared: boolean;
  readonly tasks: ReadonlySet<number>;
}

/** A start method, as one pool has it. */
export interface PoolStartMethod extends StartMethod {
  readonly options: readonly WorkerOption[];
  /** Whether its workers are this thread itself: functions and what they share are the real ones. */
  readonly isLocal?: boolean;
  isCloneable(value: unknown): boolean;
  /** What its workers can be sent. */
  readonly channel: Channel;
  start(identity: WorkerIdentity, resources: WorkerResources, events: WorkerEvents): PoolLink;
  /** @param tries Whether finding out may take time. */
  whyUnavailable?(tries?: boolean): string | undefined;
  /** Starts ahead of time what all workers need. */
  warmUp?(): Promise<void>;
  /** What its workers are copied from. */
  readonly template?: WorkerTemplate;
}

/** A process that has loaded what workers need: they are copies of it, and have that from the start. */
export interface WorkerTemplate {
  /** The workers from here on are to have what the pool's calls share. */
  share(shared: PortableValue): void;
  /** The workers that start next will need these functions, and may have them from the start. */
  prepare(tasks: ReadonlyMap<number, PortableFunction>): void;
  /** A call was given up that needs these functions: loading one may not take longer than `timeout` (milliseconds) from here on. */
  abandon(tasks: readonly number[], timeout: number): void;
  /** No call uses a function any more. */
  forget(task: number): void;
  /** No worker lives and none is wanted: ends it, and calls back then. False where there is nothing to end. */
  close(callback: () => void): boolean;
}
