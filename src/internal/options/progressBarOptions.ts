/** The option `progressBar`: documentation, checks and defaults. */

import { describeValue, quote } from './describeValue.js';
import {
  anyString,
  countFromZero,
  isPlainObject,
  LONGEST_TIMER,
  objectThat,
  positiveMilliseconds,
  row,
  type Check,
} from './rows.js';

/** Where progress is shown. */
export interface ProgressStream {
  /** Takes a piece of text. */
  write(text: string): unknown;
  /** Whether it is a terminal, so that bars can be drawn. */
  readonly isTTY?: boolean | undefined;
  /** How wide the terminal is. */
  readonly columns?: number | undefined;
}

/** The options of `progressBar`. */
export interface ProgressBarOptions {
  /** What is being done. Default: nothing. */
  description?: string | undefined;
  /** What values are called. Default: `'values'`. */
  unit?: string | undefined;
  /** How many values there are. Default: the size of the input; if it has none, unknown until the last value has arrived. */
  total?: number | undefined;
  /** Where to write. A bar is drawn if its `isTTY` is true. Default: `process.stderr`. */
  stream?: ProgressStream | undefined;
  /** Milliseconds between two updates. Default: 100 on a terminal, 5000 elsewhere. */
  throttle?: number | undefined;
}

/** {@link ProgressBarOptions}, checked. */
export interface ProgressBarSettings {
  readonly description: string;
  readonly unit: string;
  readonly total: number | undefined;
  readonly stream: ProgressStream | undefined;
  readonly throttle: number | undefined;
}

const parts: { readonly [Name in keyof ProgressBarOptions]-?: Check } = {
  description: anyString,
  unit: anyString,
  total: countFromZero,
  stream: objectThat('a stream to write to', (value) => typeof (value as { write?: unknown }).write === 'function'),
  throttle: positiveMilliseconds,
};

const progressCheck: Check = {
  allowed: `true, false or an object of ${Object.keys(parts).join(', ')}`,
  fault(value) {
    if (typeof value === 'boolean') return undefined;
    if (typeof value !== 'object' || value === null || !isPlainObject(value)) return { error: TypeError, advice: '' };
    for (const [name, part] of Object.entries(value)) {
      const check = Object.hasOwn(parts, name) ? parts[name as keyof ProgressBarOptions] : undefined;
      if (check === undefined) return { error: TypeError, advice: `It has no ${quote(name)}.` };
      if (part === undefined) continue;
      const fault = check.fault(part);
      if (fault !== undefined) {
        const advice = `Its ${quote(name)} must be ${check.allowed}, got ${describeValue(part)}.`;
        return { error: fault.error, advice };
      }
    }
    return undefined;
  },
};

export const progressBarRow = row<ProgressBarSettings | undefined>({
  ...progressCheck,
  default: () => undefined,
  aliases: ['bar', 'progressbar', 'showProgress', 'tqdm'],
  normalise: (value) => progressOf(value as boolean | ProgressBarOptions),
});

function progressOf(given: boolean | ProgressBarOptions): ProgressBarSettings | undefined {
  if (given === false) return undefined;
  const { description = '', unit = 'values', total, stream, throttle } = given === true ? {} : given;
  return { description, unit, total, stream, throttle: throttle && Math.min(throttle, LONGEST_TIMER) };
}
