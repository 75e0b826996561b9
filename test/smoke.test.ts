import { expect } from 'chai';
import { lastValueFrom, range, toArray } from 'rxjs';
import { parallelMap } from './support/library.js';
import { describeEach } from './support/startMethods.js';

describeEach('parallelMap', ({ name: startMethod }) => {
  it('maps every value, in order', async () => {
    const results = await lastValueFrom(
      range(0, 1000).pipe(
        parallelMap((n: number) => n * 2, { nJobs: 2, startMethod }),
        toArray(),
      ),
    );
    expect(results).to.deep.equal(Array.from({ length: 1000 }, (_, n) => n * 2));
  });
});
