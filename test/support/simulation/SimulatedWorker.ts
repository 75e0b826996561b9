/** A worker in virtual time: the loop of a real one, with messages that take their time both ways. */

import type { PoolLink, PoolStartMethod, WorkerEvents } from '../../../src/internal/core/StartMethod.js';
import { Claims, CLAIM_PLACES } from '../../../src/internal/protocol/claims.js';
import { isCloneableByThread } from '../../../src/internal/protocol/cloneable.js';
import { FromWorker, ToWorker, type WorkerIdentity } from '../../../src/internal/protocol/messages.js';
import { packFromWorker, unpackToWorker } from '../../../src/internal/protocol/wire.js';
import { threadChannel } from '../../../src/internal/protocol/checked.js';
import { TaskLoop } from '../../../src/internal/worker/TaskLoop.js';
import { Actor, type VirtualTime } from './VirtualTime.js';

/** What is left to chance. */
export interface Chance {
  /** From 0 to 1. */
  next(): number;
}

/** A code that tasks of an ended worker are left by. */
export class WorkerIsGone extends Error {}

export function simulated(time: VirtualTime, chance: Chance): PoolStartMethod {
  return {
    name: 'simulated',
    options: [],
    isCloneable: isCloneableByThread,
    channel: threadChannel,
    start: (identity, _resources, events) => new SimulatedWorker(identity, events, time, chance),
  };
}

export class SimulatedWorker implements PoolLink {
  readonly #events: WorkerEvents;
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #actor: WorkerActor;
  readonly #loop: TaskLoop;
  readonly #claims: Claims | undefined;
  #hasEnded = false;
  /** When the last message arrives, each way: none overtakes another. */
  #arrivesThere = 0;
  #arrivesHere = 0;

  constructor(identity: WorkerIdentity, events: WorkerEvents, time: VirtualTime, chance: Chance) {
    this.#events = events;
    this.#time = time;
    this.#chance = chance;
    this.#actor = new WorkerActor(`worker ${identity.workerId}`, (code) => this.#exit(code));
    const hasClaims = chance.next() < 0.7;
    this.#claims = hasClaims ? new Claims(new Int32Array(new SharedArrayBuffer(4 * CLAIM_PLACES))) : undefined;
    this.#loop = new TaskLoop({
      workerId: identity.workerId,
      memory: undefined,
      claims: this.#claims,
      channel: threadChannel,
      send: (message, transfer) => this.#post(message, transfer),
      isCloneable: isCloneableByThread,
      leave: () => this.#end(0),
    });
    // Starting takes its time.
    time.schedule(this.#actor, 20 * chance.next(), () => this.#post(packFromWorker({ type: FromWorker.Ready })));
  }

  claims(): Claims | undefined {
    return this.#claims;
  }

  send(packed: readonly unknown[], transfer?: readonly object[]): void {
    if (this.#hasEnded) return;
    // A function stays in this thread, and so does what is shared.
    const isLocal = packed[0] === ToWorker.Define || packed[0] === ToWorker.Share;
    const received = unpackToWorker(isLocal ? packed : cloned(packed, transfer));
    const now = this.#time.now();
    this.#arrivesThere = Math.max(this.#arrivesThere, now + this.#latency());
    this.#time.schedule(this.#actor, this.#arrivesThere - now, () => this.#loop.receive(received));
  }

  kill(): void {
    this.#end(1);
  }

  #post(message: readonly unknown[], transfer?: readonly object[]): void {
    // What is sent has gone, whether anybody hears of it or not.
    const sent = cloned(message, transfer);
    if (this.#hasEnded) return;
    this.#tell(() => this.#events.message(sent));
  }

  #tell(act: () => void): void {
    const now = this.#time.now();
    this.#arrivesHere = Math.max(this.#arrivesHere, now + this.#latency());
    this.#time.schedule(this.#time.program, this.#arrivesHere - now, act);
  }

  /** Its own code ends it. The results that it has leave before. */
  #exit(code: number): never {
    this.#loop.flush();
    this.#end(code);
    throw new WorkerIsGone();
  }

  #end(exitCode: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#actor.isGone = true;
    this.#loop.abort();
    this.#tell(() => this.#events.exit({ exitCode, signal: null }));
  }

  #latency(): number {
    const chance = this.#chance.next();
    return chance < 0.05 ? 20 * chance : 0.02 + 0.1 * chance;
  }
}

/** An actor whose code can end it. */
export class WorkerActor extends Actor {
  readonly exit: (code: number) => never;

  constructor(name: string, exit: (code: number) => never) {
    super(name);
    this.exit = exit;
  }
}

/** @throws DataCloneError */
function cloned(values: readonly unknown[], transfer: readonly object[] = []): unknown[] {
  return structuredClone(values, { transfer: transfer as never }) as unknown[];
}
