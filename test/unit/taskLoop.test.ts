import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { TaskContext } from 'rxjs-parallel-map';
import {
  CallMode,
  FromWorker,
  NO_HOOKS,
  ToWorker,
  type MessageFromWorker,
} from '../../src/internal/protocol/messages.js';
import { threadChannel } from '../../src/internal/protocol/checked.js';
import { NO_PLACE } from '../../src/internal/protocol/claims.js';
import { makePortable } from '../../src/internal/closures/portable.js';
import { TaskLoop } from '../../src/internal/worker/TaskLoop.js';
import { until } from '../support/until.js';

/** A loop with one function, and what it has sent about its chunks. */
function loopOf(fn: (value: number, context: TaskContext) => unknown): { loop: TaskLoop; sent: MessageFromWorker[] } {
  const sent: MessageFromWorker[] = [];
  const loop = new TaskLoop({
    workerId: 0,
    memory: undefined,
    claims: undefined,
    channel: threadChannel,
    post: (message) => void sent.push(message as MessageFromWorker),
    isCloneable: () => true,
    leave: () => undefined,
  });
  loop.receive([ToWorker.Define, 0, makePortable(fn, {} as never)]);
  expect(sent).to.deep.equal([[FromWorker.Defined, 0]]);
  sent.length = 0;
  return { loop, sent };
}

/** The values of each `Results` message. */
const batches = (sent: readonly MessageFromWorker[]): unknown[][] =>
  sent.flatMap((message) => (message[0] === FromWorker.Results ? [message[2]] : []));

describe('The task loop', () => {
  const numbers = Array.from({ length: 100 }, (_, i) => i);

  it('sends the results of quick calls together', async () => {
    const { loop, sent } = loopOf((n) => n);
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, NO_HOOKS, 0, numbers, NO_PLACE]);
    while (batches(sent).flat().length < numbers.length) await turn(); // where the machine stalls
    expect(batches(sent).flat()).to.deep.equal(numbers);
    // One message, or a few where the machine stalls.
    expect(sent).to.have.length.below(20);
  });

  it('gives back what it cannot claim, and begins none of it', () => {
    const begun: number[] = [];
    const { loop, sent } = loopOf((n) => begun.push(n));
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, NO_HOOKS, 0, [1, 2], 0]);
    expect(sent).to.deep.equal([[FromWorker.Reclaimed, 0, 0]]);
    expect(begun).to.deep.equal([]);
  });

  it('sends the result of a slow call before the next one is made', () => {
    const slow = (ms: number): number => {
      for (const end = performance.now() + ms; performance.now() < end;);
      return ms;
    };
    const { loop, sent } = loopOf(slow);
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, NO_HOOKS, 0, [6, 6, 6], NO_PLACE]);
    expect(batches(sent)[0]).to.deep.equal([6]);
  });

  it('sends what it has while a call waits', async () => {
    const { loop, sent } = loopOf((n) => (n < 2 ? n : new Promise(() => undefined)));
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, NO_HOOKS, 0, [0, 1, 2], NO_PLACE]);
    await until(() => batches(sent).flat().length > 1, 'the results before it');
    expect(batches(sent).flat()).to.deep.equal([0, 1]);
  });

  it('lets the event loop turn during a long chunk, and then heeds a cancellation', async () => {
    const slow = (): void => {
      for (const end = performance.now() + 1; performance.now() < end;);
    };
    const { loop, sent } = loopOf(slow);
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, NO_HOOKS, 0, numbers, NO_PLACE]);
    expect(batches(sent).flat()).to.have.length.within(1, 99);
    loop.receive([ToWorker.Cancel, 0]);
    expect(sent.at(-1)).to.deep.equal([FromWorker.Stopped, 0]);
    const { length } = sent;
    await sleep(50);
    expect(sent).to.have.lengthOf(length);
  });

  it('tells a call that it is cancelled also where that looks only afterwards', async () => {
    const { loop, sent } = loopOf(
      (_value, context) =>
        new Promise<void>((resolve) => {
          setTimeout(() => {
            (globalThis as { sawAbort?: boolean }).sawAbort = context.signal.aborted;
            resolve();
          }, 10);
        }),
    );
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, NO_HOOKS, 0, [0], NO_PLACE]);
    loop.receive([ToWorker.Cancel, 0]);
    await until(() => sent.length > 0, 'its end');
    expect(sent).to.deep.equal([[FromWorker.Stopped, 0]]);
    expect((globalThis as { sawAbort?: boolean }).sawAbort).to.equal(true);
  });

  it('gives back what it has not started, and does the rest', async () => {
    const slow = (n: number): number => {
      for (const end = performance.now() + 1; performance.now() < end;);
      return n;
    };
    const { loop, sent } = loopOf(slow);
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, NO_HOOKS, 0, [...numbers], NO_PLACE]);
    loop.receive([ToWorker.Reclaim, 0]);
    const released = sent.find(([type]) => type === FromWorker.Reclaimed);
    const kept = released?.[2] as number;
    expect(kept).to.be.within(1, 99);
    await until(() => batches(sent).flat().length >= kept, 'the results of the rest');
    expect(batches(sent).flat()).to.deep.equal(numbers.slice(0, kept));
  });

  it('makes no call after one that fails: not in its chunk, and not in those behind', async () => {
    const kept = globalThis as { called?: number[] };
    const { loop, sent } = loopOf((n) => {
      (globalThis as { called?: number[] }).called?.push(n);
      if (n === 1) throw new Error('thrown');
      return n === 10 ? new Promise((_resolve, reject) => setImmediate(reject, new Error('rejected'))) : n;
    });
    const ends = () => sent.splice(0).map(([type, chunk]) => [type, chunk]);

    kept.called = [];
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, NO_HOOKS, 0, [0, 1, 2], NO_PLACE]);
    await until(() => sent.length > 1, 'the end of the first chunk'); // it pauses where the machine stalls
    expect(kept.called).to.deep.equal([0, 1]);
    expect(ends()).to.deep.equal([
      [FromWorker.Results, 0],
      [FromWorker.Failed, 0],
    ]);

    kept.called = [];
    loop.receive([ToWorker.Run, 1, 0, CallMode.Map, NO_HOOKS, 10, [10, 11], NO_PLACE]);
    loop.receive([ToWorker.Run, 2, 0, CallMode.Map, NO_HOOKS, 12, [12], NO_PLACE]);
    await until(() => sent.length > 1, 'the ends of both chunks');
    expect(kept.called).to.deep.equal([10]);
    expect(ends()).to.deep.equal([
      [FromWorker.Failed, 1],
      [FromWorker.Stopped, 2],
    ]);
  });

  it('gives back all but one of the values that wait for an init function, for it would pass for idle', async () => {
    const { loop, sent } = loopOf((n) => n);
    const workerInit = () => new Promise((resolve) => setTimeout(resolve, 20));
    loop.receive([ToWorker.Define, 1, makePortable(workerInit, {} as never)]);
    loop.receive([ToWorker.Init, 1, 1]);
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, 1, 0, [0, 1, 2], NO_PLACE]);
    loop.receive([ToWorker.Run, 1, 0, CallMode.Map, 1, 3, [3, 4], NO_PLACE]);
    sent.length = 0;
    loop.receive([ToWorker.Reclaim, 1]);
    loop.receive([ToWorker.Reclaim, 0]);
    expect(sent).to.deep.equal([
      [FromWorker.Stopped, 1],
      [FromWorker.Reclaimed, 0, 1],
    ]);
    await until(() => batches(sent).length > 0, 'its result');
    expect(batches(sent)).to.deep.equal([[0]]);
  });

  it('gives back a chunk that waits as a whole', () => {
    const { loop, sent } = loopOf(() => new Promise(() => undefined));
    loop.receive([ToWorker.Run, 0, 0, CallMode.Map, NO_HOOKS, 0, [0], NO_PLACE]);
    loop.receive([ToWorker.Run, 1, 0, CallMode.Map, NO_HOOKS, 1, [1], NO_PLACE]);
    loop.receive([ToWorker.Reclaim, 1]);
    expect(sent).to.deep.equal([[FromWorker.Stopped, 1]]);
  });
});
