/** Init functions, tasks and exit functions that count in `context.state`. */

import type { WorkerContext } from 'rxjs-parallel-map';

export interface Counter {
  tasks: number;
}

/** An init function: counts from this number on. */
export const countsFrom =
  (first: number) =>
  ({ state }: WorkerContext<Counter>): void => {
    state.tasks = first;
  };

/** A task: the next number. */
export const count = (_value: unknown, { state }: WorkerContext<Counter>): number => ++state.tasks;

/** An exit function: the last number. */
export const toCount = ({ state }: WorkerContext<Counter>): number => state.tasks;
