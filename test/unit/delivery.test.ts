import { expect } from 'chai';
import fc from 'fast-check';
import { createDelivery, type DeliveryTarget } from '../../src/internal/core/job/Delivery.js';
import { ReorderBuffer } from '../../src/internal/core/job/ReorderBuffer.js';

/** Sizes of batches that follow each other, and an order in which they arrive. */
const shuffledBatches = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }).chain((sizes) => {
  let first = 0;
  const batches = sizes.map((size) => {
    const values = Array.from({ length: size }, (_, i) => first + i);
    first += size;
    return { first: values[0] as number, values };
  });
  return fc.record({
    batches: fc.shuffledSubarray(batches, { minLength: batches.length }),
    total: fc.constant(first),
  });
});

interface Heard {
  readonly out: unknown[];
  released: number;
  readonly credits: number[];
}

/** A target that wants `wanted` values. */
function target(heard: Heard, wanted = Infinity): DeliveryTarget {
  return {
    emit(values) {
      heard.out.push(...values);
      return heard.out.length < wanted;
    },
    through: (count) => (heard.released += count),
    credit: (seq) => heard.credits.push(seq),
  };
}

const silence = (): Heard => ({ out: [], released: 0, credits: [] });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('ReorderBuffer', () => {
  it('gives out every batch in order, as early as it can', () => {
    fc.assert(
      fc.property(shuffledBatches, ({ batches, total }) => {
        const buffer = new ReorderBuffer<number>();
        const arrived = new Set<number>();
        const out: number[] = [];
        for (const { first, values } of batches) {
          buffer.add(first, values);
          for (const value of values) arrived.add(value);
          for (let next = buffer.next(); next !== undefined; next = buffer.next()) out.push(...next);
          // All up to the first that is missing.
          let missing = 0;
          while (arrived.has(missing)) missing++;
          expect(out.length).to.equal(missing);
          expect(buffer.expected).to.equal(missing);
        }
        expect(out).to.deep.equal(upTo(total));
      }),
      { numRuns: 500 },
    );
  });

  it('gives out nothing that it held before it was cleared', () => {
    const buffer = new ReorderBuffer<string>();
    buffer.add(1, ['b']);
    buffer.clear();
    buffer.add(0, ['a']);
    expect([buffer.next(), buffer.next()]).to.deep.equal([['a'], undefined]);
  });
});

describe('Delivery', () => {
  it('of results, ordered, emits them in order and releases each once', () => {
    fc.assert(
      fc.property(shuffledBatches, ({ batches, total }) => {
        const heard = silence();
        const delivery = createDelivery(false, true, target(heard));
        for (const { first, values } of batches) {
          delivery.results(first, values);
          expect(heard.released).to.equal(heard.out.length);
          expect(delivery.hasReached(heard.out.length)).to.equal(true);
        }
        expect(heard.out).to.deep.equal(upTo(total));
      }),
    );
  });

  it('of results, unordered, emits each batch as it comes', () => {
    fc.assert(
      fc.property(shuffledBatches, ({ batches, total }) => {
        const heard = silence();
        const delivery = createDelivery(false, false, target(heard));
        for (const { first, values } of batches) delivery.results(first, values);
        expect(heard.out).to.deep.equal(batches.flatMap(({ values }) => values));
        expect(heard.released).to.equal(total);
        expect(delivery.hasReached(7), 'no order, nothing to wait for').to.equal(true);
      }),
    );
  });

  it('of results stops when the target wants no more', () => {
    const heard = silence();
    const delivery = createDelivery(false, true, target(heard, 2));
    delivery.results(2, ['c']);
    delivery.results(0, ['a', 'b']);
    expect(heard).to.deep.include({ out: ['a', 'b'], released: 0 });
  });

  /** Values that yield so many batches each, and an order in which their events arrive: each value's own in order. */
  const yields = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 8 }).chain((counts) =>
    fc.record({
      counts: fc.constant(counts),
      turns: fc.shuffledSubarray(
        counts.flatMap((count, seq) => new Array<number>(count + 1).fill(seq)),
        { minLength: counts.reduce((sum, count) => sum + count + 1, 0) },
      ),
    }),
  );

  const play = (
    merge: ReturnType<typeof createDelivery>,
    counts: readonly number[],
    turns: readonly number[],
  ): void => {
    const given = counts.map(() => 0);
    for (const seq of turns) {
      const at = (given[seq] as number)++;
      if (at < (counts[seq] as number)) merge.yields(seq, [`${seq}.${at}`]);
      else merge.results(seq, [undefined]);
    }
  };

  it('of yields, ordered, emits one value’s after the other’s, and gives credit', () => {
    fc.assert(
      fc.property(yields, ({ counts, turns }) => {
        const heard = silence();
        const delivery = createDelivery(true, true, target(heard));
        play(delivery, counts, turns);
        const expected = counts.flatMap((count, seq) => upTo(count).map((at) => `${seq}.${at}`));
        expect(heard.out).to.deep.equal(expected);
        expect(heard.credits).to.deep.equal(expected.map((name) => Number(name.split('.')[0])));
        expect(heard.released).to.equal(counts.length);
        expect(delivery.hasReached(counts.length)).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });

  it('of yields, unordered, emits each batch as it comes', () => {
    fc.assert(
      fc.property(yields, ({ counts, turns }) => {
        const heard = silence();
        play(createDelivery(true, false, target(heard)), counts, turns);
        expect(heard.out.map(String).sort()).to.deep.equal(
          counts.flatMap((count, seq) => upTo(count).map((at) => `${seq}.${at}`)),
        );
        expect(heard.released).to.equal(counts.length);
      }),
    );
  });

  it('emits nothing that it held before it was cleared', () => {
    for (const merge of [false, true]) {
      const heard = silence();
      const delivery = createDelivery(merge, true, target(heard));
      if (merge) delivery.yields(1, ['late']);
      else delivery.results(1, ['late']);
      delivery.clear();
      delivery.results(0, ['first']);
      expect(heard.out).not.to.include('late');
    }
  });
});
