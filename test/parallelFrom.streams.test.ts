// `parallelFrom` on Node streams and web streams.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { take } from 'rxjs';
import { parallelFrom } from './support/library.js';
import { outcomeOf } from './support/outcome.js';
import { describeEach } from './support/startMethods.js';
import { until } from './support/until.js';
import { trackWorkers } from './support/workers.js';
import { failsAtFive, same } from './support/tasks.js';

const thisFile = fileURLToPath(import.meta.url);

/** A Node stream of numbers without end. */
const counting = (): Readable & { readonly made: number } => {
  let n = 0;
  const stream = new Readable({
    objectMode: true,
    highWaterMark: 2,
    read() {
      this.push(n++);
    },
  });
  return Object.defineProperty(stream, 'made', { get: () => n }) as never;
};

/** A web stream of numbers without end, and what was done to it. */
const countingWeb = () => {
  const done = { made: 0, cancelled: 0 };
  const stream = new ReadableStream<number>(
    {
      pull: (controller) => controller.enqueue(done.made++),
      cancel() {
        done.cancelled++;
      },
    },
    { highWaterMark: 1 },
  );
  return { stream, done };
};

describeEach.of(['threading', 'fork'], 'parallelFrom on streams', ({ name: startMethod }) => {
  const workers = trackWorkers();
  const options = { nJobs: 2, startMethod };

  it('reads a Node stream to its end', async () => {
    const stream = Readable.from([1, 2, 3]);
    expect(await outcomeOf(parallelFrom<number, number>(stream, same, options))).to.deep.equal({
      values: [1, 2, 3],
      end: 'complete',
    });
    expect(stream.destroyed).to.equal(true);
  });

  it('reads the bytes of a file', async () => {
    const sizes = parallelFrom(
      createReadStream(thisFile, { highWaterMark: 1000 }),
      (bytes: Uint8Array) => bytes.length,
      options,
    );
    const { values } = await outcomeOf(sizes);
    const { statSync } = await import('node:fs');
    expect(values.reduce((sum, size) => sum + size, 0)).to.equal(statSync(thisFile).size);
    expect(values.length).to.be.above(1);
  });

  it('reads the lines of a file, in order', async () => {
    const lines = createInterface({ input: createReadStream(thisFile) });
    const { values } = await outcomeOf(parallelFrom(lines, (line: string, { index }) => `${index}:${line}`, options));
    const { readFileSync } = await import('node:fs');
    const expected = readFileSync(thisFile, 'utf8').split('\n');
    if (expected.at(-1) === '') expected.pop();
    expect(values).to.deep.equal(expected.map((line, index) => `${index}:${line}`));
  });

  it('reads a web stream to its end', async () => {
    const stream = new ReadableStream<number>({
      start(controller) {
        for (const n of [1, 2, 3]) controller.enqueue(n);
        controller.close();
      },
    });
    expect(await outcomeOf(parallelFrom(stream, same, options))).to.deep.equal({ values: [1, 2, 3], end: 'complete' });
    expect(stream.locked).to.equal(false);
  });

  it('reads a web stream that is no async iterable, as in some browsers', async () => {
    const items = [1, 2, 3];
    const stream = {
      getReader: () => ({
        read: async () => (items.length > 0 ? { done: false, value: items.shift() as number } : { done: true }),
        cancel: async () => undefined,
        releaseLock: () => undefined,
      }),
    };
    expect((await outcomeOf(parallelFrom(stream, same, options))).values).to.deep.equal([1, 2, 3]);
  });

  it('passes on the error of a stream', async () => {
    const error = new Error('disk');
    const node = new Readable({
      objectMode: true,
      read() {
        this.destroy(error);
      },
    });
    expect((await outcomeOf(parallelFrom<number, number>(node, same, options))).error).to.equal(error);
    const web = new ReadableStream<number>({ pull: (controller) => controller.error(error) });
    expect((await outcomeOf(parallelFrom(web, same, options))).error).to.equal(error);
    expect(web.locked).to.equal(false);
    const missing = parallelFrom(createReadStream('/does/not/exist'), (bytes: Uint8Array) => bytes.length, options);
    expect((await outcomeOf(missing)).error).to.have.property('code', 'ENOENT');
    expect(workers.started).to.equal(0);
  });

  it('passes on that a web stream is locked already', async () => {
    const { stream } = countingWeb();
    stream.getReader();
    expect((await outcomeOf(parallelFrom(stream, same, options))).error).to.be.instanceOf(TypeError);
  });

  it('destroys a Node stream when unsubscribed from, at take, and when a task fails', async () => {
    const first = counting();
    const subscription = parallelFrom<number, number>(first, same, options).subscribe();
    await until(() => first.made > 5, 'it is read');
    subscription.unsubscribe();
    await until(() => first.destroyed, 'the stream is destroyed');
    const second = counting();
    expect((await outcomeOf(parallelFrom<number, number>(second, same, options).pipe(take(2)))).values).to.deep.equal([
      0, 1,
    ]);
    await until(() => second.destroyed, 'the stream is destroyed');
    const third = counting();
    expect((await outcomeOf(parallelFrom<number, number>(third, failsAtFive, options))).error).to.include({ index: 5 });
    await until(() => third.destroyed, 'the stream is destroyed');
  });

  it('cancels a web stream when unsubscribed from, at take, and when a task fails', async () => {
    const first = countingWeb();
    const subscription = parallelFrom(first.stream, same, options).subscribe();
    await until(() => first.done.made > 5, 'it is read');
    subscription.unsubscribe();
    await until(() => first.done.cancelled === 1, 'the stream is cancelled');
    const second = countingWeb();
    await outcomeOf(parallelFrom(second.stream, same, options).pipe(take(2)));
    await until(() => second.done.cancelled === 1, 'the stream is cancelled');
    const third = countingWeb();
    expect((await outcomeOf(parallelFrom(third.stream, failsAtFive, options))).error).to.include({ index: 5 });
    await until(() => third.done.cancelled === 1, 'the stream is cancelled');
  });

  it('destroys and cancels streams that have nothing to say at the moment', async () => {
    const node = new Readable({ objectMode: true, read: () => undefined });
    parallelFrom<number, number>(node, same, options).subscribe().unsubscribe();
    await until(() => node.destroyed, 'the stream is destroyed');
    let cancelled = false;
    const web = new ReadableStream<number>({
      cancel() {
        cancelled = true;
      },
    });
    const subscription = parallelFrom(web, same, options).subscribe();
    await new Promise((resolve) => setImmediate(resolve)); // it is waiting for the first value
    subscription.unsubscribe();
    await until(() => cancelled, 'the stream is cancelled');
  });

  it('ends the workers also where destroying the stream throws', async () => {
    const stream = Object.assign(counting(), {
      destroy() {
        throw new Error('destroy');
      },
    });
    const subscription = parallelFrom<number, number>(stream, same, options).subscribe();
    await until(() => stream.made > 5, 'it is read');
    expect(() => subscription.unsubscribe()).to.throw('destroy');
    await workers.ended();
  });

  it('stops reading while results do not come', async () => {
    const node = counting();
    const web = countingWeb();
    const never = (_value: number): Promise<number> => new Promise((resolve) => setTimeout(resolve, 1e9, 0));
    const limited = { ...options, maxTasksActive: 10 };
    const subscriptions = [
      parallelFrom<number, number>(node, never as never, limited).subscribe(),
      parallelFrom(web.stream, never, limited).subscribe(),
    ];
    await until(() => node.made >= 10 && web.done.made >= 10, 'the window is filled');
    await new Promise((resolve) => setTimeout(resolve, 100));
    // The streams themselves read a little ahead.
    expect(node.made).to.be.within(10, 14);
    expect(web.done.made).to.be.within(10, 12);
    for (const subscription of subscriptions) subscription.unsubscribe();
  });
});
