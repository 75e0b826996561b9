/**
 * What is measured of the workers of a pool that has the option `insights`, in a record for each slot.
 *
 * Workers measure by themselves when they work and wait, and tell with their results. The pool adds what it alone knows: how long
 * a start takes, and how long a worker is idle that has not told of it yet.
 */

import { now } from '../platform/globals.js';
import type { Insights } from '../../insights.js';
import { bucketOf, Histogram } from '../protocol/histogram.js';
import { FromWorker, LONGEST_TASKS, type Figures, type HookMessage } from '../protocol/messages.js';
import type { Traffic } from '../core/StartMethod.js';
import type { Chunk } from '../core/job/Chunk.js';
import { describeTask } from './describeTask.js';
import type { WorkerHandle } from '../core/pool/WorkerHandle.js';

interface Slot {
  /** The worker that is there now. */
  worker: WorkerHandle | undefined;
  starts: number;
  completed: number;
  startUp: number;
  init: number;
  waiting: number;
  working: number;
  exit: number;
  memory: number;
  /** When the worker last became idle, as the pool knows; what it tells itself begins there. */
  idleSince: number;
  /** How long the wait was that the worker has not told of yet. */
  untold: number;
  /** Through channels that are closed. */
  sent: number;
  received: number;
  /** What the channel had seen at the last reset. */
  before: Traffic;
}

interface LongTask {
  readonly duration: number;
  readonly args: string;
}

const noTraffic: Traffic = { sent: 0, received: 0 };

export class Measurements {
  readonly #slots: Slot[];
  #waits = new Histogram();
  #calls = new Histogram();
  /** The longest first. */
  #longest: LongTask[] = [];
  #resetAt = -Infinity;
  /** Whether channels know how many bytes go through them. */
  #hasTraffic = false;

  constructor(nJobs: number) {
    this.#slots = Array.from({ length: nJobs }, createSlot);
  }

  /** Forgets everything. Workers that are there go on. */
  reset(): void {
    const time = now();
    this.#resetAt = time;
    this.#waits = new Histogram();
    this.#calls = new Histogram();
    this.#longest = [];
    for (const [id, { worker, memory, idleSince }] of this.#slots.entries()) {
      const slot = createSlot();
      this.#slots[id] = slot;
      if (worker === undefined) continue;
      const { sent, received } = worker.traffic ?? noTraffic;
      Object.assign(slot, { worker, memory, starts: 1, before: { sent, received } });
      slot.idleSince = Math.max(idleSince, time);
    }
  }

  onReady(worker: WorkerHandle): void {
    const slot = this.#slotOf(worker);
    const time = now();
    slot.worker = worker;
    slot.starts++;
    slot.startUp += time - Math.max(worker.startedAt, this.#resetAt);
    slot.idleSince = time;
    slot.before = noTraffic;
    this.#hasTraffic ||= worker.traffic !== undefined;
  }

  /** A worker without chunks was given one. */
  onSupplied(worker: WorkerHandle, time: number): void {
    const slot = this.#slotOf(worker);
    slot.untold += Math.max(0, time - slot.idleSince);
    slot.idleSince = Infinity;
  }

  /** What was measured has come with `count` results. Called before these count as done. */
  onFigures(worker: WorkerHandle, chunk: Chunk, count: number, figures: Figures): void {
    const [working, waiting, waits, counts, longest, memory] = figures;
    const slot = this.#slotOf(worker);
    const time = now();
    // What began before the last reset counts from there.
    const longestPossible = time - this.#resetAt;
    slot.completed += count;
    slot.working += Math.min(working, longestPossible);
    slot.waiting += Math.min(waiting, longestPossible);
    slot.untold = 0;
    slot.idleSince = time;
    if (memory !== undefined) slot.memory = memory;
    for (const wait of waits) this.#waits.add(bucketOf(Math.min(wait, longestPossible)), 1);
    for (let i = 0; i < counts.length; i += 2) this.#calls.add(counts[i] as number, counts[i + 1] as number);
    for (let i = 0; i < longest.length; i += 3) {
      const [duration, place, size] = longest.slice(i, i + 3) as [number, number, number];
      this.#addLong(duration, () => describeTask(chunk, worker.job?.mode, place, size));
    }
  }

  /** An init or exit function has ended. */
  onHook(worker: WorkerHandle, message: HookMessage): void {
    const slot = this.#slotOf(worker);
    slot.idleSince = now();
    const isInit = message.type === FromWorker.InitDone || message.type === FromWorker.InitFailed;
    if (isInit) slot.init += message.elapsed;
    else slot.exit += message.elapsed;
  }

  onEnd(worker: WorkerHandle): void {
    const slot = this.#slotOf(worker);
    if (slot.worker !== worker) return; // it was never ready
    const { sent, received } = trafficOf(slot);
    slot.sent = sent;
    slot.received = received;
    slot.waiting += waitOf(slot, now());
    slot.untold = 0;
    slot.worker = undefined;
  }

  /** All figures, as of now. */
  insights(): Insights {
    const time = now();
    const slots = this.#slots;
    const started = slots.filter(({ starts }) => starts > 0);
    const waitingOf = (slot: Slot): number => slot.waiting + waitOf(slot, time);
    const totalTime = sum(started.map((slot) => slot.startUp + slot.init + waitingOf(slot) + slot.working + slot.exit));
    const stageOf = (timeOf: (slot: Slot) => number): Stage =>
      summarise(slots.map(timeOf), started.map(timeOf), totalTime);
    const startUp = stageOf((slot) => slot.startUp);
    const init = stageOf((slot) => slot.init);
    const waiting = stageOf(waitingOf);
    const working = stageOf((slot) => slot.working);
    const exit = stageOf((slot) => slot.exit);
    return {
      nCompletedTasks: slots.map(({ completed }) => completed),
      workerRestarts: slots.map(({ starts }) => Math.max(0, starts - 1)),
      totalTime,
      startUpTime: startUp.times,
      totalStartUpTime: startUp.total,
      startUpTimeMean: startUp.mean,
      startUpTimeStd: startUp.std,
      startUpRatio: startUp.ratio,
      initTime: init.times,
      totalInitTime: init.total,
      initTimeMean: init.mean,
      initTimeStd: init.std,
      initRatio: init.ratio,
      waitingTime: waiting.times,
      totalWaitingTime: waiting.total,
      waitingTimeMean: waiting.mean,
      waitingTimeStd: waiting.std,
      waitingRatio: waiting.ratio,
      waitingTimeP50: this.#waits.percentile(0.5),
      waitingTimeP90: this.#waits.percentile(0.9),
      waitingTimeP99: this.#waits.percentile(0.99),
      workingTime: working.times,
      totalWorkingTime: working.total,
      workingTimeMean: working.mean,
      workingTimeStd: working.std,
      workingRatio: working.ratio,
      workingTimeP50: this.#calls.percentile(0.5),
      workingTimeP90: this.#calls.percentile(0.9),
      workingTimeP99: this.#calls.percentile(0.99),
      exitTime: exit.times,
      totalExitTime: exit.total,
      exitTimeMean: exit.mean,
      exitTimeStd: exit.std,
      exitRatio: exit.ratio,
      top5MaxTaskDurations: this.#longest.map(({ duration }) => duration),
      top5MaxTaskArgs: this.#longest.map(({ args }) => args),
      bytesSent: this.#hasTraffic ? slots.map((slot) => trafficOf(slot).sent) : undefined,
      bytesReceived: this.#hasTraffic ? slots.map((slot) => trafficOf(slot).received) : undefined,
      memory: slots.map(({ memory }) => memory),
    };
  }

  #slotOf({ id }: WorkerHandle): Slot {
    return this.#slots[id] as Slot;
  }

  /** @param describe Called only where the task is one of the longest. */
  #addLong(duration: number, describe: () => string): void {
    const longest = this.#longest;
    const isFull = longest.length === LONGEST_TASKS;
    if (isFull && duration <= (longest.at(-1) as LongTask).duration) return;
    const at = longest.findIndex((other) => other.duration < duration);
    longest.splice(at < 0 ? longest.length : at, 0, { duration, args: describe() });
    if (isFull) longest.pop();
  }
}

/** @param nJobs How many slots the pool has. */
export function createMeasurements(nJobs: number): Measurements {
  return new Measurements(nJobs);
}

function createSlot(): Slot {
  return {
    worker: undefined,
    starts: 0,
    completed: 0,
    startUp: 0,
    init: 0,
    waiting: 0,
    working: 0,
    exit: 0,
    memory: 0,
    idleSince: Infinity,
    untold: 0,
    sent: 0,
    received: 0,
    before: noTraffic,
  };
}

/** How long a worker has waited that it has not told of. */
function waitOf({ worker, idleSince, untold }: Slot, time: number): number {
  const isIdle = worker !== undefined && worker.assignments.length === 0 && worker.hooks.exiting === undefined;
  return untold + (isIdle ? Math.max(0, time - idleSince) : 0);
}

function trafficOf({ worker, before, sent, received }: Slot): Traffic {
  const open = worker?.traffic ?? before;
  return { sent: sent + open.sent - before.sent, received: received + open.received - before.received };
}

interface Stage {
  readonly times: number[];
  readonly total: number;
  readonly mean: number;
  readonly std: number;
  readonly ratio: number;
}

function summarise(times: number[], ofStarted: readonly number[], totalTime: number): Stage {
  const total = sum(times);
  const count = Math.max(1, ofStarted.length);
  const mean = total / count;
  const std = Math.sqrt(sum(ofStarted.map((time) => (time - mean) ** 2)) / count);
  return { times, total, mean, std, ratio: totalTime === 0 ? 0 : total / totalTime };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
