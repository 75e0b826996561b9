/** How the progress of a call reads, as a bar and as a line. */

import type { Progress } from '../../protocol/messages.js';

/** How a call has ended. */
export interface ProgressEnd {
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  /** What it has failed with, or the reason of its signal. */
  readonly error?: unknown;
}

const LONGEST_BAR = 30;
const SHORTEST_BAR = 5;
const LONGEST_ERROR = 200;

/**
 * A line with a bar, no wider than `columns`. Where there is not room for all, first the bar gives way, then the description.
 *
 * @param widthOf How many columns a text takes: characters of some scripts take two.
 */
export function barText(progress: Progress, columns: number, widthOf: (text: string) => number): string {
  const { description, done, total } = progress;
  const before = description === '' ? '' : `${description} `;
  const after = restOf(progress);
  const room = columns - 1 - widthOf(before) - widthOf(after) - 1;
  if (total === undefined || total === 0 || room < SHORTEST_BAR) {
    const kept = shorten(description, columns - 1 - widthOf(after) - 1, widthOf);
    return headOf(kept === '' ? after : `${kept} ${after}`, columns - 1, widthOf);
  }
  const width = Math.min(LONGEST_BAR, room);
  const full = Math.round(Math.min(1, done / total) * width);
  return `${before}${'█'.repeat(full)}${'░'.repeat(width - full)} ${after}`;
}

/** As much of a text as fits, with a mark where something is missing; nothing where that would be the mark alone. */
function shorten(text: string, columns: number, widthOf: (text: string) => number): string {
  if (widthOf(text) <= columns) return text;
  const kept = headOf(text, columns - 1, widthOf);
  return kept === '' ? '' : `${kept.trimEnd()}…`;
}

/** What fits of a text. No character is cut in two. */
function headOf(text: string, columns: number, widthOf: (text: string) => number): string {
  if (widthOf(text) <= columns) return text;
  let head = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (widthOf(head + segment) > columns) break;
    head += segment;
  }
  return head;
}

/** The same without a bar. */
export function lineText(progress: Progress): string {
  return labelled(progress, restOf(progress));
}

/** What is left to say when a call has ended. */
export function endText(progress: Progress, end: ProgressEnd): string {
  const { outcome } = end;
  const time = timeText(progress.elapsed);
  const rate = rateOf(progress);
  if (outcome === 'completed') return labelled(progress, `${countsOf(progress)} in ${time}, ${rateText(rate)}`);
  const reason = 'error' in end ? `: ${firstLine(end.error)}` : '';
  return labelled(progress, `${outcome} after ${time}, at ${countsOf(progress)}${reason}`);
}

function labelled({ description }: Progress, text: string): string {
  return description === '' ? text : `${description}: ${text}`;
}

/** `42% 420/1,000 values, 120/s, 5 s left`. */
function restOf(progress: Progress): string {
  const { done, total } = progress;
  const rate = rateOf(progress);
  const parts = [countsOf(progress), rateText(rate)];
  if (total !== undefined && total > done && rate > 0) parts.push(`${timeText(((total - done) / rate) * 1000)} left`);
  const share = total === undefined || total === 0 ? '' : `${Math.floor((Math.min(done, total) / total) * 100)}% `;
  return share + parts.join(', ');
}

function countsOf({ done, total, unit }: Progress): string {
  return `${count(done)}${total === undefined ? '' : `/${count(total)}`} ${unit}`;
}

function rateOf({ done, elapsed }: Progress): number {
  return elapsed > 0 ? (done / elapsed) * 1000 : 0;
}

function rateText(rate: number): string {
  if (rate >= 100) return `${count(Math.round(rate))}/s`;
  return `${rate >= 10 || rate === 0 ? Math.round(rate) : rate.toPrecision(2)}/s`;
}

function timeText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 100) return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, '0')} min`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')} h`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** What of an error fits into a line. */
function firstLine(error: unknown): string {
  let text: string;
  try {
    text = String(error);
  } catch {
    text = typeof error;
  }
  const [line = ''] = text.split('\n', 1);
  return plain(line).slice(0, LONGEST_ERROR);
}

/** Text that cannot move the cursor. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
