/** Every message between a program and its fork server: frames over a pipe. */

import type { WorkerIdentity } from './messages.js';

/** What the server is started with, in JSON. */
export interface ServerData {
  /** Where workers connect to. */
  readonly address: string;
  /** What they say first, followed by the id of the request in ten digits: so that nobody else is taken for one. */
  readonly token: string;
  readonly programPid: number;
  /** What `process.execArgv` is in workers. */
  readonly execArgv: readonly string[];
  readonly preloads: Preloads;
}

/** What flags have a process load before anything else. */
export interface Preloads {
  readonly require: readonly string[];
  readonly loader: readonly string[];
  readonly import: readonly string[];
}

/** What the program asks for: a worker. */
export interface ForkRequest {
  readonly id: number;
  readonly identity: WorkerIdentity;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
}

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
} as const;

export type MessageFromServer =
  | readonly [type: typeof FromServer.Ready]
  | readonly [type: typeof FromServer.Unavailable, reason: string]
  | readonly [type: typeof FromServer.Forked, id: number, pid: number]
  | readonly [type: typeof FromServer.Failed, id: number, reason: string]
  | readonly [type: typeof FromServer.Exited, id: number, exitCode: number | null, signal: string | null];
