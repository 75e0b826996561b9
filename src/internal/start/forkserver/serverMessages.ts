/** Every message between a program and a process that is copied: the fork server, or a pool's template. Frames over a pipe. */

import type { PortableFunction, PortableValue } from '../../protocol/portable.js';
import type { EncodedThrown } from '../../protocol/errorCodec.js';
import type { WorkerIdentity } from '../../protocol/messages.js';

/** What the server is started with, in JSON. */
export interface ServerData {
  /** Where workers connect to. */
  readonly address: string;
  /** Copies send it first, followed by the id of the request in ten digits, so that no other process passes for one. */
  readonly token: string;
  readonly programPid: number;
  /** There for a template, which is what its workers are, for it loads what they would. */
  readonly template:
    | {
        readonly daemon: boolean;
        readonly argv: readonly string[];
        /** Whether it loads `preloads`. */
        readonly preloads: boolean;
      }
    | undefined;
  /** What `process.execArgv` is in workers. */
  readonly execArgv: readonly string[];
  /** Whether an error that nobody catches aborts a worker, as `--abort-on-uncaught-exception` asks for. */
  readonly aborts: boolean;
  /** What each copy loads first, if the template has not. */
  readonly preloads: Preloads;
}

/** What flags have a process load before anything else. */
export interface Preloads {
  readonly require: readonly string[];
  readonly loader: readonly string[];
  readonly import: readonly string[];
}

/** What the program says. */
export const ToServer = {
  /** Make a worker. */
  Fork: 0,
  /** Build what all calls of the pool share: the workers from here on have it. */
  Share: 1,
  /** Load a function: the workers from here on have it. Answered by `Prepared`. */
  Define: 2,
  /** Drop a function. */
  Forget: 3,
  /** End: no worker lives. */
  End: 4,
} as const;

/** What a worker is made from. */
export interface ForkRequest {
  readonly id: number;
  readonly identity: WorkerIdentity;
  /** `undefined` where it has been deleted. */
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
}

export type MessageToServer =
  | readonly [type: typeof ToServer.Fork, request: ForkRequest]
  | readonly [type: typeof ToServer.Share, shared: PortableValue]
  | readonly [type: typeof ToServer.Define, task: number, portable: PortableFunction]
  | readonly [type: typeof ToServer.Forget, task: number]
  | readonly [type: typeof ToServer.End];

/** What the server says. */
export const FromServer = {
  /** It can fork. */
  Ready: 0,
  /** It cannot fork, and why. */
  Unavailable: 1,
  /** A worker was made. */
  Forked: 2,
  /** A worker could not be made. */
  Failed: 3,
  /** A worker has ended. */
  Exited: 4,
  /** A function was loaded, or could not be. */
  Prepared: 5,
  /** An uncaught error is about to end it. */
  Fatal: 6,
} as const;

export type MessageFromServer =
  | readonly [type: typeof FromServer.Ready]
  | readonly [type: typeof FromServer.Unavailable, reason: string]
  | readonly [type: typeof FromServer.Forked, id: number, pid: number]
  | readonly [type: typeof FromServer.Failed, id: number, reason: string]
  | readonly [type: typeof FromServer.Exited, id: number, exitCode: number | null, signal: string | null]
  | readonly [type: typeof FromServer.Prepared, task: number, succeeded: boolean]
  | readonly [type: typeof FromServer.Fatal, thrown: EncodedThrown];
