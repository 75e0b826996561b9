import { expect } from 'chai';
import fc from 'fast-check';
import { encodeFrame, FrameReader } from '../../src/internal/protocol/frames.js';

/** What comes out when bytes go in, piece by piece. */
function readAll(pieces: readonly Buffer[]): unknown[] {
  const reader = new FrameReader();
  const messages: unknown[] = [];
  for (const piece of pieces) reader.read(piece, (message) => messages.push(message));
  return messages;
}

const thereAndBack = (message: unknown): unknown => readAll([encodeFrame(message)])[0];

const value = fc.oneof(
  fc.jsonValue(),
  fc.bigInt(),
  fc.date(),
  fc.constantFrom(undefined, NaN, -0, Infinity),
  fc.uint8Array({ maxLength: 50 }),
  fc.array(fc.tuple(fc.string(), fc.integer())).map((entries) => new Map(entries)),
  fc.array(fc.string()).map((values) => new Set(values)),
);

describe('frames', () => {
  it('bring back every message, whatever the pieces in which their bytes arrive', () => {
    const input = fc.tuple(fc.array(value, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }));
    fc.assert(
      fc.property(input, ([messages, cuts]) => {
        const bytes = Buffer.concat(messages.map(encodeFrame));
        const places = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].sort((a, b) => a - b);
        const pieces = places.slice(1).map((place, i) => bytes.subarray(places[i], place));
        expect(readAll(pieces)).to.deep.equal(messages);
      }),
      { numRuns: 500 },
    );
  });

  it('bring back two messages for every single place of two cuts', () => {
    const messages = [{ n: 1, list: ['a', null] }, [2n, undefined]];
    const bytes = Buffer.concat(messages.map(encodeFrame));
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        expect(readAll(pieces), `cut at ${first} and ${second}`).to.deep.equal(messages);
      }
    }
  });

  it('bring back messages byte by byte', () => {
    const messages = ['a', 'b'.repeat(300), ['c']];
    const bytes = Buffer.concat(messages.map(encodeFrame));
    expect(readAll(Array.from(bytes, (byte) => Buffer.from([byte])))).to.deep.equal(messages);
  });

  it('hand on a message as soon as its last byte is there', () => {
    const bytes = encodeFrame('message');
    const reader = new FrameReader();
    const messages: unknown[] = [];
    reader.read(bytes.subarray(0, -1), (message) => messages.push(message));
    expect(messages).to.deep.equal([]);
    reader.read(bytes.subarray(-1), (message) => messages.push(message));
    expect(messages).to.deep.equal(['message']);
  });

  it('carry 60 MB in pieces of 64 kB without copying it for each piece', () => {
    const bytes = encodeFrame(new Uint8Array(60_000_000).fill(7));
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 65_536) pieces.push(bytes.subarray(at, at + 65_536));
    const start = performance.now();
    const [message] = readAll(pieces) as [Uint8Array];
    expect(message.length).to.equal(60_000_000);
    expect(message[59_999_999]).to.equal(7);
    // Copied anew for each of the 900 pieces it would be 27 GB, and more than five seconds instead of 0.2.
    expect(performance.now() - start).to.be.below(2500);
  });

  it('keep two views of one buffer views of one buffer', () => {
    const buffer = new ArrayBuffer(8);
    const [a, b] = thereAndBack([new Uint8Array(buffer), new Uint16Array(buffer, 2, 2)]) as [Uint8Array, Uint16Array];
    expect(b.buffer).to.equal(a.buffer);
    expect([b.byteOffset, b.length]).to.deep.equal([2, 2]);
  });

  it('leave nothing of a message in the bytes it came in', () => {
    const frame = encodeFrame(new Uint8Array([1, 2, 3]));
    const [message] = readAll([frame]) as [Uint8Array];
    frame.fill(0);
    expect([...message]).to.deep.equal([1, 2, 3]);
  });

  it('keep cycles and what is the same the same', () => {
    const object: Record<string, unknown> = {};
    object['self'] = object;
    const [a, b] = thereAndBack([object, object]) as [Record<string, unknown>, unknown];
    expect(a['self']).to.equal(a);
    expect(b).to.equal(a);
  });

  it('refuse what cannot be cloned before a byte is made', () => {
    for (const bad of [() => undefined, Symbol('x'), { deep: [() => undefined] }]) {
      expect(() => encodeFrame(bad)).to.throw(/could not be cloned/);
    }
  });

  it('can be read on after a receiver that has thrown', () => {
    const reader = new FrameReader();
    const throwing = (): never => {
      throw new Error('receiver');
    };
    expect(() => reader.read(encodeFrame(1), throwing)).to.throw('receiver');
    const messages: unknown[] = [];
    reader.read(encodeFrame(2), (message) => messages.push(message));
    expect(messages).to.deep.equal([2]);
  });
});
