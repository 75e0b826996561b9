import { expect } from 'chai';
import { TransientSet } from '../../../src/internal/core/TransientSet.js';

describe('a transient set', () => {
  it('is a set, whatever comes and goes', () => {
    const set = new TransientSet<number>();
    const model = new Set<number>();
    let seed = 1;
    for (let step = 0; step < 5000; step++) {
      seed = (seed * 48_271) % 2_147_483_647;
      const member = seed % 90;
      if (seed % 7 < 3) {
        set.add(member);
        model.add(member);
      } else {
        expect(set.delete(member)).to.equal(model.delete(member));
      }
      expect(set.has(member)).to.equal(model.has(member));
      expect([...set]).to.deep.equal([...model]);
      expect(set.size).to.equal(model.size);
    }
  });

  it('gives each member once to a loop that deletes them', () => {
    const set = new TransientSet<number>();
    for (let member = 0; member < 100; member++) set.add(member);
    const seen: number[] = [];
    for (const member of set) {
      seen.push(member);
      set.delete(member);
    }
    expect(seen).to.have.length(100);
    expect(set.size).to.equal(0);
  });
});
