/** Plays a script of the model tests on a pool, or on pools of its own, and says what came of it. */

import { getEventListeners, setMaxListeners } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Observable } from 'rxjs';
import type { FromOptions, StartMethod } from 'rxjs-parallel-map';
import type behave from '../tasks/behave.js';
import type { Answer, Order } from '../tasks/behave.js';
import { moduleTask, parallelFrom, parallelMap, WorkerPool } from './library.js';
import {
  ABORT_REASON,
  check,
  checkApply,
  kindsOf,
  retriesOf,
  SOURCE_ERROR,
  type Outcome,
  type Script,
} from './model.js';

const task = moduleTask<typeof behave>(new URL('../tasks/behave.js', import.meta.url));

/** What tasks leave on disk. */
const folders = mkdtempSync(join(tmpdir(), 'model-'));

/** Removes that, when no worker is left: on a pool that goes on, a task may write after its script's end. */
export function removeFolders(): void {
  rmSync(folders, { recursive: true });
}

/** Where a script is played: on a pool that others use too, or on pools of its own. */
export type Place = { readonly pool: WorkerPool } | { readonly nJobs: number; readonly startMethod: StartMethod };

/** Plays a script and holds what comes of it against the model. `terminated` says whether the pool was, meanwhile. */
export async function play(
  script: Script,
  place: Place,
  limit: number,
  terminated = (): boolean => false,
): Promise<void> {
  const stage = new Stage(script, place);
  let deadline: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    deadline = setTimeout(
      () => reject(new Error(`Hangs after ${limit} ms, with ${stage.results.length} results`)),
      limit,
    );
  });
  try {
    await Promise.race([stage.perform(terminated), hang]);
  } catch (error) {
    throw new Error(`${String(error)}\n${describe(script, place)}`, { cause: error });
  } finally {
    clearTimeout(deadline);
    stage.dispose();
  }
}

/** A script in a line that fits a screen. */
function describe({ items, ...rest }: Script, place: Place): string {
  const values = items.map(({ kind, ms, gap, count }) => `${kind}${count > 1 ? `×${count}` : ''}/${ms}+${gap}`);
  const where = 'pool' in place ? 'a shared pool' : `${place.nJobs} × ${place.startMethod}`;
  return `on ${where}: ${JSON.stringify(rest)} ${values.join(' ')}`;
}

class Stage {
  readonly results: number[] = [];
  readonly #script: Script;
  readonly #place: Place;
  readonly #folder = mkdtempSync(join(folders, 'script-'));
  readonly #late: string[] = [];
  readonly #controller = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Inputs that were begun and have not been finished or closed. */
  #open = 0;
  #ended = false;

  constructor(script: Script, place: Place) {
    this.#script = script;
    this.#place = place;
    setMaxListeners(0, this.#controller.signal); // each apply is a call of its own
  }

  async perform(terminated: () => boolean): Promise<void> {
    if (this.#script.api === 'apply') {
      const settled = await this.#apply();
      settled.forEach((result, id) => checkApply(this.#script, id, result, terminated()));
    } else {
      const { end, error } = await this.#run();
      this.#ended = true;
      for (let i = 0; i < 3; i++) await turn(); // for what would come too late
      while (this.#open > 0) await turn(); // an async generator is closed when it gets to its next yield
      const outcome = { results: this.results, end, error, late: this.#late, started: this.#started() };
      check(this.#script, outcome, terminated());
    }
    expect(getEventListeners(this.#controller.signal, 'abort').length, 'listeners of the signal').to.equal(0);
  }

  dispose(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #run(): Promise<Pick<Outcome, 'end' | 'error'>> {
    switch (this.#script.api) {
      case 'parallelMap':
        return this.#subscribe(this.#pushed().pipe(parallelMap(task, this.#operatorOptions())));
      case 'parallelFrom':
        return this.#subscribe(parallelFrom(this.#input(), task, this.#operatorOptions()));
      case 'map':
        return this.#map();
      default:
        return this.#imap();
    }
  }

  #subscribe(results$: Observable<Answer>): Promise<Pick<Outcome, 'end' | 'error'>> {
    return new Promise((resolve) => {
      const late = (what: string): void => {
        if (this.#ended) this.#late.push(what);
      };
      const leave = (): void => {
        this.#ended = true;
        subscription.unsubscribe();
        resolve({ end: 'left' });
      };
      // The subscription exists before anything is emitted, for no worker answers at once; only errors can.
      const subscription = new Observable<Answer>((subscriber) => results$.subscribe(subscriber)).subscribe({
        next: (answer) => {
          late(`next ${answer.id}`);
          this.#take(answer);
          if (this.#isDue()) this.#interrupt(leave);
          else if (this.#script.sourceEnd === 'never' && this.results.length === kindsOf(this.#script).length) leave();
        },
        error: (error: unknown) => {
          late(`error ${String(error)}`);
          resolve({ end: 'failed', error });
        },
        complete: () => {
          late('complete');
          resolve({ end: 'completed' });
        },
      });
      // A source that never ends has to be left, also where it has no values.
      if (this.#script.sourceEnd === 'never' && kindsOf(this.#script).length === 0) this.#after(5, leave);
      this.#interruptInTime(leave);
    });
  }

  async #map(): Promise<Pick<Outcome, 'end' | 'error'>> {
    this.#interruptInTime(() => undefined);
    return this.#onPool(async (pool) => {
      const answers = await (this.#script.ordered
        ? pool.map(task, this.#input(), this.#callOptions())
        : pool.mapUnordered(task, this.#input(), this.#callOptions()));
      for (const answer of answers) this.#take(answer);
      return { end: 'completed' };
    });
  }

  #imap(): Promise<Pick<Outcome, 'end' | 'error'>> {
    return this.#onPool(async (pool) => {
      const answers = this.#script.ordered
        ? pool.imap(task, this.#input(), this.#callOptions())
        : pool.imapUnordered(task, this.#input(), this.#callOptions());
      let left = false;
      const leave = (): void => {
        left = true;
        void answers.return?.();
      };
      this.#interruptInTime(leave);
      for await (const answer of answers) {
        if (left) throw new Error('A result after return()');
        this.#take(answer);
        if (this.#isDue()) this.#interrupt(leave);
      }
      return { end: left ? 'left' : 'completed' };
    });
  }

  #apply(): Promise<PromiseSettledResult<number>[]> {
    this.#interruptInTime(() => undefined);
    const { signal } = this.#controller;
    const { cancelTimeout } = this.#script;
    const options = { signal, cancelTimeout, workerDeathRetries: retriesOf(this.#script) };
    const run = (pool: WorkerPool): Promise<PromiseSettledResult<number>[]> =>
      Promise.allSettled(this.#orders().map(async (order) => (await pool.apply(task, [order], options)).id));
    return this.#onPool(run, (error) => {
      throw error;
    });
  }

  async #onPool<R>(
    use: (pool: WorkerPool) => Promise<R>,
    onError: (error: unknown) => R = (error) => ({ end: 'failed', error }) as R,
  ): Promise<R> {
    const pool = 'pool' in this.#place ? this.#place.pool : new WorkerPool(this.#place);
    try {
      return await use(pool);
    } catch (error) {
      return onError(error);
    } finally {
      // Without keepAlive a pool is gone with its last call: there is nothing to end.
    }
  }

  // --- what goes in

  #orders(): Order[] {
    let id = 0;
    return this.#script.items.flatMap(({ kind, ms, count }) =>
      Array.from({ length: count }, () => ({
        id: id++,
        kind,
        ms,
        folder: this.#folder,
        ...(kind === 'bad-input' ? { uncloneable: () => undefined } : {}),
      })),
    );
  }

  /** The gaps before the values. */
  #gaps(): number[] {
    return this.#script.items.flatMap(({ gap, count }) => [gap, ...new Array<number>(count - 1).fill(0)]);
  }

  #input(): Iterable<Order> | AsyncIterable<Order> {
    const { asynchronous, sourceEnd, interruption } = this.#script;
    if (asynchronous) return this.#generateAsync();
    return sourceEnd === 'complete' && interruption === undefined ? this.#orders() : this.#generate();
  }

  *#generate(): Generator<Order> {
    this.#open++;
    try {
      yield* this.#orders();
      if (this.#script.sourceEnd === 'error') throw SOURCE_ERROR;
    } finally {
      this.#open--;
    }
  }

  async *#generateAsync(): AsyncGenerator<Order> {
    this.#open++;
    try {
      const gaps = this.#gaps();
      for (const order of this.#orders()) {
        await this.#pause(gaps[order.id] as number);
        yield order;
      }
      if (this.#script.sourceEnd === 'error') throw SOURCE_ERROR;
      // Never ends, but for whoever leaves.
      while (this.#script.sourceEnd === 'never' && !this.#ended) await turn();
    } finally {
      this.#open--;
    }
  }

  #pushed(): Observable<Order> {
    return new Observable((subscriber) => {
      const orders = this.#orders();
      const gaps = this.#gaps();
      let next = 0;
      let timer: NodeJS.Timeout | undefined;
      const push = (): void => {
        while (next < orders.length) {
          if (subscriber.closed) return;
          subscriber.next(orders[next++] as Order);
          const gap = next < orders.length ? (gaps[next] as number) : 0;
          if (gap > 0 && this.#script.asynchronous) {
            timer = setTimeout(push, gap);
            return;
          }
        }
        if (this.#script.sourceEnd === 'complete') subscriber.complete();
        if (this.#script.sourceEnd === 'error') subscriber.error(SOURCE_ERROR);
      };
      push();
      return () => clearTimeout(timer);
    });
  }

  #pause(gap: number): Promise<void> | undefined {
    if (gap === 0) return undefined;
    return gap === 1 ? turn() : new Promise((resolve) => this.#after(gap, resolve));
  }

  // --- what comes out

  #take({ id, index }: Answer): void {
    this.results.push(id);
    expect(index, 'context.index').to.equal(id);
  }

  #started(): number[] {
    try {
      return readFileSync(join(this.#folder, 'starts'), 'utf8').split('\n').filter(Boolean).map(Number);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return []; // nothing was
    }
  }

  // --- who interrupts

  #isDue(): boolean {
    const { interruption } = this.#script;
    return interruption?.after === 'results' && this.results.length === interruption.amount;
  }

  #interruptInTime(leave: () => void): void {
    const { interruption } = this.#script;
    if (interruption?.after === 'ms') this.#after(interruption.amount, () => this.#ended || this.#interrupt(leave));
  }

  #interrupt(leave: () => void): void {
    if (this.#script.interruption?.by === 'signal') this.#controller.abort(ABORT_REASON);
    else leave();
  }

  #after(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
  }

  #callOptions() {
    const { chunkSize, maxTasksActive, cancelTimeout } = this.#script;
    const workerDeathRetries = retriesOf(this.#script);
    return { chunkSize, maxTasksActive, cancelTimeout, workerDeathRetries, signal: this.#controller.signal };
  }

  #operatorOptions(): FromOptions {
    return { ...this.#place, ...this.#callOptions(), ordered: this.#script.ordered };
  }
}
