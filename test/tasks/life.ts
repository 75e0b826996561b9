/** Functions of a worker's life, in a module of their own. */

import type { WorkerContext } from 'rxjs-parallel-map';

export function init({ state }: WorkerContext<{ from: string }>): void {
  state.from = 'module';
}

export function task(value: number, { state }: WorkerContext<{ from: string }>): string {
  return `${state.from} ${value}`;
}

export function exit({ state }: WorkerContext<{ from: string }>): string {
  return `left ${state.from}`;
}

export default function (context: WorkerContext<{ from: string }>): void {
  init(context);
}
