/**
 * Durations counted in a fixed number of buckets, for percentiles: sixteen to each doubling, so that none is off by more than
 * about three percent, from 60 nanoseconds to a day and a half.
 */

/** Buckets to each doubling, as a power of two. */
const BITS = 4;
/** The shortest duration that is told from nothing is 2 to this, in milliseconds. */
const SHORTEST = -14;
const LONGEST = 27;

/** How many buckets there are. */
export const BUCKETS = (LONGEST - SHORTEST) << BITS;

// A double begins with its exponent, followed by the first digits behind the point: together they are the bucket.
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
double[0] = 1;
const HIGH = words[1] === 0 ? 0 : 1;
const EXPONENT_SIZE = 20;
const EXPONENT_OF_ONE = 1023;
const FIRST = (EXPONENT_OF_ONE + SHORTEST) << BITS;

/** The bucket of a duration in milliseconds. */
export function bucketOf(duration: number): number {
  double[0] = duration > 0 ? duration : 0;
  const bucket = ((words[HIGH] as number) >>> (EXPONENT_SIZE - BITS)) - FIRST;
  return Math.min(Math.max(bucket, 0), BUCKETS - 1);
}

/** The duration in the middle of a bucket, in milliseconds. */
function middleOf(bucket: number): number {
  const within = ((bucket & ((1 << BITS) - 1)) + 0.5) / (1 << BITS);
  return 2 ** (SHORTEST + (bucket >> BITS)) * (1 + within);
}

/** How many durations were in which bucket. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;

  add(bucket: number, count: number): void {
    (this.#counts[bucket] as number) += count;
    this.#total += count;
  }

  /** The duration that a share of all is no longer than, in milliseconds; 0 where there is none. */
  percentile(share: number): number {
    let left = Math.ceil(share * this.#total);
    if (left === 0) return 0;
    const bucket = this.#counts.findIndex((count) => (left -= count) <= 0);
    return middleOf(bucket);
  }
}
