/** Random scripts, of each kind that the model tests play. */

import fc from 'fast-check';
import type { Kind } from '../../tasks/behave.js';
import { outputs, type Gives } from '../../tasks/give.js';
import type { Api, Bound, Item, Moves, Pulling, Script, SourceEnd } from './script.js';

/** What may come before a value, or after a result: nothing, a turn, or milliseconds. */
const gap = fc.constantFrom(0, 0, 0, 1, 5);

const none = fc.constant(undefined);

/** What a kind of scripts is made of. */
interface Ingredients {
  readonly apis: readonly Api[];
  readonly gives?: fc.Arbitrary<Gives | undefined>;
  readonly bound?: fc.Arbitrary<Bound | undefined>;
  readonly moves?: fc.Arbitrary<Moves | undefined>;
  readonly pulling?: fc.Arbitrary<Pulling | undefined>;
}

/** Scripts of what has one result for each value, on whatever API. */
export const script = scripts({ apis: ['parallelMap', 'parallelFrom', 'map', 'imap', 'apply'] });

/** Scripts of calls that give several values, few of them slowly or more than a worker may send ahead. */
export const mergeScript = scripts({
  apis: ['parallelMergeMap'],
  gives: fc.oneof(
    { weight: 12, arbitrary: giving(fc.nat(6), fc.constantFrom(0, 0, 1, 5)) },
    { weight: 2, arbitrary: giving(fc.integer({ min: 900, max: 2100 })) },
    { weight: 1, arbitrary: giving(fc.constant(7000)) },
  ),
});

/** Scripts of pushed sources whose values may not all wait. */
export const boundScript = scripts({
  apis: ['parallelMap', 'parallelMap', 'parallelMap', 'parallelMergeMap'],
  gives: giving(fc.nat(3)),
  bound: fc.record({
    bufferSize: fc.constantFrom(0, 1, 2, 5, 40),
    overflow: fc.constantFrom('error', 'drop-oldest', 'drop-newest'),
    calm: fc.boolean(),
  }),
});

/** Scripts of buffers that move. */
export const movingScript = scripts({
  apis: ['parallelMap', 'parallelFrom', 'map', 'imap', 'apply'],
  moves: fc.constantFrom(
    { inputs: true, results: false },
    { inputs: false, results: true },
    { inputs: true, results: true },
  ),
});

/** Scripts of inputs that are pulled, and of those who leave early. */
export const pulledScript = scripts({
  apis: ['parallelFrom', 'imap'],
  pulling: fc.record({
    source: fc.constantFrom('iterator', 'async-iterator', 'async-iterator', 'node-stream', 'web-stream'),
    closing: fc.constantFrom('returns', 'returns', 'throws', 'hangs'),
    leaving: fc.constantFrom('return', 'throw', 'break'),
    readers: fc.constantFrom(1, 1, 2, 5),
    pause: gap,
  }),
});

/** A script of any kind, most of the quickest one. */
export const anyScript = fc.oneof(
  { weight: 6, arbitrary: script },
  { weight: 1, arbitrary: mergeScript },
  { weight: 1, arbitrary: boundScript },
  { weight: 1, arbitrary: movingScript },
  { weight: 1, arbitrary: pulledScript },
);

function scripts({
  apis,
  gives = none,
  bound = none,
  moves = none,
  pulling = none,
}: Ingredients): fc.Arbitrary<Script> {
  const item = (kinds: readonly Kind[], count: fc.Arbitrary<number> = fc.constant(1)): fc.Arbitrary<Item> =>
    fc.record({ kind: fc.constantFrom(...kinds), ms: fc.integer({ min: 1, max: 15 }), gap, count, gives });
  const quiet = fc.oneof(
    { weight: 6, arbitrary: item(['ok'], fc.integer({ min: 1, max: 150 })) },
    { weight: 3, arbitrary: item(['ok']) },
    { weight: 2, arbitrary: item(['spin', 'sleep']) },
  );
  const hostile = fc.oneof(
    { weight: 12, arbitrary: quiet },
    { weight: 2, arbitrary: item(['throw', 'reject', 'bad-result', 'bad-input']) },
    { weight: 1, arbitrary: item(['exit', 'exit-late', 'exit-once']) },
  );
  return fc
    .record({
      api: fc.constantFrom(...apis),
      ordered: fc.boolean(),
      items: fc.oneof(fc.array(quiet, { maxLength: 8 }), fc.array(hostile, { maxLength: 12 })),
      sourceEnd: fc.constantFrom<SourceEnd[]>('complete', 'complete', 'complete', 'error', 'never'),
      asynchronous: fc.boolean(),
      interruption: fc.option(
        fc.record({
          by: fc.constantFrom('unsubscribe' as const, 'signal' as const),
          after: fc.constantFrom('results' as const, 'ms' as const),
          amount: fc.integer({ min: 0, max: 60 }),
        }),
        { nil: undefined, freq: 3 },
      ),
      chunkSize: fc.option(fc.constantFrom(1, 2, 7), { nil: undefined }),
      maxTasksActive: fc.option(fc.constantFrom(1, 3, 20), { nil: undefined, freq: 4 }),
      tasksPerWorker: fc.constantFrom(1, 1, 1, 2, 5),
      cancelTimeout: fc.option(fc.constantFrom(0, 5), { nil: undefined }),
      retries: fc.boolean(),
      bound,
      moves,
      pulling,
    })
    .map(made);
}

function giving(count: fc.Arbitrary<number>, pause: fc.Arbitrary<number> = fc.constant(0)): fc.Arbitrary<Gives> {
  return fc.record({ count, pause, output: fc.constantFrom(...outputs) });
}

/** Takes out what an API does not have, so that each script means something. */
function made(raw: Script): Script {
  const { api, bound, pulling } = raw;
  const ordered = api !== 'apply' && raw.ordered;
  const pushed = api === 'parallelMap' || api === 'parallelMergeMap';
  let { interruption, sourceEnd } = raw;
  // A promise cannot be left, and gives no results before its end.
  if (interruption !== undefined && (api === 'map' || api === 'apply')) {
    interruption = { ...interruption, by: 'signal', after: 'ms' };
  }
  const mayGoOn = pushed ? bound === undefined : api === 'parallelFrom';
  if (sourceEnd === 'never' && !mayGoOn) sourceEnd = 'complete';
  if (api === 'apply') sourceEnd = 'complete';
  // An array can neither fail nor go on for ever.
  const asynchronous =
    raw.asynchronous || sourceEnd === 'never' || (pulling !== undefined && pulling.source !== 'iterator');
  // A worker that dies takes what it does besides along, and what overflows depends on who is free: the model knows one task of each.
  const isSimple = api === 'apply' || bound !== undefined || raw.items.some(({ kind }) => kind.startsWith('exit'));
  return {
    ...raw,
    tasksPerWorker: isSimple ? 1 : raw.tasksPerWorker,
    ordered,
    interruption,
    sourceEnd,
    asynchronous,
    items:
      api === 'parallelMergeMap' ? raw.items.map(madeGiving) : raw.items.map((item) => ({ ...item, gives: undefined })),
    bound: bound === undefined ? undefined : { ...bound, calm: bound.calm && api === 'parallelMap' },
  };
}

/** Keeps the answers of all calls together, and gives an output that can do what the value says. */
function madeGiving(item: Item): Item {
  if (item.gives === undefined) return item;
  const { kind, gives } = item;
  const waits = kind === 'sleep' || kind === 'reject' || kind === 'exit-late';
  const isWhole = kind === 'ok' || kind === 'spin';
  let { output } = gives;
  if (output === 'array' && !isWhole) output = 'generator'; // what an array's call fails with leaves no array
  if (output === 'generator' && waits) output = 'async-generator';
  return {
    ...item,
    count: gives.count > 6 ? 1 : Math.min(item.count, 20),
    gives: { ...gives, output, pause: gives.count > 6 ? 0 : gives.pause },
  };
}
