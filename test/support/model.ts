/** The plain model of the model tests: random scripts of what happens, and what may come of each. */

import { expect } from 'chai';
import fc from 'fast-check';
import type { Kind } from '../tasks/behave.js';
import { PoolTerminatedError, UnserializableError, WorkerDiedError } from './library.js';

export const apis = ['parallelMap', 'parallelFrom', 'map', 'imap', 'apply'] as const;
export type Api = (typeof apis)[number];

/** One value of the source, or many quick ones; `gap` is what passes before each: nothing, a turn, or milliseconds. */
export interface Item {
  readonly kind: Kind;
  readonly ms: number;
  readonly gap: number;
  readonly count: number;
}

/** How the source ends: `never` needs somebody to leave. */
export type SourceEnd = 'complete' | 'error' | 'never';

/** Who interrupts, when: after so many results, or milliseconds. */
export interface Interruption {
  readonly by: 'unsubscribe' | 'signal';
  readonly after: 'results' | 'ms';
  readonly amount: number;
}

export interface Script {
  readonly api: Api;
  readonly ordered: boolean;
  readonly items: readonly Item[];
  readonly sourceEnd: SourceEnd;
  readonly asynchronous: boolean;
  readonly interruption: Interruption | undefined;
  readonly chunkSize: number | undefined;
  readonly maxTasksActive: number | undefined;
  readonly cancelTimeout: number | undefined;
  readonly retries: boolean;
}

export const SOURCE_ERROR = new Error('the source failed');
export const ABORT_REASON = new Error('aborted');

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

export const script: fc.Arbitrary<Script> = fc
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
    cancelTimeout: fc.option(fc.constantFrom(0, 5), { nil: undefined }),
    retries: fc.boolean(),
  })
  .map(made);

/** Takes out what an API does not have, so that each script means something. */
function made(raw: Script): Script {
  const ordered = raw.api !== 'apply' && raw.ordered;
  const takesSource = raw.api === 'parallelMap' || raw.api === 'parallelFrom';
  let { interruption, sourceEnd } = raw;
  // A promise cannot be left, and gives no results before its end.
  if (interruption !== undefined && (raw.api === 'map' || raw.api === 'apply')) {
    interruption = { ...interruption, by: 'signal', after: 'ms' };
  }
  if (sourceEnd === 'never' && !takesSource) sourceEnd = 'complete';
  if (raw.api === 'apply') sourceEnd = 'complete';
  // An array can neither fail nor go on for ever.
  const asynchronous = raw.asynchronous || sourceEnd === 'never';
  return { ...raw, ordered, interruption, sourceEnd, asynchronous };
}

function item(kinds: readonly Kind[], count: fc.Arbitrary<number> = fc.constant(1)): fc.Arbitrary<Item> {
  return fc.record({
    kind: fc.constantFrom(...kinds),
    ms: fc.integer({ min: 1, max: 15 }),
    gap: fc.constantFrom(0, 0, 0, 1, 5),
    count,
  });
}

/** The kinds of all values, one after the other. */
export function kindsOf({ items }: Script): Kind[] {
  return items.flatMap(({ kind, count }) => new Array<Kind>(count).fill(kind));
}

/** How often a dying value is started again, so that one that dies once certainly succeeds. */
export function retriesOf(current: Script): number {
  if (!current.retries) return 0;
  return Math.max(1, kindsOf(current).filter((kind) => kind === 'exit-once').length);
}

/** What came of a script. */
export interface Outcome {
  /** The results' ids, as they came. */
  readonly results: readonly number[];
  /** `left`: by unsubscribing. */
  readonly end: 'completed' | 'failed' | 'left';
  readonly error?: unknown;
  /** What was heard after the end. */
  readonly late: readonly string[];
  /** The ids of the values that were started, as they were. */
  readonly started: readonly number[];
}

function fails(current: Script, kind: Kind): boolean {
  switch (kind) {
    case 'ok':
    case 'spin':
    case 'sleep':
      return false;
    case 'exit-once':
      return !current.retries;
    default:
      return true;
  }
}

/** Holds an outcome against the model. `terminated`: the pool was terminated at some time. */
export function check(current: Script, outcome: Outcome, terminated = false): void {
  const kinds = kindsOf(current);
  const { results, started, end } = outcome;
  expect(outcome.late, 'heard after the end').to.deep.equal([]);
  expect(new Set(results).size, 'a result came twice').to.equal(results.length);
  const failing = kinds.flatMap((kind, id) => (fails(current, kind) ? [id] : []));
  const [first = Infinity] = failing;
  for (const id of results) {
    expect(kinds[id], `result of ${id}, which is no value`).not.to.equal(undefined);
    expect(fails(current, kinds[id] as Kind), `result of ${id}, which fails`).to.equal(false);
  }
  if (current.ordered) {
    expect(results, 'not in order').to.deep.equal(results.map((_, id) => id));
    expect(results.length, 'results beyond the error').to.be.at.most(first);
  }
  if (retriesOf(current) === 0) expect(new Set(started).size, 'a value was started twice').to.equal(started.length);

  if (end === 'completed') {
    expect(failing, 'completed although values fail').to.deep.equal([]);
    expect(current.sourceEnd, 'completed although the source did not').to.equal('complete');
    expect(
      [...results].sort((a, b) => a - b),
      'results are missing',
    ).to.deep.equal(kinds.map((_, id) => id));
    expect(new Set(started).size, 'values were not run').to.equal(kinds.length);
  } else if (end === 'left') {
    const leaves = current.interruption?.by === 'unsubscribe' || current.sourceEnd === 'never';
    expect(leaves, 'left, which nobody did').to.equal(true);
    if (current.interruption === undefined) expect(results.length, 'results are missing').to.equal(kinds.length);
  } else {
    checkError(current, outcome, failing, terminated);
  }
}

function checkError(current: Script, { error, results }: Outcome, failing: number[], terminated: boolean): void {
  if (error === SOURCE_ERROR && current.sourceEnd === 'error') return;
  if (error === ABORT_REASON && current.interruption?.by === 'signal') return;
  if (error instanceof PoolTerminatedError && terminated) return;
  const kinds = kindsOf(current);
  const culprits = failing.filter((id) => isErrorOf(kinds[id] as Kind, id, error, current));
  if (culprits.length === 0) throw new Error('An error that nothing explains', { cause: error });
  if (!current.ordered) return;
  expect(culprits, `not the error of the smallest failing index, ${failing[0]}`).to.include(failing[0]);
  // A promise that fails gives no results.
  if (current.api === 'map') return;
  expect(results.length, 'results before the error are missing').to.equal(failing[0]);
}

/** Holds what came of one `apply` against the model: an error of another call is none of its business. */
export function checkApply(
  current: Script,
  id: number,
  result: PromiseSettledResult<number>,
  terminated = false,
): void {
  const kind = kindsOf(current)[id] as Kind;
  if (result.status === 'fulfilled') {
    expect(fails(current, kind), `result of ${id}, which fails`).to.equal(false);
    expect(result.value).to.equal(id);
    return;
  }
  const error: unknown = result.reason;
  if (error === ABORT_REASON && current.interruption !== undefined) return;
  if (error instanceof PoolTerminatedError && terminated) return;
  if (fails(current, kind) && isErrorOf(kind, id, error, current)) return;
  throw new Error(`apply of ${id}: an error that nothing explains`, { cause: error });
}

function isErrorOf(kind: Kind, id: number, error: unknown, { api, ordered }: Script): boolean {
  const index = api === 'apply' ? 0 : id;
  switch (kind) {
    case 'throw':
      return error instanceof RangeError && error.message === `thrown by ${id}`;
    case 'reject':
      return error instanceof TypeError && error.message === `rejected by ${id}`;
    case 'bad-result':
      return error instanceof UnserializableError && error.direction === 'result' && error.index === index;
    case 'bad-input':
      return error instanceof UnserializableError && error.direction === 'input' && error.index === index;
    default:
      if (!(error instanceof WorkerDiedError) || !error.indexes.includes(index)) return false;
      return !ordered || error.indexes[0] === index;
  }
}
