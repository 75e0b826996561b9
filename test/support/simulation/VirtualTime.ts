/**
 * Time that passes as fast as it can be computed, for a program and its workers in one thread. It takes the place of the globals, so
 * it has to be there before anything that keeps them is loaded.
 *
 * Each actor (the program, or a worker) does one thing after the other. What it blocks its thread with, delays what it does next, and
 * nobody else. What an actor begins (timers, immediates, promises) is its own.
 */

/** Somebody who does one thing after the other. */
export class Actor {
  readonly name: string;
  /** Until when it is at what it has begun, in milliseconds. */
  busyUntil = 0;
  /** Whether it has ended: nothing that it has begun goes on. */
  isGone = false;

  constructor(name: string) {
    this.name = name;
  }
}

interface Event {
  at: number;
  readonly order: number;
  readonly actor: Actor;
  readonly act: () => void;
  isCancelled: boolean;
}

/** Looking at the clock takes this long (milliseconds), so that a loop until some time comes to its end. */
const LOOK = 0.0005;
/** What Node takes for a turn of its event loop, or so. */
const TURN = 0.005;
/** A timer this far away is one that only holds the program. */
const NEVER = 2 ** 31 - 1;

const real = { setImmediate, now: performance.now.bind(performance) };

export class VirtualTime {
  readonly program = new Actor('program');
  /** Who acts now. */
  actor = this.program;
  #now = 0;
  /** How long the actor has been at it in this turn. */
  #spent = 0;
  #order = 0;
  #isRunning = false;
  /** A heap: the first event is the next one. */
  readonly #events: Event[] = [];

  /** The time of the actor, in milliseconds. */
  now(): number {
    this.#spent += LOOK;
    return this.#now + this.#spent;
  }

  /** The actor blocks its thread. */
  spend(ms: number): void {
    this.#spent += ms;
  }

  /** How many things are to happen. */
  get pending(): number {
    return this.#events.filter(({ isCancelled, actor }) => !isCancelled && !actor.isGone).length;
  }

  /** Has an actor do something after some milliseconds. */
  schedule(actor: Actor, delay: number, act: () => void): Event {
    const at = this.#now + this.#spent + delay;
    const event: Event = { at, order: this.#order++, actor, act, isCancelled: false };
    this.#add(event);
    if (!this.#isRunning) {
      this.#isRunning = true;
      real.setImmediate(() => this.#run());
    }
    return event;
  }

  /** Takes the place of the globals that tell time or let it pass, with texts by which the package takes them for Node's own. */
  install(): void {
    const after = (delay: number, callback: () => void): Timeout =>
      new Timeout(delay >= NEVER ? undefined : this.schedule(this.actor, delay, callback));
    const clear = (handle: Timeout | undefined): void => handle?.cancel();
    const globals = {
      setTimeout: (callback: (...args: unknown[]) => void, delay = 1, ...args: unknown[]) =>
        new Timeout(
          delay >= NEVER
            ? undefined
            : this.schedule(this.actor, Math.max(1, Math.trunc(delay)), () => callback(...args)),
        ),
      setInterval: (callback: () => void, delay: number) => {
        const timer = after(delay, again);
        function again(): void {
          callback();
          timer.renew(after(delay, again));
        }
        return timer;
      },
      setImmediate: (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
        after(TURN, () => callback(...args)),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    };
    Object.assign(globalThis, globals);
    performance.now = () => this.now();
    const clock = {
      hrtime: (now: number): [number, number] => [Math.trunc(now / 1000), Math.trunc((now % 1000) * 1e6)],
    };
    process.hrtime = Object.assign(() => clock.hrtime(this.now()), {
      bigint: () => BigInt(Math.trunc(this.now() * 1e6)),
    });
  }

  /** One event in each turn of the real event loop, so that all promises of it are its actor's. */
  #run(): void {
    this.actor.busyUntil = this.#now + this.#spent;
    this.#spent = 0;
    for (;;) {
      const event = this.#take();
      if (event === undefined) {
        this.#isRunning = false;
        return;
      }
      if (event.isCancelled || event.actor.isGone) continue;
      if (event.actor.busyUntil > event.at) {
        event.at = event.actor.busyUntil;
        this.#add(event);
        continue;
      }
      this.#now = Math.max(this.#now, event.at);
      this.actor = event.actor;
      real.setImmediate(() => this.#run());
      event.act();
      return;
    }
  }

  #add(event: Event): void {
    const events = this.#events;
    let at = events.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(event, events[above] as Event)) break;
      events[at] = events[above] as Event;
      at = above;
    }
    events[at] = event;
  }

  #take(): Event | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || events.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= events.length) break;
      if (below + 1 < events.length && isBefore(events[below + 1] as Event, events[below] as Event)) below++;
      if (!isBefore(events[below] as Event, last)) break;
      events[at] = events[below] as Event;
      at = below;
    }
    events[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** What timers and immediates are known by. */
class Timeout {
  #event: Event | undefined;
  #isCancelled = false;

  constructor(event: Event | undefined) {
    this.#event = event;
  }

  /** An interval goes on with its next turn. */
  renew(next: Timeout): void {
    if (this.#isCancelled) next.cancel();
    this.#event = next.#event;
  }

  cancel(): void {
    this.#isCancelled = true;
    if (this.#event !== undefined) this.#event.isCancelled = true;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
