/**
 * Every message that crosses between the pool and a worker: whoever reads this file knows all that can be said.
 *
 * Messages are tuples, not objects: they are cheaper to clone, and there is one per chunk in each direction.
 * Every `Run` is answered by zero or more parts (`Results`, `Yields`, `Rejected`) and ends in exactly one way: the last `Results`
 * or `Rejected` (as many values as the chunk has), `Failed`, `Stopped`, or the worker's death.
 */

import { CallMode } from './callMode.js';
import type { PortableFunction, PortableValue } from './portable.js';
import type { EncodedThrown } from './errorCodec.js';

/** What a message is packed in, in either direction, where objects in it are to keep their class: see `typed.ts`. */
export const Typed = -1;

/** A message as it is sent: as it is, or packed. */
export type Sent<M extends readonly unknown[]> =
  M | readonly [type: typeof Typed, message: M, groups: readonly Group[]];

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
  /** So many batches of `Yields` were consumed: as many more may be sent. */
  Credit: 5,
  /** Finish output and leave with exit code 0. */
  Leave: 6,
  /** What every call of the pool shares. Comes first, where there is any; a failure is answered by `ShareFailed`. */
  Share: 7,
  /**
   * Take up a hooks: have a state for it, and call its init function, which was defined. Nothing but `Cancel` is looked at until
   * that is done. Answered by `InitDone` or `InitFailed`, or by nothing where there is no init function.
   */
  Init: 8,
  /** End a hooks with its exit function, which was defined. Answered by `ExitDone` or `ExitFailed`. */
  Exit: 9,
  /** Forget a hooks, without its exit function. */
  DropHooks: 10,
  /** Here is memory for claims, for a process. Answered by `ClaimFailed` where it cannot have it. */
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
  /** Values that the running call of a `merge` chunk has produced so far. */
  Yields: 4,
  /**
   * The next value of the chunk failed. The chunk has ended; but where a call after it is still under way, which was begun before
   * the failure showed, that gets aborted, and `Stopped` or the worker's end follows.
   */
  Failed: 5,
  /** The chunk has ended early, as `Cancel` asked, or because its function could not be loaded. */
  Stopped: 6,
  /**
   * The chunk was shortened: only its first so many values are, or will be, done. `Reclaim` has asked for that, or a claim has shown it,
   * which the pool knew before.
   */
  Reclaimed: 7,
  /** An error that nobody caught is about to end the worker. */
  Fatal: 8,
  /** What is shared could not be rebuilt: the worker is of no use. */
  ShareFailed: 9,
  /** The init function of a hooks has succeeded. */
  InitDone: 10,
  /** The init function of a hooks has failed: the worker does not have that hooks. */
  InitFailed: 11,
  /** The exit function of a hooks has given this: the worker has it no longer. */
  ExitDone: 12,
  /** The exit function of a hooks has failed: the worker has it no longer. */
  ExitFailed: 13,
  /** The next value of the chunk failed, and the chunk goes on: as its flags ask. */
  Rejected: 14,
  /** What the call for a value of the chunk reports while it runs: sent only where the terms of the chunk ask for it. */
  Progress: 15,
  /** A line for the program to print. */
  Print: 16,
  /** How far a call is that was made in the worker, for the program to show. */
  Bar: 18,
  /** The worker cannot claim values. What has a place for claims it gives back. */
  ClaimFailed: 17,
} as const;

export { CallMode };

/** The hooks of calls that have neither an init nor an exit function: every worker has it. */
export const NO_HOOKS = 0;

/** The indexes of a chunk's values: the first one where they follow each other, all of them where some were dropped. */
export type ChunkIndexes = number | readonly number[];

/** What is unusual about a chunk: not sent where nothing is. */
export interface RunFlags {
  /** Whether a value that fails is told by `Rejected`, and followed by the next one. */
  readonly settles: boolean;
  /** Whether somebody listens to what calls report while they run. */
  readonly reports: boolean;
  /** How many chunks of its call the worker runs at once. */
  readonly lanes: number;
}

export type DefineMessage = [type: typeof ToWorker.Define, task: number, portable: PortableFunction];
export type ForgetMessage = [type: typeof ToWorker.Forget, task: number];
export type RunMessage = [
  type: typeof ToWorker.Run,
  chunk: number,
  task: number,
  mode: CallMode,
  hooks: number,
  indexes: ChunkIndexes,
  values: unknown[],
  /** Where its values are claimed, or `NO_PLACE`: see `claims.ts`. */
  place: number,
  flags?: RunFlags | undefined,
];
export type CancelMessage = [type: typeof ToWorker.Cancel, chunk: number];
export type ReclaimMessage = [type: typeof ToWorker.Reclaim, chunk: number];
export type CreditMessage = [type: typeof ToWorker.Credit, chunk: number, batches: number];
export type LeaveMessage = [type: typeof ToWorker.Leave];
export type ShareMessage = [type: typeof ToWorker.Share, shared: PortableValue];
/** `init` and `exit` are functions by their numbers. */
export type InitMessage = [type: typeof ToWorker.Init, hooks: number, init: number | undefined];
export type ExitMessage = [type: typeof ToWorker.Exit, hooks: number, exit: number];
export type DropHooksMessage = [type: typeof ToWorker.DropHooks, hooks: number];
export type ClaimMessage = [type: typeof ToWorker.Claim, place: SharedPlace];

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

/** Why a value failed: what its function threw, or where in its result something cannot be sent. */
export type EncodedFailure =
  | { readonly kind: 'thrown'; readonly thrown: EncodedThrown }
  | { readonly kind: 'unserializable'; readonly path: string; readonly what: string; readonly thrown: EncodedThrown };

/** How many of the longest tasks are told. */
export const LONGEST_TASKS = 5;

/** What a worker has measured since it last told, where its pool wants to know. Times are in milliseconds. */
export type Figures = [
  /** In calls. */
  working: number,
  /** Between calls. */
  waiting: number,
  /** For each chunk: part of the latter. */
  waits: number[],
  /** Pairs: a bucket of the histogram, and how many calls were in it. */
  counts: number[],
  /** Threes: how long one of the longest calls took, its place in the chunk, and how many calls from there it may have been. */
  longest: number[],
  /** In bytes, now and then. */
  memory: number | undefined,
];

export type ReadyMessage = [type: typeof FromWorker.Ready];
export type DefinedMessage = [type: typeof FromWorker.Defined, task: number];
export type DefineFailedMessage = [type: typeof FromWorker.DefineFailed, task: number, failure: EncodedFailure];
/** `elapsed` is the time in milliseconds that these results took to compute and to send. */
export type ResultsMessage = [
  type: typeof FromWorker.Results,
  chunk: number,
  values: unknown[],
  elapsed: number,
  figures?: Figures,
];
export type YieldsMessage = [type: typeof FromWorker.Yields, chunk: number, values: unknown[]];
export type FailedMessage = [
  type: typeof FromWorker.Failed,
  chunk: number,
  failure: EncodedFailure,
  isRunning?: boolean,
  figures?: Figures,
];
export type StoppedMessage = [type: typeof FromWorker.Stopped, chunk: number, figures?: Figures];
export type ReclaimedMessage = [type: typeof FromWorker.Reclaimed, chunk: number, kept: number];
export type FatalMessage = [type: typeof FromWorker.Fatal, thrown: EncodedThrown];

export type PrintMessage = [type: typeof FromWorker.Print, text: string];
export type ShareFailedMessage = [type: typeof FromWorker.ShareFailed, failure: EncodedFailure];
/** `elapsed` is what the init or exit function took, in milliseconds; 0 where that is not measured. */
export type InitDoneMessage = [type: typeof FromWorker.InitDone, hooks: number, elapsed: number];
export type InitFailedMessage = [
  type: typeof FromWorker.InitFailed,
  hooks: number,
  failure: EncodedFailure,
  elapsed: number,
];
export type ExitDoneMessage = [type: typeof FromWorker.ExitDone, hooks: number, result: unknown, elapsed: number];
export type ExitFailedMessage = [
  type: typeof FromWorker.ExitFailed,
  hooks: number,
  failure: EncodedFailure,
  elapsed: number,
];

/** `elapsed` as in `Results`. */
export type RejectedMessage = [
  type: typeof FromWorker.Rejected,
  chunk: number,
  failure: EncodedFailure,
  elapsed: number,
  figures?: Figures,
];

/** `at` is the place of the value in the chunk. */
export type ProgressMessage = [type: typeof FromWorker.Progress, chunk: number, at: number, value: unknown];

export type BarMessage = [type: typeof FromWorker.Bar, bar: RemoteBar];
export type ClaimFailedMessage = [type: typeof FromWorker.ClaimFailed];

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

/** How far a call is. Times are in milliseconds. */
export interface Progress {
  readonly description: string;
  readonly unit: string;
  readonly done: number;
  /** How many values there are, where anybody knows. */
  readonly total: number | undefined;
  readonly elapsed: number;
}

/** How far a call is that was made inside of a worker. */
export interface RemoteBar {
  /** Unique for whoever tells of it. */
  readonly id: string;
  readonly progress: Progress;
  /** The last line, when the call has ended. */
  readonly line: string | undefined;
  /** Milliseconds between two pictures. */
  readonly throttle: number;
}

/** Where memory is that a process can have in common with the program. */
export interface SharedPlace {
  /** A descriptor of the program, as a path. */
  readonly path: string;
  /** In words of 32 bits. */
  readonly offset: number;
  readonly length: number;
}

/** What a worker is told when it is started, over its start method's own way (`workerData`, environment). */
export interface WorkerIdentity {
  /** 0 to `nJobs - 1`; a worker that replaces another has the same one. */
  readonly workerId: number;
  /** Whether the worker may not make pools of its own. */
  readonly daemon: boolean;
  /** The CPUs that it may run on, by their numbers; all where it is not given. */
  readonly cpuIds?: readonly number[] | undefined;
  /** Whether it measures what it does. */
  readonly insights: boolean;
  /** Whether its program can draw progress bars. */
  readonly bars: boolean;
  /** What it is called; `undefined` where nobody cares. */
  readonly name: string | undefined;
}
