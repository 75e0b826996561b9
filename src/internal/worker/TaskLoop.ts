/**
 * The loop inside a worker: takes messages, keeps the chunks that wait, and gives them to its lanes.
 *
 * Init and exit functions run alone: no lane works meanwhile, and only messages that take something away are looked at. So what happens to
 * the worker then, a timeout for instance, concerns only their call.
 */

import { SHARED } from '../protocol/ClassTable.js';
import { FromWorker, ToWorker, type MessageToWorker, type RunMessage } from '../protocol/messages.js';
import { classesOf, type PortableFunction, type PortableValue } from '../protocol/portable.js';
import { restore } from '../protocol/typed.js';
import { rebuildValue, type Rebuilt, type Task } from '../closures/rebuild.js';
import { clearImmediate, setImmediate } from '../platform/globals.js';
import { WorkerStates } from './WorkerStates.js';
import { typed, type Host, type TypedHost } from './Host.js';
import { Lane } from './Lane.js';
import type { Meter } from './Meter.js';
import type { ResultBatcher } from './ResultBatcher.js';
import type { TemplateState } from './TemplateState.js';
import { FunctionTable } from './FunctionTable.js';
import type { WorkerScope } from './TaskContext.js';

export class TaskLoop {
  readonly #host: TypedHost;
  readonly #prepared: TemplateState | undefined;
  readonly #functions: FunctionTable;
  readonly #states: WorkerStates;
  /** The first one is always there. */
  readonly #lanes: [Lane, ...Lane[]];
  readonly #queue: RunMessage[] = [];
  /** Messages that wait until an init or exit function is done. */
  #deferred: MessageToWorker[] | undefined;
  /** Chunks that were cancelled among them. */
  readonly #cancelled: number[] = [];
  #leaving = false;
  /** Whether chunks are being given to lanes: one that is done at once must not begin with that again. */
  #starting = false;
  /** Where that waits until the event loop has turned. */
  #startsLater: NodeJS.Immediate | undefined;

  /** @param prepared What was loaded before there was a worker. Told to the pool by {@link tellPrepared}. */
  constructor(host: Host, prepared?: TemplateState) {
    this.#host = typed(host);
    this.#prepared = prepared;
    this.#functions = prepared?.functions ?? new FunctionTable();
    this.#states = new WorkerStates(host.workerId);
    this.#lanes = [this.#openLane(true)];
  }

  #openLane(isFirst: boolean): Lane {
    return new Lane(this.#host, isFirst, {
      onFree: () => this.#startSoon(),
      onFailed: () => {
        for (const { chunk } of this.#queue.splice(0)) this.#stop(chunk);
      },
    });
  }

  // What concerns no chunk is told and measured by the first lane.

  get #batcher(): ResultBatcher {
    return this.#lanes[0].batcher;
  }

  get #meter(): Meter | undefined {
    return this.#lanes[0].meter;
  }

  /** Answers what was asked for before there was a worker. */
  tellPrepared(): void {
    const { shared, tasks } = this.#prepared ?? {};
    for (const [task, failure] of tasks ?? []) this.#tellDefined(task, failure);
    if (shared === undefined) return;
    if ('value' in shared) this.#useShared(shared);
    else this.#failToShare(shared.error);
  }

  /** Does what a message says. */
  receive(message: MessageToWorker): void {
    if (this.#deferred !== undefined) {
      this.#defer(this.#deferred, message);
      return;
    }
    switch (message.type) {
      case ToWorker.Define:
        this.#define(message.task, message.portable);
        break;
      case ToWorker.Forget:
        this.#functions.forget(message.task);
        this.#host.classes.forget(message.task);
        break;
      case ToWorker.Run:
        this.#queue.push(message);
        this.#startSoon();
        break;
      case ToWorker.Cancel:
        this.#cancel(message.chunk);
        break;
      case ToWorker.Reclaim:
        this.#reclaim(message.chunk);
        break;
      case ToWorker.Credit:
        this.#laneOf(message.chunk)?.credit(message.batches);
        break;
      case ToWorker.Leave:
        this.#leaving = true;
        this.#startNext();
        break;
      case ToWorker.Share:
        this.#share(message.shared);
        break;
      case ToWorker.Init:
        this.#init(message.hooks, message.init);
        break;
      case ToWorker.Exit:
        this.#exit(message.hooks, message.exit);
        break;
      case ToWorker.DropHooks:
        this.#states.drop(message.hooks);
        break;
    }
  }

  /** Sends what is finished: the worker is about to end by itself. */
  flush(): void {
    for (const lane of this.#lanes) lane.flush();
  }

  /** Ends what can be ended, without a word. */
  abort(): void {
    this.#queue.length = 0;
    for (const lane of this.#lanes) lane.cancel();
  }

  #define(task: number, portable: PortableFunction): void {
    this.#functions.define(task, portable, (failure) => {
      this.#tellDefined(task, failure);
      this.#startNext();
    });
  }

  #tellDefined(task: number, failure: { readonly error: unknown } | undefined): void {
    const load = this.#functions.get(task);
    if (load?.state === 'loaded') this.#host.classes.learn(task, classesOf(load.task));
    this.#host.post(
      failure === undefined
        ? { type: FromWorker.Defined, task }
        : { type: FromWorker.DefineFailed, task, failure: this.#batcher.failureOf(failure.error) },
    );
  }

  // --- what comes before the first task and after the last: it runs alone

  #share(portable: PortableValue): void {
    this.#deferred = [];
    rebuildValue(portable).then(
      (shared) => {
        this.#useShared(shared);
        this.#resume();
      },
      (error: unknown) => this.#failToShare(error),
    );
  }

  #useShared({ value, classes }: Rebuilt): void {
    this.#host.classes.learn(SHARED, classes);
    this.#states.share(value);
  }

  /** The worker is of no use. */
  #failToShare(error: unknown): void {
    this.#deferred = [];
    this.#host.post({ type: FromWorker.ShareFailed, failure: this.#batcher.failureOf(error) });
  }

  #init(hooks: number, init: number | undefined): void {
    if (init === undefined) {
      this.#states.add(hooks);
      return;
    }
    this.#deferred = [];
    this.#functions.whenLoaded(init, (fn) => {
      if (fn === undefined) {
        this.#resume(); // that it could not be loaded was told
        return;
      }
      this.#states.add(hooks);
      this.#meter?.beginHook();
      this.#states.call(hooks, fn, (outcome) => {
        const elapsed = this.#meter?.endHook() ?? 0;
        if ('error' in outcome) {
          this.#states.drop(hooks);
          const failure = this.#batcher.failureOf(outcome.error);
          this.#host.post({ type: FromWorker.InitFailed, hooks, failure, elapsed });
        } else {
          this.#host.post({ type: FromWorker.InitDone, hooks, elapsed });
        }
        this.#resume();
      });
    });
  }

  #exit(hooks: number, exit: number): void {
    this.#deferred = [];
    this.#functions.whenLoaded(exit, (fn) => {
      if (fn === undefined) {
        this.#resume();
        return;
      }
      this.#meter?.beginHook();
      this.#states.call(hooks, fn, (outcome) => {
        const elapsed = this.#meter?.endHook() ?? 0;
        this.#states.drop(hooks);
        this.#batcher.sendExit(hooks, outcome, elapsed);
        this.#resume();
      });
    });
  }

  #defer(deferred: MessageToWorker[], message: MessageToWorker): void {
    if (message.type === ToWorker.Reclaim) {
      this.#reclaimDeferred(deferred, message.chunk);
    } else if (message.type === ToWorker.Cancel) {
      const at = deferred.findIndex((other) => other.type === ToWorker.Run && other.chunk === message.chunk);
      // Its end is told only when the worker is free again: until then it is busy with this chunk, in the pool's eyes.
      if (at >= 0) this.#cancelled.push((deferred.splice(at, 1)[0] as RunMessage).chunk);
    } else {
      deferred.push(message);
    }
  }

  /** Others may have what waits for an init function, but for one value: a worker without any would pass for idle. */
  #reclaimDeferred(deferred: MessageToWorker[], chunk: number): void {
    const runs = deferred.filter((message) => message.type === ToWorker.Run);
    const run = runs.find((message) => message.chunk === chunk);
    if (run === undefined) return;
    if (run === runs[0]) {
      this.#shorten(run);
    } else {
      deferred.splice(deferred.indexOf(run), 1);
      this.#stop(chunk);
    }
  }

  #resume(): void {
    const deferred = this.#deferred ?? [];
    this.#deferred = undefined;
    for (const chunk of this.#cancelled.splice(0)) this.#stop(chunk);
    for (const message of deferred) this.receive(message);
  }

  // --- tasks

  /** At once in a thread of its own. */
  #startSoon(): void {
    if (this.#host.sharesThread !== true) {
      this.#startNext();
      return;
    }
    clearImmediate(this.#startsLater);
    this.#startsLater = setImmediate(() => this.#startNext());
  }

  /** Gives chunks to lanes that are free. */
  #startNext(): void {
    if (this.#starting) return;
    this.#starting = true;
    while (this.#queue.length > 0) {
      const message = this.#queue[0] as RunMessage;
      const { chunk, task, hooks, flags } = message;
      const lane = this.#freeLane(flags?.lanes ?? 1);
      if (lane === undefined) break;
      const load = this.#functions.get(task);
      if (load?.state === 'loading') break;
      this.#queue.shift(); // a few chunks at most ever wait here
      const scope = this.#states.get(hooks);
      if (load === undefined || scope === undefined) this.#stop(chunk);
      else this.#start(lane, message, load.task, scope);
      if (this.#host.sharesThread === true) break;
    }
    this.#starting = false;
    if (this.#host.sharesThread === true && this.#queue.length > 0) this.#startSoon();
    if (this.#leaving && this.#queue.length === 0 && this.#lanes.every(({ isFree }) => isFree)) this.#host.leave();
  }

  #start(lane: Lane, message: RunMessage, task: Task, scope: WorkerScope): void {
    if (message.groups !== undefined) restore(message.groups, this.#host.classes);
    lane.start(message, task, scope);
  }

  /** A lane without a chunk, where no more than `count` of them have one. */
  #freeLane(count: number): Lane | undefined {
    let free: Lane | undefined;
    let busy = 0;
    for (const lane of this.#lanes) {
      if (lane.isFree) free ??= lane;
      else busy++;
    }
    if (busy >= count) return undefined;
    if (free !== undefined) return free;
    const lane = this.#openLane(false);
    this.#lanes.push(lane);
    return lane;
  }

  #laneOf(chunk: number): Lane | undefined {
    return this.#lanes.find((lane) => lane.chunk === chunk);
  }

  #cancel(chunk: number): void {
    const lane = this.#laneOf(chunk);
    if (lane === undefined) this.#unqueue(chunk);
    else lane.cancel();
  }

  #reclaim(chunk: number): void {
    const lane = this.#laneOf(chunk);
    if (lane !== undefined) lane.release();
    else if (this.#queue[0]?.chunk === chunk && this.#lanes.every(({ isFree }) => isFree))
      this.#shorten(this.#queue[0]);
    else this.#unqueue(chunk);
  }

  /** The worker waits for something else than a call: it keeps one value, for else it would pass for idle. */
  #shorten({ chunk, values }: RunMessage): void {
    if (values.length <= 1) return;
    values.length = 1;
    this.#host.post({ type: FromWorker.Reclaimed, chunk, kept: 1 });
  }

  #stop(chunk: number): void {
    this.#host.post({ type: FromWorker.Stopped, chunk });
  }

  #unqueue(chunk: number): void {
    const at = this.#queue.findIndex((message) => message.chunk === chunk);
    if (at < 0) return; // it has ended, and the pool will have heard so
    this.#queue.splice(at, 1);
    this.#stop(chunk);
  }
}
