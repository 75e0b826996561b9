/** A start method whose workers do what a test says. */

import type { WorkerResources } from '../../../src/StartMethod.js';
import type {
  PoolStartMethod,
  Prepared,
  WorkerEvents,
  WorkerTemplate,
} from '../../../src/internal/core/StartMethod.js';
import { threadChannel } from '../../../src/internal/protocol/checked.js';
import { isCloneableByThread } from '../../../src/internal/protocol/cloneable.js';
import type { WorkerIdentity } from '../../../src/internal/protocol/messages.js';
import type { PortableFunction, PortableValue } from '../../../src/internal/protocol/portable.js';
import type { FakeClock } from './FakeClock.js';
import { FakeWorker } from './FakeWorker.js';

export interface FakeStartSettings {
  /** Whether workers have memory for claims. Default: true. */
  readonly hasClaims?: boolean;
  /** Whether workers have from the start what they were prepared for. Default: false. */
  readonly prepares?: boolean;
  /** Whether workers go on when they are killed or asked to leave, until the test ends them. Default: false. */
  readonly isStubborn?: boolean;
}

export class FakeStartMethod implements PoolStartMethod, WorkerTemplate {
  readonly name = 'fake';
  readonly options = [];
  readonly isCloneable = isCloneableByThread;
  readonly channel = threadChannel;
  readonly template = this;
  /** All workers that were ever started. */
  readonly started: FakeWorker[] = [];
  /** What the next worker cannot be started for. */
  failure: { readonly error: unknown } | undefined;
  /** How often the pool has closed its template. */
  releases = 0;
  /** What the pool has given up, with its time. */
  readonly abandoned: { readonly tasks: readonly number[]; readonly timeout: number }[] = [];
  readonly #clock: FakeClock;
  readonly #settings: FakeStartSettings;
  #prepared: Prepared = { shared: false, tasks: new Set() };

  constructor(clock: FakeClock, settings: FakeStartSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  start(identity: WorkerIdentity, _resources: WorkerResources, events: WorkerEvents): FakeWorker {
    if (this.failure !== undefined) throw this.failure.error;
    const { hasClaims = true, prepares = false, isStubborn = false } = this.#settings;
    const prepared = prepares ? this.#prepared : undefined;
    const worker = new FakeWorker(identity, events, { clock: this.#clock, hasClaims, prepared, isStubborn });
    this.started.push(worker);
    return worker;
  }

  share(_shared: PortableValue): void {
    this.#prepared = { ...this.#prepared, shared: true };
  }

  prepare(tasks: ReadonlyMap<number, PortableFunction>): void {
    this.#prepared = { ...this.#prepared, tasks: new Set(tasks.keys()) };
  }

  forget(): void {}

  abandon(tasks: readonly number[], timeout: number): void {
    this.abandoned.push({ tasks, timeout });
  }

  /** Takes as long as the event loop needs to turn. */
  close(callback: () => void): boolean {
    if (this.releases > 0) return false;
    this.releases++;
    this.#clock.setImmediate(callback);
    return true;
  }
}
