/** `perWorker`: a value that each worker makes for itself. */

import { expect } from 'chai';
import { lastValueFrom, of, toArray } from 'rxjs';
import { parallelMap, perWorker } from '../support/library.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { rejection, thrownBy } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

const greeting = 'hello';
const greet = (name: string): string => `${greeting} ${name}`;

describeEach('perWorker', ({ name: startMethod }) => {
  afterEach(endPools);

  it('makes its value once in each worker, at its first use, for all tasks', async () => {
    const made = perWorker(async () => ({ by: await identity(), uses: 0 }));
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const use = async (): Promise<string> => {
      const value = await made();
      return `${value.by} ${++value.uses}`;
    };
    const first = await pool.map(use, [1, 2, 3, 4], { chunkSize: 2 });
    const second = await pool.map(async (n: number) => `${n} ${await use()}`, [5, 6], { chunkSize: 1 });
    const makers = [...new Set([...first, ...second.map((each) => each.slice(2))].map((each) => each.split(' ')[0]))];
    for (const maker of makers) {
      const uses = [...first, ...second].filter((each) => each.includes(`${maker} `));
      expect(uses.map((each) => Number(each.split(' ').at(-1)))).to.have.members(uses.map((_, i) => i + 1));
    }
    expect(makers).to.not.include(await identity());
  });
});

describeEach.of(['threading', 'forkserver', 'inline'], 'perWorker', ({ name: startMethod }) => {
  afterEach(endPools);

  it('takes along what its function captures', async () => {
    const greeted = perWorker(() => greet('you'));
    const results = of(1, 2).pipe(
      parallelMap((n) => greeted() + n, { nJobs: 1, startMethod }),
      toArray(),
    );
    expect(await lastValueFrom(results)).to.deep.equal(['hello you1', 'hello you2']);
  });

  it('is not made where nobody asks', async () => {
    const never = perWorker((): number => {
      throw new Error('made');
    });
    const results = of(1, 2).pipe(
      parallelMap((n) => (n > 5 ? never() : n), { nJobs: 1, startMethod }),
      toArray(),
    );
    expect(await lastValueFrom(results)).to.deep.equal([1, 2]);
  });

  it('fails the task with the error of its function, thrown or rejected, and tries again', async () => {
    let tries = 0;
    const thrown = perWorker(() => {
      tries += 1;
      if (tries < 3) throw new RangeError(`try ${tries}`);
      return tries;
    });
    const rejected = perWorker(async () => {
      tries += 1;
      if (tries < 5) throw new RangeError(`try ${tries}`);
      return tries;
    });
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const task = (which: string): Promise<number> | number => (which === 'thrown' ? thrown() : rejected());
    const values = ['thrown', 'thrown', 'thrown', 'rejected', 'rejected', 'thrown', 'rejected'];
    const outcomes = await pool.map(task, values, { settle: true });
    expect(outcomes.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)))).to.deep.equal([
      'RangeError: try 1',
      'RangeError: try 2',
      3,
      'RangeError: try 4',
      5,
      3,
      5,
    ]);
    expect(
      await rejection(
        pool.map(
          perWorker(() => JSON.parse('{')),
          [1],
        ),
      ),
    ).to.be.an.instanceOf(SyntaxError);
  });

  it('is one value in functions that share it, in init and exit functions too', async () => {
    const list = perWorker((): number[] => []);
    const pool = createPool({ nJobs: 1, startMethod });
    const add = (n: number): number => list().push(n);
    await pool.map(add, [1, 2], { workerInit: () => void list().push(0), workerExit: () => list() });
    expect(pool.getExitResults()).to.deep.equal([[0, 1, 2]]);
  });
});

describe('perWorker', () => {
  afterEach(endPools);

  it('is made once in the program', () => {
    let made = 0;
    const value = perWorker(() => ({ number: ++made }));
    expect(value()).to.equal(value());
    expect(made).to.equal(1);
  });

  it('takes the newest values of the variables of its function until it is made', async () => {
    let name = 'early';
    const value = perWorker(() => name);
    const pool = createPool({ nJobs: 1, keepAlive: true });
    const use = (isUsed: boolean): string => (isUsed ? value() : '');
    const results = [await pool.map(use, [false])];
    for (name of ['late', 'too late']) results.push(await pool.map(use, [true]));
    expect(results.flat()).to.deep.equal(['', 'late', 'late']);
  });

  it('travels on to the workers of workers, which make their own', async () => {
    const where = perWorker(identity);
    const pool = createPool({ nJobs: 1, daemon: false });
    const [result] = await pool.map(async () => {
      const { WorkerPool } = await import('rxjs-parallel-map');
      await using inner = new WorkerPool({ nJobs: 1 });
      return [await where(), ...(await inner.map(() => where(), [1]))];
    }, [1]);
    expect(new Set(result)).to.have.property('size', 2);
  });

  it('says what it wants', () => {
    expect(thrownBy(() => perWorker({} as never))).to.include({
      name: 'TypeError',
      message: 'perWorker: "make" must be a function that makes the value, got {}: write perWorker(() => …).',
    });
    expect(() => {
      const self: () => number = perWorker(() => self() + 1);
      self();
    }).to.throw('perWorker: "make" uses the value that it makes.');
  });
});
