/**
 * Memory that processes have in common: a page without a file, made by the program and mapped by each worker process that it is
 * for. Worker threads need nothing of this, they have `SharedArrayBuffer`.
 *
 * The page and its descriptor exist while a part of it is in use. It has no name, so nothing is left of it after the
 * program.
 */

import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { SharedPlace } from '../protocol/messages.js';
import { whyNoLibc } from './libc.js';

/** A part of such memory. */
export interface SharedPart {
  readonly place: SharedPlace;
  readonly words: Int32Array;
  /** It is not used any more. */
  release(): void;
}

interface Calls {
  /** `int memfd_create(const char *, unsigned int)`, memfd_create(2): memory that has a descriptor, but no name. */
  memfd_create(name: string, flags: number): number;
  /** `void *mmap(void *, size_t, int, int, int, off_t)`, mmap(2): maps it. Returns -1, as a pointer, where that fails. */
  mmap(address: null, length: number, protection: number, flags: number, fd: number, offset: number): bigint;
  /** `int munmap(void *, size_t)`, munmap(2): and no longer. */
  munmap(address: bigint, length: number): number;
  /** `int close(int)`, close(2): for a descriptor that Node does not know. */
  close(fd: number): number;
  /** The memory at an address. */
  view(address: bigint, length: number): ArrayBuffer;
}

const MFD_CLOEXEC = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const WORD = 4;
/** How many words a page has: room for hundreds of workers. */
const PAGE_WORDS = 16_384;

interface Page {
  readonly fd: number;
  readonly address: bigint;
  readonly words: Int32Array;
  readonly free: number[];
  used: number;
}

let calls: Calls | undefined;

function bind(): Calls {
  if (calls !== undefined) return calls;
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const program = koffi.load(null);
  calls = {
    memfd_create: program.func('int memfd_create(const char *name, unsigned int flags)'),
    mmap: program.func('void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)'),
    munmap: program.func('int munmap(void *address, size_t length)'),
    close: program.func('int close(int fd)'),
    view: (address, length) => koffi.view(address, length),
  };
  return calls;
}

function map(fd: number, length: number): { readonly address: bigint; readonly words: Int32Array } {
  const { mmap, view } = bind();
  const address = mmap(null, length * WORD, PROT_READ_WRITE, MAP_SHARED, fd, 0);
  if (BigInt.asIntN(64, address) === -1n) throw new Error('Shared memory cannot be mapped.');
  return { address, words: new Int32Array(view(address, length * WORD)) };
}

/**
 * Memory without a name, by a descriptor of Node's own making: that is closed with the thread that has opened it, as those of
 * libraries are not, and closing those would be warned of in a thread. What a thread has mapped that is killed stays mapped: a page.
 */
function createDescriptor(): number {
  const { memfd_create, close } = bind();
  const fd = memfd_create('rxjs-parallel-map', MFD_CLOEXEC);
  try {
    return openSync(`/proc/self/fd/${fd}`, 'r+');
  } finally {
    close(fd);
  }
}

/** Parts of one length, each for one worker process. */
export class SharedMemory {
  readonly #length: number;
  #page: Page | undefined;
  /** Whether there can be no such memory here. */
  #isUnavailable = false;

  /** @param length Of each part, in words of 32 bits. */
  constructor(length: number) {
    this.#length = length;
  }

  /** Takes a part; `undefined` if none is left. */
  allocate(): SharedPart | undefined {
    const page = this.#open();
    const offset = page?.free.pop();
    if (page === undefined || offset === undefined) return undefined;
    page.used++;
    return {
      place: { path: `/proc/${process.pid}/fd/${page.fd}`, offset, length: this.#length },
      words: page.words.subarray(offset, offset + this.#length),
      release: () => {
        page.free.push(offset);
        if (--page.used === 0) this.#close(page);
      },
    };
  }

  #open(): Page | undefined {
    if (this.#page !== undefined || this.#isUnavailable) return this.#page;
    if (whyNoLibc() === undefined) {
      let fd = -1;
      try {
        fd = createDescriptor();
        ftruncateSync(fd, PAGE_WORDS * WORD);
        const free = Array.from({ length: PAGE_WORDS / this.#length }, (_, at) => at * this.#length).reverse();
        this.#page = { fd, ...map(fd, PAGE_WORDS), free, used: 0 };
        return this.#page;
      } catch {
        // Workers do without; see docs/architecture.md, "Claims".
        if (fd >= 0) closeSync(fd);
      }
    }
    this.#isUnavailable = true;
    return undefined;
  }

  #close(page: Page): void {
    if (this.#page === page) this.#page = undefined;
    closeSync(page.fd);
    bind().munmap(page.address, PAGE_WORDS * WORD);
  }
}

/** In a worker process: the part that the program means. @throws Error where it cannot be mapped. */
export function mapShared({ path, offset, length }: SharedPlace): Int32Array {
  const fd = openSync(path, 'r+');
  try {
    return map(fd, PAGE_WORDS).words.subarray(offset, offset + length);
  } finally {
    closeSync(fd);
  }
}
