/** What the task loop needs from the thread or process that it runs in: one small object per start method. */

import type { Channel } from '../protocol/checked.js';
import type { Claims } from '../protocol/claims.js';
import { ClassTable } from '../protocol/ClassTable.js';
import type { MessageFromWorker, Sent } from '../protocol/messages.js';
import { isWhole, pack } from '../protocol/typed.js';

export interface Host {
  readonly workerId: number;
  /** What the worker uses, in bytes; `undefined` where nobody wants to know what it does. */
  readonly memory: (() => number) | undefined;
  /** Whether the program runs in the same thread: its event loop turns after each value. */
  readonly sharesThread?: boolean;
  /** Where it claims values; `undefined` as long as no chunk has a place there. */
  readonly claims: Claims | undefined;
  /** What kind of channel it is. */
  readonly channel: Channel;
  /** The classes that the program has, too, where the program is in the same thread. */
  readonly classes?: ClassTable;
  /** Sends a message. Throws where it cannot be cloned, and then has sent nothing. */
  post(message: Sent<MessageFromWorker>, transfer?: readonly object[]): void;
  /** Whether a value can be sent. */
  isCloneable(value: unknown): boolean;
  /** Leaves once all output and messages have arrived. */
  leave(): void;
}

/** A host as the loop uses it: values keep the classes that the program has, too. */
export interface TypedHost extends Host {
  readonly classes: ClassTable;
  post(message: MessageFromWorker, transfer?: readonly object[]): void;
}

export function typed(host: Host): TypedHost {
  const classes = host.classes ?? new ClassTable();
  return Object.create(host, {
    classes: { value: classes },
    isCloneable: { value: (value: unknown) => host.isCloneable(value) && isWhole(value, classes) },
    // In the program's own thread, nothing is sent.
    ...(host.sharesThread === true
      ? {}
      : {
          post: {
            value: (message: MessageFromWorker, transfer?: readonly object[]) =>
              host.post(pack(message, host.channel, classes, transfer), transfer),
          },
        }),
  }) as TypedHost;
}
