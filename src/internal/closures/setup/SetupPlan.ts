/** What is known, from one try of a capture to the next, of the values that can only be had by running their declarations. */

import { UnportableFunctionError } from '../../../errors.js';

/** A variable at the top of a file. */
export interface TopVariable {
  readonly scriptId: string;
  readonly name: string;
}

/** A value that was to be made by its declaration cannot be. */
export class RefusedSetup extends Error {
  readonly variable: TopVariable;
  /** Which statement is why, for people. */
  readonly because: string | undefined;

  constructor(variable: TopVariable, because: string | undefined) {
    super(because);
    this.variable = variable;
    this.because = because;
  }
}

/** Each try learns of one more variable. */
const MOST_TRIES = 200;

export class SetupPlan {
  readonly #values = new Map<string, Set<string>>();
  readonly #missing = new Map<string, Set<string>>();
  readonly #never = new Map<string, string | undefined>();
  #tries = 0;

  /** The variables of a file whose values are made by their declarations. */
  valuesOf(scriptId: string): ReadonlySet<string> {
    return setOf(this.#values, scriptId);
  }

  /** Variables of a file that statements need which may as well be left out. */
  missingIn(scriptId: string): ReadonlySet<string> {
    return setOf(this.#missing, scriptId);
  }

  /**
   * A capture has failed.
   *
   * @param reached The variables through which the culprit was reached, the innermost first.
   * @param needed The variable that was sent only because a statement needs it.
   * @returns Whether another try may go better.
   * @throws UnportableFunctionError that says which statement is in the way.
   */
  learn(error: unknown, reached: readonly TopVariable[], needed: TopVariable | undefined): boolean {
    if (++this.#tries > MOST_TRIES) return false;
    if (error instanceof RefusedSetup) {
      const { variable, because } = error;
      setOf(this.#values, variable.scriptId).delete(variable.name);
      this.#never.set(keyOf(variable), because);
      return true;
    }
    for (const variable of isLive(error) ? [] : reached) {
      const values = setOf(this.#values, variable.scriptId);
      if (this.#never.has(keyOf(variable)) || values.has(variable.name)) continue;
      values.add(variable.name);
      return true;
    }
    if (needed !== undefined) {
      const missing = setOf(this.#missing, needed.scriptId);
      if (missing.has(needed.name)) return false;
      missing.add(needed.name);
      return true;
    }
    const because = reached.map((each) => this.#never.get(keyOf(each))).find((each) => each !== undefined);
    if (because !== undefined && error instanceof UnportableFunctionError) throw because_(error, because);
    return false;
  }
}

/** What lives only here, and would be another one if it were made again. */
function isLive(error: unknown): boolean {
  const { reason = '' } = error as { readonly reason?: string };
  if (/in progress|may have begun|is revoked|detached|Promise/.test(reason)) return true;
  return /\bis an? (\w*(Socket|Server|Stream|Transform|Duplex|PassThrough|Readable|Writable|Timeout|Immediate|Worker|Port|ChildProcess|FileHandle|Database|Console|Instance|Pipe|Agent|AbortSignal|AbortController|Iterator)\b|bound function|native function|handle of native)/.test(
    reason,
  );
}

function because_(error: UnportableFunctionError, because: string): UnportableFunctionError {
  const { functionName, variable, location, reason } = error;
  return new UnportableFunctionError({
    functionName,
    variable,
    location,
    reason: `${reason}, and its set-up does not run again in the worker because of ${because}`,
  });
}

function keyOf({ scriptId, name }: TopVariable): string {
  return `${scriptId} ${name}`;
}

function setOf(map: Map<string, Set<string>>, key: string): Set<string> {
  let set = map.get(key);
  if (set === undefined) map.set(key, (set = new Set()));
  return set;
}
