/** The functions of a call that a {@link Choice} describes. They know no class of the values. */

import type { TaskContext, WorkerContext } from 'rxjs-parallel-map';
import { world } from '../../tasks/world.js';

export interface WorkSettings {
  readonly task: string;
  /** What happens to the value with the index `failing`. */
  readonly failure: string;
  readonly failing: number;
  /** A folder for the mark of the worker that dies; `undefined` where none does. */
  readonly folder: string | undefined;
  readonly dying: number;
  readonly reports: boolean;
}

/** What comes of a value. */
export type Answer = [index: number, className: string, value: unknown, base: unknown, shared: unknown, part: number];

const waitFor = (settings: WorkSettings, index: number): boolean =>
  settings.task === 'waits' || (settings.task === 'mixed' && index % 2 === 1);

function begin(settings: WorkSettings, index: number, context: TaskContext): void {
  if (settings.reports) context.progress({ index });
  if (settings.task === 'spins') world.spin(0.5);
  if (index === settings.dying && settings.folder !== undefined && world.leaveMark(settings.folder, 'death')) {
    world.exit(3);
  }
  if (index === settings.failing && settings.failure === 'throws') throw new RangeError(`thrown by ${index}`);
}

function answer(settings: WorkSettings, value: unknown, context: TaskContext, part: number): Answer {
  const { index, shared } = context;
  const back = index === settings.failing && settings.failure === 'bad result' ? () => value : value;
  const name = value === undefined ? 'undefined' : (value as object).constructor.name;
  return [index, name, back, context.state.base, shared, part];
}

export function makeTask(settings: WorkSettings): (value: unknown, context: TaskContext) => Answer | Promise<Answer> {
  return (value, context) => {
    const { index } = context;
    begin(settings, index, context);
    if (index === settings.failing && settings.failure === 'hangs') return new Promise(() => undefined);
    if (!waitFor(settings, index)) return answer(settings, value, context, 0);
    return world.sleep(1 + (index % 3)).then(() => answer(settings, value, context, 0));
  };
}

export function makeMerge(settings: WorkSettings): (value: unknown, context: TaskContext) => AsyncIterable<Answer> {
  return async function* (value, context) {
    const { index } = context;
    begin(settings, index, context);
    for (let part = 0; part < 2; part++) {
      if (waitFor(settings, index)) await world.sleep(1 + (index % 3));
      yield answer(settings, value, context, part);
    }
  };
}

export function init({ state }: WorkerContext): void {
  state.base = 'base';
}

export function failingInit(): never {
  throw new TypeError('the init function fails');
}

export function exit(): string {
  return 'exit';
}
