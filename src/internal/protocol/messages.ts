/**
 * Every message between the pool and a worker. They travel as tuples: see `wire.ts`.
 *
 * Every `Run` is answered by zero or more parts (`Results`, `Yields`, `Rejected`) and ends in exactly one way: the last `Results`
 * or `Rejected` (as many values as the chunk has), `Failed`, `Stopped`, or the worker's death.
 */

import { CallMode } from './callMode.js';
import type { PortableFunction, PortableValue } from './portable.js';
import type { EncodedThrown } from './errorCodec.js';

/** The type of what a message travels in, in either direction, if objects in it are to keep their class: see `typed.ts`. */
export const Typed = -1;

/** The objects in a message that are of one class, and for those of which structured clone drops properties, these. */
export type Group = readonly [
  /** What both sides call it: by a function that knows it, and its place among the classes of that one. */
  name: readonly [task: number, at: number],
  objects: readonly object[],
  fields: readonly (object | undefined)[],
];

/** What the pool says to a worker. */
export const ToWorker = {
  /** Load a function under a number. Answered by `Defined` or `DefineFailed`. */
  Define: 0,
  /** Drop a function: no call uses it any more. */
  Forget: 1,
  /** Run a chunk of values. */
  Run: 2,
  /** The results of a chunk are no longer wanted: abort what runs, start nothing more of it. Answered by `Stopped`. */
  Cancel: 3,
  /** Give back the values of a chunk that were not started: another worker is idle. Answered by `Reclaimed`, if any. */
  Reclaim: 4,
  /** `batches` batches of `Yields` were consumed: as many more may be sent. */
  Credit: 5,
  /** Finish output and leave with exit code 0. */
  Leave: 6,
  /** The `sharedObjects` of the pool. It is the first message. A failure is answered by `ShareFailed`. */
  Share: 7,
  /**
   * Create a state for the hooks of a call, and call their init function, which was defined before. Until that is done the worker handles
   * only `Cancel` and `Reclaim`. Answered by `InitDone` or `InitFailed`, or not at all if there is no init function.
   */
  Init: 8,
  /** Call the exit function of the hooks, which was defined before, and forget them. Answered by `ExitDone` or `ExitFailed`. */
  Exit: 9,
  /** Forget the hooks, without their exit function. */
  DropHooks: 10,
  /** Memory for claims, for a process. Answered by `ClaimFailed` if the process cannot map it. */
  Claim: 11,
} as const;

/** What a worker says to the pool. */
export const FromWorker = {
  /** The worker is up and listens. */
  Ready: 0,
  /** A function was loaded. */
  Defined: 1,
  /** A function could not be loaded. */
  DefineFailed: 2,
  /** The next results of a chunk, in the order of its values. */
  Results: 3,
  /** The next values that the running call of a `merge` chunk has produced. */
  Yields: 4,
  /**
   * The next value of the chunk failed. That ends the chunk. If a later call of it is still running (`isRunning`), it is aborted, and `Stopped`
   * or the worker's end follows.
   */
  Failed: 5,
  /** The chunk has ended early, as `Cancel` asked, or because its function could not be loaded. */
  Stopped: 6,
  /**
   * The chunk was shortened: the worker runs only its first `kept` values. It answers a `Reclaim`, or confirms that it has seen the limit that
   * the pool set on its claims.
   */
  Reclaimed: 7,
  /** An uncaught error is about to end the worker. */
  Fatal: 8,
  /** The `sharedObjects` could not be rebuilt: the worker is of no use. */
  ShareFailed: 9,
  /** The init function has succeeded. */
  InitDone: 10,
  /** The init function has failed: the worker does not have these hooks. */
  InitFailed: 11,
  /** The exit function has returned `result`: the worker no longer has these hooks. */
  ExitDone: 12,
  /** The exit function has failed: the worker no longer has these hooks. */
  ExitFailed: 13,
  /** The next value of the chunk failed, and the chunk goes on. Only if its flag `settles` is set. */
  Rejected: 14,
  /** A report of a running call. Only if the flag `reports` of its chunk is set. */
  Progress: 15,
  /** A line for the program to print. */
  Print: 16,
  /** The progress of a call that was made in the worker, for the program to show. */
  Bar: 18,
  /** The worker cannot claim values. It gives back the chunks that have a place for claims. */
  ClaimFailed: 17,
} as const;

export { CallMode };

/** The hooks of calls with neither an init nor an exit function. Every worker has them. */
export const NO_HOOKS = 0;

/** The indexes of a chunk's values: the first one if they are consecutive, or all of them if some values were dropped. */
export type ChunkIndexes = number | readonly number[];

/** What is unusual about a chunk. Not sent if nothing is. */
export interface RunFlags {
  /** Whether a failed value is reported by `Rejected`, and the chunk goes on. */
  readonly settles: boolean;
  /** Whether reports of running calls are sent. */
  readonly reports: boolean;
  /** How many chunks of its call the worker runs at once. */
  readonly lanes: number;
}

export interface DefineMessage {
  readonly type: typeof ToWorker.Define;
  readonly task: number;
  readonly portable: PortableFunction;
}
export interface ForgetMessage {
  readonly type: typeof ToWorker.Forget;
  readonly task: number;
}
export interface RunMessage {
  readonly type: typeof ToWorker.Run;
  readonly chunk: number;
  readonly task: number;
  readonly mode: CallMode;
  readonly hooks: number;
  readonly indexes: ChunkIndexes;
  readonly values: unknown[];
  /** Where its values are claimed, or `NO_PLACE`: see `claims.ts`. */
  readonly place: number;
  readonly flags?: RunFlags | undefined;
  /** The objects in its values that get their class once the function is loaded that knows it. They travel beside the message. */
  readonly groups?: readonly Group[];
}
export interface CancelMessage {
  readonly type: typeof ToWorker.Cancel;
  readonly chunk: number;
}
export interface ReclaimMessage {
  readonly type: typeof ToWorker.Reclaim;
  readonly chunk: number;
}
export interface CreditMessage {
  readonly type: typeof ToWorker.Credit;
  readonly chunk: number;
  readonly batches: number;
}
export interface LeaveMessage {
  readonly type: typeof ToWorker.Leave;
}
export interface ShareMessage {
  readonly type: typeof ToWorker.Share;
  readonly shared: PortableValue;
}
/** `init` and `exit` are functions by their numbers. */
export interface InitMessage {
  readonly type: typeof ToWorker.Init;
  readonly hooks: number;
  readonly init: number | undefined;
}
export interface ExitMessage {
  readonly type: typeof ToWorker.Exit;
  readonly hooks: number;
  readonly exit: number;
}
export interface DropHooksMessage {
  readonly type: typeof ToWorker.DropHooks;
  readonly hooks: number;
}
export interface ClaimMessage {
  readonly type: typeof ToWorker.Claim;
  readonly place: SharedPlace;
}

export type MessageToWorker =
  | DefineMessage
  | ForgetMessage
  | RunMessage
  | CancelMessage
  | ReclaimMessage
  | CreditMessage
  | LeaveMessage
  | ShareMessage
  | InitMessage
  | ExitMessage
  | DropHooksMessage
  | ClaimMessage;

/**
 * Why a value failed: what its function threw, or where in its result something cannot be sent. Only the type of the message says that it
 * failed, so `throw undefined` is an error, too.
 */
export type EncodedFailure =
  | { readonly kind: 'thrown'; readonly thrown: EncodedThrown }
  | { readonly kind: 'unserializable'; readonly path: string; readonly what: string; readonly thrown: EncodedThrown };

/** How many of the longest tasks are reported. */
export const LONGEST_TASKS = 5;

/** What a worker has measured since its last report, for `insights`. Times are in milliseconds. */
export type Figures = [
  /** In calls. */
  working: number,
  /** Between calls. */
  waiting: number,
  /** The part of `waiting` before each chunk. */
  waits: number[],
  /** Pairs: a bucket of the histogram, and how many calls were in it. */
  counts: number[],
  /** Threes: how long one of the longest calls took, its place in the chunk, and how many calls from there it may have been. */
  longest: number[],
  /** In bytes, now and then. */
  memory: number | undefined,
];

export interface ReadyMessage {
  readonly type: typeof FromWorker.Ready;
}
export interface DefinedMessage {
  readonly type: typeof FromWorker.Defined;
  readonly task: number;
}
export interface DefineFailedMessage {
  readonly type: typeof FromWorker.DefineFailed;
  readonly task: number;
  readonly failure: EncodedFailure;
}
/** `elapsed` is the time in milliseconds that these results took to compute and to send. */
export interface ResultsMessage {
  readonly type: typeof FromWorker.Results;
  readonly chunk: number;
  readonly values: unknown[];
  readonly elapsed: number;
  readonly figures?: Figures | undefined;
}
export interface YieldsMessage {
  readonly type: typeof FromWorker.Yields;
  readonly chunk: number;
  readonly values: unknown[];
}
export interface FailedMessage {
  readonly type: typeof FromWorker.Failed;
  readonly chunk: number;
  readonly failure: EncodedFailure;
  readonly isRunning?: boolean | undefined;
  readonly figures?: Figures | undefined;
}
export interface StoppedMessage {
  readonly type: typeof FromWorker.Stopped;
  readonly chunk: number;
  readonly figures?: Figures | undefined;
}
export interface ReclaimedMessage {
  readonly type: typeof FromWorker.Reclaimed;
  readonly chunk: number;
  readonly kept: number;
}
export interface FatalMessage {
  readonly type: typeof FromWorker.Fatal;
  readonly thrown: EncodedThrown;
}

export interface PrintMessage {
  readonly type: typeof FromWorker.Print;
  readonly text: string;
}
export interface ShareFailedMessage {
  readonly type: typeof FromWorker.ShareFailed;
  readonly failure: EncodedFailure;
}
/** `elapsed` is what the init or exit function took, in milliseconds; 0 where that is not measured. */
export interface InitDoneMessage {
  readonly type: typeof FromWorker.InitDone;
  readonly hooks: number;
  readonly elapsed: number;
}
export interface InitFailedMessage {
  readonly type: typeof FromWorker.InitFailed;
  readonly hooks: number;
  readonly failure: EncodedFailure;
  readonly elapsed: number;
}
export interface ExitDoneMessage {
  readonly type: typeof FromWorker.ExitDone;
  readonly hooks: number;
  readonly result: unknown;
  readonly elapsed: number;
}
export interface ExitFailedMessage {
  readonly type: typeof FromWorker.ExitFailed;
  readonly hooks: number;
  readonly failure: EncodedFailure;
  readonly elapsed: number;
}

/** `elapsed` as in `Results`. */
export interface RejectedMessage {
  readonly type: typeof FromWorker.Rejected;
  readonly chunk: number;
  readonly failure: EncodedFailure;
  readonly elapsed: number;
  readonly figures?: Figures | undefined;
}

/** `at` is the place of the value in the chunk. */
export interface ProgressMessage {
  readonly type: typeof FromWorker.Progress;
  readonly chunk: number;
  readonly at: number;
  readonly value: unknown;
}

export interface BarMessage {
  readonly type: typeof FromWorker.Bar;
  readonly bar: RemoteBar;
}
export interface ClaimFailedMessage {
  readonly type: typeof FromWorker.ClaimFailed;
}

export type MessageFromWorker =
  | ReadyMessage
  | DefinedMessage
  | DefineFailedMessage
  | ResultsMessage
  | YieldsMessage
  | FailedMessage
  | StoppedMessage
  | ReclaimedMessage
  | FatalMessage
  | ShareFailedMessage
  | InitDoneMessage
  | InitFailedMessage
  | ExitDoneMessage
  | ExitFailedMessage
  | RejectedMessage
  | ProgressMessage
  | PrintMessage
  | BarMessage
  | ClaimFailedMessage;

/** How an init or exit function has ended. */
export type HookMessage = InitDoneMessage | InitFailedMessage | ExitDoneMessage | ExitFailedMessage;

/** The progress of a call. Times are in milliseconds. */
export interface Progress {
  readonly description: string;
  readonly unit: string;
  readonly done: number;
  /** How many values there are, if known. */
  readonly total: number | undefined;
  readonly elapsed: number;
}

/** The progress of a call that was made inside a worker. */
export interface RemoteBar {
  /** Unique in the worker that sends it. */
  readonly id: string;
  readonly progress: Progress;
  /** The last line, when the call has ended. */
  readonly line: string | undefined;
  /** Milliseconds between two updates. */
  readonly throttle: number;
}

/** Where a process finds memory to share with the program. */
export interface SharedPlace {
  /** A descriptor of the program, as a path. */
  readonly path: string;
  /** In words of 32 bits. */
  readonly offset: number;
  readonly length: number;
}

/** What a worker gets when it starts, by the means of its start method (`workerData`, environment). */
export interface WorkerIdentity {
  /** 0 to `nJobs - 1`; a worker that replaces another has the same one. */
  readonly workerId: number;
  /** Whether the worker cannot make pools of its own. */
  readonly daemon: boolean;
  /** The numbers of the CPUs that it may run on; all if not given. */
  readonly cpuIds?: readonly number[] | undefined;
  /** Whether it measures what it does. */
  readonly insights: boolean;
  /** Whether its program can draw progress bars. */
  readonly bars: boolean;
  /** Its name, if it has one. */
  readonly name: string | undefined;
}
