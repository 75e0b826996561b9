/** What a script of the model tests is: everything that happens in it. `scripts.ts` makes random ones. */

import type { Overflow } from 'rxjs-parallel-map';
import type { Kind } from '../../tasks/behave.js';
import type { Gives } from '../../tasks/give.js';

export type Api = 'parallelMap' | 'parallelMergeMap' | 'parallelFrom' | 'map' | 'imap' | 'apply';

/** One value of the source, or many quick ones; `gap` is what passes before each: nothing, a turn, or milliseconds. */
export interface Item {
  readonly kind: Kind;
  readonly ms: number;
  readonly gap: number;
  readonly count: number;
  /** `parallelMergeMap`: what a call gives before it does what `kind` says. */
  readonly gives: Gives | undefined;
}

/** How the source ends: `never` needs somebody to leave. */
export type SourceEnd = 'complete' | 'error' | 'never';

/** Who interrupts, when: after so many results, or milliseconds. */
export interface Interruption {
  readonly by: 'unsubscribe' | 'signal';
  readonly after: 'results' | 'ms';
  readonly amount: number;
}

/** How many pushed values may wait. */
export interface Bound {
  readonly bufferSize: number;
  readonly overflow: Overflow;
  /** Whether after a gap the source goes on only when all is out, so that the model knows what overflows. */
  readonly calm: boolean;
}

/** Which buffers move instead of being copied. */
export interface Moves {
  readonly inputs: boolean;
  readonly results: boolean;
}

/** How a pulled input is made, and how `imap` is consumed. */
export interface Pulling {
  readonly source: 'iterator' | 'async-iterator' | 'node-stream' | 'web-stream';
  /** What `return` of an iterator does. */
  readonly closing: 'returns' | 'throws' | 'hangs';
  /** How a consumer leaves early. */
  readonly leaving: 'return' | 'throw' | 'break';
  /** How many calls of `next` may be waiting at once. */
  readonly readers: number;
  /** What passes after each result: as a gap. */
  readonly pause: number;
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
  readonly tasksPerWorker: number;
  readonly cancelTimeout: number | undefined;
  readonly retries: boolean;
  readonly bound: Bound | undefined;
  readonly moves: Moves | undefined;
  readonly pulling: Pulling | undefined;
}

export const SOURCE_ERROR = new Error('the source failed');
export const ABORT_REASON = new Error('aborted');

/** Asked for with each result, and always the same. */
const values = new WeakMap<Script, readonly Item[]>();

/** All values, one after the other. */
export function valuesOf(script: Script): readonly Item[] {
  let known = values.get(script);
  if (known === undefined) {
    known = script.items.flatMap((item) => new Array<Item>(item.count).fill(item));
    values.set(script, known);
  }
  return known;
}

/** How often a dying value is started again, so that one that dies once certainly succeeds. */
export function retriesOf(script: Script): number {
  if (!script.retries) return 0;
  return Math.max(1, valuesOf(script).filter(({ kind }) => kind === 'exit-once').length);
}

/** How many results a value has, if it is not interrupted. */
export function resultsOf(script: Script, item: Item): number {
  if (script.api === 'parallelMergeMap') return item.gives?.count ?? 0;
  return fate(script, item) === 'fails' ? 0 : 1;
}

/** What becomes of a value that is started. `either`: one that dies once may have given something before, or not. */
export function fate(script: Script, { kind, gives }: Item): 'succeeds' | 'fails' | 'either' {
  switch (kind) {
    case 'ok':
    case 'spin':
    case 'sleep':
      return 'succeeds';
    case 'exit-once':
      if (!script.retries || script.moves?.inputs === true) return 'fails';
      return script.api === 'parallelMergeMap' && gives !== undefined && gives.count > 0 ? 'either' : 'succeeds';
    default:
      return 'fails';
  }
}
