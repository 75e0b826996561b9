/**
 * What becomes of a chunk whose worker has ended: from the facts to a fate.
 *
 * A value is started again only where the user allows it, or where it was never begun. What was moved to the worker is gone with it, and
 * what a call has yielded is delivered: neither is started twice.
 */

/**
 * - `over`: it is not wanted.
 * - `return`: its values are given out again, as if nothing had happened.
 * - `start again`: the same, but only once.
 * - `retry`: its values are given out again one by one, as `workerDeathRetries` allows.
 * - `fail loading`: the call fails, because its function could not be loaded.
 * - `fail init`: the call fails, because of its init function.
 * - `fail`: its values fail.
 */
export type Fate = 'over' | 'return' | 'start again' | 'retry' | 'fail loading' | 'fail init' | 'fail';

export interface DeathFacts {
  /** Whether the chunk was not cancelled, and its job goes on. */
  readonly isWanted: boolean;
  /** Whether the worker had begun it, as far as can be known. */
  readonly isBegun: boolean;
  /** How many of its values the worker had claimed; `undefined` where values are not claimed. */
  readonly claimed: number | undefined;
  /** What the worker did before its first task of the call, if that was not done. */
  readonly stage: 'loading' | 'init' | 'tasks';
  /** Whether code of modules may have ended it while loading. */
  readonly importsModules: boolean;
  /** Whether the pool has killed it. */
  readonly wasKilled: boolean;
  /** The signal that has ended it. */
  readonly signal: string | null;
  /** Whether an error is known that has ended it. */
  readonly hasCause: boolean;
  readonly moved: boolean;
  readonly yielded: boolean;
  /** How many workers have died of the chunk before. */
  readonly deaths: number;
  /** The option `workerDeathRetries`. */
  readonly retries: number;
}

export function fateOf(facts: DeathFacts): Fate {
  const { isBegun, claimed, stage, moved, yielded, deaths } = facts;
  if (!facts.isWanted) return 'over';
  if (!isBegun) return 'return';
  const died = deaths < facts.retries && !moved && !yielded ? 'retry' : 'fail';
  // The worker was about to die when it got the chunk. That is no fault of the values, but may be so once only.
  const neverStarted = deaths > 0 || moved ? died : 'start again';
  if (stage === 'init') return died === 'retry' ? 'retry' : 'fail init';
  if (stage === 'loading') return facts.importsModules && facts.signal === null ? 'fail loading' : neverStarted;
  // It was killed because of another task.
  if (facts.wasKilled && !moved && !yielded) return 'return';
  if (claimed === 0 && !facts.hasCause) return neverStarted;
  return died;
}
