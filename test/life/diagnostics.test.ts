// The diagnostics channels that tell of workers: one message when one is started, one when it has ended.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import { of } from 'rxjs';
import { parallelMap } from '../support/library.js';
import { passGate, useGates } from '../support/gates.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

interface Told {
  readonly workerId: number;
  readonly startMethod: string;
  readonly serial: number;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
}

describeEach('the channels rxjs-parallel-map:worker:start and :worker:exit', ({ name: startMethod, isProcess }) => {
  const gates = useGates();
  let started: Told[] = [];
  let ended: Told[] = [];
  const hearStart = (message: unknown): void => void started.push(message as Told);
  const hearEnd = (message: unknown): void => void ended.push(message as Told);

  beforeEach(() => {
    [started, ended] = [[], []];
    subscribe('rxjs-parallel-map:worker:start', hearStart);
    subscribe('rxjs-parallel-map:worker:exit', hearEnd);
  });
  afterEach(async () => {
    await endPools();
    unsubscribe('rxjs-parallel-map:worker:start', hearStart);
    unsubscribe('rxjs-parallel-map:worker:exit', hearEnd);
  });

  it('tell of each worker once, with one serial number, before complete', async () => {
    const values = of(gates().value('a'), gates().value('b'));
    const outcome = outcomeOf(values.pipe(parallelMap(passGate, { nJobs: 2, startMethod })));
    await gates().haveStarted('a', 'b');
    gates().openAll();
    await outcome;
    expect(started.map(({ workerId }) => workerId)).to.deep.equal([0, 1]);
    expect(new Set(started.map(({ serial }) => serial))).to.have.property('size', 2);
    for (const message of started) expect(message).to.include({ startMethod }).and.to.have.all.keys('workerId', 'startMethod', 'serial'); // prettier-ignore
    const exits = started.map((message) => ({ ...message, exitCode: 0, signal: null }));
    expect(ended.toSorted((a, b) => a.serial - b.serial)).to.deep.equal(exits);
  });

  it('tell how a worker has died, and of the one that takes its place', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    await rejection(pool.apply(() => process.exit(7)));
    expect(await pool.apply(() => 1)).to.equal(1);
    expect(started.map(({ workerId }) => workerId)).to.deep.equal([0, 0]);
    expect(ended).to.deep.equal([{ ...started[0], exitCode: 7, signal: null }]);
    await pool.terminate();
    const [, killed] = ended;
    expect(killed).to.include({ workerId: 0, serial: started[1]?.serial });
    if (isProcess) expect(killed).to.include({ exitCode: null, signal: 'SIGKILL' });
    else expect(killed).to.include({ exitCode: 1, signal: null });
  });
});
