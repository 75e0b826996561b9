/** The plain model of the model tests: what may come of a script. */

import { expect } from 'chai';
import type { Answer } from '../../tasks/behave.js';
import { NOTE_EVERY } from '../../tasks/give.js';
import { BufferOverflowError, PoolTerminatedError, UnserializableError, WorkerDiedError } from '../library.js';
import type { Drops } from './drops.js';
import { ABORT_REASON, fate, resultsOf, retriesOf, SOURCE_ERROR, valuesOf, type Item, type Script } from './script.js';

/** How a script ended. `left`: by unsubscribing. */
export interface End {
  readonly end: 'completed' | 'failed' | 'left';
  readonly error?: unknown;
}

/** What came of a script. */
export interface Outcome extends End {
  /** The results, as they came. */
  readonly answers: readonly Answer[];
  /** What was heard after the end. */
  readonly late: readonly string[];
  /** The ids of the values that were started, as they were. */
  readonly started: readonly number[];
  /** How many results merge calls have noted that they had made. */
  readonly made: ReadonlyMap<number, number>;
  /** What overflowed. */
  readonly drops: Drops;
  /** Whether the pool was terminated at some time. */
  readonly terminated: boolean;
}

/** A call of `parallelMergeMap` has four batches on credit and gathers a fifth, of 1024 values each. */
const MOST_AHEAD = 5 * 1024;

/** Holds an outcome against the model. */
export function check(script: Script, outcome: Outcome): void {
  new Check(script, outcome).run();
}

class Check {
  readonly #script: Script;
  readonly #outcome: Outcome;
  readonly #values: readonly Item[];
  readonly #started: ReadonlySet<number>;
  /** How many results of each value came. */
  readonly #heard: readonly number[];

  constructor(script: Script, outcome: Outcome) {
    this.#script = script;
    this.#outcome = outcome;
    this.#values = valuesOf(script);
    this.#started = new Set(outcome.started);
    this.#heard = this.#count();
  }

  run(): void {
    const { late, end } = this.#outcome;
    expect(late, 'heard after the end').to.deep.equal([]);
    this.#checkStarts();
    this.#checkAhead();
    if (this.#script.ordered) this.#checkOrder();
    if (end === 'completed') this.#checkCompletion();
    else if (end === 'left') this.#checkLeaving();
    else this.#checkError();
  }

  /** Counts the results of each value: each once, in the order in which its call gave them. */
  #count(): number[] {
    const heard = this.#values.map(() => 0);
    for (const { id, part } of this.#outcome.answers) {
      const value = this.#values[id];
      if (value === undefined) throw new Error(`A result of ${id}, which is no value`);
      // Without `expect`, which takes its time: there may be thousands.
      if (part !== heard[id]) throw new Error(`Result ${part} of ${id} came where ${heard[id]} was expected`);
      heard[id] = part + 1;
    }
    heard.forEach((count, id) => {
      const most = resultsOf(this.#script, this.#values[id] as Item);
      if (count > most) throw new Error(`${count} results of ${id} came where nobody gave more than ${most}`);
    });
    return heard;
  }

  #checkStarts(): void {
    const { started, drops } = this.#outcome;
    // What has moved is gone, so that it cannot be started again.
    if (retriesOf(this.#script) === 0 || this.#script.moves?.inputs === true) {
      expect(this.#started.size, 'a value was started twice').to.equal(started.length);
    }
    const { taken } = drops;
    if (taken === undefined) return;
    const wrong = started.filter((id) => !taken.has(id));
    expect(wrong, 'started although there was no room for them').to.deep.equal([]);
  }

  #checkAhead(): void {
    for (const [id, made] of this.#outcome.made) {
      // An Observable cannot be made to wait.
      if (this.#values[id]?.gives?.output === 'subscribable' || this.#values[id]?.gives?.output === 'array') continue;
      const ahead = made - (this.#heard[id] as number);
      expect(ahead, `results that ${id} was ahead`).to.be.below(MOST_AHEAD + NOTE_EVERY);
    }
  }

  #checkOrder(): void {
    let last = 0;
    for (const { id } of this.#outcome.answers) {
      if (id < last) throw new Error(`A result of ${id} came after one of ${last}`);
      last = id;
    }
    this.#checkThrough(last);
  }

  #checkCompletion(): void {
    expect(this.#script.sourceEnd, 'completed although the source did not').to.equal('complete');
    this.#checkThrough(this.#values.length);
  }

  #checkLeaving(): void {
    const { interruption, sourceEnd } = this.#script;
    const leaves = interruption?.by === 'unsubscribe' || sourceEnd === 'never';
    expect(leaves, 'left, which nobody did').to.equal(true);
    if (interruption !== undefined) return;
    // When all was out. A call that gives nothing may not even have begun.
    const expected = this.#values.map((value) => resultsOf(this.#script, value));
    expect(this.#heard, 'results are missing').to.deep.equal(expected);
  }

  #checkError(): void {
    const { error, terminated, drops } = this.#outcome;
    const { sourceEnd, interruption, ordered, api } = this.#script;
    if (error === SOURCE_ERROR && sourceEnd === 'error') return;
    if (error === ABORT_REASON && interruption?.by === 'signal') return;
    if (error instanceof PoolTerminatedError && terminated) return;
    if (error instanceof BufferOverflowError && drops.mayFail()) {
      for (const id of drops.taken ?? []) this.#checkValueThrough(id);
      return;
    }
    const culprits = this.#values.flatMap((value, id) => (isErrorOf(this.#script, value, id, error) ? [id] : []));
    if (culprits.length === 0) throw new Error('An error that nothing explains', { cause: error });
    // A promise that fails gives no results.
    if (api === 'map') {
      const first = this.#values.findIndex((value) => fate(this.#script, value) === 'fails');
      if (ordered) expect(culprits, 'not the error of the smallest failing index').to.include(first);
      return;
    }
    const [culprit = 0] = culprits;
    this.#checkFailure(culprit);
    if (ordered) this.#checkThrough(culprit);
  }

  /** What a call gave before it failed is out; a worker that dies may take some with it. */
  #checkFailure(id: number): void {
    const value = this.#values[id] as Item;
    if (value.kind.startsWith('exit') || value.kind === 'bad-input') return;
    expect(this.#heard[id], `results of ${id} before its error`).to.equal(resultsOf(this.#script, value));
  }

  /** All values before `end` have given all that they give, unless they were dropped. */
  #checkThrough(end: number): void {
    for (let id = 0; id < end; id++) if (!this.#isDropped(id)) this.#checkValueThrough(id);
  }

  #checkValueThrough(id: number): void {
    const value = this.#values[id] as Item;
    // Without `expect`, as above.
    if (fate(this.#script, value) === 'fails') throw new Error(`${id} fails, and more came`);
    const count = resultsOf(this.#script, value);
    if (this.#heard[id] !== count)
      throw new Error(`${this.#heard[id]} results of ${id} came where ${count} were expected`);
    if (!this.#started.has(id)) throw new Error(`${id} was not started`);
  }

  #isDropped(id: number): boolean {
    if (this.#started.has(id) || this.#heard[id] !== 0) return false;
    // What cannot be sent is never started, and may have waited like any other.
    return this.#outcome.drops.mayDrop(
      id,
      (other) => this.#started.has(other) || this.#values[other]?.kind === 'bad-input',
    );
  }
}

/** Holds what came of one `apply` against the model: an error of another call is none of its business. */
export function checkApply(
  script: Script,
  id: number,
  result: PromiseSettledResult<Answer>,
  terminated: boolean,
): void {
  const value = valuesOf(script)[id] as Item;
  if (result.status === 'fulfilled') {
    expect(fate(script, value), `result of ${id}, which fails`).to.equal('succeeds');
    expect(result.value.id).to.equal(id);
    return;
  }
  const error: unknown = result.reason;
  if (error === ABORT_REASON && script.interruption !== undefined) return;
  if (error instanceof PoolTerminatedError && terminated) return;
  if (isErrorOf(script, value, id, error)) return;
  throw new Error(`apply of ${id}: an error that nothing explains`, { cause: error });
}

/** Whether an error is that of a value. */
function isErrorOf(script: Script, value: Item, id: number, error: unknown): boolean {
  if (fate(script, value) === 'succeeds') return false;
  const index = script.api === 'apply' ? 0 : id;
  switch (value.kind) {
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
      return !script.ordered || error.indexes[0] === index;
  }
}
