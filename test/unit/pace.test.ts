import { expect } from 'chai';
import fc from 'fast-check';
import { Pace } from '../../src/internal/core/job/Pace.js';

describe('Pace', () => {
  it('sends one value at a time until it knows how long they take', () => {
    const pace = new Pace();
    expect(pace.size).to.equal(1);
    expect(pace.chunksAhead(1)).to.equal(0);
    pace.learnSending(1, 0.001);
    expect(pace.size).to.equal(1);
  });

  it('stays at one value where each takes long', () => {
    const pace = new Pace();
    for (let i = 0; i < 20; i++) pace.learnWorking(1, 50);
    expect(pace.size).to.equal(1);
    expect(pace.chunksAhead(1)).to.equal(0);
  });

  it('grows step by step where values are quick, up to a limit', () => {
    const pace = new Pace();
    const sizes: number[] = [];
    for (let i = 0; i < 20; i++) {
      pace.learnWorking(pace.size, pace.size * 1e-5);
      sizes.push(pace.size);
    }
    sizes.forEach((size, i) => expect(size).to.be.at.most(4 * (sizes[i - 1] ?? 1)));
    expect(pace.size).to.equal(4096);
    expect(pace.chunksAhead(4096)).to.be.at.least(1);
  });

  it('falls at once when values turn slow', () => {
    const pace = new Pace();
    for (let i = 0; i < 20; i++) pace.learnWorking(pace.size, pace.size * 1e-5);
    pace.learnWorking(10, 20);
    expect(pace.size).to.equal(2); // as many as run in 4 milliseconds: nothing of before counts
    pace.learnWorking(1, 20);
    expect(pace.size).to.equal(1);
    expect(pace.chunksAhead(1)).to.equal(0);
  });

  it('does not take a short last chunk for experience', () => {
    const pace = new Pace();
    for (let i = 0; i < 3; i++) pace.learnWorking(pace.size, pace.size * 1e-5);
    const { size } = pace;
    pace.learnWorking(1, 1e-5);
    expect(pace.size).to.equal(size);
  });

  it('keeps chunks small where cloning takes the time', () => {
    const pace = new Pace();
    for (let i = 0; i < 20; i++) {
      pace.learnSending(pace.size, pace.size * 0.5);
      pace.learnWorking(pace.size, pace.size * 1e-5);
    }
    expect(pace.size).to.equal(2);
  });

  it('sends more chunks ahead the shorter they are, and none of long ones', () => {
    const pace = new Pace();
    pace.learnWorking(1, 0.1);
    const ahead = [1, 2, 3, 5, 20, 79, 80, 1000].map((count) => pace.chunksAhead(count));
    expect(ahead).to.deep.equal([5, 2, 1, 1, 1, 1, 0, 0]);
    const quick = new Pace();
    quick.learnWorking(1, 0);
    expect(quick.chunksAhead(1), 'at most').to.equal(8);
  });

  it('is a size that can be used, whatever the clock says', () => {
    const sample = fc.record({
      count: fc.integer({ min: 1, max: 5000 }),
      elapsed: fc.double({ min: 0, max: 1e6, noNaN: true }),
      sending: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 50 }), (samples) => {
        const pace = new Pace();
        for (const { count, elapsed, sending } of samples) {
          if (sending) pace.learnSending(count, elapsed);
          else pace.learnWorking(count, elapsed);
          expect(Number.isInteger(pace.size)).to.equal(true);
          expect(pace.size).to.be.within(1, 4096);
        }
      }),
    );
  });
});
