/** What a start method is: the types for those who write one. */

import type { WorkerIdentity } from './internal/protocol/messages.js';

export type { WorkerIdentity };

/** The options about workers that a start method may follow. */
export type WorkerOption = keyof WorkerResources | 'cpuIds';

/**
 * A way to have workers. The option `startMethod` takes such an object as well as one of the names of those that come with the
 * package.
 *
 * A worker is whatever runs {@link runWorker} at the other end of a channel: in a container, on another machine, or in a thread with
 * settings of your own.
 *
 * @example
 * ```ts
 * const pool = new WorkerPool({ startMethod: overSocket('./worker.js') });
 * ```
 */
export interface StartMethod {
  /** What it is called in messages, and in diagnostics channels. */
  readonly name: string;
  /**
   * The options about workers that it follows. Giving another one is a `TypeError`.
   *
   * Default: none.
   */
  readonly options?: readonly WorkerOption[] | undefined;
  /**
   * Whether a value can be sent. Asked only to find what cannot.
   *
   * Default: what `node:v8` can serialize.
   */
  isCloneable?(value: unknown): boolean;
  /**
   * Why there can be no such worker here, as the end of a sentence; `undefined` where there can. A pool then throws a
   * `StartMethodUnavailableError`.
   */
  whyUnavailable?(): string | undefined;
  /**
   * How many more workers could be started now. The pool starts no more than these; values wait for them. It asks again when one of its
   * workers has ended, and when it is told that there may be more.
   *
   * Default: any number.
   *
   * @param onMore To be called whenever more can be started: the same function each time that a pool asks.
   */
  available?(onMore: () => void): number;
  /**
   * Starts a worker. Called by the pool when it has work for one.
   *
   * @param identity What the worker is to pass to {@link runWorker}: plain data.
   * @param resources The options about workers that the pool was given.
   * @param events To be told what the worker says, and its end.
   * @returns The way to the worker. It can be used at once; what is sent before the worker is up has to wait.
   * @throws What keeps the worker from being started. It becomes the `cause` of a `WorkerStartError`.
   */
  start(identity: WorkerIdentity, resources: WorkerResources, events: WorkerEvents): WorkerLink;
}

/** What a pool hears of a worker. */
export interface WorkerEvents {
  /** The worker has sent a message: what {@link WorkerChannel.send} was called with, or a structured clone of it. */
  message(message: unknown): void;
  /** The worker has ended, for whatever reason. Called once, after its last message. */
  exit(end: WorkerEnd): void;
}

/** How a worker has ended. */
export interface WorkerEnd {
  /** The exit code of its process or thread; `null` where there is none. */
  readonly exitCode: number | null;
  /** The signal that has killed it; `null` where there was none. */
  readonly signal: string | null;
  /** What is known of the reason. It becomes the `cause` of the error. */
  readonly error?: unknown;
  /**
   * Whether the pool should start another worker where this one was lost while it was starting: the reason has to do with the place
   * where it was, and `start` will choose another one. Else all calls that wait for a worker fail. After ten such losses in a row they fail, too.
   *
   * Default: false.
   */
  readonly retryElsewhere?: boolean | undefined;
}

/** A worker that was started, as its pool sees it. It must not hold the program open: the pool does. */
export interface WorkerLink {
  /**
   * Sends a message, an array of what structured clone can carry. To a worker that is ending this does nothing.
   *
   * @param transfer Objects in the message that should move instead of being copied, where they can.
   * @throws An error where something cannot be cloned. Nothing was sent then.
   */
  send(message: readonly unknown[], transfer?: readonly object[]): void;
  /** Ends the worker at once, in the middle of whatever it does. `exit` follows. */
  kill(): void;
}

/** The worker's end of the channel to its pool. */
export interface WorkerChannel {
  /** Sends a message to the pool. @throws as {@link WorkerLink.send}. */
  send(message: readonly unknown[], transfer?: readonly object[]): void;
  /** Registers what is to be called with each message from the pool. Called once. */
  onMessage(listener: (message: unknown) => void): void;
  /** The worker is done: lets what was sent arrive, and ends the worker. */
  close(): void;
}

/** The options about workers that a pool was given, for its start method. `undefined` is what the program has. */
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

/** How much memory the JavaScript heap of a worker may use, in megabytes. What is left out has Node's own limit. */
export interface ResourceLimits {
  /** The part of the heap for what lives long: nearly all of it. */
  maxOldGenerationSizeMb?: number | undefined;
  /** The part of the heap where objects are made. */
  maxYoungGenerationSizeMb?: number | undefined;
}
