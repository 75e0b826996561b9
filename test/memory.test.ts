// What must not fill memory. Each scenario is a program of its own, test/programs/memory.ts, which measures itself.
//
//   MEMORY_SCALE=10 npm test      ten times as much of everything: 1,000 subscriptions with workers of their own
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { StartMethodName } from 'rxjs-parallel-map';
import { describeEach, runsAll } from './support/startMethods.js';

const scale = Number(process.env['MEMORY_SCALE'] ?? 1);
const program = fileURLToPath(new URL('./programs/memory.js', import.meta.url));

/** Twice what two workers hold: a chunk of at most 4096 values and at most eight ahead. */
const LARGEST_WINDOW = 2 * 2 * 4096 * 9;

/** What a scenario tells: memory in MB at a tenth of the way, the most after that, at the end; and what it counted. */
type Report = { readonly early: number; readonly peak: number; readonly end: number } & Record<string, number>;

/**
 * Megabytes that resident memory may grow by. The heap of V8 13 (Node 24) grows further before it is collected: here to 130 MB more than
 * early, where it stays, from 15 to 40 million values; what is in use of it is 30 to 90 MB all the time.
 */
const MOST = Number.parseInt(process.versions.v8, 10) === 13 ? 160 : 100;

describeEach('memory', ({ name: startMethod, isProcess, isCopy }) => {
  if (isCopy && !runsAll) return; // its channel and its loop are those of spawn
  /** What only the program keeps, whatever its workers are, needs only one kind of them. */
  const itIsEnoughIn = (enough: StartMethodName) => (runsAll || startMethod === enough ? it : () => undefined);

  const run = async (scenario: string, size: number): Promise<Report> => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      program,
      scenario,
      startMethod,
      String(size),
    ]);
    return JSON.parse(stdout) as Report;
  };

  it(`grows less than ${MOST} MB from 1 to 10 million values of a generator`, async function () {
    this.timeout(60_000);
    // Compared with what it was at a tenth, which is 1 million.
    const size = 10_000_000;
    const { early, peak, count, sum } = await run('generator', size);
    expect(count).to.equal(size);
    expect(sum).to.equal((size * (size + 1)) / 2);
    expect(peak - early).to.be.below(MOST);
  });

  itIsEnoughIn('threading')(
    'does not grow while the consumer of imap is slow: the input is read no faster',
    async function () {
      this.timeout(60_000 * scale);
      const size = 200_000 * scale;
      const { early, peak, count, farthest } = await run('slowConsumer', size);
      expect(count).to.equal(size);
      expect(farthest).to.be.at.most(LARGEST_WINDOW + 1);
      expect(peak - early).to.be.below(MOST);
    },
  );

  itIsEnoughIn('spawn')('does not grow while ordered results wait for a slow first one', async function () {
    this.timeout(60_000 * scale);
    const size = 500_000 * scale;
    const { early, peak, count, readAtFirst } = await run('slowFirst', size);
    expect(count).to.equal(size);
    expect(readAtFirst).to.be.at.most(LARGEST_WINDOW + 1);
    expect(peak - early).to.be.below(MOST);
  });

  it('is given back after each of many subscriptions, each with workers of its own', async function () {
    this.timeout(60_000 * scale);
    const { early, end, descriptors, children } = await run('subscriptions', (isProcess ? 30 : 100) * scale);
    expect(descriptors, 'file descriptors').to.be.at.most(0);
    expect(children, 'processes').to.equal(0);
    // What a subscription may not keep is a worker: megabytes.
    expect(end - early).to.be.below(1);
  });

  itIsEnoughIn('threading')('is given back after each of 1,000 subscriptions to one pool', async function () {
    this.timeout(60_000 * scale);
    const { early, end, listeners } = await run('subscriptionsOnPool', 1000 * scale);
    expect(listeners, 'listeners of the signal').to.equal(0);
    expect(end - early).to.be.below(1);
  });

  itIsEnoughIn('threading')('does not grow with the functions that a pool has been given', async function () {
    this.timeout(60_000);
    // 100 sources of 50 kB are 5 MB; of the first 40 a pool and its workers keep some dozens, and then no more of them.
    const { early, end, earlyInWorker, inWorker } = await run('functions', 100);
    expect(end - early, 'in the program').to.be.below(2);
    expect((inWorker as number) - (earlyInWorker as number), 'in the worker').to.be.below(2);
  });

  itIsEnoughIn('spawn')('does not grow with the functions that could not be loaded', async function () {
    this.timeout(60_000);
    const { early, end, failed, earlyInWorker, inWorker } = await run('brokenFunctions', 100);
    expect(failed).to.equal(100);
    expect(end - early, 'in the program').to.be.below(2);
    expect((inWorker as number) - (earlyInWorker as number), 'in the worker').to.be.below(2);
  });
});
