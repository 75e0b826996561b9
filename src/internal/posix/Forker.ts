/**
 * A Node process that can be copied by the real `fork`. It has to run with the flags {@link forkFlags}, and no other thread of it may
 * be at work; then, for each copy:
 *
 * 1. A minor garbage collection, so that nothing until the fork maps new memory.
 * 2. Other threads rest: a lock that one of them holds would stay locked in the copy. This comes after the collection, which
 *    in Node 26 wakes the thread of V8.
 * 3. V8 keeps its heap from being copied. That is undone for the whole address space; only the kernel's own mappings, which
 *    refuse it, are left out. Asking mapping by mapping would miss what the asking itself allocates.
 * 4. `fork`, and in the copy at once `uv_loop_fork`.
 * 5. The copy is to die with its parent.
 * 6. The copy waits until its parent has seen that no other thread has run since 2. If one has, the copy is killed and the parent tries
 *    again: that thread may have held a lock. A garbage collection of Node 26 can wake a thread at any moment. It costs 0.3 to 0.5 ms.
 */

import { closeSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import * as v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { uninterrupted } from './uninterrupted.js';
import { MADV_DOFORK, O_CLOEXEC, PR_SET_PDEATHSIG, SIGKILL, WNOHANG, type Libc } from './libc.js';

/**
 * Flags for Node without which V8 has threads that a copy would lack. There is always one, which Node 26 also gives work: a copy then calls
 * a thread that it does not have, which is in vain until it has another one (see `v8Threads.ts`). With several of them (0 stands for as many as there are CPUs) it waits for ever: the
 * C library has those that wait leave in groups, and the next group not before the one ahead of it has left.
 */
export const forkFlags = ['--single-threaded', '--v8-pool-size=1'] as const;

/** The end of the addresses that a process can have: of 47 bits on x64, of 48 on arm64, where programs and libraries are at their end. */
const TOP = process.arch === 'arm64' ? 0xffff_ffff_f000n : 0x7fff_ffff_f000n;
/** The first address that can be mapped. */
const BOTTOM = 0x1_0000n;
/** Calls in which a thread rests: futex, epoll_wait, epoll_pwait, on x64 and, where they differ, on arm64. */
const resting = process.arch === 'arm64' ? ['98', '22'] : ['202', '232', '281'];
/** Bytes. At its smallest it has a megabyte, at its largest 33 of them, each of which a copy would have for itself. */
const LARGEST_NEW_SPACE = 4e6;
/** How often threads are looked at before we give up, and the pause between, in milliseconds, in which they can get on. */
const LOOKS = 10_000;
const PAUSE = 0.1;
/** How many copies in turn may have to be thrown away. */
const TRIES = 100;
const RESTLESS = 'a thread of the server does not come to rest';
/**
 * How many looks there are between two garbage collections. Each leaves some 4 KB of garbage, and there is room for 256: behind that, new
 * memory would be mapped.
 */
const LOOKS_PER_COLLECTION = 10;

/** For `Atomics.wait`: it never changes. */
const never = new Int32Array(new SharedArrayBuffer(4));
/** What is read and written, so that it leaves little garbage. */
const text = Buffer.alloc(16_384);

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
    for (let tries = 0; tries < TRIES; tries++) {
      const pid = this.#try();
      if (pid !== undefined) return pid;
    }
    throw new Error(RESTLESS);
  }

  /** As {@link fork}; `undefined` where the copy may lack something. */
  #try(): number | undefined {
    const libc = this.#libc;
    const ends: [number, number] = [0, 0];
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) throw new Error('there are too many open files');
    const [output, input] = ends;
    try {
      const runs = this.#settle();
      for (const { start, length } of this.#gaps) libc.madvise(start, length, MADV_DOFORK);
      const pid = libc.fork();
      if (pid < 0) throw new Error('fork failed: there are too many processes, or too little memory');
      if (pid === 0) this.#awaitApproval(output);
      else if (!this.#approve(pid, input, runs)) return undefined;
      return pid;
    } finally {
      closeSync(input);
      closeSync(output);
    }
  }

  /** Has a copy go on, or ends it. @param runs How often other threads had run before it was made. */
  #approve(pid: number, pipe: number, runs: string): boolean {
    let isSound = false;
    try {
      isSound = doThreadsRest() && runsOfThreads() === runs;
      if (isSound) writeSync(pipe, text, 0, 1);
    } finally {
      if (!isSound) {
        process.kill(pid, SIGKILL);
        this.reap(pid, true);
      }
    }
    return isSound;
  }

  /** In the copy: makes it a process of its own. */
  #awaitApproval(pipe: number): void {
    const libc = this.#libc;
    if (libc.uv_loop_fork(this.#loop) !== 0) libc._exit(1);
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (libc.getppid() !== this.#pid) libc._exit(1); // it has died in between
    uninterrupted(() => readSync(pipe, text, 0, 1, null));
  }

  /** Has garbage collected and other threads rest. @returns How often each of them has run. */
  #settle(): string {
    for (let looks = 0; looks < LOOKS; looks++) {
      if (looks > 0) Atomics.wait(never, 0, 0, PAUSE);
      if (looks % LOOKS_PER_COLLECTION === 0) this.#collect({ type: 'minor' });
      if (!doThreadsRest()) continue;
      const runs = runsOfThreads();
      if (doThreadsRest()) return runs; // of one that rests after it was counted each further run counts
    }
    throw new Error(RESTLESS);
  }

  /** How a copy has ended; `undefined` while it lives. @param waits Whether to wait until it has. */
  reap(pid: number, waits = false): { readonly exitCode: number | null; readonly signal: number } | undefined {
    const status: [number] = [0];
    const wait = (): number => this.#libc.waitpid(pid, status, waits ? 0 : WNOHANG);
    let reaped = wait();
    while (reaped < 0 && getSystemErrorName(-this.#libc.errno()) === 'EINTR') reaped = wait();
    if (reaped !== pid) return undefined;
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

function doThreadsRest(): boolean {
  return otherThreads().every((thread) => {
    const call = readThread(thread, 'syscall').split(' ', 1)[0] as string;
    return call === '' || resting.includes(call); // nothing of one that has ended
  });
}

/** How often each other thread has been given a CPU and left it. */
function runsOfThreads(): string {
  return otherThreads()
    .map(
      (thread) =>
        `${thread} ${readThread(thread, 'status')
          .match(/ctxt_switches:\s*\d+/g)
          ?.join(' ')}`,
    )
    .join('\n');
}

function otherThreads(): string[] {
  return readdirSync('/proc/self/task').filter((thread) => thread !== String(process.pid));
}

/** What the kernel says of a thread; nothing where it has ended. */
function readThread(thread: string, about: 'syscall' | 'status'): string {
  let file: number | undefined;
  try {
    file = openSync(`/proc/self/task/${thread}/${about}`, 'r');
    return text.toString('latin1', 0, readSync(file, text));
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
