/**
 * How large chunks are. A getter of each value tells in which message it was sent: it is read when that is serialized.
 */

import { Serializer } from 'node:v8';
import { MessagePort } from 'node:worker_threads';

export interface Marked {
  /** The number of the message; each time it is read, of the last one. */
  readonly message: number;
}

let messages = 0;
count(MessagePort.prototype, 'postMessage'); // to threads
count(Serializer.prototype, 'writeValue'); // to processes

/** So many values that tell in which message they were sent. */
export function marked(count: number): Marked[] {
  return Array.from({ length: count }, () => ({
    get message() {
      return messages;
    },
  }));
}

/** A task: the message in which its value has come. Of an entry of a map, the key is marked. */
export function messageOf(value: Marked | readonly [Marked, unknown]): number {
  return 'message' in value ? value.message : value[0].message;
}

/** The sizes of the chunks, in their order, from what the task has returned. */
export function sizesOf(numbers: readonly number[]): number[] {
  const sizes: number[] = [];
  numbers.forEach((message, i) => {
    if (message !== numbers[i - 1]) sizes.push(0);
    sizes[sizes.length - 1]!++;
  });
  return sizes;
}

function count<K extends string>(prototype: Record<K, (...args: never[]) => unknown>, method: K): void {
  const original = prototype[method];
  prototype[method] = function (this: unknown, ...args: never[]) {
    messages++;
    return original.apply(this, args);
  };
}
