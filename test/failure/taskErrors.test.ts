// The diagnostics channel that tells of tasks that fail.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import { from } from 'rxjs';
import { parallelMap } from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

interface TaskError {
  readonly workerId: number;
  readonly startMethod: string;
  readonly serial: number;
  readonly index: number;
  readonly error: Error;
}

describeEach.of(['threading', 'forkserver'], 'the channel rxjs-parallel-map:task:error', ({ name: startMethod }) => {
  const channel = 'rxjs-parallel-map:task:error';
  let heard: TaskError[] = [];
  let serials: number[] = [];
  const hear = (message: unknown): void => void heard.push(message as TaskError);
  const hearStart = (message: unknown): void => void serials.push((message as TaskError).serial);

  beforeEach(() => {
    heard = [];
    serials = [];
    subscribe(channel, hear);
    subscribe('rxjs-parallel-map:worker:start', hearStart);
  });
  afterEach(async () => {
    unsubscribe(channel, hear);
    unsubscribe('rxjs-parallel-map:worker:start', hearStart);
    await endPools();
  });

  const failOdd = (n: number): number => {
    if (n % 2 === 1) throw new RangeError(`odd ${n}`);
    return n;
  };

  it('tells of what a task throws: the error, and where it comes from', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const error = await rejection(pool.map(failOdd, [0, 2, 3]));
    expect(heard).to.have.length(1);
    expect(heard[0]?.error).to.equal(error);
    expect(heard[0]).to.deep.equal({ workerId: 0, startMethod, serial: serials[0], index: 2, error });
  });

  it('tells of each task, where the call goes on', async () => {
    const source = from([0, 1, 2, 3, 4, 5]).pipe(parallelMap(failOdd, { nJobs: 2, startMethod, settle: true }));
    const { values } = await outcomeOf(source);
    const reasons = values.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(heard.map(({ index }) => index)).to.have.members([1, 3, 5]);
    expect(heard.map(({ error }) => error)).to.have.members(reasons);
  });

  it('tells of results that cannot be cloned, of timeouts and of dead workers', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const misbehave = (n: number) => {
      if (n === 1) return () => n;
      if (n === 2) process.exit(3);
      while (n === 3);
      return n;
    };
    await pool.map(misbehave, [0, 1, 2, 3, 4], { settle: true, taskTimeout: 1000 });
    expect(heard.map(({ index, error: { name } }) => `${index} ${name}`)).to.deep.equal([
      '1 UnserializableError',
      '2 WorkerDiedError',
      '3 WorkerTimeoutError',
    ]);
    expect(heard.map(({ serial }) => serial)).to.deep.equal([serials[0], serials[0], serials[1]]);
  });

  it('tells of each task of a dead worker that is not started again', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const die = () => process.exit(3);
    await pool.map(die, [0, 1, 2], { settle: true, chunkSize: 3 });
    expect(heard.map(({ index }) => index)).to.deep.equal([0, 1, 2]);
    await rejection(pool.apply(die, [], { workerDeathRetries: 2 }));
    expect(heard).to.have.length(4);
  });

  it('says nothing of tasks that succeed, nor of what is no task', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    await pool.map(failOdd, [0, 2]);
    const fail = () => {
      throw new Error('init');
    };
    await rejection(pool.map(failOdd, [0], { workerInit: fail }));
    await rejection(pool.map((x: unknown) => x, [Symbol('input')]));
    expect(heard).to.deep.equal([]);
  });
});
