/** What goes into a script: its values, from a source that pushes them or an input that is pulled. */

import { Readable } from 'node:stream';
import { ReadableStream, type ReadableStreamDefaultController } from 'node:stream/web';
import { expect } from 'chai';
import { Observable } from 'rxjs';
import type { TaskInput } from 'rxjs-parallel-map';
import type { Order } from '../../tasks/behave.js';
import type { Drops } from './drops.js';
import { loaded, moving } from './moves.js';
import { SOURCE_ERROR, valuesOf, type Script } from './script.js';
import { turn } from './time.js';
import { WatchedInput } from './watchedInput.js';

/** What a feed has to know of the rest. */
export interface Stage {
  readonly ended: boolean;
  /** How many results are out. */
  readonly out: number;
  /** Whether the pool waits for its calls to end: then `imap` reads on, whoever takes the results. */
  readonly isJoined: boolean;
  /** Calls back when so many are out. */
  whenOut(count: number, callback: () => void): void;
  /** Calls back after so many milliseconds. */
  after(ms: number, callback: () => void): void;
}

export class Feed {
  readonly orders: readonly Order[];
  readonly #script: Script;
  readonly #drops: Drops;
  readonly #stage: Stage;
  /** The gap before each value. */
  readonly #gaps: readonly number[];
  /** Generators that were begun and have not come to their end. */
  #open = 0;
  #watched: WatchedInput<Order> | undefined;
  #nodeStream: Readable | undefined;
  #webStream: ReadableStream | undefined;

  /** @param folder Where tasks leave word. */
  constructor(script: Script, folder: string, drops: Drops, stage: Stage) {
    this.#script = script;
    this.#drops = drops;
    this.#stage = stage;
    this.#gaps = script.items.flatMap(({ gap, count }) => [gap, ...new Array<number>(count - 1).fill(0)]);
    this.orders = valuesOf(script).map(({ kind, ms, gives }, id) => {
      const order = { id, kind, ms, folder, gives, ...(kind === 'bad-input' ? { uncloneable: () => undefined } : {}) };
      return loaded(order, script);
    });
  }

  /** The values as they are given to the pool. */
  values(): Order[] {
    return this.orders.map((order) => moving(order, this.#script));
  }

  pushed(): Observable<Order> {
    const { asynchronous, sourceEnd, bound } = this.#script;
    return new Observable((subscriber) => {
      const values = this.values();
      let next = 0;
      let timer: NodeJS.Timeout | undefined;
      const pushLater = (gap: number): void => {
        timer = setTimeout(push, gap);
      };
      const pushCalmly = (gap: number): void => {
        this.#stage.whenOut(this.#drops.takenBefore(next), () => (gap === 1 ? push() : pushLater(gap)));
      };
      const push = (): void => {
        while (next < values.length) {
          if (subscriber.closed) return;
          this.#drops.pushed(next);
          subscriber.next(values[next++] as Order);
          const gap = this.#gaps[next] ?? 0;
          if (gap === 0 || !asynchronous) continue;
          if (bound?.calm === true) pushCalmly(gap);
          else pushLater(gap);
          return;
        }
        if (sourceEnd === 'complete') subscriber.complete();
        if (sourceEnd === 'error') subscriber.error(SOURCE_ERROR);
      };
      push();
      return () => clearTimeout(timer);
    });
  }

  pulled(): TaskInput<Order> {
    const { asynchronous, sourceEnd, interruption, pulling } = this.#script;
    switch (pulling?.source) {
      case 'iterator':
        return asynchronous ? this.#watch().asyncIterable() : this.#watch().iterable();
      case 'async-iterator':
        return this.#watch().asyncIterable();
      case 'node-stream':
        return (this.#nodeStream = Readable.from(this.#generateAsync()));
      case 'web-stream':
        return (this.#webStream = streamOf(this.#generateAsync())) as TaskInput<Order>;
    }
    if (asynchronous) return this.#generateAsync();
    return sourceEnd === 'complete' && interruption === undefined ? this.values() : this.#generate();
  }

  /** Waits until the input is at its end or closed, which the end of a script has asked for. */
  async closed(): Promise<void> {
    // A generator is closed when it gets to its next yield, and a stream when its generator is.
    while (this.#open > 0 || this.#webStream?.locked === true) await turn();
    if (this.#nodeStream?.readableDidRead === true) {
      expect(this.#nodeStream.destroyed, 'the stream is destroyed').to.equal(true);
    }
    expect(this.#watched?.mistakes ?? [], 'how the input was read').to.deep.equal([]);
    expect(this.#watched?.isOpen ?? false, 'the input is left open').to.equal(false);
  }

  #watch(): WatchedInput<Order> {
    const { sourceEnd, pulling, maxTasksActive = Infinity, api } = this.#script;
    // A reader of an iterator may have a result that it has not told of yet.
    const readers = api === 'imap' ? (pulling?.readers ?? 1) : 0;
    return (this.#watched = new WatchedInput({
      values: this.values(),
      end: sourceEnd,
      closing: pulling?.closing ?? 'returns',
      room: () => (api === 'imap' && this.#stage.isJoined ? Infinity : this.#stage.out + readers + maxTasksActive),
      pause: (at) => this.#pause(at),
    }));
  }

  *#generate(): Generator<Order> {
    this.#open++;
    try {
      yield* this.values();
      if (this.#script.sourceEnd === 'error') throw SOURCE_ERROR;
    } finally {
      this.#open--;
    }
  }

  async *#generateAsync(): AsyncGenerator<Order> {
    this.#open++;
    try {
      let next = 0;
      for (const value of this.values()) {
        await this.#pause(next++);
        yield value;
      }
      if (this.#script.sourceEnd === 'error') throw SOURCE_ERROR;
      // Never ends, but for whoever leaves.
      while (this.#script.sourceEnd === 'never' && !this.#stage.ended) await turn();
    } finally {
      this.#open--;
    }
  }

  /** What passes before a value. */
  #pause(id: number): Promise<void> | undefined {
    const gap = this.#gaps[id] ?? 0;
    if (gap === 0) return undefined;
    return gap === 1 ? turn() : new Promise((resolve) => this.#stage.after(gap, resolve));
  }
}

/** A web stream of what a generator gives. */
function streamOf(values: AsyncGenerator<Order>): ReadableStream {
  const source = {
    async pull(controller: ReadableStreamDefaultController): Promise<void> {
      const { done, value } = await values.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel(): Promise<void> {
      await values.return(undefined);
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 }); // reads nothing before somebody asks
}
