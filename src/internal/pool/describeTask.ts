/** What a task was given, as text for a line. Nothing of the user's is called for it. */

import { inspect } from 'node:util';
import { CallMode } from '../channel/messages.js';
import { plain } from '../progress/text.js';
import type { Chunk } from './Chunk.js';

/** A text is cut to so many characters. */
const LONGEST_TEXT = 200;

/** The value at a place of a chunk, or the values among which it was. */
export function describeTask({ values, job }: Chunk, place: number, size: number): string {
  const isApply = job.mode === CallMode.Apply;
  const texts = values
    .slice(place, place + size)
    .map((value) => shorten(isApply ? (value as unknown[]).map(describe).join(', ') : describe(value)));
  return texts.length === 1 ? (texts[0] as string) : shorten(`one of ${texts.join(' | ')}`);
}

function describe(value: unknown): string {
  try {
    const shape = { depth: 2, maxArrayLength: 10, maxStringLength: LONGEST_TEXT };
    const text = inspect(value, { ...shape, compact: true, breakLength: Infinity, customInspect: false });
    return plain(text.replace(/[\r\n]\s*/g, ' ')); // errors have their stack, functions and symbols what somebody has called them
  } catch {
    return `[${typeof value}]`; // a getter that `inspect` needs has thrown
  }
}

function shorten(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text;
}
