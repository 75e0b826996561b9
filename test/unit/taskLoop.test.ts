import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { TaskContext } from 'rxjs-parallel-map';
import {
  CallMode,
  FromWorker,
  NO_HOOKS,
  ToWorker,
  type MessageFromWorker,
  type RunMessage,
} from '../../src/internal/protocol/messages.js';
import { threadChannel } from '../../src/internal/protocol/checked.js';
import { NO_PLACE } from '../../src/internal/protocol/claims.js';
import { unpackFromWorker } from '../../src/internal/protocol/wire.js';
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
    send: (message) => void sent.push(heard(message)),
    isCloneable: () => true,
    leave: () => undefined,
  });
  loop.receive({ type: ToWorker.Define, task: 0, portable: makePortable(fn, {} as never) });
  expect(sent).to.deep.equal([{ type: FromWorker.Defined, task: 0 }]);
  sent.length = 0;
  return { loop, sent };
}

/** A message as the pool hears it, without the fields that were left out. */
function heard(packed: readonly unknown[]): MessageFromWorker {
  const fields = Object.entries(unpackFromWorker(packed)).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields) as unknown as MessageFromWorker;
}

/** A message that has a chunk run with the function. */
function run(chunk: number, indexes: number, values: unknown[], changes: Partial<RunMessage> = {}): RunMessage {
  const usual = { task: 0, mode: CallMode.Map, hooks: NO_HOOKS, place: NO_PLACE, flags: undefined };
  return { type: ToWorker.Run, chunk, indexes, values, ...usual, ...changes };
}

/** The values of each `Results` message. */
const batches = (sent: readonly MessageFromWorker[]): unknown[][] =>
  sent.flatMap((message) => (message.type === FromWorker.Results ? [message.values] : []));

describe('The task loop', () => {
  const numbers = Array.from({ length: 100 }, (_, i) => i);

  it('sends the results of quick calls together', async () => {
    const { loop, sent } = loopOf((n) => n);
    loop.receive(run(0, 0, numbers));
    while (batches(sent).flat().length < numbers.length) await turn(); // where the machine stalls
    expect(batches(sent).flat()).to.deep.equal(numbers);
    // One message, or a few where the machine stalls.
    expect(sent).to.have.length.below(20);
  });

  it('gives back what it cannot claim, and begins none of it', () => {
    const begun: number[] = [];
    const { loop, sent } = loopOf((n) => begun.push(n));
    loop.receive(run(0, 0, [1, 2], { place: 0 }));
    expect(sent).to.deep.equal([{ type: FromWorker.Reclaimed, chunk: 0, kept: 0 }]);
    expect(begun).to.deep.equal([]);
  });

  it('sends the result of a slow call before the next one is made', () => {
    const slow = (ms: number): number => {
      for (const end = performance.now() + ms; performance.now() < end;);
      return ms;
    };
    const { loop, sent } = loopOf(slow);
    loop.receive(run(0, 0, [6, 6, 6]));
    expect(batches(sent)[0]).to.deep.equal([6]);
  });

  it('sends what it has while a call waits', async () => {
    const { loop, sent } = loopOf((n) => (n < 2 ? n : new Promise(() => undefined)));
    loop.receive(run(0, 0, [0, 1, 2]));
    await until(() => batches(sent).flat().length > 1, 'the results before it');
    expect(batches(sent).flat()).to.deep.equal([0, 1]);
  });

  it('lets the event loop turn during a long chunk, and then heeds a cancellation', async () => {
    const slow = (): void => {
      for (const end = performance.now() + 1; performance.now() < end;);
    };
    const { loop, sent } = loopOf(slow);
    loop.receive(run(0, 0, numbers));
    expect(batches(sent).flat()).to.have.length.within(1, 99);
    loop.receive({ type: ToWorker.Cancel, chunk: 0 });
    expect(sent.at(-1)).to.include({ type: FromWorker.Stopped, chunk: 0 });
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
    loop.receive(run(0, 0, [0]));
    loop.receive({ type: ToWorker.Cancel, chunk: 0 });
    await until(() => sent.length > 0, 'its end');
    expect(sent).to.have.lengthOf(1);
    expect(sent[0]).to.include({ type: FromWorker.Stopped, chunk: 0 });
    expect((globalThis as { sawAbort?: boolean }).sawAbort).to.equal(true);
  });

  it('gives back what it has not started, and does the rest', async () => {
    const slow = (n: number): number => {
      for (const end = performance.now() + 1; performance.now() < end;);
      return n;
    };
    const { loop, sent } = loopOf(slow);
    loop.receive(run(0, 0, [...numbers]));
    loop.receive({ type: ToWorker.Reclaim, chunk: 0 });
    const released = sent.find(({ type }) => type === FromWorker.Reclaimed);
    const { kept } = released as Extract<MessageFromWorker, { kept: number }>;
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
    const ends = () => sent.splice(0).map((message) => [message.type, 'chunk' in message ? message.chunk : undefined]);

    kept.called = [];
    loop.receive(run(0, 0, [0, 1, 2]));
    await until(() => sent.length > 1, 'the end of the first chunk'); // it pauses where the machine stalls
    expect(kept.called).to.deep.equal([0, 1]);
    expect(ends()).to.deep.equal([
      [FromWorker.Results, 0],
      [FromWorker.Failed, 0],
    ]);

    kept.called = [];
    loop.receive(run(1, 10, [10, 11]));
    loop.receive(run(2, 12, [12]));
    await until(() => sent.length > 1, 'the ends of both chunks');
    expect(kept.called).to.deep.equal([10]);
    expect(ends()).to.deep.equal([
      [FromWorker.Failed, 1],
      [FromWorker.Stopped, 2],
    ]);
  });

  it('gives back all but one of the values that wait for an init function', async () => {
    const { loop, sent } = loopOf((n) => n);
    const workerInit = () => new Promise((resolve) => setTimeout(resolve, 20));
    loop.receive({ type: ToWorker.Define, task: 1, portable: makePortable(workerInit, {} as never) });
    loop.receive({ type: ToWorker.Init, hooks: 1, init: 1 });
    loop.receive(run(0, 0, [0, 1, 2], { hooks: 1 }));
    loop.receive(run(1, 3, [3, 4], { hooks: 1 }));
    sent.length = 0;
    loop.receive({ type: ToWorker.Reclaim, chunk: 1 });
    loop.receive({ type: ToWorker.Reclaim, chunk: 0 });
    expect(sent).to.deep.equal([
      { type: FromWorker.Stopped, chunk: 1 },
      { type: FromWorker.Reclaimed, chunk: 0, kept: 1 },
    ]);
    await until(() => batches(sent).length > 0, 'its result');
    expect(batches(sent)).to.deep.equal([[0]]);
  });

  it('gives back a chunk that waits as a whole', () => {
    const { loop, sent } = loopOf(() => new Promise(() => undefined));
    loop.receive(run(0, 0, [0]));
    loop.receive(run(1, 1, [1]));
    loop.receive({ type: ToWorker.Reclaim, chunk: 1 });
    expect(sent).to.deep.equal([{ type: FromWorker.Stopped, chunk: 1 }]);
  });
});
