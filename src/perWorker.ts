/** `perWorker`: a value that each worker makes for itself. */

import { describeValue } from './internal/options/describeValue.js';

/** Recognised by this key: a worker may hold another copy of this package than the program. */
const brand: unique symbol = Symbol.for('rxjs-parallel-map.perWorker') as never;

/** What capturing takes of a function that `perWorker` has made. */
export interface Maker {
  /** Says which one it is, in every worker. */
  readonly id: string;
  make: () => unknown;
}

/** The functions that workers of this thread have received, by their ids. Shared by all copies of this package. */
const received = Symbol.for('rxjs-parallel-map.perWorker.received');

/**
 * Makes a value once in each worker, and once in the program if it is used there: a database connection, a compiled
 * schema, a model, anything that cannot be copied to a worker or should not be.
 *
 * The returned function gives the value. Its first call in a worker runs `make`; later calls, of all tasks there, give the same value. `make`
 * travels like any function, with what it captures. It can be async: then the value is a promise. If `make` throws or its promise
 * rejects, that is the error of the task, and the next call tries again.
 *
 * Call `perWorker` at the top of a module, not for each subscription: a worker keeps what it has made as long as it lives.
 *
 * @typeParam T The type of the value.
 * @param make Makes the value.
 * @returns A function that returns the value of the worker in which it is called.
 * @throws TypeError when `make` is not a function.
 * @example
 * ```ts
 * const database = perWorker(() => new Database('data.sqlite', { readonly: true }));
 *
 * ids$.pipe(parallelMap((id) => database().prepare('select * from users where id = ?').get(id)));
 * ```
 */
export function perWorker<T>(make: () => T): () => T {
  if (typeof make !== 'function') {
    throw new TypeError(
      `perWorker: "make" must be a function that makes the value, got ${describeValue(make)}: ` +
        `write perWorker(() => …).`,
    );
  }
  return accessTo({ id: newId(), make });
}

let count = 0;

/** Unlike those that other copies of this package give, also where a test has replaced sources of randomness. */
function newId(): string {
  return `${Math.random()} ${process.hrtime().join('.')} ${process.pid} ${count++}`;
}

function accessTo<T>(maker: Maker): () => T {
  let made: { readonly value: T } | undefined;
  let isMaking = false;
  const access = (): T => {
    if (made !== undefined) return made.value;
    if (isMaking) throw new Error('perWorker: "make" uses the value that it makes.');
    isMaking = true;
    try {
      const mine = { value: maker.make() as T };
      made = mine;
      forgetIfRejected(mine.value, () => {
        if (made === mine) made = undefined;
      });
      return mine.value;
    } finally {
      isMaking = false;
    }
  };
  return Object.defineProperty(access, brand, { value: maker });
}

function forgetIfRejected(value: unknown, forget: () => void): void {
  // Not of any thenable: a query of some libraries would begin.
  if (Object.prototype.toString.call(value) === '[object Promise]') (value as Promise<unknown>).then(undefined, forget);
}

/** What makes the value of a function that `perWorker` has made; `undefined` for anything else. Runs no code of the value's. */
export function makerOf(value: object): Maker | undefined {
  return Object.getOwnPropertyDescriptor(value, brand)?.value as Maker | undefined;
}

/**
 * In a worker: the function with this id. It is the one that came before, if any, so that all tasks use one value.
 *
 * @returns The function, and what gives it the newest maker.
 */
export function receivePerWorker(id: string): {
  readonly access: () => unknown;
  setMaker(make: () => unknown): void;
} {
  const place = globalThis as { [received]?: Map<string, () => unknown> };
  if (place[received] === undefined) Object.defineProperty(place, received, { value: new Map() });
  const known = place[received] as Map<string, () => unknown>;
  let access = known.get(id);
  if (access === undefined) {
    access = accessTo({ id, make: () => undefined });
    known.set(id, access);
  }
  const maker = makerOf(access) as Maker;
  return { access, setMaker: (make) => void (maker.make = make) };
}
