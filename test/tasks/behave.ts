/** The task of the model tests: does what its value says. */

import type { TaskContext } from 'rxjs-parallel-map';
import type { Gives } from './give.js';
import { world } from './world.js';

export type Kind =
  'ok' | 'spin' | 'sleep' | 'throw' | 'reject' | 'bad-result' | 'bad-input' | 'exit' | 'exit-late' | 'exit-once';

export interface Order {
  readonly id: number;
  readonly kind: Kind;
  readonly ms: number;
  /** A folder: each start of a value adds a line to `starts`, and `exit-once` leaves a mark. */
  readonly folder: string;
  /** There for `bad-input`: a function, which cannot be sent. */
  readonly uncloneable?: unknown;
  /** For `give`: what comes before. */
  readonly gives?: Gives | undefined;
  /** For `move`: what the value carries, and whether what the answer carries moves. */
  readonly bytes?: Uint8Array;
  readonly movesResult?: boolean;
}

export interface Answer {
  readonly id: number;
  readonly index: number;
  /** Of `give`: the place among the answers of its call. */
  readonly part: number;
  /** Of `move`: what it carries, whether what the value carried came whole, and what the last move has left behind. */
  readonly bytes?: Uint8Array;
  readonly intact?: boolean;
  readonly leftBehind?: number | undefined;
}

export default function behave(order: Order, context: TaskContext): Answer | Promise<Answer> {
  start(order);
  return act(order, context);
}

/** Leaves word that a value is started. */
export function start({ id, folder }: Order): void {
  world.note(folder, 'starts', String(id));
}

/** Does what a value says. */
export function act({ id, kind, ms, folder }: Order, context: TaskContext): Answer | Promise<Answer> {
  const answer = { id, index: context.index, part: 0 };
  switch (kind) {
    case 'spin':
      world.spin(ms);
      return answer;
    case 'sleep':
      return world.sleep(ms).then(() => answer);
    case 'throw':
      throw new RangeError(`thrown by ${id}`);
    case 'reject':
      return world.sleep(ms).then(() => {
        throw new TypeError(`rejected by ${id}`);
      });
    case 'bad-result':
      return { ...answer, deep: { fn: () => undefined } } as Answer;
    case 'exit':
      return world.exit(40 + (id % 40));
    case 'exit-late':
      return world.sleep(ms).then(() => world.exit(40 + (id % 40)));
    case 'exit-once':
      if (world.leaveMark(folder, `once-${id}`)) world.exit(9);
      return answer;
    default:
      return answer;
  }
}
