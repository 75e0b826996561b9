// Calls of `parallelMergeMap` that fail: what they gave before is delivered.
import { expect } from 'chai';
import { concat, NEVER, of, range } from 'rxjs';
import { parallelMergeMap, UnserializableError, WorkerDiedError } from './support/library.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { trackWorkers } from './support/workers.js';

describeEach.of(['threading', 'forkserver'], 'parallelMergeMap with calls that fail', ({ name: startMethod }) => {
  trackWorkers();
  const options = { nJobs: 2, startMethod };

  for (const [what, task] of Object.entries({
    'a generator': function* (n: number) {
      yield n;
      yield n + 1;
      throw new RangeError('midway');
    },
    'an async generator': async function* (n: number) {
      yield n;
      yield n + 1;
      throw new RangeError('midway');
    },
    'an Observable': async (n: number) => {
      const { concat: concatenated, of: values, throwError } = await import('rxjs');
      return concatenated(
        values(n, n + 1),
        throwError(() => new RangeError('midway')),
      );
    },
    'a web stream': (n: number) => {
      let pulls = 0;
      return new ReadableStream<number>({
        pull(controller) {
          if (pulls < 2) controller.enqueue(n + pulls++);
          else controller.error(new RangeError('midway'));
        },
      });
    },
  } as Record<string, (n: number) => unknown>)) {
    for (const ordered of [true, false]) {
      it(`delivers what ${what} gave before its error (ordered: ${ordered})`, async () => {
        const { values, error } = await outcomeOf(
          of(7).pipe(parallelMergeMap(task as (n: number) => Iterable<number>, { ...options, ordered })),
        );
        expect(values).to.deep.equal([7, 8]);
        expect(error).to.be.instanceOf(RangeError).and.to.include({ message: 'midway', index: 0 });
      });
    }
  }

  it('delivers what came before the error in order, and nothing of later calls', async () => {
    const task = async function* (n: number) {
      yield n;
      await new Promise((resolve) => setTimeout(resolve, n === 0 ? 50 : 0));
      if (n === 1) throw new Error('one');
      yield n + 100;
    };
    const { values, error } = await outcomeOf(
      concat(range(0, 5), NEVER).pipe(parallelMergeMap(task, { ...options, nJobs: 3 })),
    );
    expect(values).to.deep.equal([0, 100, 1]);
    expect(error).to.include({ message: 'one', index: 1 });
  });

  it('does not retry a call that has given something: nothing comes twice', async () => {
    const task = async function* (n: number) {
      yield n;
      await new Promise((resolve) => setTimeout(resolve, 100)); // it is out by then
      process.exit(1);
    };
    const { values, error } = await outcomeOf(
      of(7).pipe(parallelMergeMap(task, { ...options, workerDeathRetries: 1 })),
    );
    expect(values).to.deep.equal([7]);
    expect(error).to.be.instanceOf(WorkerDiedError);
  });

  for (const [what, task] of Object.entries({
    'a number': (): unknown => 5,
    undefined: (): unknown => undefined,
    null: (): unknown => null,
    'a plain object': (): unknown => ({ length: 1 }),
    'a promise of a number': async (): Promise<unknown> => 5,
  })) {
    it(`fails with a TypeError where the function returns ${what}`, async () => {
      const { error } = await outcomeOf(of(0).pipe(parallelMergeMap(task as unknown as () => number[], options)));
      expect(error).to.be.instanceOf(TypeError);
      expect((error as Error).message).to.match(/parallelMergeMap.*iterable.*Observable.*got/);
    });
  }

  it('fails with the path to what cannot be cloned, after the values before it', async () => {
    const task = function* () {
      yield 1; // which leaves at once, while the others make one batch
      yield 2;
      yield 3;
      yield { deep: { fn: () => 1 } };
      yield 5;
    };
    const { values, error } = await outcomeOf(of(0).pipe(parallelMergeMap(task, options)));
    expect(values).to.deep.equal([1, 2, 3]);
    expect(error).to.be.instanceOf(UnserializableError);
    expect(error).to.include({ direction: 'result', index: 0 });
    expect((error as UnserializableError).path).to.match(/deep\.fn$/);
  });
});
