// What `parallelFrom` reads, how far ahead, and how it leaves it.
import { expect } from 'chai';
import { take } from 'rxjs';
import { parallelFrom } from './support/library.js';
import { passGate, useGates } from './support/gates.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { until } from './support/until.js';
import { trackWorkers } from './support/workers.js';
import { failsAtFive, same } from './support/tasks.js';

/** An iterator that tells what is done to it. */
class Told implements Iterator<number>, Iterable<number> {
  next_ = 0;
  returns = 0;
  readonly #throwsAt: number;

  constructor(throwsAt = Infinity) {
    this.#throwsAt = throwsAt;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<number> {
    if (this.next_ === this.#throwsAt) {
      this.next_++;
      throw new Error(`item ${this.#throwsAt + 1}`);
    }
    return { done: false, value: this.next_++ };
  }

  return(): IteratorResult<number> {
    this.returns++;
    return { done: true, value: undefined };
  }
}

/** The same, with a pause before each item. */
class ToldLater implements AsyncIterable<number> {
  readonly told: Told;

  constructor(throwsAt?: number) {
    this.told = new Told(throwsAt);
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    return {
      next: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return this.told.next();
      },
      return: async () => this.told.return(),
    };
  }
}

describeEach.of(['threading', 'spawn'], 'parallelFrom', ({ name: startMethod }) => {
  const workers = trackWorkers();
  const gates = useGates();
  const options = { nJobs: 2, startMethod };

  it('reads arrays, strings, Sets, Maps and generators', async () => {
    const inputs: [Iterable<unknown>, unknown[]][] = [
      [
        [3, 1, 2],
        [3, 1, 2],
      ],
      ['aç𝄞', ['a', 'ç', '𝄞']],
      [new Set([2, 1, 2]), [2, 1]],
      [new Map([['k', 1]]), [['k', 1]]],
      [
        (function* () {
          yield 1;
          yield undefined;
        })(),
        [1, undefined],
      ],
    ];
    for (const [input, expected] of inputs) {
      const outcome = await outcomeOf(parallelFrom(input, (value: unknown) => value, options));
      expect(outcome).to.deep.equal({ values: expected, end: 'complete' });
    }
  });

  it('reads async iterables, of which it awaits one item at a time', async () => {
    let pending = 0;
    let mostPending = 0;
    const input = {
      [Symbol.asyncIterator]() {
        let n = 0;
        return {
          async next() {
            mostPending = Math.max(mostPending, ++pending);
            await new Promise((resolve) => setImmediate(resolve));
            pending--;
            return n < 20 ? { done: false as const, value: n++ } : { done: true as const, value: undefined };
          },
        };
      },
    };
    expect((await outcomeOf(parallelFrom(input, same, options))).values).to.have.length(20);
    expect(mostPending).to.equal(1);
  });

  it('starts no worker for an empty input, and one for one value', async () => {
    expect(await outcomeOf(parallelFrom(new Set<number>(), same, options))).to.deep.equal({
      values: [],
      end: 'complete',
    });
    expect(workers.started).to.equal(0);
    expect((await outcomeOf(parallelFrom([1], same, { ...options, nJobs: 8 }))).values).to.deep.equal([1]);
    expect(workers.started).to.equal(1);
  });

  it('reads to the end of an input, whatever length it claims', async () => {
    for (const length of [0, 3, 1000]) {
      const input = {
        length,
        *[Symbol.iterator]() {
          yield* [1, 2, 3, 4, 5];
        },
      };
      expect((await outcomeOf(parallelFrom(input, same, options))).values).to.deep.equal([1, 2, 3, 4, 5]);
    }
  });

  it('reads an iterable anew for each subscription, and a generator once', async () => {
    const again = parallelFrom([1, 2], same, options);
    expect((await outcomeOf(again)).values).to.deep.equal([1, 2]);
    expect((await outcomeOf(again)).values).to.deep.equal([1, 2]);
    const once = parallelFrom([1, 2].values(), same, options);
    expect((await outcomeOf(once)).values).to.deep.equal([1, 2]);
    expect((await outcomeOf(once)).values).to.deep.equal([]);
  });

  it('refuses what cannot be read, at once, and says what to do with an Observable', async () => {
    const { of } = await import('rxjs');
    const refused = (input: unknown) => () => parallelFrom(input as number[], same, options);
    for (const input of [5, null, undefined, {}, Promise.resolve([])]) {
      expect(refused(input)).to.throw(TypeError, /parallelFrom.*"input".*iterable/);
    }
    expect(refused(of(1))).to.throw(TypeError, /pipe\(parallelMap/);
  });

  for (const [kind, make] of Object.entries({
    'an iterator': (throwsAt?: number) => {
      const told = new Told(throwsAt);
      return { input: told as Iterable<number> | AsyncIterable<number>, told };
    },
    'an async iterator': (throwsAt?: number) => {
      const later = new ToldLater(throwsAt);
      return { input: later as Iterable<number> | AsyncIterable<number>, told: later.told };
    },
  })) {
    it(`passes on what ${kind} throws on item 1, and starts no worker`, async () => {
      const { input, told } = make(0);
      const { values, error } = await outcomeOf(parallelFrom(input, same, options));
      expect(values).to.deep.equal([]);
      expect(error).to.have.property('message', 'item 1');
      expect({ started: workers.started, returns: told.returns }).to.deep.equal({ started: 0, returns: 0 });
    });

    it(`passes on what ${kind} throws on item 2, once, and reads no further`, async () => {
      const { input, told } = make(1);
      const { error } = await outcomeOf(parallelFrom(input, same, options));
      expect(error).to.have.property('message', 'item 2');
      expect({ next: told.next_, returns: told.returns }).to.deep.equal({ next: 2, returns: 0 });
      await workers.ended();
    });

    it(`closes ${kind} when a task fails, and passes on that failure`, async () => {
      const { input, told } = make(40);
      const outcome = await outcomeOf(parallelFrom(input, failsAtFive, { ...options, maxTasksActive: 4 }));
      expect(outcome.values).to.deep.equal([0, 1, 2, 3, 4]);
      expect(outcome.error).to.include({ message: 'mapper', index: 5 });
      expect(told.next_).to.be.below(15);
      expect(told.returns).to.equal(1);
    });

    it(`closes ${kind} when it is unsubscribed from, and at take`, async () => {
      const first = make();
      const subscription = parallelFrom(first.input, same, options).subscribe();
      await until(() => first.told.next_ > 4, 'some are read');
      subscription.unsubscribe();
      expect(first.told.returns).to.equal(1);
      const second = make();
      const { values } = await outcomeOf(parallelFrom(second.input, same, options).pipe(take(3)));
      expect(values).to.deep.equal([0, 1, 2]);
      expect(second.told.returns).to.equal(1);
      await workers.ended();
    });

    it(`does not close ${kind} that has ended by itself`, async () => {
      let returns = 0;
      const items = [1, 2].values();
      const iterator = {
        next: () => items.next(),
        return() {
          returns++;
          return { done: true, value: undefined };
        },
      };
      const input = (kind === 'an iterator'
        ? { [Symbol.iterator]: () => iterator }
        : { [Symbol.asyncIterator]: () => iterator }) as unknown as Iterable<number>;
      expect((await outcomeOf(parallelFrom(input, same, options))).values).to.deep.equal([1, 2]);
      expect(returns).to.equal(0);
    });

    it(`gives the task's error, not that of closing ${kind}`, async () => {
      const { input, told } = make();
      told.return = () => {
        throw new Error('return');
      };
      const { error } = await outcomeOf(parallelFrom(input, failsAtFive, options));
      expect(error).to.have.property('message', 'mapper');
      await workers.ended();
    });

    it(`stops reading ${kind} at maxTasksActive while the first value is slow`, async () => {
      const { input, told } = make();
      const values = (async function* () {
        for await (const n of input) yield gates().value(n);
      })();
      const read = kind === 'an iterator' ? mapped(told, (n) => gates().value(n)) : values;
      const subscription = parallelFrom(read, passGate, { ...options, maxTasksActive: 7 }).subscribe();
      await gates().haveStarted(0, 1);
      gates().open(1);
      await gates().haveStarted(2);
      await until(() => told.next_ >= 7, 'as many are read as may be under way');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(told.next_).to.equal(7);
      gates().open(0);
      await until(() => told.next_ === 9, 'two more are read, for the two that are out');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(told.next_).to.equal(9);
      subscription.unsubscribe();
    });
  }

  it('runs one value at a time with maxTasksActive 1', async () => {
    let read = 0;
    const values: number[] = [];
    function* input() {
      for (let n = 0; n < 10; n++) {
        expect(values).to.have.length(n);
        read++;
        yield n;
      }
    }
    await new Promise<void>((resolve, reject) => {
      parallelFrom(input(), same, { ...options, maxTasksActive: 1 }).subscribe({
        next: (n) => values.push(n),
        error: reject,
        complete: resolve,
      });
    });
    expect(read).to.equal(10);
  });

  it('reads on while an async input is slow: results come as it goes', async () => {
    let open: (() => void) | undefined;
    async function* input() {
      for (let n = 0; n < 3; n++) {
        if (n > 0) await new Promise<void>((resolve) => (open = resolve));
        yield n;
      }
    }
    const values: number[] = [];
    await new Promise<void>((resolve, reject) => {
      parallelFrom(input(), same, options).subscribe({
        next(n) {
          values.push(n);
          open?.();
        },
        error: reject,
        complete: resolve,
      });
    });
    expect(values).to.deep.equal([0, 1, 2]);
  });

  it('ends where the generator itself ends its subscription, and lets it clean up', async () => {
    const controller = new AbortController();
    let cleaned = false;
    function* input() {
      try {
        yield 1;
        yield 2;
        controller.abort('inside');
        yield 3;
      } finally {
        cleaned = true;
      }
    }
    const outcome = await outcomeOf(
      parallelFrom(input(), same, { ...options, maxTasksActive: 1, signal: controller.signal }),
    );
    expect(outcome).to.deep.equal({ values: [1, 2], end: 'error', error: 'inside' });
    expect(cleaned).to.equal(true);
  });

  it('lets a generator clean up when a task fails', async () => {
    let cleaned = 0;
    function* input() {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        cleaned++;
      }
    }
    expect((await outcomeOf(parallelFrom(input(), failsAtFive, options))).end).to.equal('error');
    expect(cleaned).to.equal(1);
  });
});

function* mapped<T>(values: Iterable<number>, map: (n: number) => T): Generator<T> {
  for (const value of values) yield map(value);
}
