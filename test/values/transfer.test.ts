import { expect } from 'chai';
import { from, of } from 'rxjs';
import { open, type FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { parallelMap, parallelMergeMap, transfer, UnserializableError } from '../support/library.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools, identity } from '../support/pools.js';
import { rejection, thrownBy } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

describeEach.of(['threading', 'fork', 'inline'], 'transfer', ({ name: startMethod, sharesMemory }) => {
  afterEach(endPools);
  const library = new URL('../support/library.js', import.meta.url).href;

  it(sharesMemory ? 'moves a buffer, and keeps the view' : 'copies a buffer, which stays usable', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const buffer = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]).buffer;
    const view = new Uint8Array(buffer, 2, 3);
    const seen = await pool.map((x: Uint8Array) => [x.byteOffset, ...x], [transfer(view, [buffer])]);
    expect(seen).to.deep.equal([[2, 2, 3, 4]]);
    expect(buffer.byteLength).to.equal(sharesMemory ? 0 : 8);
  });

  it('lets primitives and null pass', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const values = [1, 'text', null, undefined, true];
    expect(
      await pool.map(
        (x: unknown) => x,
        values.map((value) => transfer(value)),
      ),
    ).to.deep.equal(values);
  });

  it('moves among values that do not', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const input = Array.from({ length: 20 }, (_, i) => {
      const bytes = new Uint8Array(4).fill(i);
      return i % 3 === 0 ? transfer(bytes, [bytes.buffer]) : bytes;
    });
    const results = await pool.map((x: Uint8Array) => x[0], input, { chunkSize: 4 });
    expect(results).to.deep.equal(Array.from({ length: 20 }, (_, i) => i));
  });

  it(sharesMemory ? 'moves a result' : 'copies a result, which stays usable', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const make = async (url: string) => {
      const { transfer: move } = (await import(url)) as typeof import('../support/library.js');
      const bytes = new Uint8Array(8).fill(7);
      (globalThis as { made?: Uint8Array }).made = bytes;
      return move(bytes, [bytes.buffer]);
    };
    const [first, second] = (await pool.map(make, [library, library])) as [Uint8Array, Uint8Array];
    expect([...first]).to.deep.equal(new Array(8).fill(7));
    expect([...second]).to.deep.equal(new Array(8).fill(7));
    const left = await pool.apply(() => (globalThis as { made?: Uint8Array }).made?.byteLength);
    expect(left).to.equal(sharesMemory ? 0 : 8);
  });

  it(sharesMemory ? 'moves what a call yields' : 'copies what a call yields', async () => {
    const task = async function* (url: string) {
      const { transfer: move } = (await import(url)) as typeof import('../support/library.js');
      const bytes = new Uint8Array(4).fill(7);
      yield move(bytes, [bytes.buffer]);
      await new Promise((resolve) => setImmediate(resolve)); // it is sent by then
      yield bytes.byteLength;
    };
    const { values } = await outcomeOf(of(library).pipe(parallelMergeMap(task, { startMethod })));
    expect(values).to.deep.equal([new Uint8Array(4).fill(7), sharesMemory ? 0 : 4]);
  });

  it('moves what is among the arguments of apply', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const buffer = new ArrayBuffer(4);
    const other = new ArrayBuffer(4);
    const sizes = await pool.apply(
      (a: ArrayBuffer, b: number, c: ArrayBuffer, context) => [a.byteLength, b, c.byteLength, context.index],
      [transfer(buffer, [buffer]), 5, transfer(other, [other])],
    );
    expect(sizes).to.deep.equal([4, 5, 4, 0]);
    expect([buffer.byteLength, other.byteLength]).to.deep.equal(sharesMemory ? [0, 0] : [4, 4]);
  });

  it('inside of a value is refused, for nobody would open it there', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const bytes = new Uint8Array(4);
    const error = await rejection(pool.map((x) => x, [{ inner: [transfer(bytes, [bytes.buffer])] }]));
    expect(error).to.be.instanceOf(UnserializableError);
    expect(error).to.include({ path: 'value.inner[0]', kind: 'transfer(…)', index: 0, direction: 'input' });
    expect(error.message).to.match(
      /Call transfer for the whole value, and list the objects to move in its second argument\.$/,
    );
    expect(bytes).to.have.length(4);
  });

  it('of what cannot be transferred is a TypeError at once', () => {
    const bytes = new Uint8Array(4);
    for (const list of [[bytes], [{}], [null], [1], 'text', bytes.buffer, null] as never[]) {
      const error = thrownBy(() => transfer(bytes, list));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.match(/^transfer: "transferables(\[0\])?" must be /);
    }
  });

  it('of a buffer that has moved already never stops the worker', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const before = await pool.apply(identity);
    const buffer = new ArrayBuffer(4);
    structuredClone(buffer, { transfer: [buffer] });
    const error = await rejection(pool.map((x: ArrayBuffer) => x.byteLength, [transfer(buffer, [buffer])]));
    expect(error).to.be.instanceOf(UnserializableError).with.property('path', 'value');
    expect(error.message).to.match(/detached.* send each buffer once/);
    expect(await pool.apply(identity)).to.equal(before);
  });

  it('of the same buffer twice rejects, and the worker lives', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const before = await pool.apply(identity);
    const buffer = new ArrayBuffer(4);
    const call = pool.map((x: ArrayBuffer) => x.byteLength, [transfer(buffer, [buffer, buffer])]);
    if (sharesMemory) expect(await rejection(call)).to.be.instanceOf(UnserializableError);
    else expect(await call).to.deep.equal([4]);
    expect(await pool.apply(identity)).to.equal(before);
  });

  describe('by transferInput', () => {
    const bytesOf = (count: number): Uint8Array<ArrayBuffer>[] =>
      Array.from({ length: count }, (_, n) => new Uint8Array([n, n, n]));
    const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0);
    const transferInput = (bytes: Uint8Array<ArrayBuffer>) => [bytes.buffer];
    const left = sharesMemory ? 0 : 3;

    it(`${sharesMemory ? 'moves' : 'copies'} what it says of each value`, async () => {
      const pool = createPool({ nJobs: 2, startMethod });
      const values = bytesOf(50);
      expect(await pool.map(sum, values, { transferInput })).to.deep.equal(values.map((_, n) => 3 * n));
      expect(values.map(({ length }) => length)).to.deep.equal(values.map(() => left));
    });

    it('holds for operators, also of sources that push, and for chunks of any size', async () => {
      const values = bytesOf(20);
      const sums: number[] = [];
      const options = { nJobs: 2, startMethod, transferInput, chunkSize: 8 };
      await from(values)
        .pipe(parallelMap(sum, options))
        .forEach((total) => void sums.push(total));
      expect(sums).to.deep.equal(values.map((_, n) => 3 * n));
      expect(values.every(({ length }) => length === left)).to.equal(true);
    });

    it('copies where it says nothing, and leaves alone what comes from transfer', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const [copied, moved] = bytesOf(2) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
      const asked: unknown[] = [];
      const nothing = (value: unknown) => {
        asked.push(value);
        return [];
      };
      const input = [copied, transfer(moved, [moved.buffer])];
      expect(await pool.map(sum, input, { transferInput: nothing })).to.deep.equal([0, 3]);
      expect([copied.length, moved.length]).to.deep.equal([3, left]);
      expect(asked).to.deep.equal([copied]);
    });

    it('that throws ends the call with that error', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const failure = new Error('no list');
      const fail = () => {
        throw failure;
      };
      expect(await rejection(pool.map(sum, bytesOf(3), { transferInput: fail, settle: true }))).to.equal(failure);
      const source = from(bytesOf(3)).pipe(parallelMap(sum, { pool, transferInput: fail }));
      expect(await rejection(source.forEach(() => undefined))).to.equal(failure);
    });

    it('that gives anything else than transferable objects is a TypeError which says so', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const messages: [() => unknown, string][] = [
        [() => undefined, 'transferInput: what it returns must be an array of transferable objects'],
        [() => new ArrayBuffer(1), 'got [ArrayBuffer].'],
        [() => [new Uint8Array(1)], 'transferInput: what it returns[0] must be a transferable object'],
        [() => [new Uint8Array(1)], '(a view: transfer its .buffer)'],
      ];
      for (const [wrong, message] of messages) {
        const error = await rejection(pool.map(sum, bytesOf(1), { transferInput: wrong as never }));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.include(message);
      }
    });
  });

  if (sharesMemory) {
    it('of one buffer by two values fails the second one, and the worker lives', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      const size = (x: Uint8Array) => x.length;
      const make = (): Uint8Array<ArrayBuffer> => new Uint8Array(4);
      const [a, b] = [make(), make()];
      const byTransfer = [transfer(a, [a.buffer]), make(), transfer(a, [a.buffer]), make()];
      const byOption = [b, make(), b, make()];
      const calls = [
        () => pool.map(size, byTransfer, { settle: true }),
        () => pool.map(size, byTransfer.slice(2), { settle: true, tasksPerWorker: 4 }),
        () => pool.map(size, byOption, { settle: true, transferInput: (x) => [x.buffer as ArrayBuffer] }),
      ];
      for (const [at, call] of calls.entries()) {
        const results = await call();
        const failed = at === 1 ? 0 : 2;
        const given = results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed'));
        expect(given).to.deep.equal(results.map((_, index) => (index === failed ? 'failed' : 4)));
        const { reason } = results[failed] as PromiseRejectedResult;
        expect(reason).to.be.instanceOf(UnserializableError).that.includes({ index: failed, path: 'value' });
      }
      expect(await pool.apply(identity)).to.equal(before);
    });

    it('of an empty buffer that is there moves it', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const buffer = new ArrayBuffer(0);
      expect(await pool.map((x: ArrayBuffer) => x.byteLength, [transfer(buffer, [buffer])])).to.deep.equal([0]);
    });

    it('of a port or file that has moved already is the failure of that value', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      const { port1 } = new MessageChannel();
      const file = await open(fileURLToPath(import.meta.url));
      const moved = structuredClone([port1, file], { transfer: [port1, file] as never });
      for (const item of [port1, file]) {
        const error = await rejection(pool.map((x: object) => typeof x, [transfer(item, [item])]));
        expect(error).to.be.instanceOf(UnserializableError);
        expect(error.message).to.match(/ detached.* send each buffer once/);
      }
      (moved[0] as MessagePort).close();
      await (moved[1] as FileHandle).close();
      expect(await pool.apply(identity)).to.equal(before);
    });

    it('of a buffer that has moved already fails results, reports, yields, exit results', async () => {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      const before = await pool.apply(identity);
      const again = async (url: string) => {
        const { transfer: move } = (await import(url)) as typeof import('../support/library.js');
        const kept = globalThis as { kept?: Uint8Array<ArrayBuffer> };
        kept.kept ??= new Uint8Array(4);
        return move(kept.kept, [kept.kept.buffer]);
      };
      const results = await pool.map(again, [library, library, library], { settle: true, chunkSize: 3 });
      expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'rejected']);
      const { reason } = results[1] as PromiseRejectedResult;
      expect(reason)
        .to.be.instanceOf(UnserializableError)
        .that.includes({ index: 1, path: 'value', direction: 'result' });
      const report = async (url: string, { progress }: { progress(value: unknown): void }) =>
        progress(await again(url));
      const reported = await rejection(pool.map(report, [library], { onProgress: () => undefined }));
      expect(reported).to.be.instanceOf(UnserializableError).that.includes({ index: 0, direction: 'progress' });
      const give = async function* (url: string) {
        yield await again(url);
      };
      const yielded = await rejection(
        of(library)
          .pipe(parallelMergeMap(give, { pool }))
          .forEach(() => undefined),
      );
      expect(yielded).to.be.instanceOf(UnserializableError).that.includes({ index: 0, direction: 'result' });
      expect(await pool.apply(identity)).to.equal(before);
      const other = createPool({ nJobs: 1, startMethod });
      const exit = rejection(other.map(again, [library], { workerExit: () => again(library) }));
      expect(await exit).to.be.instanceOf(UnserializableError);
    });

    it('of a result that fails is the failure of that result, and those before it count', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const task = async ({ url, n }: { url: string; n: number }) => {
        const { transfer: move } = (await import(url)) as typeof import('../support/library.js');
        const buffer = new ArrayBuffer(n);
        return n === 2 ? move(buffer, [buffer, buffer]) : buffer;
      };
      const sizes: number[] = [];
      const source = from([0, 1, 2, 3].map((n) => ({ url: library, n })));
      const error = await rejection(
        source.pipe(parallelMap(task, { pool, chunkSize: 4 })).forEach((buffer) => void sizes.push(buffer.byteLength)),
      );
      expect(error).to.be.instanceOf(UnserializableError).with.property('index', 2);
      expect(sizes).to.deep.equal([0, 1]);
    });

    it('moves a MessagePort, on which both sides talk', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const { port1, port2 } = new MessageChannel();
      const heard = new Promise((resolve) => port1.once('message', resolve));
      const say = (port: MessagePort) => port.postMessage('hello');
      await pool.map(say, [transfer(port2, [port2])]);
      expect(await heard).to.equal('hello');
      port1.close();
    });
  } else {
    it('of a MessagePort is an UnserializableError', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const { port1, port2 } = new MessageChannel();
      const error = await rejection(pool.map((x: unknown) => x, [transfer(port2, [port2])]));
      expect(error).to.be.instanceOf(UnserializableError);
      port1.close();
    });
  }
});
