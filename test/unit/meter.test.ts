import { expect } from 'chai';
import { Meter } from '../../src/internal/worker/Meter.js';

describe('The clock of a worker', () => {
  const begin = 1000;

  /** Measures calls that take so many milliseconds, one after the other. @returns The longest, as `[duration, place]`. */
  const longestOf = (meter: Meter, durations: readonly number[]): [number, number][] => {
    let time = begin;
    meter.begin(time);
    for (const [place, duration] of durations.entries()) meter.lap((time += duration), 1, place);
    const [, , , , longest] = meter.take(time);
    const rows: [number, number][] = [];
    for (let i = 0; i < longest.length; i += 3) rows.push([longest[i] as number, longest[i + 1] as number]);
    return rows.toSorted(([a], [b]) => b - a);
  };
  const open = (): Meter => new Meter(() => 0, true);

  it('keeps the five longest calls of a batch, whatever their order', () => {
    const expected = [64, 32, 16, 8, 4].map((duration) => [duration, 0]);
    for (const durations of [
      [1, 2, 4, 8, 16, 32, 64],
      [64, 32, 16, 8, 4, 2, 1],
      [8, 1, 64, 2, 4, 32, 16],
      [16, 4, 64, 8, 1, 2, 32],
    ]) {
      for (const row of expected) row[1] = durations.indexOf(row[0] as number);
      expect(longestOf(open(), durations), String(durations)).to.deep.equal(expected);
    }
  });

  it('keeps calls of the same length as well, as far as there is room', () => {
    expect(longestOf(open(), [2, 2, 2, 2, 2, 2, 4, 2]).map(([duration]) => duration)).to.deep.equal([4, 2, 2, 2, 2]);
  });

  it('begins anew with each batch, also where the last one had longer calls', () => {
    const meter = open();
    longestOf(meter, [64, 32, 16, 8, 4, 2]);
    expect(longestOf(meter, [1, 2])).to.deep.equal([
      [2, 1],
      [1, 0],
    ]);
  });

  it('forgets the calls of a batch that is not wanted', () => {
    const meter = open();
    meter.begin(begin);
    for (let i = 1; i <= 7; i++) meter.lap(begin + i * i, 1, i);
    meter.discard();
    expect(longestOf(meter, [1])).to.deep.equal([[1, 0]]);
  });
});
