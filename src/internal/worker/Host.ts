/** What the task loop needs from the thread or process that it runs in: one small object per start method. */

import type { Channel } from '../protocol/checked.js';
import type { Claims } from '../protocol/claims.js';
import { ClassTable } from '../protocol/ClassTable.js';
import type { MessageFromWorker } from '../protocol/messages.js';
import { isWhole, pack } from '../protocol/typed.js';
import { packFromWorker } from '../protocol/wire.js';

export interface Host {
  readonly workerId: number;
  /** What the worker uses, in bytes; `undefined` where it is not measured. */
  readonly memory: (() => number) | undefined;
  /** Whether the program runs in the same thread: its event loop turns after each value. */
  readonly sharesThread?: boolean;
  /** Where it claims values; `undefined` as long as no chunk has a place there. */
  readonly claims: Claims | undefined;
  /** What kind of channel it is. */
  readonly channel: Channel;
  /** The classes that the program has, too, where the program is in the same thread. */
  readonly classes?: ClassTable;
  /** Sends a message as it travels: see `wire.ts`. Throws where it cannot be cloned, and then has sent nothing. */
  send(message: readonly unknown[], transfer?: readonly object[]): void;
  /** Whether a value can be sent. */
  isCloneable(value: unknown): boolean;
  /** Leaves once all output and messages have arrived. */
  leave(): void;
}

/** A host as the loop uses it: values keep the classes that the program has, too. */
export interface TypedHost extends Host {
  readonly classes: ClassTable;
  /** Sends a message, as `send` does. */
  post(message: MessageFromWorker, transfer?: readonly object[]): void;
}

export function typed(host: Host): TypedHost {
  const classes = host.classes ?? new ClassTable();
  const post = (message: MessageFromWorker, transfer?: readonly object[]): void => {
    const packed = packFromWorker(message);
    // In the program's own thread the host clones the values itself.
    host.send(host.sharesThread === true ? packed : pack(packed, host.channel, classes, transfer), transfer);
  };
  return Object.create(host, {
    classes: { value: classes },
    isCloneable: { value: (value: unknown) => host.isCloneable(value) && isWhole(value, classes) },
    post: { value: post },
  }) as TypedHost;
}
