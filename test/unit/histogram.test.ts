import { expect } from 'chai';
import { bucketOf, BUCKETS, Histogram } from '../../src/internal/protocol/histogram.js';

describe('The histogram', () => {
  const percentileOf = (duration: number): number => {
    const histogram = new Histogram();
    histogram.add(bucketOf(duration), 1);
    return histogram.percentile(0.5);
  };

  it('is exact to three percent, from 60 ns to a day', () => {
    for (let duration = 6.2e-5; duration < 1.3e8; duration *= 1.0137) {
      expect(percentileOf(duration) / duration, String(duration)).to.be.within(0.968, 1.032);
    }
  });

  it('counts what is beyond in its first and its last bucket', () => {
    for (const tiny of [0, -0, -5, 1e-9, NaN]) expect(bucketOf(tiny)).to.equal(0);
    for (const huge of [1e12, Infinity]) expect(bucketOf(huge)).to.equal(BUCKETS - 1);
  });

  it('has a longer duration in a later bucket', () => {
    for (let bucket = 0, duration = 1e-4; duration < 1e8; duration *= 1.1) {
      expect(bucketOf(duration)).to.be.above(bucket);
      bucket = bucketOf(duration);
    }
  });

  it('tells what a share of all is no longer than', () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 1000; ms++) histogram.add(bucketOf(ms), 2);
    for (const share of [0.001, 0.5, 0.9, 0.99, 1]) {
      expect(histogram.percentile(share) / (share * 1000)).to.be.within(0.968, 1.032);
    }
  });

  it('has 0 for percentiles of nothing', () => {
    expect(new Histogram().percentile(0.5)).to.equal(0);
  });
});
