// The results of a call as an async iterator, where its consumer leaves before it has heard everything.
import { expect } from 'chai';
import type { Job } from '../../../src/internal/core/job/Job.js';
import { createIterator, type JobIterator } from '../../../src/internal/core/job/JobIterator.js';
import type { JobSink } from '../../../src/internal/core/job/JobSpec.js';
import { rejection } from '../../support/rejection.js';

/** An iterator that has been asked for one value, and what its job has to say. */
function begun(): { iterator: JobIterator<number>; sink: JobSink; first: Promise<IteratorResult<number>> } {
  let sink: JobSink | undefined;
  const iterator = createIterator<number>((given) => {
    sink = given;
    return { cancel: () => undefined, release: () => undefined } as unknown as Job;
  });
  const first = iterator.next();
  return { iterator, sink: sink as JobSink, first };
}

const done = { done: true, value: undefined };

describe('The iterator of a call', () => {
  for (const how of ['return', 'throw'] as const) {
    it(`is at its end after ${how}, also where results and an error have come that nobody has taken`, async () => {
      const { iterator, sink, first } = begun();
      sink.next([0, 1]);
      sink.error(new RangeError('thrown'));
      expect(await first).to.deep.equal({ done: false, value: 0 });
      if (how === 'return') await iterator.return();
      else await rejection(iterator.throw(new Error('the consumer has failed')));
      expect(await iterator.next()).to.deep.equal(done);
    });
  }

  it('gives the results before an error, the error once, and then its end', async () => {
    const { iterator, sink, first } = begun();
    sink.next([0, 1]);
    sink.error(new RangeError('thrown'));
    expect(await first).to.deep.equal({ done: false, value: 0 });
    expect(await iterator.next()).to.deep.equal({ done: false, value: 1 });
    expect(await rejection(iterator.next())).to.have.property('message', 'thrown');
    expect(await iterator.next()).to.deep.equal(done);
  });
});
