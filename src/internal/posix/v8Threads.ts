/**
 * The thread that V8 gives work to, for a copy made by `fork`, which has none. Even with `--single-threaded` there is such work: from
 * WebAssembly, of which `fetch` has some, and since V8 14 from each small garbage collection. What is not done of it stays in memory
 * (measured in Node 26: 220 bytes for each small collection), and a thread that a task has started never ends, as it waits for it.
 *
 * Node keeps the work in a queue with threads of its own, a `WorkerThreadsTaskRunner`, to which its platform points. A copy makes another
 * one, whose constructor starts the threads, and has the platform point to that. None of this is an API of Node. So each object is
 * known by its table of virtual functions, which the node binary names, memory is read and written by the kernel, which fails where
 * there is none, and where anything is not as expected all stays as it is: docs/fork.md says what a copy then cannot do. The alternatives
 * were worse: threads that never end after a `fetch`, or guessing from outside whether a thread has work left.
 */

import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
import { setTimeout } from '../platform/globals.js';

/** `node::per_process::v8_platform`: has a pointer to the platform. */
const HOLDER = '_ZN4node11per_process11v8_platformE';
/** `vtable for node::NodePlatform` */
const PLATFORM = '_ZTVN4node12NodePlatformE';
/** `vtable for std::_Sp_counted_ptr_inplace<node::WorkerThreadsTaskRunner, …>`: what counts the pointers to the runner. As compilers differ. */
const counters = ['SaIvE', 'SaIS1_E'].map(
  (allocator) =>
    `_ZTVSt23_Sp_counted_ptr_inplaceIN4node23WorkerThreadsTaskRunnerE${allocator}LN9__gnu_cxx12_Lock_policyE2EE`,
);
/** `WorkerThreadsTaskRunner::WorkerThreadsTaskRunner(int threads, PlatformDebugLogLevel)`, in `node`; in Node 20 without the second. */
const CONSTRUCT =
  'void _ZN4node23WorkerThreadsTaskRunnerC1EiNS_21PlatformDebugLogLevelE(uint64_t runner, int threads, int level)';
const CONSTRUCT_20 = 'void _ZN4node23WorkerThreadsTaskRunnerC1Ei(uint64_t runner, int threads)';
/** `void *calloc(size_t, size_t)`, calloc(3): where the runner is made. */
const ALLOCATE = 'uint64_t calloc(size_t count, size_t size)';

/** In an object its table comes first, and points behind two words of it; a counter is followed by what it counts for. */
const BEHIND = 16n;
const WORD = 8;
/** The memory of this process, as a file. */
const MEMORY = '/proc/self/mem';
/** How many words of an object are searched for a pointer: the one to the runner was at 16 or before. */
const SEARCHED = 32;
/** Bytes. A runner has some 500. */
const ROOM = 8192;
const THREADS = 1;
const NO_LOG = 0;

/** An event loop has four, and {@link MEMORY} is open meanwhile. */
const DESCRIPTORS = 8;

/** After how many milliseconds a copy gets the threads: starting them takes 0.4 ms, which one that lives for less does not need. */
const LATER = 1000;

export class V8Threads {
  /** How to start them; nothing where they cannot be had, or are there. */
  #start = findStart();
  #isCopy = false;

  /**
   * Before there are copies, and before any code of the user: finds out how to start the threads, so that a copy does not have to begin
   * with that, and has `Worker` of `node:worker_threads` start them. What Node tells of a new thread, on its diagnostics channel, comes when
   * that runs already: it may come to its end first, and then waits for the queue of before.
   */
  constructor() {
    if (this.#start === undefined) return;
    const { Worker } = threads;
    threads.Worker = new Proxy(Worker, {
      construct: (target, args, newTarget) => {
        if (this.#isCopy) this.start();
        return Reflect.construct(target, args, newTarget) as threads.Worker;
      },
    });
    Worker.prototype.constructor = threads.Worker;
    syncBuiltinESMExports();
  }

  /** In a copy: they are needed from the user's first thread on, and before it. */
  enter(): void {
    this.#isCopy = true;
  }

  /** In a copy that has done its first work: they will be needed if it lives on. A copy's first timer takes 0.2 ms. */
  startLater(): void {
    if (this.#start === undefined) return;
    setTimeout(() => {
      this.start();
      this.startLater();
    }, LATER).unref();
  }

  /** Starts them, once. Not while there are too many open files: Node ends a process that cannot have what its threads need. */
  start(): void {
    const start = this.#start;
    if (start === undefined || !areFree(DESCRIPTORS)) return;
    this.#start = undefined;
    try {
      start();
    } catch {
      // Such as a task that has become another user, which may not write to this memory: then there are none.
    }
  }
}

function areFree(descriptors: number): boolean {
  const open: number[] = [];
  try {
    while (open.length < descriptors) open.push(openSync(MEMORY, 'r'));
    return true;
  } catch {
    return false;
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}

function findStart(): (() => void) | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const program = koffi.load(null);
    const addressOf = (name: string): bigint => koffi.address(program.symbol(name, 'uint64_t'));
    const allocate = program.func(ALLOCATE);
    const construct = firstOf([CONSTRUCT, CONSTRUCT_20], (signature) => {
      const bound = program.func(signature);
      return (runner: bigint) =>
        void (signature === CONSTRUCT ? bound(runner, THREADS, NO_LOG) : bound(runner, THREADS));
    });
    const place = placeOfRunner(addressOf(HOLDER), addressOf(PLATFORM), firstOf(counters, addressOf));
    if (place === undefined) return undefined;
    writeWord(place, () => readWord(place)); // whether that can be done at all
    return () =>
      writeWord(place, () => {
        const runner = BigInt(allocate(1, ROOM) as bigint | number);
        construct(runner);
        return runner;
      });
  } catch {
    return undefined; // such as a node binary of another build, which does not have these names
  }
}

/** What the first name gives for which there is something. @throws Error where there is none. */
function firstOf<T>(names: readonly string[], find: (name: string) => T): T {
  const [name, ...others] = names as [string, ...string[]];
  try {
    return find(name);
  } catch (error) {
    if (others.length === 0) throw error;
    return firstOf(others, find);
  }
}

/** Where the platform keeps the address of its runner. */
function placeOfRunner(holder: bigint, platformTable: bigint, counterTable: bigint): bigint | undefined {
  const isOf = (object: bigint, table: bigint): boolean => readWord(object) === table + BEHIND;
  for (const platform of wordsOf(holder)) {
    if (!isOf(platform, platformTable)) continue;
    const words = wordsOf(platform);
    const at = words.findIndex((word, i) => i > 0 && word + BEHIND === words[i - 1] && isOf(word, counterTable));
    if (at > 0) return platform + BigInt((at - 1) * WORD);
  }
  return undefined;
}

/** The words of an object, and perhaps some of what comes behind it. */
function wordsOf(object: bigint): bigint[] {
  return Array.from({ length: SEARCHED }, (_, i) => readWord(object + BigInt(i * WORD)));
}

/** @returns 0 where there is no memory. */
function readWord(address: bigint): bigint {
  const word = new BigUint64Array(1);
  const memory = openSync(MEMORY, 'r');
  try {
    readSync(memory, word, 0, WORD, address);
  } catch {
    // Not an address.
  } finally {
    closeSync(memory);
  }
  return word[0] as bigint;
}

/** @param make Makes the word, if memory can be written. */
function writeWord(address: bigint, make: () => bigint): void {
  const memory = openSync(MEMORY, 'r+');
  try {
    const word = make();
    // Of other positions than numbers `writeSync` knows nothing, and addresses have no more than 48 bits.
    writeSync(memory, new BigUint64Array([word]), 0, WORD, Number(address));
  } finally {
    closeSync(memory);
  }
}
