/** Reads an input no faster than a job has room for its values. */

import { describeValue } from '../../options/describeValue.js';
import type { ReadableStreamLike, TypedArray } from '../../../taskTypes.js';
import { isDetached } from '../../protocol/usedUp.js';
import { isTypedArray } from './typedArrays.js';

/** The part of a job that takes values. */
export interface PullTarget {
  readonly ended: boolean;
  hasRoom(): boolean;
  push(value: unknown): void;
  end(): void;
  fail(error: unknown): void;
  /** Cuts a typed array into its values. */
  piecesOf?(array: TypedArray): Iterable<unknown>;
}

/** An input that is being read. */
export interface Pull {
  /** Reads as much as there is room for. */
  advance(): void;
  /** Stops reading, and lets the input clean up. */
  stop(): void;
}

/** Creates a reader for an input. It has not read anything yet. */
export type OpenInput = (target: PullTarget) => Pull;

/** What is known of an input before it is read. */
export interface InputFacts {
  /** Whether it always has a value, or its end, when asked. */
  readonly isReadAtOnce: boolean;
  /** How many values it has. */
  readonly length: number | undefined;
  /** Whether its values are pieces of a typed array. */
  readonly isCut: boolean;
  /** How many elements that array has. */
  readonly elements?: number;
}

/** What is known of an input that `openInput` takes. */
export function factsOf(input: unknown): InputFacts {
  const isObject = typeof input === 'object' && input !== null;
  if (isObject && ('getReader' in input || Symbol.asyncIterator in input)) {
    return { isReadAtOnce: false, length: undefined, isCut: false };
  }
  let length: number | undefined;
  if (Array.isArray(input)) length = input.length;
  else if (input instanceof Set || input instanceof Map) length = input.size;
  if (isTypedArray(input)) return { isReadAtOnce: true, length, isCut: true, elements: input.length };
  return { isReadAtOnce: true, length, isCut: false };
}

/**
 * Checks an input.
 *
 * @throws TypeError if it cannot be read.
 */
export function openInput(input: unknown, caller: string): OpenInput {
  const has = (key: PropertyKey): boolean =>
    (typeof input === 'object' || typeof input === 'function') &&
    input !== null &&
    typeof (input as Record<PropertyKey, unknown>)[key] === 'function';
  // Web streams may be iterators, too, but only a reader can be stopped while it waits.
  if (has('getReader')) return (target) => pullAsync(readStream(input as ReadableStreamLike), target);
  if (has(Symbol.asyncIterator)) {
    return (target) => {
      const pull = pullAsync((input as AsyncIterable<unknown>)[Symbol.asyncIterator](), target);
      return has('destroy') ? destroying(input as { destroy(): void }, pull) : pull;
    };
  }
  if (isTypedArray(input) && isDetached(input.buffer)) {
    throw new TypeError(
      `${caller}: "input" is a typed array whose memory was transferred, so it is empty. Pass it to ${caller} ` +
        'before you transfer it, or transfer a copy: array.slice().',
    );
  }
  if (isTypedArray(input)) return (target) => pullSync((target.piecesOf?.(input) ?? input)[Symbol.iterator](), target);
  if (typeof input === 'string' || has(Symbol.iterator)) {
    return (target) => pullSync((input as Iterable<unknown>)[Symbol.iterator](), target);
  }
  let hint = '';
  if (has('subscribe')) hint = ' An Observable pushes its values: use source.pipe(parallelMap(…)).';
  else if (has('then')) hint = ' A promise gives one value: await it.';
  else if (isBinary(input)) hint = ' For its bytes, use a Uint8Array of it.';
  throw new TypeError(
    `${caller}: "input" must be an iterable, an async iterable or a readable stream, ` +
      `got ${describeValue(input)}.${hint}`,
  );
}

/** What an iterator has given, as a loop with `for` checks it. @throws TypeError */
function resultOf<T>(result: IteratorResult<T, unknown>): IteratorResult<T, unknown> {
  if ((typeof result === 'object' && result !== null) || typeof result === 'function') return result;
  throw new TypeError(`The iterator of "input" must give objects from next(), got ${describeValue(result)}.`);
}

/** Whether a value has bytes. It may be of another realm. */
function isBinary(value: unknown): boolean {
  return ArrayBuffer.isView(value) || /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value));
}

function pullSync(iterator: Iterator<unknown>, target: PullTarget): Pull {
  let open = true;
  let reading = false;
  /** Whether it was stopped while it runs, by its own code or because of a value. It cannot be closed until then. */
  let toBeClosed = false;
  const readOne = (): void => {
    const { done, value } = resultOf(iterator.next());
    if (done === true) toBeClosed = false;
    if (!open) return;
    open = done !== true;
    if (open) target.push(value);
    else target.end();
  };
  return {
    advance(): void {
      if (reading) return; // called from the iterator's own code
      reading = true;
      try {
        while (open && target.hasRoom()) readOne();
      } catch (error) {
        toBeClosed = false; // an iterator that has thrown has ended
        if (!open) return; // it was stopped, so its failure is of no interest
        open = false;
        target.fail(error);
      } finally {
        reading = false;
        if (toBeClosed) close(iterator);
        toBeClosed = false;
      }
    },
    stop(): void {
      if (!open) return;
      open = false;
      if (reading) toBeClosed = true;
      else close(iterator);
    },
  };
}

/** Lets an iterator clean up. The job has its outcome, so it neither waits for that nor fails with it. */
function close(iterator: Iterator<unknown> | AsyncIterator<unknown>): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => undefined);
  } catch {
    // as above
  }
}

/** Destroys a Node stream. Its iterator would notice the stop only with the next piece of data, which may never come. */
function destroying(stream: { destroy(): void }, pull: Pull): Pull {
  return {
    advance: () => pull.advance(),
    stop(): void {
      pull.stop();
      stream.destroy();
    },
  };
}

function pullAsync(iterator: AsyncIterator<unknown>, target: PullTarget): Pull {
  let open = true;
  let reading = false;
  const read = async (): Promise<void> => {
    while (open && target.hasRoom()) {
      const { done, value } = resultOf(await iterator.next());
      if (!open) return;
      if (done === true) {
        open = false;
        target.end();
      } else {
        target.push(value);
      }
    }
  };
  const pull: Pull = {
    advance(): void {
      if (reading || !open) return;
      reading = true;
      read()
        .catch((error: unknown) => {
          if (!open) return; // it was stopped, so its failure is of no interest
          open = false;
          target.fail(error);
        })
        .finally(() => {
          reading = false;
          // There may have been room since the last check.
          if (open && target.hasRoom()) pull.advance();
        });
    },
    stop(): void {
      if (!open) return;
      open = false;
      close(iterator);
    },
  };
  return pull;
}

/** A web stream as an async iterator, for browsers where it is not one. */
function readStream(stream: ReadableStreamLike): AsyncIterator<unknown> {
  const reader = stream.getReader();
  return {
    async next() {
      try {
        const { done, value } = await reader.read();
        if (!done) return { done: false, value };
      } catch (error) {
        reader.releaseLock();
        throw error;
      }
      reader.releaseLock();
      return { done: true, value: undefined };
    },
    async return() {
      try {
        await reader.cancel();
      } finally {
        reader.releaseLock();
      }
      return { done: true, value: undefined };
    },
  };
}
