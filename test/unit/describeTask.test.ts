// What insights show of the values of a task: those that moved to its worker.
import { expect } from 'chai';
import { CallMode } from '../../src/internal/protocol/messages.js';
import type { Chunk } from '../../src/internal/core/job/Chunk.js';
import { describeTask } from '../../src/internal/observe/describeTask.js';

describe('The text about a value of which something has moved', () => {
  const textOf = (value: unknown, transfer: ArrayBuffer[] = []): string => {
    structuredClone(transfer, { transfer });
    return describeTask({ values: [value], moved: true } as unknown as Chunk, CallMode.Map, 0, 1);
  };

  it('names the kind of a buffer or view', () => {
    const buffer = new ArrayBuffer(8);
    const views = [buffer, new DataView(buffer), new Float32Array(buffer), Buffer.from(buffer)];
    const texts = views.map((view) => textOf(view, buffer.byteLength > 0 ? [buffer] : []));
    expect(texts).to.deep.equal(['ArrayBuffer', 'DataView', 'Float32Array', 'Buffer'].map((name) => `${name} (moved)`));
  });

  it('says so at its end where the buffer is inside, and is no longer than others', () => {
    const [a, b] = [new ArrayBuffer(8), new ArrayBuffer(8)];
    expect(textOf([{ data: [a] }], [a])).to.match(/^\[ \{ data: .* \} \] \(moved\)$/);
    const text = textOf({ name: 'x'.repeat(500), b }, [b]);
    expect(text).to.match(/^\{ name: 'x+… \(moved\)$/);
    expect(text).to.have.length(200);
  });

  it('is as usual where nothing has moved, and calls nothing', () => {
    const own = {
      get data(): never {
        throw new Error('called');
      },
    };
    const traps = {
      ownKeys: own.toString,
      getOwnPropertyDescriptor: () => own.data,
    } as unknown as ProxyHandler<object>;
    expect(textOf([new ArrayBuffer(0).byteLength, own])).to.equal('[ 0, { data: [Getter] } ]');
    expect(textOf([new Proxy({}, traps)])).to.match(/^\[ (\{\}|Proxy\(\{\}\)) \]$/); // the latter from Node 26 on
    expect(textOf(new Uint8Array(0))).to.equal('Uint8Array(0) []');
  });
});
