import { expect } from 'chai';
import { getEventListeners } from 'node:events';
import { WorkerPool } from '../support/library.js';
import { rejection } from '../support/rejection.js';
import { settled, snapshot } from '../support/resources.js';
import { until } from '../support/until.js';
import { describeEach, type StartMethodRow } from '../support/startMethods.js';
import { loop, same } from '../support/tasks.js';

/** Everything that a pool can be used for, and come to its end by. */
const ends: Readonly<Record<string, (startMethod: StartMethodRow['name']) => Promise<void>>> = {
  async 'by completion'(startMethod) {
    const pool = new WorkerPool({ nJobs: 2, startMethod });
    await pool.map(same, [1, 2, 3, 4]);
  },
  async 'by a join'(startMethod) {
    const pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true, daemon: false });
    await pool.map(same, [1, 2, 3, 4]);
    await pool.apply(same, [1]);
    await pool.stopAndJoin();
  },
  async 'by an error'(startMethod) {
    const pool = new WorkerPool({ nJobs: 2, startMethod });
    const fail = (x: number) => {
      if (x === 2) throw new Error('two');
      return x;
    };
    await rejection(pool.map(fail, [1, 2, 3, 4]));
    await pool.stopAndJoin();
  },
  async 'by leaving a loop'(startMethod) {
    const pool = new WorkerPool({ nJobs: 2, startMethod });
    for await (const _ of pool.imap(same, [1, 2, 3, 4])) break;
    await pool.stopAndJoin();
  },
  async 'by a signal'(startMethod) {
    const pool = new WorkerPool({ nJobs: 2, startMethod });
    const controller = new AbortController();
    const call = rejection(pool.map(loop, [1, 2], { signal: controller.signal }));
    setTimeout(() => controller.abort(), 20);
    await call;
    await pool.stopAndJoin();
  },
  async 'by terminate'(startMethod) {
    const pool = new WorkerPool({ nJobs: 2, startMethod, daemon: false });
    const call = rejection(pool.map(loop, [1, 2]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await pool.terminate();
    await call;
  },
  async 'by terminate while starting'(startMethod) {
    const pool = new WorkerPool({ nJobs: 2, startMethod });
    const call = rejection(pool.map(loop, [1, 2]));
    await new Promise((resolve) => setImmediate(resolve));
    await pool.terminate();
    await call;
  },
  async 'by terminate, while a cancelled task has its time to stop'(startMethod) {
    const pool = new WorkerPool({ nJobs: 1, startMethod, keepAlive: true });
    await pool.apply(() => undefined);
    const controller = new AbortController();
    const call = rejection(
      pool.apply(() => new Promise(() => {}), [], { signal: controller.signal, cancelTimeout: 60_000 }),
    );
    await new Promise(setImmediate); // it has been given to its worker
    controller.abort();
    await call;
    await pool.terminate();
  },
  async 'by dead workers'(startMethod) {
    const pool = new WorkerPool({ nJobs: 2, startMethod });
    await rejection(pool.map(() => process.exit(1), [1, 2, 3]));
    await pool.stopAndJoin();
  },
  async 'by a function that cannot be loaded'(startMethod) {
    const pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });
    await rejection(pool.map(new URL('file:///does/not/exist.js'), [1, 2, 3]));
    await pool.terminate();
  },
};

/** What holds the program open. Timers are in the snapshot. */
const holders = (): string =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => !/Timeout|Immediate/.test(kind))
    .sort((a, b) => a.localeCompare(b))
    .join();

describeEach('after its end nothing is left of a pool', ({ name: startMethod }) => {
  for (const [how, use] of Object.entries(ends)) {
    it(how, async () => {
      const active = holders();
      await use(startMethod); // what is loaded at first use stays
      const before = snapshot();
      await use(startMethod);
      await settled(before);
      // The end of the process that guards the workers is under way for a moment longer.
      await until(() => holders() === active, `left are ${active}`);
    });
  }

  it('no listener on the process or on a signal while it lives, either', async () => {
    const events = () => process.eventNames().map((event) => [event, process.listenerCount(event)]);
    const before = events();
    const { signal } = new AbortController();
    await using pool = new WorkerPool({ nJobs: 2, startMethod, keepAlive: true });
    for (let i = 0; i < 20; i++) await pool.map(same, [1, 2], { signal });
    expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0);
    expect(events()).to.deep.equal(before);
  });
});
