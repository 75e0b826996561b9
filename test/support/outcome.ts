/** What an Observable did, from its subscription to its end. */

import type { Observable } from 'rxjs';

export interface Outcome<T> {
  readonly values: T[];
  /** Everything after the last value: how it ended. */
  readonly end: 'complete' | 'error';
  readonly error?: unknown;
}

/** Subscribes, and resolves when the Observable ends, in whichever way. */
export function outcomeOf<T>(source: Observable<T>): Promise<Outcome<T>> {
  return new Promise((resolve) => {
    const values: T[] = [];
    source.subscribe({
      next: (value) => values.push(value),
      error: (error: unknown) => resolve({ values, end: 'error', error }),
      complete: () => resolve({ values, end: 'complete' }),
    });
  });
}
