/** Marble tests: chai compares, time is virtual. */

import { expect } from 'chai';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';

/** A test that draws time with marbles. */
export function marbles(body: (helpers: RunHelpers) => void): () => void {
  return () => {
    new TestScheduler((actual, expected) => {
      expect(actual).to.deep.equal(expected);
    }).run(body);
  };
}
