/**
 * A worker that does what its test says: it takes down what it was sent, and answers when it is told to.
 *
 * It refuses what no worker would say: an answer about a chunk that it does not have or that has ended, a result before the function
 * is loaded or the init function is done, more results than values, a value that the pool has taken back.
 */

import type { WorkerEnd } from '../../../src/StartMethod.js';
import type { PoolLink, Prepared, WorkerEvents } from '../../../src/internal/core/StartMethod.js';
import { Claims, CLAIM_PLACES } from '../../../src/internal/protocol/claims.js';
import { encodeThrown } from '../../../src/internal/protocol/errorCodec.js';
import {
  FromWorker,
  NO_HOOKS,
  ToWorker,
  type EncodedFailure,
  type MessageFromWorker,
  type MessageToWorker,
  type RunMessage,
  type WorkerIdentity,
} from '../../../src/internal/protocol/messages.js';
import { packFromWorker, unpackToWorker } from '../../../src/internal/protocol/wire.js';
import { FakeChunk } from './FakeChunk.js';
import type { FakeClock } from './FakeClock.js';

const names = Object.fromEntries(Object.entries(ToWorker).map(([name, type]) => [type, name]));

export interface FakeWorkerSettings {
  readonly clock: FakeClock;
  readonly hasClaims: boolean;
  readonly prepared: Prepared | undefined;
  /** Whether it goes on when it is killed, or asked to leave, until its test ends it. */
  readonly isStubborn: boolean;
}

export class FakeWorker implements PoolLink {
  readonly identity: WorkerIdentity;
  readonly prepared: Prepared | undefined;
  /** What it was sent, by name: chunks with their values. */
  readonly log: string[] = [];
  /** All chunks that it was given. */
  readonly allChunks: FakeChunk[] = [];
  /** Where it claims values; `undefined` as long as the pool has not asked. */
  claimed: Claims | undefined;
  isUp = false;
  isKilled = false;
  isLeaving = false;
  hasEnded = false;
  readonly #settings: FakeWorkerSettings;
  readonly #events: WorkerEvents;
  /** The functions that it was sent, and whether it has loaded them. */
  readonly #tasks = new Map<number, 'loading' | 'loaded' | 'failed'>();
  /** The hooks that it has, and whether their init function is done. */
  readonly #hooks = new Map<number, 'initializing' | 'initialized'>();
  #init: { readonly hooks: number; readonly task: number } | undefined;
  #exit: { readonly hooks: number; readonly task: number } | undefined;

  constructor(identity: WorkerIdentity, events: WorkerEvents, settings: FakeWorkerSettings) {
    this.identity = identity;
    this.#events = events;
    this.#settings = settings;
    this.prepared = settings.prepared;
    for (const task of settings.prepared?.tasks ?? []) this.#tasks.set(task, 'loading');
  }

  get id(): number {
    return this.identity.workerId;
  }

  /** The chunks that it has, in the order in which they came. */
  get chunks(): FakeChunk[] {
    return this.allChunks.filter(({ isOpen }) => isOpen);
  }

  /** The first of them. */
  get chunk(): FakeChunk {
    const [chunk] = this.chunks;
    if (chunk === undefined) throw new Error(`Worker ${this.id} has no chunk.`);
    return chunk;
  }

  get isInInit(): boolean {
    return this.#init !== undefined;
  }

  get isInExit(): boolean {
    return this.#exit !== undefined;
  }

  /** The values of the chunks that it has. */
  get values(): unknown[][] {
    return this.chunks.map(({ values }) => values);
  }

  // --- what it says

  /** It is up. */
  ready(): this {
    if (this.isUp) throw new Error('It is up already.');
    this.isUp = true;
    this.tell({ type: FromWorker.Ready });
    return this;
  }

  /** It has loaded its functions: that one, or all that it has not loaded. */
  defined(task?: number): this {
    for (const id of this.#loading(task)) {
      this.#tasks.set(id, 'loaded');
      this.tell({ type: FromWorker.Defined, task: id });
    }
    return this;
  }

  /** A function cannot be loaded: the last one that it was sent, or that one. What waits for it is given back. */
  defineFailed(error: unknown, task = this.#loading().at(-1) as number): this {
    this.#tasks.set(task, 'failed');
    this.tell({ type: FromWorker.DefineFailed, task, failure: failureOf(error) });
    for (const chunk of this.chunks) if (chunk.message.task === task) chunk.stopped();
    return this;
  }

  /** What all calls share cannot be rebuilt. */
  shareFailed(error: unknown): this {
    this.tell({ type: FromWorker.ShareFailed, failure: failureOf(error) });
    return this;
  }

  /** The init function is done. */
  initDone(): this {
    const { hooks } = this.#endInit();
    this.#hooks.set(hooks, 'initialized');
    this.tell({ type: FromWorker.InitDone, hooks, elapsed: 0 });
    return this;
  }

  /** The init function has failed: what waits for it is given back. */
  initFailed(error: unknown): this {
    const { hooks } = this.#endInit();
    this.#hooks.delete(hooks);
    this.tell({ type: FromWorker.InitFailed, hooks, failure: failureOf(error), elapsed: 0 });
    for (const chunk of this.chunks) if (chunk.message.hooks === hooks) chunk.stopped();
    return this;
  }

  exitDone(result?: unknown): this {
    this.tell({ type: FromWorker.ExitDone, hooks: this.#endExit(), result, elapsed: 0 });
    return this;
  }

  /** Its exit function is done, if it is in one, as it is in most tests that are not about that. */
  exits(result?: unknown): void {
    if (this.isInExit) this.exitDone(result);
  }

  exitFailed(error: unknown): this {
    this.tell({ type: FromWorker.ExitFailed, hooks: this.#endExit(), failure: failureOf(error), elapsed: 0 });
    return this;
  }

  /** It cannot claim values. */
  claimFailed(): this {
    this.tell({ type: FromWorker.ClaimFailed });
    return this;
  }

  /** An error that nobody has caught. Its end follows. */
  fatal(error: unknown): this {
    this.tell({ type: FromWorker.Fatal, thrown: encodeThrown(error, () => true) });
    return this;
  }

  /** It has ended. */
  ends({ exitCode = null, signal = null, error }: Partial<WorkerEnd> = {}): void {
    if (this.hasEnded) throw new Error('It has ended already.');
    this.hasEnded = true;
    this.#events.exit({ exitCode, signal, ...(error === undefined ? {} : { error }) });
    this.#settings.clock.runMicrotasks();
  }

  /** Says something, as it comes: only for what there is no method for. */
  tell(message: MessageFromWorker): void {
    if (this.hasEnded) throw new Error('It has ended.');
    if (!this.isUp) throw new Error('It is not up.');
    this.#events.message(packFromWorker(message));
    this.#settings.clock.runMicrotasks();
  }

  /** What has to be done before it can say something of a chunk's tasks. */
  prepareFor({ task, hooks }: RunMessage): void {
    if (this.#tasks.get(task) === undefined) throw new Error('It was not sent the function.');
    if (this.#tasks.get(task) === 'failed') throw new Error('It could not load the function.');
    if (hooks !== NO_HOOKS && this.#hooks.get(hooks) !== 'initialized') {
      throw new Error('The init function of the call is not done.');
    }
    this.defined();
  }

  /** How many chunks it runs at once. */
  isRunning(chunk: FakeChunk): boolean {
    return this.chunks.indexOf(chunk) < (chunk.message.flags?.lanes ?? 1);
  }

  // --- what it is sent

  send(message: readonly unknown[], transfer?: readonly object[]): void {
    if (this.hasEnded || this.isKilled) return;
    this.#receive(unpackToWorker(message), transfer);
  }

  claims(): Claims | undefined {
    if (!this.#settings.hasClaims) return undefined;
    this.claimed ??= new Claims(new Int32Array(new SharedArrayBuffer(4 * CLAIM_PLACES)));
    return this.claimed;
  }

  kill(): void {
    this.isKilled = true;
    this.log.push('kill');
    if (!this.#settings.isStubborn)
      this.#settings.clock.setImmediate(() => this.hasEnded || this.ends({ exitCode: 1 }));
  }

  #receive(message: MessageToWorker, transfer: readonly object[] | undefined): void {
    this.log.push(describe(message));
    switch (message.type) {
      case ToWorker.Define:
        this.#tasks.set(message.task, 'loading');
        return;
      case ToWorker.Forget:
        this.#tasks.delete(message.task);
        return;
      case ToWorker.Run: {
        // Throws what the real ones throw, too.
        const values = structuredClone(message.values, { transfer: (transfer ?? []) as never });
        this.allChunks.push(new FakeChunk(this, { ...message, values }));
        return;
      }
      case ToWorker.Init:
        this.#hooks.set(message.hooks, message.init === undefined ? 'initialized' : 'initializing');
        if (message.init !== undefined) this.#init = { hooks: message.hooks, task: message.init };
        return;
      case ToWorker.Exit:
        this.#exit = { hooks: message.hooks, task: message.exit };
        return;
      case ToWorker.DropHooks:
        this.#hooks.delete(message.hooks);
        return;
      case ToWorker.Share:
      case ToWorker.Claim:
        return;
      case ToWorker.Leave:
        this.isLeaving = true;
        if (this.#settings.isStubborn) return;
        this.#settings.clock.setImmediate(() => this.hasEnded || this.chunks.length > 0 || this.ends({ exitCode: 0 }));
        return;
      case ToWorker.Cancel:
      case ToWorker.Reclaim:
      case ToWorker.Credit:
        this.allChunks.find(({ id }) => id === message.chunk)?.hear(message);
    }
  }

  #loading(task?: number): number[] {
    if (task !== undefined) return [task];
    return [...this.#tasks].filter(([, state]) => state === 'loading').map(([id]) => id);
  }

  #endInit(): { readonly hooks: number } {
    const init = this.#init;
    if (init === undefined) throw new Error('It is in no init function.');
    if (this.#tasks.get(init.task) !== 'loaded') this.defined(init.task);
    this.#init = undefined;
    return init;
  }

  #endExit(): number {
    const exit = this.#exit;
    if (exit === undefined) throw new Error('It is in no exit function.');
    if (this.#tasks.get(exit.task) !== 'loaded') this.defined(exit.task);
    this.#exit = undefined;
    this.#hooks.delete(exit.hooks);
    return exit.hooks;
  }
}

export function failureOf(error: unknown): EncodedFailure {
  return { kind: 'thrown', thrown: encodeThrown(error, () => true) };
}

function describe(message: MessageToWorker): string {
  const name = names[message.type] as string;
  if (message.type === ToWorker.Run) return `${name} ${JSON.stringify(message.values)}`;
  return 'chunk' in message ? `${name} #${message.chunk}` : name;
}
