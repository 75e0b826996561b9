/** One worker's life, as the pool sees it: `starting → ready → leaving → ended`, and from each of them `killed → ended`. */

import type { PoolSettings } from '../../../options.js';
import type { WorkerEnd } from '../../../StartMethod.js';
import { decodeThrown } from '../../protocol/decodeThrown.js';
import {
  FromWorker,
  ToWorker,
  type MessageFromWorker,
  type MessageToWorker,
  type WorkerIdentity,
} from '../../protocol/messages.js';
import { ClassTable, SHARED } from '../../protocol/ClassTable.js';
import { classesOf, type PortableValue } from '../../protocol/portable.js';
import { pack, unpack } from '../../protocol/typed.js';
import { packToWorker, unpackFromWorker } from '../../protocol/wire.js';
import type { Chunk } from '../job/Chunk.js';
import type { Job } from '../job/Job.js';
import type { Platform, Timer } from '../Platform.js';
import type { PoolLink, PoolStartMethod, Traffic } from '../StartMethod.js';
import { ClaimBook } from './ClaimBook.js';
import type { WorkerFunctionOption } from './failures.js';
import { HookState } from './HookState.js';
import type { TaskRecord } from './TaskRegistry.js';
import type { WorkerHooks } from './WorkerHooks.js';

export type WorkerState = 'starting' | 'ready' | 'leaving' | 'killed' | 'ended';

const transitions: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  starting: ['ready', 'leaving', 'killed', 'ended'],
  ready: ['leaving', 'killed', 'ended'],
  leaving: ['killed', 'ended'],
  killed: ['ended'],
  ended: [],
};

/** A worker that was asked to leave is killed after this time, in milliseconds. */
const LEAVE_TIME = 5000;
/** A killed worker that has not ended after this time, in milliseconds, is in native code that nothing can interrupt. */
export const KILL_TIME = 5000;

/** A chunk that a worker has. */
export interface Assignment {
  readonly chunk: Chunk;
  /** When it was sent, or last heard of, in milliseconds. */
  readonly heardAt: number;
  /** Whether its results are not wanted. */
  readonly isCancelled: boolean;
  /** Whether what is not started of it was asked back. */
  readonly isReclaimed: boolean;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the pool hears from a worker. */
export interface WorkerListener {
  onReady(worker: WorkerHandle): void;
  onMessage(worker: WorkerHandle, message: MessageFromWorker): void;
  /** More workers can be started than before. */
  onMoreAvailable(): void;
  /** `before` is the state in which the end came. */
  onEnd(worker: WorkerHandle, before: WorkerState, end: WorkerEnd): void;
}

export class WorkerHandle {
  readonly id: number;
  readonly startedAt: number;
  readonly hooks = new HookState();
  /** The classes that the worker has, too. */
  readonly classes = new ClassTable();

  readonly #platform: Platform;
  readonly #listener: WorkerListener;
  readonly #link: PoolLink;
  readonly #startMethod: PoolStartMethod;
  /** The functions that it has. */
  readonly #tasks = new Map<number, 'loading' | 'loaded'>();
  readonly #onEnded: (() => void)[] = [];
  readonly #assignments: Writable<Assignment>[] = [];
  #job: Job | undefined;
  #assigned = 0;
  #isRetiring = false;
  #state: WorkerState = 'starting';
  #isAbandoned = false;
  #fatal: { readonly error: unknown } | undefined;
  #overdue: Timer | undefined;
  #claimBook: ClaimBook | undefined;
  #hasAskedForClaims = false;

  /** Starts the worker. @throws what the start method throws. */
  constructor(
    identity: WorkerIdentity,
    settings: PoolSettings,
    startMethod: PoolStartMethod,
    platform: Platform,
    listener: WorkerListener,
  ) {
    this.id = identity.workerId;
    this.#platform = platform;
    this.#listener = listener;
    this.#startMethod = startMethod;
    this.startedAt = platform.now();
    this.#link = platform.runInRootContext(() =>
      startMethod.start(identity, settings, {
        message: (message) => this.#receive(unpackFromWorker(unpack(message, this.classes))),
        exit: (end) => this.#end(end),
      }),
    );
    for (const task of this.#link.prepared?.tasks ?? []) this.#tasks.set(task, 'loading');
    this.#watchStart(settings.startTimeout);
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Whether the worker has outlived its own end: it hangs in native code. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** An uncaught error, told by the worker just before its end. */
  get fatal(): { readonly error: unknown } | undefined {
    return this.#fatal;
  }

  /** How many bytes the worker was sent and has sent, where that is known. */
  get traffic(): Traffic | undefined {
    return this.#link.traffic;
  }

  // --- chunks

  /** What the worker works on, and what it has ahead. */
  get assignments(): readonly Assignment[] {
    return this.#assignments;
  }

  /** The job of all its chunks; `undefined` where it has none. */
  get job(): Job | undefined {
    return this.#job;
  }

  /** How many tasks it was given in its life, without those that it gave back. */
  get assigned(): number {
    return this.#assigned;
  }

  /** How many of its chunks, from the first one on, the worker runs at once. */
  get running(): number {
    return Math.min(this.#assignments.length, this.#job?.call.tasksPerWorker ?? 0);
  }

  /** The chunk of that number, which mostly is the first one. */
  find(id: number): Assignment | undefined {
    const [first] = this.#assignments;
    return first?.chunk.id === id ? first : this.#assignments.find(({ chunk }) => chunk.id === id);
  }

  has(chunk: Chunk): boolean {
    return this.#assignments.some((assignment) => assignment.chunk === chunk);
  }

  assign(job: Job, chunk: Chunk, time: number): void {
    this.#job = job;
    this.#assigned += chunk.values.length;
    this.#assignments.push({ chunk, heardAt: time, isCancelled: false, isReclaimed: false });
  }

  /** The worker has begun fewer of the tasks that it was assigned. */
  unassign(count: number): void {
    this.#assigned -= count;
  }

  /** The worker is through with a chunk. */
  remove(chunk: Chunk): void {
    this.#assignments.splice(
      this.#assignments.findIndex((assignment) => assignment.chunk === chunk),
      1,
    );
    const [next] = this.#assignments;
    if (next === undefined) this.#job = undefined;
    else next.heardAt = this.#platform.now();
  }

  /** All its chunks, which it has no longer. */
  removeAll(): Assignment[] {
    this.#job = undefined;
    return this.#assignments.splice(0);
  }

  /** The worker has told something of a chunk. */
  hear(assignment: Assignment): void {
    (assignment as Writable<Assignment>).heardAt = this.#platform.now();
  }

  /** The results of a chunk are no longer wanted. @param tells Whether to tell the worker; not needed if it is about to be killed. */
  cancel(chunk: Chunk, tells = true): void {
    const assignment = this.#assignments.find((other) => other.chunk === chunk);
    if (assignment === undefined || assignment.isCancelled) return;
    assignment.isCancelled = true;
    if (tells) this.send({ type: ToWorker.Cancel, chunk: chunk.id });
  }

  /**
   * Takes back what is not started of a chunk, but for the first `least` values.
   *
   * @returns How many values the worker keeps; `undefined` where it was asked, and has to answer first.
   */
  reclaim(assignment: Assignment, least: number): number | undefined {
    const { chunk } = assignment;
    (assignment as Writable<Assignment>).isReclaimed = true;
    const kept = this.#claimBook?.limit(chunk, least);
    if (kept === undefined) this.send({ type: ToWorker.Reclaim, chunk: chunk.id });
    return kept;
  }

  /** Where the values of its chunks are claimed; `undefined` where they are not. */
  get claimBook(): ClaimBook | undefined {
    return this.#claimBook;
  }

  /** From here on the values of its chunks are claimed, if that can be. */
  beginClaims(): ClaimBook | undefined {
    if (this.#claimBook !== undefined || this.#hasAskedForClaims) return this.#claimBook;
    this.#hasAskedForClaims = true;
    const claims = this.#link.claims?.();
    if (claims !== undefined) this.#claimBook = new ClaimBook(claims);
    return this.#claimBook;
  }

  // --- functions

  /** Whether the worker may be given more: nothing comes between its chunks and what it has to end. */
  get takesMore(): boolean {
    return this.#state === 'ready' && !this.#isRetiring && this.hooks.nextExit === undefined;
  }

  /** Whether the init function of these hooks runs. */
  isInitializing(hooks: WorkerHooks | undefined): boolean {
    return hooks !== undefined && this.hooks.isInitializing(hooks);
  }

  /** The option whose function runs in it, so that what happens to it now is the fault of that one. */
  get runningOption(): WorkerFunctionOption | undefined {
    const { exiting } = this.hooks;
    if (exiting?.exit !== undefined) return this.hasLoaded(exiting.exit.id) ? 'workerExit' : undefined;
    const init = this.hooks.initializing?.init;
    return init !== undefined && this.hasLoaded(init.id) ? 'workerInit' : undefined;
  }

  /** Whether the worker has loaded a function, so that what happens to it now is not the fault of loading. */
  hasLoaded(task: number): boolean {
    return this.#tasks.get(task) === 'loaded';
  }

  /** Makes sure that a function is, or will be, loaded before the next chunk. */
  define({ id, portable }: TaskRecord): void {
    this.classes.learn(id, classesOf(portable));
    if (this.#tasks.has(id)) return;
    this.send({ type: ToWorker.Define, task: id, portable });
    this.#tasks.set(id, 'loading');
  }

  /** Makes sure that the worker has what the pool's calls share. */
  share(shared: PortableValue): void {
    this.classes.learn(SHARED, classesOf(shared));
    if (this.#link.prepared?.shared !== true) this.send({ type: ToWorker.Share, shared });
  }

  forget(task: number): void {
    this.classes.forget(task);
    if (this.#tasks.delete(task)) this.send({ type: ToWorker.Forget, task });
  }

  send(message: MessageToWorker, transfer?: readonly object[]): void {
    const { channel, isLocal } = this.#startMethod;
    const packed = packToWorker(message);
    this.#link.send(isLocal === true ? packed : pack(packed, channel, this.classes, transfer), transfer);
  }

  // --- its end

  /** Whether it is to leave as soon as it has no chunk and no hooks. */
  get isRetiring(): boolean {
    return this.#isRetiring;
  }

  retire(): void {
    this.#isRetiring = true;
  }

  /** Lets the worker leave by itself. */
  leave(): void {
    if (this.#state !== 'starting' && this.#state !== 'ready') return;
    this.#become('leaving');
    this.#platform.clearTimeout(this.#overdue);
    this.send({ type: ToWorker.Leave });
    this.#overdue = this.#platform.setTimeout(() => this.kill(), LEAVE_TIME);
  }

  /** Ends the worker, whatever it is doing. */
  kill(): void {
    if (this.#state === 'killed' || this.#state === 'ended') return;
    this.#become('killed');
    this.#platform.clearTimeout(this.#overdue);
    this.#overdue = this.#platform.setTimeout(() => {
      this.#isAbandoned = true;
      this.#end({ exitCode: null, signal: null });
    }, KILL_TIME);
    this.#link.kill();
  }

  /** Calls back once the worker has ended; at once where it has. */
  whenEnded(callback: () => void): void {
    if (this.#state === 'ended') callback();
    else this.#onEnded.push(callback);
  }

  #watchStart(timeout: number): void {
    if (timeout === Infinity) return;
    this.#overdue = this.#platform.setTimeout(() => {
      if (this.#link.isLoading === true) {
        this.#watchStart(timeout);
        return;
      }
      const error = new Error(`it has not come up within ${timeout} ms, the option "startTimeout"`);
      if (this.#link.giveUp === undefined) this.#link.kill();
      else this.#link.giveUp(error);
      this.#end({ exitCode: null, signal: null, error });
    }, timeout);
  }

  #receive(message: MessageFromWorker): void {
    if (this.#state === 'killed' || this.#state === 'ended') return; // too late
    switch (message.type) {
      case FromWorker.Ready:
        if (this.#state !== 'starting') return; // it was asked to leave meanwhile
        this.#platform.clearTimeout(this.#overdue);
        this.#become('ready');
        this.#listener.onReady(this);
        return;
      case FromWorker.Fatal:
        this.#fatal = { error: decodeThrown(message.thrown) };
        return;
      case FromWorker.Defined:
        this.#tasks.set(message.task, 'loaded');
        break;
      case FromWorker.DefineFailed:
        this.#tasks.delete(message.task);
        break;
      case FromWorker.ClaimFailed:
        this.#claimBook = undefined;
        return;
    }
    this.#listener.onMessage(this, message);
  }

  #end(end: WorkerEnd): void {
    if (this.#state === 'ended') return; // an abandoned one has ended after all
    const before = this.#state;
    this.#become('ended');
    this.#platform.clearTimeout(this.#overdue);
    this.#listener.onEnd(this, before, end);
    for (const callback of this.#onEnded.splice(0)) callback();
  }

  #become(next: WorkerState): void {
    if (!transitions[this.#state].includes(next)) {
      throw new Error(`A worker cannot become ${next} when it is ${this.#state}.`);
    }
    this.#state = next;
  }
}
