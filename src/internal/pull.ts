/** Reads an input no faster than a job has room for its values. */

import type { ReadableStreamLike } from '../taskTypes.js';

/** The part of a job that takes values. */
export interface PullTarget {
  readonly ended: boolean;
  hasRoom(): boolean;
  push(value: unknown): void;
  end(): void;
  fail(error: unknown): void;
}

/** An input that is being read. */
export interface Pull {
  /** Reads what there is room for. */
  advance(): void;
  /** Reads no more, and lets the input clean up. */
  stop(): void;
}

/** Makes a reader of an input, as yet unread. */
export type OpenInput = (target: PullTarget) => Pull;

/**
 * Checks an input.
 *
 * @throws TypeError where it is nothing that can be read.
 */
export function openInput(input: unknown, caller: string): OpenInput {
  const has = (key: PropertyKey): boolean =>
    (typeof input === 'object' || typeof input === 'function') &&
    input !== null &&
    typeof (input as Record<PropertyKey, unknown>)[key] === 'function';
  if (has(Symbol.asyncIterator)) {
    return (target) => pullAsync((input as AsyncIterable<unknown>)[Symbol.asyncIterator](), target);
  }
  if (typeof input === 'string' || has(Symbol.iterator)) {
    return (target) => pullSync((input as Iterable<unknown>)[Symbol.iterator](), target);
  }
  if (has('getReader')) return (target) => pullAsync(readStream(input as ReadableStreamLike<unknown>), target);
  const hint = has('subscribe') ? ' An Observable pushes its values: use source.pipe(parallelMap(…)).' : '';
  throw new TypeError(
    `${caller}: "input" must be an iterable, an async iterable or a readable stream, ` +
      `got ${input === null ? 'null' : typeof input}.${hint}`,
  );
}

function pullSync(iterator: Iterator<unknown>, target: PullTarget): Pull {
  let open = true;
  let reading = false;
  return {
    advance(): void {
      if (reading) return; // the iterator's own code has made room
      reading = true;
      try {
        while (open && target.hasRoom()) {
          const { done, value } = iterator.next();
          if (done === true) {
            open = false;
            target.end();
          } else {
            target.push(value);
          }
        }
      } catch (error) {
        open = false;
        target.fail(error);
      } finally {
        reading = false;
      }
    },
    stop(): void {
      if (!open) return;
      open = false;
      iterator.return?.();
    },
  };
}

function pullAsync(iterator: AsyncIterator<unknown>, target: PullTarget): Pull {
  let open = true;
  let reading = false;
  const read = async (): Promise<void> => {
    while (open && target.hasRoom()) {
      const { done, value } = await iterator.next();
      if (!open) return;
      if (done === true) {
        open = false;
        target.end();
      } else {
        target.push(value);
      }
    }
  };
  return {
    advance(): void {
      if (reading || !open) return;
      reading = true;
      read()
        .catch((error: unknown) => {
          if (!open) return; // whoever stopped it does not want to know
          open = false;
          target.fail(error);
        })
        .finally(() => {
          reading = false;
          // Room that was made while the last value was on its way.
          if (open && target.hasRoom()) this.advance();
        });
    },
    stop(): void {
      if (!open) return;
      open = false;
      // Nobody waits for the clean-up, and its failure concerns nobody.
      Promise.resolve(iterator.return?.()).catch(() => undefined);
    },
  };
}

/** A web stream as an async iterator, for browsers where it is not one itself. */
function readStream(stream: ReadableStreamLike<unknown>): AsyncIterator<unknown> {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? { done: true, value: undefined } : { done: false, value };
    },
    async return() {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}
