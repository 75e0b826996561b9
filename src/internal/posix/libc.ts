/**
 * The system calls that Node has no API for, bound by `koffi`, which is an optional dependency. Each with its C signature, its
 * manual page, and what it is for. Linux only; the node binary itself exports those of libuv.
 */

import { createRequire } from 'node:module';

/** The calls, bound: making one allocates nothing that would have to be bound first. */
export interface Libc {
  /**
   * `int fork()`, fork(2): a copy of this process. Returns 0 in the copy, its pid here, and -1 where there can be none.
   * What `fork` and `forkserver` are about.
   */
  fork(): number;
  /**
   * `int madvise(void *, size_t, int)`, madvise(2): `MADV_DOFORK` lets a range of memory be copied by `fork`, from which V8 has
   * excluded its heap.
   */
  madvise(address: bigint, length: bigint, advice: number): number;
  /** `void *uv_default_loop()`, libuv: the event loop of the main thread, to be passed to {@link Libc.uv_loop_fork}. */
  uv_default_loop(): unknown;
  /**
   * `int uv_loop_fork(uv_loop_t *)`, libuv: gives the loop of a copy what it must not share with its parent, its epoll descriptor
   * above all. Returns 0.
   */
  uv_loop_fork(loop: unknown): number;
  /**
   * `void _exit(int)`, _exit(2): ends this process at once. Node's own way joins threads, which do not exist in a copy.
   */
  _exit(code: number): void;
  /** `int waitpid(int, int *, int)`, waitpid(2): how a copy has ended, and its removal from the table of processes. */
  waitpid(pid: number, status: [number], options: number): number;
  /**
   * `int pipe2(int[2], int)`, pipe2(2): a pipe, its reading end first, whose both ends a copy has, too. With `O_CLOEXEC` other programs
   * that are started do not.
   */
  pipe2(ends: [number, number], flags: number): number;
  /**
   * `int getsockopt(int, int, int, void *, socklen_t *)`, getsockopt(2): what kind of socket a descriptor is; fails where it is none.
   */
  getsockopt(fd: number, level: number, name: number, value: [number], length: [number]): number;
  /**
   * `int socketpair(int, int, int, int[2])`, socketpair(2): both ends of a connection. For one that is closed, in a copy.
   */
  socketpair(domain: number, type: number, protocol: number, ends: [number, number]): number;
  /**
   * `int dup3(int, int, int)`, dup3(2): a descriptor becomes another name of what an open one is. So a copy gives up a connection of the
   * process that was copied, which Node knows by that descriptor.
   */
  dup3(from: number, to: number, flags: number): number;
  /**
   * `int prctl(int, unsigned long, …)`, prctl(2): `PR_SET_PDEATHSIG` has the kernel send a signal when the parent ends, which also
   * reaches a process inside an endless loop.
   */
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  /** `int getpid()`, getpid(2): `process.pid` is that of the process which was copied. */
  getpid(): number;
  /** `int getppid()`, getppid(2): whether the parent still lives. */
  getppid(): number;
  /**
   * `int sched_setaffinity(pid_t, size_t, const cpu_set_t *)`, sched_setaffinity(2): on which CPUs a thread may run. The mask has a
   * bit for each. For `cpuIds`.
   */
  sched_setaffinity(thread: number, size: number, mask: Buffer): number;
  /**
   * `int malloc_trim(size_t)`, malloc_trim(3): gives memory that the C library keeps for later back to the system, before copies have
   * it too. glibc only; elsewhere it does nothing.
   */
  malloc_trim(pad: number): number;
  /** Why the last call has failed, errno(3). */
  errno(): number;
}

export const MADV_DOFORK = 11;
export const PR_SET_PDEATHSIG = 1;
export const WNOHANG = 1;
export const SIGKILL = 9;
export const O_CLOEXEC = 0o2000000;

const signatures: Readonly<Record<Exclude<keyof Libc, 'errno' | 'malloc_trim'>, string>> = {
  fork: 'int fork()',
  madvise: 'int madvise(uint64_t address, uint64_t length, int advice)',
  uv_default_loop: 'void *uv_default_loop()',
  uv_loop_fork: 'int uv_loop_fork(void *loop)',
  _exit: 'void _exit(int code)',
  waitpid: 'int waitpid(int pid, _Out_ int *status, int options)',
  pipe2: 'int pipe2(_Out_ int *ends, int flags)',
  getsockopt: 'int getsockopt(int fd, int level, int name, _Out_ int *value, _Inout_ uint32_t *length)',
  socketpair: 'int socketpair(int domain, int type, int protocol, _Out_ int *ends)',
  dup3: 'int dup3(int from, int to, int flags)',
  prctl: 'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  getpid: 'int getpid()',
  getppid: 'int getppid()',
  sched_setaffinity: 'int sched_setaffinity(int thread, size_t size, const uint8_t *mask)',
};

/** Binds the calls. @throws Error where `koffi` is missing, or the node binary lacks one of them. */
export function loadLibc(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const program = koffi.load(null);
  const bound = Object.entries(signatures).map(([name, signature]) => [name, program.func(signature)] as const);
  let malloc_trim = (): number => 0;
  try {
    malloc_trim = program.func('int malloc_trim(size_t pad)');
  } catch {
    // Not glibc.
  }
  return { ...Object.fromEntries(bound), malloc_trim, errno: () => koffi.errno() } as unknown as Libc;
}

/**
 * Why these calls cannot be had here, as the end of a sentence; `undefined` where nothing speaks against it so far.
 *
 * @param tries Whether to bind them, which takes some 15 ms. Else it is the process that needs them which finds out.
 */
export function whyNoLibc(tries = false): string | undefined {
  if (process.platform !== 'linux') return `it needs Linux, and this is ${process.platform}`;
  if (!['x64', 'arm64'].includes(process.arch))
    return `it needs an x64 or arm64 processor, and this is ${process.arch}`;
  try {
    createRequire(import.meta.url).resolve('koffi');
  } catch {
    return 'the optional package koffi is not installed (npm install koffi)';
  }
  try {
    if (tries) loadLibc();
    return undefined;
  } catch (error) {
    return `the system calls it needs cannot be bound: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** As {@link whyNoLibc}, for copies of a process. */
export function whyNoCopies(tries = false): string | undefined {
  if (Object.isFrozen(Math))
    return "Node's flag --frozen-intrinsics keeps it from giving each worker random numbers of its own";
  return whyNoLibc(tries);
}
