import { expect } from 'chai';
import { CLAIM_PLACES, Claims, MOST_CLAIMS, NO_PLACE } from '../../src/internal/protocol/claims.js';
import { ClaimBook } from '../../src/internal/core/pool/ClaimBook.js';
import type { Chunk } from '../../src/internal/core/job/Chunk.js';
import { mapShared, SharedMemory } from '../../src/internal/posix/sharedMemory.js';
import { whyNoLibc } from '../../src/internal/posix/libc.js';

const chunk = (id: number, count: number): Chunk => ({ id, values: new Array<number>(count).fill(0) }) as never;

/** Both sides of the same memory. */
function bothSides(): { claims: Claims; book: ClaimBook } {
  const words = new Int32Array(new SharedArrayBuffer(CLAIM_PLACES * 4));
  return { claims: new Claims(words), book: new ClaimBook(new Claims(words)) };
}

describe('Claims', () => {
  it('let a worker begin every value of a chunk that nobody limits', () => {
    const { claims, book } = bothSides();
    const place = book.open(chunk(1, 3));
    for (let n = 0; n < 3; n++) expect(claims.claim(place)).to.equal(true);
    expect(book.begun(chunk(1, 3))).to.equal(3);
  });

  it('let it begin none that was taken back', () => {
    const { claims, book } = bothSides();
    const place = book.open(chunk(1, 10));
    claims.claim(place);
    claims.claim(place);
    expect(book.limit(chunk(1, 10), 0)).to.equal(2);
    for (let n = 0; n < 20; n++) expect(claims.claim(place)).to.equal(false);
  });

  it('leave it the first values, where it is to have some', () => {
    const { claims, book } = bothSides();
    const place = book.open(chunk(1, 10));
    expect(book.limit(chunk(1, 10), 1)).to.equal(1);
    expect(claims.claim(place)).to.equal(true);
    expect(claims.claim(place)).to.equal(false);
    expect(book.begun(chunk(1, 1))).to.equal(1);
  });

  it('tell that there is nothing to take back where all is begun', () => {
    const { claims, book } = bothSides();
    const place = book.open(chunk(1, 2));
    claims.claim(place);
    claims.claim(place);
    expect(book.limit(chunk(1, 2), 0)).to.equal(2);
    expect(book.hasUnseen).to.equal(false);
  });

  it('hold for the largest chunk that has a place', () => {
    const { claims, book } = bothSides();
    const place = book.open(chunk(1, MOST_CLAIMS));
    for (let n = 0; n < MOST_CLAIMS; n++) claims.claim(place);
    expect(book.begun(chunk(1, MOST_CLAIMS))).to.equal(MOST_CLAIMS);
    expect(book.limit(chunk(1, MOST_CLAIMS), 0)).to.equal(MOST_CLAIMS);
    expect(book.open(chunk(2, MOST_CLAIMS + 1))).to.equal(NO_PLACE);
  });

  it('keep the place of a chunk until the worker knows that values were taken back', () => {
    const { book } = bothSides();
    const places = new Set(Array.from({ length: CLAIM_PLACES }, (_, id) => book.open(chunk(id, 2))));
    expect(places.size).to.equal(CLAIM_PLACES);
    expect(book.open(chunk(99, 2))).to.equal(NO_PLACE);
    book.limit(chunk(7, 2), 0);
    book.close(chunk(7, 2));
    expect(book.open(chunk(99, 2))).to.equal(NO_PLACE);
    book.onSeen(7);
    expect(book.open(chunk(99, 2))).to.be.within(0, CLAIM_PLACES - 1);
    book.onSeen(8); // of which nothing was taken back
    expect(book.open(chunk(100, 2))).to.equal(NO_PLACE);
    book.close(chunk(8, 2));
    expect(book.open(chunk(100, 2))).to.be.within(0, CLAIM_PLACES - 1);
  });
});

describe('Shared memory', () => {
  before(function () {
    if (whyNoLibc(true) !== undefined) this.skip();
  });

  it('is the same for both sides, apart for each part, and used again', () => {
    const memory = new SharedMemory(4);
    const [one, other] = [memory.allocate(), memory.allocate()];
    if (one === undefined || other === undefined) throw new Error('There is none.');
    const mapped = mapShared(other.place);
    other.words[2] = 7;
    expect([...mapped]).to.deep.equal([0, 0, 7, 0]);
    Atomics.add(mapped, 0, 1);
    expect(other.words[0]).to.equal(1);
    expect([...one.words]).to.deep.equal([0, 0, 0, 0]);
    const { offset } = other.place;
    other.release();
    expect(memory.allocate()?.place.offset).to.equal(offset);
  });

  it('is gone when no part is used', () => {
    const memory = new SharedMemory(4);
    const part = memory.allocate();
    if (part === undefined) throw new Error('There is none.');
    part.release();
    expect(() => mapShared(part.place)).to.throw();
    expect(memory.allocate()).to.not.equal(undefined);
  });
});
