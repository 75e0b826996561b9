/** The types for custom start methods. */

import type { WorkerIdentity } from './internal/protocol/messages.js';

export type { WorkerIdentity };

/** The options of workers that a start method can support. */
export type WorkerOption = keyof WorkerResources | 'cpuIds';

/**
 * A way to start workers. Pass such an object as the option `startMethod`, instead of the name of a built-in start method.
 *
 * A worker runs {@link runWorker} at the other end of a channel: in a container, on another machine, or in a thread with
 * your own settings.
 *
 * @example
 * ```ts
 * const pool = new WorkerPool({ startMethod: overSocket('./worker.js') });
 * ```
 */
export interface StartMethod {
  /** Its name in error messages and on diagnostics channels. */
  readonly name: string;
  /**
   * The options of workers that it supports. Any other one throws a `TypeError`.
   *
   * Default: none.
   */
  readonly options?: readonly WorkerOption[] | undefined;
  /**
   * Whether a value can be sent. Called only after sending has failed, to find the reason.
   *
   * Default: whether `node:v8` can serialize it.
   */
  isCloneable?(value: unknown): boolean;
  /**
   * The reason why such workers cannot start here, as the end of a sentence; `undefined` if they can. With a reason, making a pool throws a
   * `StartMethodUnavailableError`.
   */
  whyUnavailable?(): string | undefined;
  /**
   * How many more workers can start now. The pool starts no more than that; other values wait. It asks again when one of its
   * workers has ended, and when you call `onMore`.
   *
   * Default: any number.
   *
   * @param onMore Call it whenever more workers can start. A pool passes the same function each time.
   */
  available?(onMore: () => void): number;
  /**
   * Starts a worker. The pool calls it when it has work for one.
   *
   * @param identity Plain data for the worker to pass to {@link runWorker}.
   * @param resources The options of workers that the pool was given.
   * @param events Call these with the messages of the worker, and with its end.
   * @returns The channel to the worker. The pool uses it at once, so keep messages until the worker is ready.
   * @throws An error that keeps the worker from starting. It becomes the `cause` of a `WorkerStartError`.
   */
  start(identity: WorkerIdentity, resources: WorkerResources, events: WorkerEvents): WorkerLink;
}

/** What a start method reports to the pool about a worker. */
export interface WorkerEvents {
  /** The worker has sent a message. `message` is the argument of {@link WorkerChannel.send}, or a structured clone of it. */
  message(message: unknown): void;
  /** The worker has ended. Call it once, after the last message. */
  exit(end: WorkerEnd): void;
}

/** How a worker has ended. */
export interface WorkerEnd {
  /** The exit code of its process or thread; `null` if there is none. */
  readonly exitCode: number | null;
  /** The signal that killed it; `null` if there was none. */
  readonly signal: string | null;
  /** The reason, if known. It becomes the `cause` of the error. */
  readonly error?: unknown;
  /**
   * Whether the pool should start another worker if this one was lost during its start: the reason is the place
   * where it was, and `start` will choose another place. Otherwise, and after ten such losses in a row, all calls that wait for a worker fail.
   *
   * Default: false.
   */
  readonly retryElsewhere?: boolean | undefined;
}

/** A started worker, as the pool sees it. It must not keep the program running: the pool does that. */
export interface WorkerLink {
  /**
   * Sends a message: an array of data that structured clone can carry. Does nothing if the worker is ending.
   *
   * @param transfer Objects in the message to move instead of copying, if possible.
   * @throws An error if something cannot be cloned. Then nothing was sent.
   */
  send(message: readonly unknown[], transfer?: readonly object[]): void;
  /** Kills the worker at once, even inside a loop. `exit` follows. */
  kill(): void;
}

/** The worker's end of the channel to its pool. */
export interface WorkerChannel {
  /** Sends a message to the pool. @throws like {@link WorkerLink.send}. */
  send(message: readonly unknown[], transfer?: readonly object[]): void;
  /** Registers the listener for messages from the pool. Called once. */
  onMessage(listener: (message: unknown) => void): void;
  /** Ends the worker, after all sent messages have arrived. */
  close(): void;
}

/** The options of workers that a pool was given, for its start method. `undefined` means the same as in the program. */
export interface WorkerResources {
  /** The option `env`. */
  readonly env: Readonly<Record<string, string>> | undefined;
  /** The option `argv`. */
  readonly argv: readonly string[];
  /** The option `execArgv`. */
  readonly execArgv: readonly string[] | undefined;
  /** The option `resourceLimits`. */
  readonly resourceLimits: ResourceLimits | undefined;
  /** The option `name`. */
  readonly name: string | undefined;
}

/** How much memory the JavaScript heap of a worker may use, in megabytes. Limits that you leave out are Node's own. */
export interface ResourceLimits {
  /** The part of the heap for objects that live long: nearly all of it. */
  maxOldGenerationSizeMb?: number | undefined;
  /** The part of the heap for new objects. */
  maxYoungGenerationSizeMb?: number | undefined;
}
