/** Plays a script of the model tests on a pool, or on pools of its own, and holds what comes of it against the model. */

import { getEventListeners, setMaxListeners } from 'node:events';
import { expect } from 'chai';
import { Observable } from 'rxjs';
import type { FromOptions, MapOperatorOptions, WorkerPool } from 'rxjs-parallel-map';
import type { Answer, Order } from '../../tasks/behave.js';
import { parallelFrom, parallelMap, parallelMergeMap } from '../library.js';
import { check, checkApply, type End } from './check.js';
import { Consumer } from './consumer.js';
import { Drops } from './drops.js';
import { Feed } from './feed.js';
import { checkLeft, checkMoved } from './moves.js';
import type { Place, Tasks } from './place.js';
import { ABORT_REASON, fate, resultsOf, retriesOf, valuesOf, type Item, type Script } from './script.js';
import { turn } from './time.js';

/** Plays a script and holds what comes of it against the model. */
export async function play(script: Script, place: Place, limit: number): Promise<void> {
  const player = new Player(script, place);
  let deadline: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => reject(new Error(`Hangs after ${limit} ms, with ${player.out} values out`)), limit);
  });
  try {
    await Promise.race([player.perform(), hang]);
  } catch (error) {
    throw new Error(`${String(error)}\n${describe(script, place)}`, { cause: error });
  } finally {
    clearTimeout(deadline);
    player.dispose();
  }
}

/** A script in a line that fits a screen. */
function describe({ items, ...rest }: Script, { pool, title }: Place): string {
  const values = items.map(({ kind, ms, gap, count, gives }) => {
    const given = gives === undefined ? '' : `(${gives.count} by ${gives.output}/${gives.pause})`;
    return `${kind}${given}${count > 1 ? `×${count}` : ''}/${ms}+${gap}`;
  });
  const where = `${pool === undefined ? '' : 'a shared pool of '}${title}`;
  return `on ${where}: ${JSON.stringify(rest)} ${values.join(' ')}`;
}

class Player {
  ended = false;
  /** How many values' results are out, all of them. */
  out = 0;
  readonly #script: Script;
  readonly #place: Place;
  readonly #folder: string;
  readonly #drops: Drops;
  readonly #feed: Feed;
  readonly #values: readonly Item[];
  readonly #answers: Answer[] = [];
  /** After how many results nothing more can come: never, where something fails. */
  readonly #total: number;
  readonly #late: string[] = [];
  readonly #controller = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Who waits until so many values are out. */
  #waiting: { readonly count: number; readonly callback: () => void } | undefined;

  constructor(script: Script, place: Place) {
    this.#script = script;
    this.#place = place;
    this.#folder = place.makeFolder();
    this.#drops = new Drops(script, place.pool === undefined ? place.nJobs : 0);
    this.#feed = new Feed(script, this.#folder, this.#drops, this);
    this.#values = valuesOf(script);
    this.#total = this.#values.reduce(
      (sum, value) => sum + (fate(script, value) === 'fails' ? Infinity : resultsOf(script, value)),
      0,
    );
    setMaxListeners(0, this.#controller.signal); // each apply is a call of its own
  }

  async perform(): Promise<void> {
    if (this.#script.api === 'apply') {
      const settled = await this.#apply();
      settled.forEach((result, id) => checkApply(this.#script, id, result, this.#isTerminated));
    } else {
      const end = await this.#run();
      this.ended = true;
      for (let i = 0; i < 3; i++) await turn(); // for what would come too late
      await this.#feed.closed();
      check(this.#script, {
        ...end,
        answers: this.#answers,
        late: this.#late,
        started: this.#started(),
        made: this.#made(),
        drops: this.#drops,
        terminated: this.#isTerminated,
      });
    }
    checkLeft(this.#feed.orders, this.#script, new Set(this.#started()), this.#place.sharesMemory);
    expect(getEventListeners(this.#controller.signal, 'abort').length, 'listeners of the signal').to.equal(0);
  }

  dispose(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  get #isTerminated(): boolean {
    return this.#place.ends?.has('terminate') === true;
  }

  // --- for the feed

  get isJoined(): boolean {
    return this.#place.ends?.has('join') === true;
  }

  whenOut(count: number, callback: () => void): void {
    if (this.out >= count) callback();
    else this.#waiting = { count, callback };
  }

  after(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
  }

  // --- the calls

  #run(): Promise<End> {
    switch (this.#script.api) {
      case 'parallelMap':
        return this.#subscribe(this.#feed.pushed().pipe(parallelMap(this.#task, this.#operatorOptions())));
      case 'parallelMergeMap':
        return this.#subscribe(
          this.#feed.pushed().pipe(parallelMergeMap(this.#place.tasks.give, this.#operatorOptions())),
        );
      case 'parallelFrom':
        return this.#subscribe(parallelFrom(this.#feed.pulled(), this.#task, this.#fromOptions()));
      case 'map':
        return this.#map();
      default:
        return this.#imap();
    }
  }

  get #task(): Tasks['behave'] {
    const { behave, move } = this.#place.tasks;
    return this.#script.moves === undefined ? behave : move;
  }

  #subscribe(results$: Observable<Answer>): Promise<End> {
    return new Promise((resolve, reject) => {
      const late = (what: string): void => {
        if (this.ended) this.#late.push(what);
      };
      const leave = (): void => {
        this.ended = true;
        subscription.unsubscribe();
        resolve({ end: 'left' });
      };
      // The subscription exists before anything is emitted, for no worker answers at once; only errors can.
      const subscription = new Observable<Answer>((subscriber) => results$.subscribe(subscriber)).subscribe({
        next: (answer) => {
          late(`next ${answer.id}`);
          try {
            this.#take(answer);
          } catch (error) {
            // RxJS would throw it where nobody knows of the script.
            reject(error);
            subscription.unsubscribe();
            return;
          }
          if (this.#isDue()) this.#interrupt(leave);
          else if (this.#script.sourceEnd === 'never' && this.#answers.length === this.#total) leave();
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
      // A source that never ends has to be left, also where it has no results.
      if (this.#script.sourceEnd === 'never' && this.#total === 0) this.after(5, leave);
      this.#interruptInTime(leave);
    });
  }

  async #map(): Promise<End> {
    this.#interruptInTime(() => undefined);
    return this.#onPool(async (pool) => {
      const input = this.#feed.pulled();
      const answers = await (this.#script.ordered
        ? pool.map(this.#task, input, this.#callOptions())
        : pool.mapUnordered(this.#task, input, this.#callOptions()));
      for (const answer of answers) this.#take(answer);
      return { end: 'completed' };
    });
  }

  #imap(): Promise<End> {
    return this.#onPool(async (pool) => {
      const input = this.#feed.pulled();
      const answers = this.#script.ordered
        ? pool.imap(this.#task, input, this.#callOptions())
        : pool.imapUnordered(this.#task, input, this.#callOptions());
      const manner = this.#script.pulling ?? { leaving: 'return', readers: 1, pause: 0 };
      const consumer = new Consumer(answers, manner, (answer) => {
        this.#take(answer);
        if (this.#isDue()) this.#interrupt(leave);
      });
      const leave = (): void => consumer.leave();
      this.#interruptInTime(leave);
      await consumer.run();
      return { end: consumer.left ? 'left' : 'completed' };
    });
  }

  async #onPool(use: (pool: WorkerPool) => Promise<End>): Promise<End> {
    try {
      return await use(this.#place.openPool());
    } catch (error) {
      return { end: 'failed', error };
    }
  }

  #apply(): Promise<PromiseSettledResult<Answer>[]> {
    this.#interruptInTime(() => undefined);
    const { signal } = this.#controller;
    const { cancelTimeout } = this.#script;
    const options = { signal, cancelTimeout, workerDeathRetries: retriesOf(this.#script) };
    const run = async (pool: WorkerPool, order: Order): Promise<Answer> => {
      const answer = await pool.apply(this.#task, [order], options);
      checkMoved(answer, this.#script, this.#place.sharesMemory);
      return answer;
    };
    const pool = this.#place.openPool();
    return Promise.allSettled(this.#feed.values().map((order) => run(pool, order)));
  }

  // --- what comes out

  #take(answer: Answer): void {
    const { id, index, part } = answer;
    this.#answers.push(answer);
    if (index !== id) throw new Error(`context.index of ${id} is ${index}`);
    checkMoved(answer, this.#script, this.#place.sharesMemory);
    if (part + 1 < resultsOf(this.#script, this.#values[id] as Item)) return;
    this.out++;
    this.#drops.out(id);
    if (this.#waiting === undefined || this.out < this.#waiting.count) return;
    const { callback } = this.#waiting;
    this.#waiting = undefined;
    callback();
  }

  #started(): number[] {
    return this.#lines('starts').map(Number);
  }

  /** How many results calls have noted that they had made. */
  #made(): Map<number, number> {
    return new Map(this.#lines('made').map((line) => line.split(' ').map(Number) as [number, number]));
  }

  #lines(name: string): string[] {
    return this.#place.linesOf(this.#folder, name);
  }

  // --- who interrupts

  #isDue(): boolean {
    const { interruption } = this.#script;
    return interruption?.after === 'results' && this.#answers.length === interruption.amount;
  }

  #interruptInTime(leave: () => void): void {
    const { interruption } = this.#script;
    if (interruption?.after === 'ms') this.after(interruption.amount, () => this.ended || this.#interrupt(leave));
  }

  #interrupt(leave: () => void): void {
    if (this.#script.interruption?.by === 'signal') this.#controller.abort(ABORT_REASON);
    else leave();
  }

  #callOptions() {
    const { chunkSize, maxTasksActive, tasksPerWorker, cancelTimeout } = this.#script;
    const workerDeathRetries = retriesOf(this.#script);
    const { signal } = this.#controller;
    return { chunkSize, maxTasksActive, tasksPerWorker, cancelTimeout, workerDeathRetries, signal };
  }

  #fromOptions(): FromOptions {
    return { ...this.#place.workers, ...this.#callOptions(), ordered: this.#script.ordered };
  }

  #operatorOptions(): MapOperatorOptions {
    const { bound } = this.#script;
    return { ...this.#fromOptions(), bufferSize: bound?.bufferSize, overflow: bound?.overflow };
  }
}
