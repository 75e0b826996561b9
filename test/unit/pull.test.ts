import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { openInput, type PullTarget } from '../../src/internal/core/job/pull.js';

/** A target with so much room at first. */
class Target implements PullTarget {
  ended = false;
  readonly values: unknown[] = [];
  readonly errors: unknown[] = [];
  ends = 0;
  room: number;
  onPush: (() => void) | undefined;

  constructor(room: number) {
    this.room = room;
  }

  hasRoom(): boolean {
    return this.room > 0;
  }

  push(value: unknown): void {
    this.room--;
    this.values.push(value);
    this.onPush?.();
  }

  end(): void {
    this.ends++;
  }

  fail(error: unknown): void {
    this.errors.push(error);
  }
}

/** A source that knows how far it was read, and how often it was closed. */
class Source {
  read = 0;
  closed = 0;

  *sync(count: number, failure?: Error): Generator<number> {
    try {
      while (this.read < count) yield this.read++;
      if (failure !== undefined) throw failure;
    } finally {
      this.closed++;
    }
  }

  async *async(count: number, failure?: Error): AsyncGenerator<number> {
    try {
      while (this.read < count) {
        await turn();
        yield this.read++;
      }
      if (failure !== undefined) throw failure;
    } finally {
      this.closed++;
    }
  }
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 30; i++) await turn();
};

for (const kind of ['sync', 'async'] as const) {
  describe(`an input that is pulled (${kind})`, () => {
    const open = (source: Source, target: Target, count: number, failure?: Error) =>
      openInput(source[kind](count, failure), 'test')(target);

    it('is not read before it is asked for', async () => {
      const source = new Source();
      open(source, new Target(5), 10);
      await settle();
      expect(source.read).to.equal(0);
    });

    it('is read as far as there is room, in whatever portions that comes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }), async (portions) => {
          const source = new Source();
          const target = new Target(0);
          const pull = open(source, target, 12);
          let total = 0;
          for (const portion of portions) {
            total += portion;
            target.room += portion;
            pull.advance();
            pull.advance(); // asked twice, read once
            await settle();
            expect(target.values).to.deep.equal(Array.from({ length: Math.min(total, 12) }, (_, i) => i));
            expect(source.read).to.equal(Math.min(total, 12));
          }
          expect(target.ends).to.equal(total > 12 ? 1 : 0);
          expect(target.errors).to.deep.equal([]);
        }),
        { numRuns: 60 },
      );
    });

    it('ends once', async () => {
      const target = new Target(Infinity);
      const pull = open(new Source(), target, 3);
      pull.advance();
      await settle();
      pull.advance();
      pull.stop();
      await settle();
      expect([target.values, target.ends]).to.deep.equal([[0, 1, 2], 1]);
    });

    it('fails with what it throws, once, and is not read on', async () => {
      const failure = new Error('input');
      const target = new Target(Infinity);
      const pull = open(new Source(), target, 2, failure);
      pull.advance();
      await settle();
      pull.advance();
      await settle();
      expect(target).to.deep.include({ values: [0, 1], errors: [failure], ends: 0 });
    });

    it('is closed once, and read no more, when it is stopped', async () => {
      const source = new Source();
      const target = new Target(2);
      const pull = open(source, target, 10);
      pull.advance();
      await settle();
      pull.stop();
      pull.stop();
      target.room = 5;
      pull.advance();
      await settle();
      expect([source.read, source.closed, target.values.length, target.ends]).to.deep.equal([2, 1, 2, 0]);
    });

    it('is closed when it is stopped while a value is being taken', async () => {
      const source = new Source();
      const target = new Target(Infinity);
      const pull = open(source, target, 10);
      target.onPush = () => {
        if (target.values.length === 3) pull.stop();
      };
      pull.advance();
      await settle();
      expect([source.closed, target.values.length, target.ends]).to.deep.equal([1, 3, 0]);
    });

    it('reads what there is room for when that is made while a value is being taken', async () => {
      const target = new Target(1);
      const pull = open(new Source(), target, 5);
      target.onPush = () => {
        target.room = 1;
        pull.advance();
      };
      pull.advance();
      await settle();
      expect([target.values, target.ends]).to.deep.equal([[0, 1, 2, 3, 4], 1]);
    });

    it('reads what there is room for when that is made right after a value was taken', async () => {
      const target = new Target(1);
      const pull = open(new Source(), target, 5);
      target.onPush = () =>
        queueMicrotask(() => {
          target.room = 1;
          pull.advance();
        });
      pull.advance();
      await settle();
      expect([target.values, target.ends]).to.deep.equal([[0, 1, 2, 3, 4], 1]);
    });

    for (const [how, fail] of [
      [
        'throws',
        (error: Error) => {
          throw error;
        },
      ],
      ['rejects', (error: Error) => Promise.reject(error)],
    ] as const) {
      it(`lets nobody hear of a clean-up that ${how}`, async () => {
        const unhandled: unknown[] = [];
        const note = (reason: unknown) => void unhandled.push(reason);
        process.prependListener('unhandledRejection', note);
        const iterator = {
          next: () => (kind === 'sync' ? { done: false, value: 1 } : Promise.resolve({ done: false, value: 1 })),
          return: () => fail(new Error('clean-up')),
          [kind === 'sync' ? Symbol.iterator : Symbol.asyncIterator]() {
            return this;
          },
        };
        const target = new Target(1);
        const pull = openInput(iterator, 'test')(target);
        pull.advance();
        await settle();
        pull.stop();
        await settle();
        process.off('unhandledRejection', note);
        expect([target.errors, unhandled]).to.deep.equal([[], []]);
      });
    }
  });
}

describe('an input', () => {
  for (const kind of ['iterator', 'asyncIterator'] as const) {
    it(`whose ${kind} gives no object fails, and is not read for ever`, async () => {
      for (const result of [undefined, null, 5, 'text', true]) {
        let reads = 0;
        const iterator = { next: () => (++reads > 10 ? { done: true, value: undefined } : result) };
        const target = new Target(100);
        openInput({ [Symbol[kind]]: () => iterator }, 'test')(target).advance();
        await settle();
        expect(reads).to.equal(1);
        expect(target.errors).to.have.length(1);
        expect(target.errors[0]).to.be.instanceOf(TypeError);
        expect((target.errors[0] as Error).message).to.match(
          /^The iterator of "input" must give objects from next\(\), got /,
        );
      }
    });
  }

  it('can be a web stream without an async iterator, and cancels it when stopped', async () => {
    let cancelled = 0;
    const stream = new ReadableStream<number>({
      pull: (controller) => controller.enqueue(1),
      cancel: () => void cancelled++,
    });
    const target = new Target(3);
    const pull = openInput({ getReader: () => stream.getReader() }, 'test')(target);
    pull.advance();
    await settle();
    pull.stop();
    await settle();
    expect([target.values, cancelled]).to.deep.equal([[1, 1, 1], 1]);
  });

  it('is not closed where its own code stops it and then ends or throws', () => {
    const ends: (() => IteratorResult<number>)[] = [
      () => ({ done: true, value: undefined }),
      () => {
        throw new Error('late');
      },
    ];
    for (const end of ends) {
      let closed = 0;
      const iterator = {
        next: () => {
          pull.stop();
          return end();
        },
        return: () => void closed++,
        [Symbol.iterator]() {
          return this;
        },
      };
      const target = new Target(Infinity);
      const pull = openInput(iterator, 'test')(target);
      pull.advance();
      expect([closed, target.values, target.ends, target.errors]).to.deep.equal([0, [], 0, []]);
    }
  });

  it('can be a string, and an array', () => {
    const target = new Target(Infinity);
    openInput('aé𝄞', 'test')(target).advance();
    openInput([1, undefined, 3], 'test')(target).advance();
    expect(target.values).to.deep.equal(['a', 'é', '𝄞', 1, undefined, 3]);
  });

  for (const [name, bad, hint] of [
    ['null', null, ''],
    ['a number', 5, ''],
    ['an object', { length: 1 }, ''],
    ['an Observable', { subscribe: () => undefined }, 'An Observable pushes its values'],
    ['a promise', Promise.resolve([1]), 'await it'],
    ['memory', new ArrayBuffer(1), 'use a Uint8Array'],
    ['shared memory', new SharedArrayBuffer(1), 'use a Uint8Array'],
    ['a DataView', new DataView(new ArrayBuffer(1)), 'use a Uint8Array'],
  ] as const) {
    it(`cannot be ${name}`, () => {
      expect(() => openInput(bad, 'caller'))
        .to.throw(TypeError, /^caller: "input" must be/)
        .with.property('message')
        .that.matches(new RegExp(hint === '' ? 'got [^.]*\\.$' : hint));
    });
  }
});
