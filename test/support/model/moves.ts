/** Bytes that move: what carries them, and what is left of them where they were. */

import { expect } from 'chai';
import type { Answer, Order } from '../../tasks/behave.js';
import { areBytesOf, bytesOf } from '../../tasks/bytes.js';
import { transfer } from '../library.js';
import type { Script } from './script.js';

/** Gives an order bytes to carry, where the script moves any. */
export function loaded(order: Order, { moves }: Script): Order {
  return moves === undefined ? order : { ...order, bytes: bytesOf(order.id), movesResult: moves.results };
}

/** The order as it is given to the pool. */
export function moving(order: Order, { moves }: Script): Order {
  return moves?.inputs === true && order.bytes !== undefined ? transfer(order, [order.bytes.buffer]) : order;
}

/** Holds a result against the model: what it carries has come, and its worker has kept nothing that moved. */
export function checkMoved({ id, bytes, intact, leftBehind }: Answer, { moves }: Script, sharesMemory: boolean): void {
  if (moves === undefined) return;
  expect(intact, `what ${id} carried came whole`).to.equal(true);
  expect(areBytesOf(id, bytes), `what the result of ${id} carries came whole`).to.equal(true);
  if (sharesMemory && leftBehind !== undefined) expect(leftBehind, 'a result that moved was left').to.equal(0);
}

/** Holds against the model what is left of the values: nothing of those that moved, all of the others. */
export function checkLeft(
  orders: readonly Order[],
  { moves }: Script,
  started: ReadonlySet<number>,
  sharesMemory: boolean,
): void {
  if (moves === undefined) return;
  for (const { id, bytes } of orders) {
    if (!moves.inputs || !sharesMemory)
      expect(areBytesOf(id, bytes), `what ${id} carried is still there`).to.equal(true);
    else if (started.has(id)) expect(bytes?.byteLength, `what is left of ${id}, which moved`).to.equal(0);
  }
}
