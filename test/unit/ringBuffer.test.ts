import { expect } from 'chai';
import fc from 'fast-check';
import { RingBuffer } from '../../src/internal/core/job/RingBuffer.js';

type Step = { readonly push: number } | { readonly take: number } | { readonly peek: number } | 'clear';

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 5, arbitrary: fc.record({ take: fc.integer({ min: 0, max: 70 }) }) },
  { weight: 2, arbitrary: fc.record({ peek: fc.integer({ min: 0, max: 70 }) }) },
  { weight: 1, arbitrary: fc.constant<Step>('clear') },
);

describe('RingBuffer', () => {
  it('is a queue, whatever is done in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const ring = new RingBuffer<number>();
        let model: number[] = [];
        let next = 0;
        for (const current of steps) {
          if (current === 'clear') {
            ring.clear();
            model = [];
          } else if ('push' in current) {
            for (let i = 0; i < current.push; i++) {
              ring.push(next);
              model.push(next++);
            }
          } else if ('take' in current) {
            expect(ring.take(current.take)).to.deep.equal(model.splice(0, current.take));
          } else {
            expect(ring.peek(current.peek)).to.deep.equal(model.slice(0, current.peek));
          }
          expect(ring.length).to.equal(model.length);
        }
        expect(ring.take(Infinity)).to.deep.equal(model);
      }),
      { numRuns: 1000 },
    );
  });

  it('holds undefined as a value like any other', () => {
    const ring = new RingBuffer<undefined>();
    ring.push(undefined);
    ring.push(undefined);
    expect(ring.length).to.equal(2);
    expect(ring.take(5)).to.deep.equal([undefined, undefined]);
  });

  it('keeps order when it grows while its content wraps around', () => {
    const ring = new RingBuffer<number>();
    for (let n = 0; n < 16; n++) ring.push(n);
    ring.take(10);
    for (let n = 16; n < 40; n++) ring.push(n);
    expect(ring.take(30)).to.deep.equal(Array.from({ length: 30 }, (_, i) => i + 10));
  });

  it('gives out a million values one by one', function () {
    this.timeout(10_000);
    const ring = new RingBuffer<number>();
    for (let n = 0; n < 1_000_000; n++) ring.push(n);
    let sum = 0;
    while (ring.length > 0) sum += ring.take(1)[0] as number;
    expect(sum).to.equal(499_999_500_000);
  });

  it('does not keep alive what it has handed on', async () => {
    const ring = new RingBuffer<object>();
    const gone: string[] = [];
    const registry = new FinalizationRegistry<string>((name) => gone.push(name));
    for (const name of ['taken', 'stays']) {
      const value = { name };
      registry.register(value, name);
      ring.push(value);
    }
    ring.take(1);
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let i = 0; i < 50 && gone.length === 0; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    expect(gone).to.deep.equal(['taken']);
    expect(ring.length).to.equal(1);
  });
});
