/** A pool whose workers, and whose clock, do what a test says: each message, each death and each tick of the clock. */

import { resolveMapOptions, resolvePoolOptions } from '../../../src/options.js';
import type { CallOptions, WorkerPoolOptions } from '../../../src/options.js';
import type { AnyTask } from '../../../src/taskTypes.js';
import type { Job } from '../../../src/internal/core/job/Job.js';
import { jobSpec, type JobSpec } from '../../../src/internal/core/job/JobSpec.js';
import type { PoolObserver } from '../../../src/internal/core/PoolObserver.js';
import { Scheduler } from '../../../src/internal/core/pool/Scheduler.js';
import { CallMode } from '../../../src/internal/protocol/messages.js';
import type { PortableFunction } from '../../../src/internal/protocol/portable.js';
import type { FakeClock } from './FakeClock.js';
import { FakePlatform } from './FakePlatform.js';
import { FakeStartMethod, type FakeStartSettings } from './FakeStartMethod.js';
import type { FakeWorker } from './FakeWorker.js';

/** A function, for it stays in this thread. */
type Task = (...args: never[]) => unknown;

type FakePoolSettings = FakeStartSettings & Omit<WorkerPoolOptions, 'startMethod'>;

/** What a call is made from, beside its options. */
export type FakeCallSettings = CallOptions<boolean> &
  Partial<Omit<JobSpec, 'call' | 'sink'>> & {
    readonly fn?: Task;
    /** Whether the source goes on after the first values. Default: false. */
    readonly isOpen?: boolean;
    /** Called with each result. */
    readonly onResult?: (result: unknown) => void;
  };

/** A call, and what has come of it. */
export class FakeCall {
  job!: Job;
  readonly results: unknown[] = [];
  /** How it has ended; `undefined` as long as it has not. */
  end: 'completed' | 'failed' | undefined;
  error: unknown;
  /** Whether it wants no more values. */
  isClosed = false;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  push(...values: unknown[]): void {
    for (const value of values) this.job.push(value);
    this.#clock.runMicrotasks();
  }

  complete(): void {
    this.job.end();
    this.#clock.runMicrotasks();
  }

  cancel(): void {
    this.job.cancel();
    this.#clock.runMicrotasks();
  }

  /** The error, of which that is known. */
  errorAs<E>(): E {
    return this.error as E;
  }
}

const quietObserver: PoolObserver = {
  measurements: undefined,
  checkCall: () => undefined,
  onCallStart: () => undefined,
  onCallEnd: () => undefined,
  onWorkerStart: () => undefined,
  onWorkerReady: () => undefined,
  onWorkerEnd: () => undefined,
  onWorkerBusy: () => undefined,
  onFigures: () => undefined,
  onHookEnd: () => undefined,
  onTaskError: () => undefined,
  onRemoteBar: () => undefined,
};

/** What calls run where it does not matter. */
export function task(value: unknown): unknown {
  return value;
}

/** A function for which workers import modules. */
export function importing(fn: Task): Task {
  return Object.assign(fn, { imports: true });
}

function portableOf(given: AnyTask): PortableFunction {
  const fn = given as Task;
  if ('imports' in fn)
    return { kind: 'module', name: fn.name, url: 'file:///task.js', exportName: 'default', imports: true };
  return { kind: 'local', name: fn.name, fn, imports: false };
}

export class FakePool {
  readonly platform = new FakePlatform();
  readonly clock = this.platform.clock;
  readonly startMethod: FakeStartMethod;
  readonly scheduler: Scheduler;
  readonly calls: FakeCall[] = [];
  /** How `join` and `terminate` have ended, in order. */
  readonly ends: string[] = [];

  constructor({ hasClaims, prepares, isStubborn, ...options }: FakePoolSettings) {
    const { platform } = this;
    this.startMethod = new FakeStartMethod(this.clock, { hasClaims, prepares, isStubborn } as FakeStartSettings);
    const settings = resolvePoolOptions(options, 'WorkerPool');
    const shared =
      settings.sharedObjects === undefined ? undefined : { local: settings.sharedObjects, imports: false as const };
    this.scheduler = new Scheduler(settings, {
      platform,
      startMethod: this.startMethod,
      observer: quietObserver,
      makePortable: (functions) => functions.map((fn) => fn && portableOf(fn)) as never,
      shared,
    });
  }

  /** All workers that were ever started. */
  get started(): FakeWorker[] {
    return this.startMethod.started;
  }

  /** The workers that live. */
  get workers(): FakeWorker[] {
    return this.started.filter(({ hasEnded }) => !hasEnded);
  }

  /** The worker that lives under that number. */
  worker(id: number): FakeWorker {
    const worker = this.workers.find((other) => other.id === id);
    if (worker === undefined) throw new Error(`No worker ${id} lives.`);
    return worker;
  }

  /** All workers that were started are up. */
  allReady(): FakeWorker[] {
    for (const worker of this.workers) if (!worker.isUp) worker.ready();
    return this.workers;
  }

  /** Begins a call, and gives it values. */
  call(values: readonly unknown[], settings: FakeCallSettings = {}): FakeCall {
    const { fn = task, isOpen = false, onResult, ...given } = settings;
    const {
      mode = CallMode.Map,
      ordered,
      bufferSize,
      overflow,
      manualConsume,
      wantsExitResults,
      input,
      total,
      ...options
    } = given;
    const call = new FakeCall(this.clock);
    const { results } = call;
    const end = (how: 'completed' | 'failed', error?: unknown): void => {
      if (call.end !== undefined) throw new Error(`It has ${how}, after it has ${call.end}.`);
      call.end = how;
      call.error = error;
    };
    const spec = {
      ...defined({ ordered, bufferSize, overflow, manualConsume, wantsExitResults, input, total }),
      mode,
      call: resolveMapOptions(options, 'map').call,
      sink: {
        next: (batch: unknown[]) => {
          if (call.end !== undefined) throw new Error(`Results come after it has ${call.end}.`);
          for (const result of batch) {
            results.push(result);
            onResult?.(result);
          }
        },
        error: (error: unknown) => end('failed', error),
        complete: () => end('completed'),
        close: () => {
          call.isClosed = true;
        },
      },
    };
    call.job = this.scheduler.open(fn, jobSpec(spec));
    this.calls.push(call);
    call.push(...values);
    if (!isOpen) call.complete();
    return call;
  }

  join(): void {
    this.#await('joined', this.scheduler.stopAndJoin());
  }

  terminate(): void {
    this.#await('terminated', this.scheduler.terminate());
  }

  #await(end: string, promise: Promise<void>): void {
    promise.then(
      () => this.ends.push(end),
      (error: unknown) => this.ends.push(`${end}: ${String(error)}`),
    );
    this.clock.runMicrotasks();
  }
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const open = new Set<FakePool>();

/** A pool that `checkFakePools` looks after. */
export function fakePool(settings: FakePoolSettings = {}): FakePool {
  const pool = new FakePool(settings);
  open.add(pool);
  return pool;
}

/**
 * For `afterEach`: pools that have ended by themselves have left nothing. The others are terminated, which ends their calls and
 * leaves nothing either.
 */
export async function checkFakePools(this: Mocha.Context): Promise<void> {
  const pools = [...open];
  open.clear();
  if (this.currentTest?.state === 'failed') return;
  for (const pool of pools) {
    if (pool.workers.length === 0 && pool.calls.every(({ job }) => job.ended)) pool.platform.checkQuiet();
    pool.terminate();
    pool.clock.turn();
    for (const worker of pool.workers) worker.ends({ exitCode: 1 });
    pool.clock.turn();
    pool.platform.checkQuiet();
    if (pool.ends.length === 0) await pool.scheduler.terminate(); // else the test has seen how
  }
}
