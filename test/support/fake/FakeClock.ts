/** A clock that a test moves, with the timers, immediates and microtasks that wait for it, in the order in which Node runs them. */

interface FakeTimer {
  readonly callback: () => void;
  readonly at: number;
}

/** A program that goes on for so many steps without time passing is caught in a circle. */
const MOST_STEPS = 10_000;

export class FakeClock {
  #now = 0;
  /** The one that is due first comes first; of those that are due at once, the one that was set first. */
  readonly #timers: FakeTimer[] = [];
  readonly #immediates: (() => void)[] = [];
  readonly #microtasks: (() => void)[] = [];

  /** The time in milliseconds. */
  get now(): number {
    return this.#now;
  }

  /** In how many milliseconds each timer is due. */
  get timers(): number[] {
    return this.#timers.map(({ at }) => at - this.#now);
  }

  setTimeout(callback: () => void, delay: number): FakeTimer {
    const timer = { callback, at: this.#now + Math.max(1, delay) };
    const next = this.#timers.findIndex(({ at }) => at > timer.at);
    this.#timers.splice(next < 0 ? this.#timers.length : next, 0, timer);
    return timer;
  }

  clearTimeout(timer: object | number | undefined): void {
    const at = this.#timers.indexOf(timer as FakeTimer);
    if (at >= 0) this.#timers.splice(at, 1);
  }

  setImmediate(callback: () => void): void {
    this.#immediates.push(callback);
  }

  queueMicrotask(callback: () => void): void {
    this.#microtasks.push(callback);
  }

  /** Runs what waits for the end of the running code. */
  runMicrotasks(): void {
    for (let steps = 0; this.#microtasks.length > 0; steps++) {
      if (steps > MOST_STEPS) throw new Error('Microtasks make microtasks without end.');
      this.#microtasks.shift()?.();
    }
  }

  /** Runs what waits for the event loop, without time passing. */
  turn(): void {
    this.runMicrotasks();
    for (let steps = 0; this.#immediates.length > 0; steps++) {
      if (steps > MOST_STEPS) throw new Error('The event loop turns without end.');
      for (const callback of this.#immediates.splice(0)) {
        callback();
        this.runMicrotasks();
      }
    }
  }

  /** Lets time pass, and runs what is due meanwhile. */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.turn();
    for (;;) {
      const at = this.#timers[0]?.at;
      if (at === undefined || at > end) break;
      this.#now = Math.max(this.#now, at);
      this.#runTimers();
      this.turn();
    }
    this.#now = end;
  }

  /** The program is busy for so long: time passes, and nothing runs. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** All that are due, one after the other, before the immediates that they set. */
  #runTimers(): void {
    for (let timer = this.#timers[0]; timer !== undefined && timer.at <= this.#now; timer = this.#timers[0]) {
      this.#timers.shift();
      timer.callback();
      this.runMicrotasks();
    }
  }
}
