/** The task of the model tests for what moves: its answers carry bytes that move, and so may its values. */

import { createRequire } from 'node:module';
import type { TaskContext, transfer } from 'rxjs-parallel-map';
import behave, { type Answer, type Order } from './behave.js';
import { areBytesOf, bytesOf } from './bytes.js';

/** Loads `transfer` only where something moves back: it brings RxJS along. */
const load = (): typeof transfer => {
  const library = createRequire(import.meta.url)('rxjs-parallel-map') as { transfer: typeof transfer };
  return library.transfer;
};

/** What this worker has moved last. */
let moved: Uint8Array<ArrayBuffer> | undefined;

export default function move(order: Order, context: TaskContext): Answer | Promise<Answer> {
  const answer = behave(order, context);
  return answer instanceof Promise ? answer.then((settled) => carrying(order, settled)) : carrying(order, answer);
}

function carrying({ id, kind, bytes, movesResult }: Order, answer: Answer): Answer {
  const result = { ...answer, bytes: bytesOf(id), intact: areBytesOf(id, bytes), leftBehind: moved?.length };
  if (movesResult !== true) return result;
  // What cannot be sent stays where it is.
  moved = kind === 'bad-result' ? undefined : result.bytes;
  return load()(result, [result.bytes.buffer]);
}
