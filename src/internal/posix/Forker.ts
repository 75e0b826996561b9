/**
 * A Node process that can be copied by the real `fork`. It has to run with the flags {@link forkFlags}, and no other thread of it may
 * be at work; then, for each copy:
 *
 * 1. Other threads rest: one inside `malloc` would leave a lock that nobody opens in the copy.
 * 2. A minor garbage collection, so that nothing until the fork maps new memory.
 * 3. V8 keeps its heap from being copied. That is undone for the whole address space; only the kernel's own mappings, which
 *    refuse it, are left out. Asking mapping by mapping would miss what the asking itself allocates.
 * 4. `fork`, and in the copy at once `uv_loop_fork`.
 * 5. The copy is to die with its parent.
 */

import { readdirSync, readFileSync } from 'node:fs';
import * as v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MADV_DOFORK, PR_SET_PDEATHSIG, SIGKILL, WNOHANG, type Libc } from './libc.js';

/**
 * Flags for Node without which V8 has threads that a copy would lack. There is always one, which Node 26 also gives work: a copy then calls
 * a thread that it does not have, which is in vain. With several of them (0 stands for as many as there are CPUs) it waits for ever: the
 * C library has those that wait leave in groups, and the next group not before the one ahead of it has left.
 */
export const forkFlags = ['--single-threaded', '--v8-pool-size=1'] as const;

/** The end of the addresses that a process can have, on 64 bits. */
const TOP = 0x7fff_ffff_f000n;
/** The first address that can be mapped. */
const BOTTOM = 0x1_0000n;
/** Calls in which a thread rests: futex, epoll_wait, epoll_pwait, on x64 and, where they differ, on arm64. */
const resting = process.arch === 'arm64' ? ['98', '22'] : ['202', '232', '281'];
/** Bytes. At its smallest it has a megabyte, at its largest 33 of them, each of which a copy would have for itself. */
const LARGEST_NEW_SPACE = 4e6;
/** So often threads are looked at before we give up. */
const LOOKS = 10_000;

interface Gap {
  readonly start: bigint;
  readonly length: bigint;
}

export class Forker {
  readonly #libc: Libc;
  readonly #loop: unknown;
  readonly #gaps: readonly Gap[];
  readonly #collect: (options?: { type: 'minor' }) => void;
  readonly #pid: number;

  /** @throws Error where a process with such flags cannot be copied. */
  constructor(libc: Libc) {
    // Only new contexts get it, so that the user's does not.
    v8.setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;
    v8.setFlagsFromString('--no-expose-gc');
    this.#libc = libc;
    this.#loop = libc.uv_default_loop();
    this.#gaps = gapsBetweenKernelMappings();
    this.#pid = libc.getpid();
  }

  /**
   * Collects all garbage, so that copies neither have it nor move what they share when they collect it themselves; and gives the
   * memory for new objects back where it has grown, for each copy would write to all of it.
   */
  collectGarbage(): void {
    if (sizeOfNewSpace() > LARGEST_NEW_SPACE) shrinkNewSpace();
    this.#collect();
    this.#libc.malloc_trim(0);
  }

  /** Copies this process. @returns 0 in the copy, and its pid here. @throws Error where that fails. */
  fork(): number {
    const libc = this.#libc;
    waitUntilThreadsRest();
    this.#collect({ type: 'minor' });
    for (const { start, length } of this.#gaps) libc.madvise(start, length, MADV_DOFORK);
    const pid = libc.fork();
    if (pid < 0) throw new Error('fork has failed: there are too many processes, or there is too little memory');
    if (pid > 0) return pid;
    if (libc.uv_loop_fork(this.#loop) !== 0) libc._exit(1);
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (libc.getppid() !== this.#pid) libc._exit(1); // it has died in between
    return 0;
  }

  /** How a copy has ended; `undefined` while it lives. @param waits Whether to wait until it has. */
  reap(pid: number, waits = false): { readonly exitCode: number | null; readonly signal: number } | undefined {
    const status: [number] = [0];
    if (this.#libc.waitpid(pid, status, waits ? 0 : WNOHANG) !== pid) return undefined;
    const signal = status[0] & 0x7f;
    return { exitCode: signal === 0 ? (status[0] >> 8) & 0xff : null, signal };
  }
}

function sizeOfNewSpace(): number {
  return v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}

/** V8 does that when it is asked for objects, among which no garbage may be; there is no other way to ask for it. */
function shrinkNewSpace(): void {
  const { emitWarning } = process;
  process.emitWarning = () => undefined; // that the function is experimental
  try {
    v8.queryObjects?.(class Nothing {}, { format: 'count' });
  } finally {
    process.emitWarning = emitWarning;
  }
}

function gapsBetweenKernelMappings(): Gap[] {
  const gaps: Gap[] = [];
  let start = BOTTOM;
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) .*\[(?:v[a-z_]+)\]$/.exec(line) ?? [];
    if (from === undefined || to === undefined) continue;
    const end = BigInt(`0x${from}`);
    if (end >= TOP) break;
    if (end > start) gaps.push({ start, length: end - start });
    start = BigInt(`0x${to}`);
  }
  if (start < TOP) gaps.push({ start, length: TOP - start });
  return gaps;
}

function waitUntilThreadsRest(): void {
  for (let looks = 0; looks < LOOKS; looks++) if (doThreadsRest()) return;
  throw new Error('a thread of the server does not come to rest');
}

function doThreadsRest(): boolean {
  for (const thread of readdirSync('/proc/self/task')) {
    if (thread === String(process.pid)) continue;
    let call: string;
    try {
      call = readFileSync(`/proc/self/task/${thread}/syscall`, 'latin1');
    } catch {
      continue; // it has ended
    }
    if (!resting.includes(call.split(' ', 1)[0] as string)) return false;
  }
  return true;
}
