/** `transfer`: moves the buffers and ports in a value to the other side instead of copying them. */

import { describeValue } from './internal/options/describeValue.js';

/** Recognised by this key rather than by class: a worker may hold another copy of this package than the program. */
const brand: unique symbol = Symbol.for('rxjs-parallel-map.transfer') as never;

/** Shared by all copies of this package in one thread. Until something is transferred, no value needs to be inspected. */
const usage: { used: boolean } = ((globalThis as Record<symbol, unknown>)[
  Symbol.for('rxjs-parallel-map.transfer.usage')
] ??= { used: false }) as { used: boolean };

/** What {@link transfer} returns at run time; its type pretends to be the value itself. */
export interface TransferEnvelope {
  readonly [brand]: true;
  readonly value: unknown;
  readonly transferables: readonly Transferable[];
  /** A function cannot be cloned: so an envelope inside a value, which the pool does not open, is an error. */
  readonly guard: () => void;
}

/** One for all envelopes. */
const guard = (): void => undefined;

/** An object that can move to another thread, such as an `ArrayBuffer`, a `MessagePort` or a stream. */
export type Transferable = object;

const transferableTags = new Set([
  'ArrayBuffer',
  'AudioData',
  'FileHandle',
  'ImageBitmap',
  'MediaSourceHandle',
  'MediaStreamTrack',
  'MessagePort',
  'MIDIAccess',
  'OffscreenCanvas',
  'ReadableStream',
  'RTCDataChannel',
  'TransformStream',
  'VideoFrame',
  'WebTransportReceiveStream',
  'WebTransportSendStream',
  'WritableStream',
]);

/**
 * Marks a value to be moved instead of copied, as an input (`source$.pipe(map((b) => transfer(b, [b])))`) or as
 * the result of a task. A moved object is empty on the side that it left. Moving it again is an `UnserializableError`.
 *
 * With `threading` the listed objects really move, in constant time. Processes share no memory with the program: there the
 * value is copied, and the listed objects stay usable.
 *
 * A value that was moved to a worker cannot be sent to another one, so `workerDeathRetries` does not apply to it.
 *
 * @param value The value to send. It can be anything that can be sent without `transfer`.
 * @param transferables The objects in `value` to move. Default: none.
 * @returns The value in an envelope that the pool opens. Its type is that of `value`.
 * @throws TypeError when `transferables` is not an array or contains something that cannot be transferred.
 * @example
 * ```ts
 * images$.pipe(
 *   map((pixels: Uint8Array) => transfer(pixels, [pixels.buffer])),
 *   parallelMap(async (pixels) => {
 *     const { transfer } = await import('rxjs-parallel-map');
 *     return transfer(pixels, [pixels.buffer]);
 *   }),
 * );
 * ```
 */
export function transfer<T>(value: T, transferables: readonly Transferable[] = []): T {
  checkTransferables(transferables, 'transfer: "transferables', '"');
  usage.used = true;
  const envelope: TransferEnvelope = { [brand]: true, value, transferables, guard };
  return envelope as unknown as T;
}

/**
 * The value with the objects that `transferInput` returns for it marked to be moved, unless it comes from `transfer` already.
 *
 * @throws TypeError when `transferInput` does not return an array of transferable objects, and what it throws itself.
 */
export function transferredBy(transferInput: (value: unknown) => readonly Transferable[], value: unknown): unknown {
  if (isTransferred(value)) return value;
  const transferables: unknown = transferInput(value);
  checkTransferables(transferables, 'transferInput: what it returns', '');
  return transferables.length === 0 ? value : transfer(value, transferables);
}

/** @param subject What is checked, for the messages. An index may follow, then `end`. */
function checkTransferables(
  transferables: unknown,
  subject: string,
  end: string,
): asserts transferables is readonly Transferable[] {
  if (!Array.isArray(transferables)) {
    throw new TypeError(
      `${subject}${end} must be an array of transferable objects such as ArrayBuffer, got ${describeValue(transferables)}.`,
    );
  }
  transferables.forEach((item: unknown, at) => {
    if (isTransferable(item)) return;
    const hint = ArrayBuffer.isView(item) ? ' (a view: transfer its .buffer)' : '';
    throw new TypeError(
      `${subject}[${at}]${end} must be a transferable object such as ArrayBuffer or MessagePort, ` +
        `got ${describeValue(item)}${hint}.`,
    );
  });
}

/** Whether anything was ever transferred in this thread. Until then no value needs to be inspected. */
export function transfersAreUsed(): boolean {
  return usage.used;
}

/** Whether `value` comes from {@link transfer}. */
export function isTransferred(value: unknown): value is TransferEnvelope {
  if (!usage.used || typeof value !== 'object' || value === null) return false;
  try {
    return (value as TransferEnvelope)[brand] === true;
  } catch {
    return false; // a proxy that throws
  }
}

/**
 * Opens the envelopes among `values`, in place.
 *
 * @returns The objects to move; `undefined` if there are none.
 */
export function openEnvelopes(values: unknown[]): Transferable[] | undefined {
  if (!usage.used) return undefined;
  let moving: Transferable[] | undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!isTransferred(value)) continue;
    values[i] = value.value;
    if (value.transferables.length > 0) (moving ??= []).push(...value.transferables);
  }
  return moving;
}

/** Checks the classes of an object by name: Node's have no tag, or that of a base class. */
function isTransferable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (transferableTags.has(Object.prototype.toString.call(value).slice(8, -1))) return true;
  for (let at: unknown = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    const { constructor } = at as { constructor?: { name?: unknown } };
    if (transferableTags.has(String(constructor?.name))) return true;
  }
  return false;
}
