/**
 * The loop inside a worker: takes messages, keeps the chunks that wait, and gives them to its lanes.
 *
 * What comes before the first task of a call and after its last runs alone: no lane works then, and no message is looked at but
 * those that take something away.
 */

import {
  FromWorker,
  ToWorker,
  Typed,
  type Group,
  type MessageToWorker,
  type RunMessage,
  type Sent,
} from '../protocol/messages.js';
import { classesOf, type PortableFunction, type PortableValue } from '../protocol/portable.js';
import { restore } from '../protocol/typed.js';
import { rebuildValue, type Task } from '../closures/rebuild.js';
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
  /** The objects of chunks that get their classes when the function is there which knows these. */
  readonly #typed = new WeakMap<RunMessage, readonly Group[]>();
  /** Messages that wait until an init or exit function is done. */
  #held: MessageToWorker[] | undefined;
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
        for (const [, chunk] of this.#queue.splice(0)) this.#host.post([FromWorker.Stopped, chunk]);
      },
    });
  }

  // What is no matter of chunks is told and measured by the first lane.

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
    if ('value' in shared) this.#states.share(shared.value);
    else this.#failToShare(shared.error);
  }

  /** Does what a message says. */
  receive(sent: Sent<MessageToWorker>): void {
    const message = sent[0] === Typed ? sent[1] : sent;
    if (sent[0] === Typed && message[0] === ToWorker.Run) this.#typed.set(message, sent[2]);
    if (this.#held !== undefined) {
      this.#hold(this.#held, message);
      return;
    }
    switch (message[0]) {
      case ToWorker.Define:
        this.#define(message[1], message[2]);
        break;
      case ToWorker.Forget:
        this.#functions.forget(message[1]);
        this.#host.classes.forget(message[1]);
        break;
      case ToWorker.Run:
        this.#queue.push(message);
        this.#startSoon();
        break;
      case ToWorker.Cancel:
        this.#cancel(message[1]);
        break;
      case ToWorker.Reclaim:
        this.#release(message[1]);
        break;
      case ToWorker.Credit:
        this.#laneOf(message[1])?.credit(message[2]);
        break;
      case ToWorker.Leave:
        this.#leaving = true;
        this.#startNext();
        break;
      case ToWorker.Share:
        this.#share(message[1]);
        break;
      case ToWorker.Init:
        this.#begin(message[1], message[2]);
        break;
      case ToWorker.Exit:
        this.#exit(message[1], message[2]);
        break;
      case ToWorker.DropHooks:
        this.#states.drop(message[1]);
        break;
    }
  }

  /** Sends what is finished: the worker is about to end although nobody asked it to. */
  flush(): void {
    for (const lane of this.#lanes) lane.flush();
  }

  /** Ends what can be ended: nobody hears of it. */
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
        ? [FromWorker.Defined, task]
        : [FromWorker.DefineFailed, task, this.#batcher.failureOf(failure.error)],
    );
  }

  // --- what comes before the first task and after the last: it runs alone

  #share(portable: PortableValue): void {
    this.#held = [];
    rebuildValue(portable).then(
      (shared) => {
        this.#states.share(shared.value);
        this.#resume();
      },
      (error: unknown) => this.#failToShare(error),
    );
  }

  /** The worker is of no use. */
  #failToShare(error: unknown): void {
    this.#held = [];
    this.#host.post([FromWorker.ShareFailed, this.#batcher.failureOf(error)]);
  }

  #begin(hooks: number, init: number | undefined): void {
    if (init === undefined) {
      this.#states.add(hooks);
      return;
    }
    this.#held = [];
    this.#functions.whenSettled(init, (fn) => {
      if (fn === undefined) {
        this.#resume(); // that it could not be loaded was told
        return;
      }
      this.#states.add(hooks);
      this.#meter?.beginDuty();
      this.#states.call(hooks, fn, (outcome) => {
        const elapsed = this.#meter?.endDuty() ?? 0;
        if ('error' in outcome) {
          this.#states.drop(hooks);
          this.#host.post([FromWorker.InitFailed, hooks, this.#batcher.failureOf(outcome.error), elapsed]);
        } else {
          this.#host.post([FromWorker.InitDone, hooks, elapsed]);
        }
        this.#resume();
      });
    });
  }

  #exit(hooks: number, exit: number): void {
    this.#held = [];
    this.#functions.whenSettled(exit, (fn) => {
      if (fn === undefined) {
        this.#resume();
        return;
      }
      this.#meter?.beginDuty();
      this.#states.call(hooks, fn, (outcome) => {
        const elapsed = this.#meter?.endDuty() ?? 0;
        this.#states.drop(hooks);
        this.#batcher.sendEnd(hooks, outcome, elapsed);
        this.#resume();
      });
    });
  }

  #hold(held: MessageToWorker[], message: MessageToWorker): void {
    if (message[0] === ToWorker.Reclaim) {
      this.#reclaimHeld(held, message[1]);
    } else if (message[0] === ToWorker.Cancel) {
      const at = held.findIndex((other) => other[0] === ToWorker.Run && other[1] === message[1]);
      // Its end is told only when the worker is free again: until then it is busy with this chunk, in the pool's eyes.
      if (at >= 0) this.#cancelled.push((held.splice(at, 1)[0] as RunMessage)[1]);
    } else {
      held.push(message);
    }
  }

  /** Others may have what waits for an init function, but for one value: a worker without any would pass for idle. */
  #reclaimHeld(held: MessageToWorker[], chunk: number): void {
    const runs = held.filter((message) => message[0] === ToWorker.Run);
    const run = runs.find((message) => message[1] === chunk);
    if (run === undefined) return;
    if (run === runs[0]) {
      this.#shorten(run);
    } else {
      held.splice(held.indexOf(run), 1);
      this.#host.post([FromWorker.Stopped, chunk]);
    }
  }

  #resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const chunk of this.#cancelled.splice(0)) this.#host.post([FromWorker.Stopped, chunk]);
    for (const message of held) this.receive(message);
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
      const [, chunk, task, , hooks, , , , flags] = message;
      const lane = this.#freeLane(flags?.lanes ?? 1);
      if (lane === undefined) break;
      const load = this.#functions.get(task);
      if (load?.state === 'loading') break;
      this.#queue.shift(); // a few chunks at most ever wait here
      const scope = this.#states.get(hooks);
      if (load === undefined || scope === undefined) this.#host.post([FromWorker.Stopped, chunk]);
      else this.#start(lane, message, load.task, scope);
      if (this.#host.sharesThread === true) break;
    }
    this.#starting = false;
    if (this.#host.sharesThread === true && this.#queue.length > 0) this.#startSoon();
    if (this.#leaving && this.#queue.length === 0 && this.#lanes.every(({ isFree }) => isFree)) this.#host.leave();
  }

  #start(lane: Lane, message: RunMessage, task: Task, scope: WorkerScope): void {
    const groups = this.#typed.get(message);
    if (groups !== undefined) restore(groups, this.#host.classes);
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

  #release(chunk: number): void {
    const lane = this.#laneOf(chunk);
    if (lane !== undefined) lane.release();
    else if (this.#queue[0]?.[1] === chunk && this.#lanes.every(({ isFree }) => isFree)) this.#shorten(this.#queue[0]);
    else this.#unqueue(chunk);
  }

  /** The worker waits for something else than a call: it keeps one value, for else it would pass for idle. */
  #shorten(run: RunMessage): void {
    const [, chunk, , , , , values] = run;
    if (values.length <= 1) return;
    values.length = 1;
    this.#host.post([FromWorker.Reclaimed, chunk, 1]);
  }

  #unqueue(chunk: number): void {
    const at = this.#queue.findIndex((message) => message[1] === chunk);
    if (at < 0) return; // it has ended, and the pool will have heard so
    this.#queue.splice(at, 1);
    this.#host.post([FromWorker.Stopped, chunk]);
  }
}
