// What is measured. A case is a function, the values of one batch, and the sum that tells whether all results are right.

import { increment, invert, price } from './tasks.mjs';

const MEGABYTE = 1 << 20;

function defineCase({ task, values, toNumber, ...rest }) {
  return {
    ...rest,
    task,
    /** The name by which the peers know the function. */
    taskName: task.name,
    values,
    /** What a result adds to the sum. */
    toNumber,
    /** What the results of one batch add up to. */
    expected: values.reduce((sum, value) => sum + toNumber(task(structuredClone(value))), 0),
  };
}

export const cases = [
  defineCase({
    name: 'numbers',
    title: 'small numbers',
    task: increment,
    values: Array.from({ length: 50_000 }, (_, i) => i),
    toNumber: (result) => result,
    /** How many values are under way at once, in pools that take them one by one. */
    window: 64,
    /** Whether values are small, so that what a single message costs matters. */
    isSmall: true,
    /** How many times as fast as the fastest peer parallelMap means to be. */
    goal: 20,
  }),
  defineCase({
    name: 'objects',
    title: 'small objects',
    task: price,
    values: Array.from({ length: 20_000 }, (_, i) => ({
      id: i,
      name: `item ${i % 100}`,
      tags: ['new', 'sale'],
      amount: i % 7,
      unitPrice: 25,
    })),
    toNumber: ({ id, label, total }) => id + label.length + total,
    window: 64,
    isSmall: true,
    goal: 8,
  }),
  defineCase({
    name: 'buffers',
    title: '1 MB buffers, there and back',
    task: invert,
    // A few buffers again and again: each sending copies.
    values: repeat(
      Array.from({ length: 8 }, (_, i) => new Uint8Array(MEGABYTE).fill(i)),
      200,
    ),
    toNumber: (bytes) => bytes.length + bytes[0] + bytes[1] + bytes[bytes.length - 1],
    window: 8,
    isSmall: false,
  }),
];

function repeat(values, length) {
  return Array.from({ length }, (_, i) => values[i % values.length]);
}
