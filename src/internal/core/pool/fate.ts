/**
 * Decides what happens to a chunk whose worker has ended.
 *
 * A value is tried again only if the user allows it, or if it was never begun. Values that were moved to the worker are gone, and
 * calls that have yielded have delivered results: neither is started twice.
 */

/**
 * - `over`: its results are not wanted.
 * - `return`: its values go to other workers, as if nothing had happened.
 * - `start again`: the same, but only once.
 * - `retry`: its values go to other workers one by one, as `workerDeathRetries` allows.
 * - `fail loading`: the call fails, because its function could not be loaded.
 * - `fail init`: the call fails, because of its init function.
 * - `fail`: its values fail.
 */
export type Fate = 'over' | 'return' | 'start again' | 'retry' | 'fail loading' | 'fail init' | 'fail';

export interface DeathFacts {
  /** Whether its job goes on, and the chunk was not cancelled. */
  readonly isWanted: boolean;
  /** Whether the worker had begun it, as far as we know. */
  readonly isBegun: boolean;
  /** How many of its values the worker had claimed; `undefined` if values are not claimed. */
  readonly claimed: number | undefined;
  /** What the worker was doing: the steps before its first task of the call, or tasks. */
  readonly stage: 'loading' | 'init' | 'tasks';
  /** Whether the code of modules may have ended it while it was loading. */
  readonly importsModules: boolean;
  /** Whether the pool has killed it. */
  readonly wasKilled: boolean;
  /** The signal that ended it. */
  readonly signal: string | null;
  /** Whether we know the error that ended it. */
  readonly hasCause: boolean;
  readonly moved: boolean;
  readonly yielded: boolean;
  /** How many other workers have died of the chunk. */
  readonly deaths: number;
  /** The option `workerDeathRetries`. */
  readonly retries: number;
}

export function fateOf(facts: DeathFacts): Fate {
  const { isBegun, claimed, stage, moved, yielded, deaths } = facts;
  if (!facts.isWanted) return 'over';
  if (!isBegun) return 'return';
  const died = deaths < facts.retries && !moved && !yielded ? 'retry' : 'fail';
  // The worker was about to die when it got the chunk. The values are not to blame, but only once.
  const neverStarted = deaths > 0 || moved ? died : 'start again';
  if (stage === 'init') return died === 'retry' ? 'retry' : 'fail init';
  if (stage === 'loading') return facts.importsModules && facts.signal === null ? 'fail loading' : neverStarted;
  // It was killed because of another task.
  if (facts.wasKilled && !moved && !yielded) return 'return';
  if (claimed === 0 && !facts.hasCause) return neverStarted;
  return died;
}
