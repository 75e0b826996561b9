import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { CREDITS } from '../../src/internal/protocol/tuning.js';
import { createChunk, type Chunk } from '../../src/internal/core/job/Chunk.js';
import { Deadlines } from '../../src/internal/core/pool/Deadlines.js';
import { nodePlatform } from '../../src/internal/node/nodePlatform.js';
import { until } from '../support/until.js';

describe('deadlines', () => {
  let passed: Chunk[];
  let deadlines: Deadlines<Chunk>;
  beforeEach(() => {
    passed = [];
    deadlines = new Deadlines<Chunk>(nodePlatform, (chunk) => passed.push(chunk));
  });

  /** Chunks, and how long each may take. */
  const limits = new Map<Chunk, number>();
  const chunkWith = (limit: number): Chunk => {
    const chunk = createChunk(0, 0, [0]);
    limits.set(chunk, limit);
    return chunk;
  };

  const begin = (some: Deadlines<Chunk>, chunk: Chunk): void => some.start(chunk, limits.get(chunk) as number);

  function block(milliseconds: number): void {
    for (const end = performance.now() + milliseconds; performance.now() < end;);
  }

  /** Timers whose time has come are heard, and what they leave for the next turn. */
  async function settle(): Promise<void> {
    await delay(1);
    await turn();
    await turn();
  }

  it('pass each in its own time, once', async () => {
    // So far apart that no stall of the machine brings them together.
    const [late, early, next] = [chunkWith(60_000), chunkWith(20), chunkWith(20)];
    begin(deadlines, late);
    begin(deadlines, early);
    while (passed.length === 0) await delay(1);
    begin(deadlines, next);
    while (passed.length === 1) await delay(1);
    await delay(50);
    expect(passed).to.deep.equal([early, next]);
    deadlines.stop(late);
  });

  it('never pass early', async () => {
    for (let i = 0; i < 20; i++) {
      const start = performance.now();
      const over = new Promise<void>((resolve) => {
        const { length } = passed;
        const single = new Deadlines<Chunk>(nodePlatform, () => {
          passed.length = length;
          resolve();
        });
        begin(single, chunkWith(2.5));
      });
      // Deadlines do not hold the program open.
      await Promise.all([over, delay(10)]);
      expect(performance.now() - start).to.be.at.least(2.5);
    }
  });

  it('do not pass for a merge call that turns out to wait', async () => {
    const chunk = chunkWith(10);
    begin(deadlines, chunk);
    // What the call has yielded is heard in the turn of the event loop in which time is up, after the deadline's timer.
    setTimeout(() => {
      for (let i = 0; i < CREDITS; i++) deadlines.onYields(chunk);
    }, 10);
    block(15);
    await delay(40);
    expect(passed).to.deep.equal([]);
    deadlines.onCredit(chunk);
    await until(() => passed.length > 0, 'the end of its time');
    expect(passed).to.deep.equal([chunk]);
  });

  it('do not pass for a chunk that is over, nor for one without a timeout', async () => {
    const chunk = chunkWith(10);
    begin(deadlines, chunk);
    begin(deadlines, chunkWith(Infinity));
    deadlines.stop(chunk);
    deadlines.stop(chunk);
    await delay(40);
    expect(passed).to.deep.equal([]);
  });

  it('do not pass for a chunk that turns out to be over', async () => {
    const chunk = chunkWith(10);
    begin(deadlines, chunk);
    const result = new Promise<void>((resolve) => {
      // Made after the deadline's timer, and so heard after it, in the same turn.
      setTimeout(() => {
        deadlines.stop(chunk);
        resolve();
      }, 10);
    });
    block(15);
    await result;
    await delay(40);
    expect(passed).to.deep.equal([]);
  });

  it('are moved once by as long as the program was busy', async () => {
    const chunk = chunkWith(20);
    const start = performance.now();
    begin(deadlines, chunk);
    block(1300);
    await settle();
    expect(passed, 'the first time').to.deep.equal([]);
    block(performance.now() - start + 500); // longer than it can have been moved by
    await settle();
    expect(passed, 'the second time').to.deep.equal([chunk]);
  });

  it('stand still while a merge call may have to wait, and have their rest then', async () => {
    // A second between all times, for which the machine may stall.
    const timeout = 3000;
    const chunk = chunkWith(timeout);
    const begun = performance.now();
    begin(deadlines, chunk);
    await delay(2000);
    for (let i = 0; i < CREDITS; i++) deadlines.onYields(chunk);
    const spent = performance.now() - begun;
    await delay(1300);
    expect(passed).to.deep.equal([]);
    const start = performance.now();
    deadlines.onCredit(chunk);
    deadlines.onCredit(chunk);
    while (passed.length === 0) await delay(1);
    expect(performance.now() - start).to.be.within(timeout - spent, timeout - 1);
  });

  it('go on while a merge call has credit', async () => {
    const chunk = chunkWith(30);
    begin(deadlines, chunk);
    for (let i = 1; i < CREDITS; i++) deadlines.onYields(chunk);
    for (const end = performance.now() + 5000; performance.now() < end && passed.length === 0;) {
      await delay(20);
      deadlines.onYields(chunk);
      deadlines.onCredit(chunk);
    }
    expect(passed).to.deep.equal([chunk]);
  });

  it('that stand still are gone with their chunk', async () => {
    const chunk = chunkWith(10);
    begin(deadlines, chunk);
    for (let i = 0; i < CREDITS; i++) deadlines.onYields(chunk);
    deadlines.stop(chunk);
    deadlines.onCredit(chunk);
    await delay(40);
    expect(passed).to.deep.equal([]);
  });
});
