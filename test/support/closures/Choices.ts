/** Decisions read from a tape of numbers: a shorter tape, or one with smaller numbers, makes a simpler program. */
export class Choices {
  readonly #tape: readonly number[];
  #at = 0;

  constructor(tape: readonly number[]) {
    this.#tape = tape;
  }

  /** A whole number from 0 that is less than `limit`; 0, which has to be the simplest, where the tape has ended. */
  below(limit: number): number {
    return (this.#tape[this.#at++] ?? 0) % limit;
  }

  /** True in `percent` of all cases, and never where the tape has ended. */
  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }

  /** One of `options`, of which the first is the simplest. */
  pick<T>(options: readonly T[]): T {
    return options[this.below(options.length)] as T;
  }

  get hasEnded(): boolean {
    return this.#at >= this.#tape.length;
  }
}
