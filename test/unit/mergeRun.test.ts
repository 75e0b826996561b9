import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { CREDITS } from '../../src/internal/protocol/tuning.js';
import { MergeRun } from '../../src/internal/worker/MergeRun.js';
import { until } from '../support/until.js';

describe('A merge run', () => {
  it('sends on credit, and goes on with more of it', async () => {
    let batches = 0;
    const run = new MergeRun(
      () => void batches++,
      () => undefined,
    );
    run.start(
      (function* () {
        for (let n = 0; ; n++) yield n;
      })(),
    );
    await until(() => batches === CREDITS, 'as many batches as there is credit for');
    for (let i = 0; i < 20; i++) await turn();
    expect(batches).to.equal(CREDITS);
    run.credit(1);
    await until(() => batches === CREDITS + 1, 'one more');
    run.cancel();
  });

  it('that is cancelled when its credit is used up lets its generator clean up', async () => {
    let batches = 0;
    let isClean = false;
    const ended = new Promise<unknown>((settled) => {
      const run: MergeRun = new MergeRun(() => {
        if (++batches === CREDITS) run.cancel();
      }, settled);
      run.start(
        (function* () {
          try {
            for (let n = 0; ; n++) yield n;
          } finally {
            isClean = true;
          }
        })(),
      );
    });
    expect(await ended).to.equal(undefined);
    expect({ batches, isClean }).to.deep.equal({ batches: CREDITS, isClean: true });
  });
});
