/** What a task was given, as text for a line. Nothing of the user's is called for it. */

import { inspect, types } from 'node:util';
import { CallMode } from '../protocol/messages.js';
import { isDetached } from '../protocol/usedUp.js';
import { plain } from './progress/text.js';
import type { Chunk } from '../core/job/Chunk.js';

/** A text is cut to this length. */
const LONGEST_TEXT = 200;

/** Says that a buffer is empty now because it went to the worker. */
const MOVED = ' (moved)';
/** How much of a value is shown. */
const DEPTH = 2;
const LONGEST_ARRAY = 10;

/** The value at a place of a chunk, or the values among which it was. */
export function describeTask(
  { values, moved }: Chunk,
  mode: CallMode | undefined,
  place: number,
  size: number,
): string {
  const isApply = mode === CallMode.Apply;
  const describe = moved ? describeMoved : describeValue;
  const texts = values
    .slice(place, place + size)
    .map((value) => shorten(isApply ? (value as unknown[]).map(describe).join(', ') : describe(value)));
  return texts.length === 1 ? (texts[0] as string) : shorten(`one of ${texts.join(' | ')}`);
}

/** The same of what something was moved out of, perhaps. */
function describeMoved(value: unknown): string {
  const text = describeValue(value);
  if (isMoved(value)) return (value instanceof DataView ? 'DataView' : (/\w+/.exec(text)?.[0] ?? text)) + MOVED;
  return hasMoved(value, DEPTH) ? shorten(text, LONGEST_TEXT - MOVED.length) + MOVED : text;
}

/** Whether a value is a buffer that was moved, or a view of one. */
function isMoved(value: unknown): boolean {
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
  return types.isArrayBuffer(buffer) && isDetached(buffer);
}

/** Whether there is one in a value, as far as it is shown. No getter is called, nor a trap of a proxy. */
function hasMoved(value: unknown, depth: number): boolean {
  if (isMoved(value)) return true;
  if (typeof value !== 'object' || value === null || depth < 0) return false;
  if (types.isProxy(value) || ArrayBuffer.isView(value)) return false;
  const keys = Array.isArray(value) ? Array.from({ length: LONGEST_ARRAY }, (_, i) => i) : Object.keys(value);
  return keys.some((key) => hasMoved(Object.getOwnPropertyDescriptor(value, key)?.value, depth - 1));
}

function describeValue(value: unknown): string {
  try {
    const shape = { depth: DEPTH, maxArrayLength: LONGEST_ARRAY, maxStringLength: LONGEST_TEXT };
    const text = inspect(value, { ...shape, compact: true, breakLength: Infinity, customInspect: false });
    return plain(text.replace(/[\r\n]\s*/g, ' ')); // the stack of an error and the name of a function may hold control characters
  } catch {
    return `[${typeof value}]`; // a getter that `inspect` needs has thrown
  }
}

function shorten(text: string, length = LONGEST_TEXT): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
