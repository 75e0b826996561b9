/**
 * Connections in the copy of a process. All copies would have them in common, and mix up what they say to the other end, and hear of it.
 * Those that the original uses are the user's to mind (docs/fork.md). But HTTP agents and the pools of databases keep idle connections of
 * which their users know nothing; the copy takes such a one for closed by the other end, and opens its own where it needs one.
 */

import { closeSync, readdirSync } from 'node:fs';
import type { Libc } from './libc.js';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
/** Options of a socket: its type, and whether it listens. */
const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;
const LAST_OF_STDIO = 2;

interface Owner {
  readonly _handle?: { readonly fd?: number } | null;
}

/** Has each connection that does not keep the process running end, before its event loop goes on. */
export function endIdleConnections(libc: Libc): void {
  for (const fd of idleConnections(libc)) end(libc, fd);
}

/** The descriptors of those connections. */
export function idleConnections(libc: Libc): number[] {
  // Those that keep it running; Node has no other list.
  const { _getActiveHandles: list } = process as unknown as { _getActiveHandles?(): readonly (Owner | null)[] };
  if (list === undefined) return [];
  const used = new Set(Reflect.apply(list, process, []).map((owner) => owner?._handle?.fd));
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > LAST_OF_STDIO && !used.has(fd) && isConnection(libc, fd));
}

function isConnection({ getsockopt }: Libc, fd: number): boolean {
  const is = (option: number, expected: number): boolean => {
    const value: [number] = [0];
    return getsockopt(fd, SOL_SOCKET, option, value, [4]) === 0 && value[0] === expected;
  };
  return is(SO_TYPE, SOCK_STREAM) && is(SO_ACCEPTCONN, 0);
}

/** Puts a connection in its place of which the other end is closed already. */
function end({ socketpair, dup3 }: Libc, fd: number): void {
  const ends: [number, number] = [0, 0];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) !== 0) return;
  dup3(ends[0], fd, SOCK_CLOEXEC);
  for (const each of ends) closeSync(each);
}
