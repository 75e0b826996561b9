import { expect } from 'chai';
import { TaskRegistry } from '../../src/internal/core/pool/TaskRegistry.js';
import type { PortableFunction } from '../../src/internal/protocol/portable.js';

const MEGABYTE = 2 ** 20;

/** A function that captures so many bytes. */
const capturing = (bytes: number): PortableFunction => ({
  kind: 'graph',
  name: 'task',
  bytes: new Uint8Array(8),
  attachments: [new Uint8Array(bytes)],
  imports: false,
});

describe('The functions of a pool that no call uses', () => {
  let forgotten: number[];
  let registry: TaskRegistry;
  beforeEach(() => {
    forgotten = [];
    registry = new TaskRegistry((task) => forgotten.push(task));
  });

  /** Calls of functions that capture so much, one after the other. @returns Their numbers. */
  const call = (...sizes: number[]): number[] =>
    sizes.map((bytes) => {
      const record = registry.acquire(() => undefined, capturing(bytes));
      registry.release(record);
      return record.id;
    });

  it('are kept for the next call, 32 of them', () => {
    const ids = call(...Array.from({ length: 40 }, () => 1));
    expect(forgotten).to.deep.equal(ids.slice(0, 8));
  });

  it('are forgotten, the oldest first, where they hold more than 16 MB', () => {
    const ids = call(6 * MEGABYTE, 6 * MEGABYTE, 6 * MEGABYTE);
    expect(forgotten).to.deep.equal(ids.slice(0, 1));
  });

  it('are kept where it is the last one, however large', () => {
    const [first, last] = call(1, 100 * MEGABYTE);
    expect(forgotten).to.deep.equal([first]);
    expect(last).not.to.equal(first);
  });

  it('are forgotten when the pool is joined, and those that a call uses are not', () => {
    const used = registry.acquire(() => undefined, capturing(1));
    const ids = call(1, 1);
    registry.clear();
    expect(forgotten).to.deep.equal(ids);
    registry.release(used);
    expect(forgotten).to.deep.equal(ids);
  });
});
