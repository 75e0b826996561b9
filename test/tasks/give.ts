/** The task of the model tests for `parallelMergeMap`: gives several answers, then does what its value says. */

import type { Subscribable } from 'rxjs';
import type { TaskContext } from 'rxjs-parallel-map';
import { act, start, type Answer, type Order } from './behave.js';
import { world } from './world.js';

export const outputs = ['array', 'generator', 'promise', 'async-generator', 'iterator', 'subscribable'] as const;

/** What a call gives. */
export interface Gives {
  readonly count: number;
  /** As what. */
  readonly output: (typeof outputs)[number];
  /** What passes before each, in milliseconds: with enough of it each answer travels alone. */
  readonly pause: number;
}

/** After so many answers a call notes how many it has made. */
export const NOTE_EVERY = 512;

type Output = Iterable<Answer> | AsyncIterable<Answer> | Subscribable<Answer>;

export default function give(order: Order, context: TaskContext): Output | Promise<Output> {
  start(order);
  switch (order.gives?.output) {
    case 'array':
      return [...generate(order, context)];
    case 'generator':
      return generate(order, context);
    case 'promise':
      return world.sleep(1).then(() => generateAsync(order, context));
    case 'iterator':
      return byHand(generateAsync(order, context));
    case 'subscribable':
      return subscribable(generateAsync(order, context));
    default:
      return generateAsync(order, context);
  }
}

function* generate(order: Order, context: TaskContext): Generator<Answer> {
  const { count = 0, pause = 0 } = order.gives ?? {};
  for (let part = 0; part < count; part++) {
    if (pause > 0) world.spin(pause);
    yield answerOf(order, context, part);
  }
  const last = act(order, context);
  if (order.kind === 'bad-result') yield last as Answer;
}

async function* generateAsync(order: Order, context: TaskContext): AsyncGenerator<Answer> {
  const { count = 0, pause = 0 } = order.gives ?? {};
  for (let part = 0; part < count; part++) {
    if (pause > 0) await world.sleep(pause);
    yield answerOf(order, context, part);
  }
  const last = await act(order, context);
  if (order.kind === 'bad-result') yield last;
}

function answerOf(order: Order, { index }: TaskContext, part: number): Answer {
  if ((part + 1) % NOTE_EVERY === 0) world.note(order.folder, 'made', `${order.id} ${part + 1}`);
  return { id: order.id, index, part };
}

/** An iterator without `return`. */
function byHand(answers: AsyncGenerator<Answer>): AsyncIterable<Answer> {
  return { [Symbol.asyncIterator]: () => ({ next: () => answers.next() }) };
}

/** What an Observable is, without loading RxJS. It is not made to wait. */
function subscribable(answers: AsyncGenerator<Answer>): Subscribable<Answer> {
  return {
    subscribe(observer) {
      let open = true;
      const run = async (): Promise<void> => {
        for await (const answer of answers) {
          if (!open) return;
          observer.next?.(answer);
        }
        if (open) observer.complete?.();
      };
      run().catch((error: unknown) => open && observer.error?.(error));
      return { unsubscribe: () => void (open = false) };
    },
  };
}
