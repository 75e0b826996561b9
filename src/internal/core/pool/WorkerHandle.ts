/** One worker's life, as the pool sees it: `starting → ready → leaving → ended`, and from each of them `killed → ended`. */

import { clearTimeout, now, setTimeout } from '../../platform/globals.js';
import { decodeThrown } from '../../protocol/decodeThrown.js';
import {
  FromWorker,
  ToWorker,
  type MessageFromWorker,
  type MessageToWorker,
  type WorkerIdentity,
} from '../../protocol/messages.js';
import { ClassTable } from '../../protocol/ClassTable.js';
import { classesOf } from '../../protocol/portable.js';
import { pack, unpack } from '../../protocol/typed.js';
import type { WorkerEnd } from '../../../StartMethod.js';
import type { PoolLink, PoolStartMethod, Traffic } from '../StartMethod.js';
import type { WorkerResources } from '../../../options.js';
import { runInRootContext } from '../../platform/asyncContext.js';
import type { Chunk } from '../job/Chunk.js';
import { ClaimBook } from './ClaimBook.js';
import { publishExit, publishStart, publishTaskError, type WorkerMessage } from '../../observe/diagnostics.js';
import type { WorkerHooks } from './WorkerHooks.js';
import type { WorkerFunctionOption } from './failures.js';
import type { TaskRecord } from './TaskRegistry.js';

export type WorkerState = 'starting' | 'ready' | 'leaving' | 'killed' | 'ended';

const transitions: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  starting: ['ready', 'leaving', 'killed', 'ended'],
  ready: ['leaving', 'killed', 'ended'],
  leaving: ['killed', 'ended'],
  killed: ['ended'],
  ended: [],
};

/** A worker that was asked to leave has so many milliseconds before it is killed. */
const LEAVE_TIME = 5000;
/** A killed worker that has not ended after so many milliseconds is in native code that nothing can interrupt. */
export const KILL_TIME = 5000;

/** What the scheduler hears from a worker. */
export interface WorkerListener {
  onReady(worker: WorkerHandle): void;
  onMessage(worker: WorkerHandle, message: MessageFromWorker): void;
  /** `before` is the state in which the end came. */
  onEnd(worker: WorkerHandle, before: WorkerState, end: WorkerEnd): void;
}

export class WorkerHandle {
  readonly id: number;
  readonly startedAt = now();
  /** The chunks that the worker has: what it works on, and those ahead. */
  readonly chunks: Chunk[] = [];
  /** The hooks that the worker has, or is about to have. */
  readonly hooks = new Map<WorkerHooks, 'initializing' | 'initialized'>();
  /** Those of them that it is to end as soon as it has no chunk. */
  readonly exitsDue: WorkerHooks[] = [];
  /** The one whose exit function runs: the worker is busy with that. */
  exiting: WorkerHooks | undefined;
  /** How many tasks it was given in its life, without those that it gave back. */
  assigned = 0;
  /** Whether it is to leave as soon as it has no chunk and no hooks. */
  isRetiring = false;
  /** The classes that the worker has, too. */
  readonly classes = new ClassTable();
  /** Whether the worker has outlived its own end: it hangs in native code. */
  abandoned = false;
  /** An error that nobody caught, told by the worker just before its end. */
  fatal: { readonly error: unknown } | undefined;

  readonly #listener: WorkerListener;
  readonly #link: PoolLink;
  readonly #strategy: PoolStartMethod;
  readonly #tasks = new Map<number, 'loading' | 'loaded'>();
  readonly #onEnded: (() => void)[] = [];
  readonly #told: WorkerMessage;
  #state: WorkerState = 'starting';
  #overdue: NodeJS.Timeout | undefined;
  #claimBook: ClaimBook | undefined;
  #hasAskedForClaims = false;

  /** Starts the worker. @throws what the start method throws. */
  constructor(
    identity: WorkerIdentity,
    resources: WorkerResources,
    strategy: PoolStartMethod,
    listener: WorkerListener,
  ) {
    this.id = identity.workerId;
    this.#listener = listener;
    this.#strategy = strategy;
    this.#link = runInRootContext(() =>
      strategy.start(identity, resources, {
        message: (message) => this.#receive(unpack(message, this.classes)),
        exit: (end) => this.#end(end),
      }),
    );
    for (const task of this.#link.prepared?.tasks ?? []) this.#tasks.set(task, 'loading');
    this.#told = publishStart(this.id, strategy.name);
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Whether the worker has what the pool's calls share. */
  get hasShared(): boolean {
    return this.#link.prepared?.shared === true;
  }

  /** How many bytes the worker was sent and has sent, where anybody knows. */
  get traffic(): Traffic | undefined {
    return this.#link.traffic;
  }

  /** How many of its chunks, from the first one on, the worker runs at once. */
  get running(): number {
    return Math.min(this.chunks.length, this.chunks[0]?.job.call.tasksPerWorker ?? 0);
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

  /** Whether the worker may be given more: nothing is to come between its chunks and what it has to end. */
  get takesMore(): boolean {
    return this.#state === 'ready' && !this.isRetiring && this.exitsDue.length === 0;
  }

  /** Whether the init function of the hooks runs. */
  isInitializing(hooks: WorkerHooks | undefined): boolean {
    return hooks !== undefined && this.hooks.get(hooks) === 'initializing';
  }

  /** The option whose function runs in it, so that what happens to it now is that one's fault. */
  get runningOption(): WorkerFunctionOption | undefined {
    const { exiting } = this;
    if (exiting?.exit !== undefined) return this.hasLoaded(exiting.exit.id) ? 'workerExit' : undefined;
    const begins = [...this.hooks].some(
      ([{ init }, state]) => state === 'initializing' && init !== undefined && this.hasLoaded(init.id),
    );
    return begins ? 'workerInit' : undefined;
  }

  /** Whether the worker has loaded a function, so that what happens to it now is not the loading's fault. */
  hasLoaded(task: number): boolean {
    return this.#tasks.get(task) === 'loaded';
  }

  /** Makes sure that a function is, or will be, loaded before the next chunk. */
  define({ id, portable }: TaskRecord): void {
    this.classes.learn(id, classesOf(portable));
    if (this.#tasks.has(id)) return;
    this.send([ToWorker.Define, id, portable]);
    this.#tasks.set(id, 'loading');
  }

  forget(task: number): void {
    this.classes.forget(task);
    if (this.#tasks.delete(task)) this.send([ToWorker.Forget, task]);
  }

  send(message: MessageToWorker, transfer?: readonly object[]): void {
    const { channel, isLocal } = this.#strategy;
    this.#link.send(isLocal === true ? message : pack(message, channel, this.classes, transfer), transfer);
  }

  /** Says, to whoever watches, that a task has failed here. */
  publishError(index: number, error: unknown): void {
    publishTaskError(this.#told, index, error);
  }

  /** Lets the worker leave by itself. */
  leave(): void {
    if (this.#state !== 'starting' && this.#state !== 'ready') return;
    this.#become('leaving');
    this.send([ToWorker.Leave]);
    this.#overdue = setTimeout(() => this.kill(), LEAVE_TIME);
    this.#overdue.unref();
  }

  /** Ends the worker, whatever it is doing. */
  kill(): void {
    if (this.#state === 'killed' || this.#state === 'ended') return;
    this.#become('killed');
    clearTimeout(this.#overdue);
    this.#overdue = setTimeout(() => {
      this.abandoned = true;
      this.#end({ exitCode: null, signal: null });
    }, KILL_TIME);
    this.#overdue.unref();
    this.#link.kill();
  }

  /** Calls back once the worker has ended; at once where it has. */
  whenEnded(callback: () => void): void {
    if (this.#state === 'ended') callback();
    else this.#onEnded.push(callback);
  }

  #receive(message: MessageFromWorker): void {
    if (this.#state === 'killed' || this.#state === 'ended') return; // nobody wants to know any more
    switch (message[0]) {
      case FromWorker.Ready:
        if (this.#state !== 'starting') return; // it was asked to leave meanwhile
        this.#become('ready');
        this.#listener.onReady(this);
        return;
      case FromWorker.Fatal:
        this.fatal = { error: decodeThrown(message[1]) };
        return;
      case FromWorker.Defined:
        this.#tasks.set(message[1], 'loaded');
        break;
      case FromWorker.DefineFailed:
        this.#tasks.delete(message[1]);
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
    clearTimeout(this.#overdue);
    publishExit(this.#told, end);
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
