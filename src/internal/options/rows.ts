/**
 * What an option consists of: a row with its check, default and other names, beside the interface that documents
 * it. And the checks that rows use.
 */

import { isModuleTask } from '../../moduleTask.js';
import { enumerate, quote } from './describeValue.js';
import { nearest, type Candidate } from './nearest.js';

/** Why a value is refused: of the wrong type, or of the right type and out of range. */
export interface Fault {
  readonly error: TypeErrorConstructor | RangeErrorConstructor;
  /** A sentence that helps with this value; often empty. */
  readonly advice: string;
}

/** What an option's value may be. */
export interface Check {
  /** Completes "must be …". */
  readonly allowed: string;
  /** What is wrong with `value`, or `undefined`. Never called with `undefined`, which means the default. */
  fault(this: void, value: unknown): Fault | undefined;
}

/** One option, without its name, which is its key, and its documentation, which is in the interface above it. */
export interface OptionRow<Setting> extends Check {
  /** Called only if the option is not given. */
  default(this: void): Setting;
  /** Names of the same option in other libraries, for suggestions. */
  readonly aliases: readonly string[];
  /** What `null` means, for options where `null` is the default, too. */
  readonly nullMeans: string | undefined;
  /** Turns values that mean the same into one. */
  normalise(this: void, value: Setting): Setting;
}

/** One row for each setting. */
export type Rows<Settings> = { readonly [Name in keyof Settings]: OptionRow<Settings[Name]> };

/** Options that are accepted in the same places. */
export interface OptionGroup<Settings = Record<string, unknown>> {
  readonly rows: Rows<Settings>;
  /** The functions that accept these options. */
  readonly where: string;
  /** Why no others do. */
  readonly why: string;
}

/** For `where`: the functions that take all options of pools and calls. */
export const operators = 'parallelMap, parallelMergeMap and parallelFrom';

/** A row, from the parts that differ from the usual. */
export function row<Setting>(
  given: Check & Pick<OptionRow<Setting>, 'default'> & Partial<OptionRow<Setting>>,
): OptionRow<Setting> {
  // All keys are own properties, so nothing is read from Object.prototype.
  return { aliases: [], nullMeans: undefined, normalise: (value) => value, ...given };
}

const wrongType: Fault = { error: TypeError, advice: '' };
const outOfRange: Fault = { error: RangeError, advice: '' };
const tooLarge: Fault = { error: RangeError, advice: `The largest is ${Number.MAX_SAFE_INTEGER}.` };

/** `wrongType` with a sentence of advice. */
function wrongTypeBut(advice: string): Fault {
  return { error: TypeError, advice };
}

function integerFrom(smallest: number, value: unknown): Fault | undefined {
  if (typeof value !== 'number') return wrongType;
  if (!Number.isInteger(value) || value < smallest) return outOfRange;
  return Number.isSafeInteger(value) ? undefined : tooLarge;
}

export const positiveInteger: Check = {
  allowed: 'a positive integer',
  fault: (value) => integerFrom(1, value),
};

export const positiveIntegerOrInfinity: Check = {
  allowed: 'a positive integer, or Infinity',
  fault: (value) => (value === Infinity ? undefined : integerFrom(1, value)),
};

export const countFromZero: Check = {
  allowed: 'an integer of at least 0',
  fault: (value) => integerFrom(0, value),
};

export const countFromZeroOrInfinity: Check = {
  allowed: 'an integer of at least 0, or Infinity',
  fault: (value) => (value === Infinity ? undefined : integerFrom(0, value)),
};

export const milliseconds: Check = {
  allowed: 'a number of milliseconds of at least 0, or Infinity',
  fault(value) {
    if (typeof value !== 'number') return wrongType;
    return value >= 0 ? undefined : outOfRange;
  },
};

export const positiveMilliseconds: Check = {
  allowed: 'a positive number of milliseconds, or Infinity',
  fault(value) {
    if (typeof value !== 'number') return wrongType;
    return value > 0 ? undefined : outOfRange;
  },
};

/** A timer cannot wait longer than this (24.8 days); asked for more, it fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** A time that is too long for a timer is no limit at all. */
export function timerOrInfinity(value: number): number {
  return value > LONGEST_TIMER ? Infinity : value;
}

export const anyString: Check = {
  allowed: 'a string',
  fault: (value) => (typeof value === 'string' ? undefined : wrongType),
};

export const boolean: Check = {
  allowed: 'true or false',
  fault: (value) => (typeof value === 'boolean' ? undefined : wrongType),
};

/** A value for {@link oneOf}: what it means completes "Did you mean 'name' (…)?". */
export interface Choice extends Candidate {
  readonly meaning: string;
}

/** One of several strings. */
export function oneOf(choices: readonly Choice[]): Check {
  return {
    allowed: enumerate(
      choices.map(({ name }) => quote(name)),
      'or',
    ),
    fault(value) {
      if (typeof value !== 'string') return wrongType;
      if (choices.some(({ name }) => name === value)) return undefined;
      const meant = nearest(value, choices);
      if (meant === undefined) return outOfRange;
      return { error: RangeError, advice: `Did you mean ${quote(meant.name)} (${meant.meaning})?` };
    },
  };
}

/** An object of some kind; `advice` may say something about a value that is not. */
export function objectThat(
  allowed: string,
  is: (value: object) => boolean,
  advice: (value: object) => string = () => '',
): Check {
  return {
    allowed,
    fault(value) {
      if (typeof value !== 'object' || value === null) return wrongType;
      return is(value) ? undefined : wrongTypeBut(advice(value));
    },
  };
}

/** CPU numbers: an entry for each worker, with one number or several. @param online The CPUs of the machine. */
export function cpuList(online: () => ReadonlySet<number> | undefined): Check {
  return {
    allowed: 'an array of CPU numbers, or of arrays of them',
    fault(value) {
      if (!Array.isArray(value)) return wrongType;
      const entries: readonly unknown[] = value;
      if (entries.length === 0 || entries.some((entry) => Array.isArray(entry) && entry.length === 0))
        return outOfRange;
      const known = online();
      for (const cpu of entries.flat()) {
        if (typeof cpu !== 'number') return wrongType;
        if (!Number.isInteger(cpu) || cpu < 0) return outOfRange;
        if (known?.has(cpu) === false) {
          return {
            error: RangeError,
            advice: `This machine has no CPU ${cpu}, but ${enumerate([...known].map(String))}.`,
          };
        }
      }
      return undefined;
    },
  };
}

/** A function that workers run, given like a task. */
export const workerFunction: Check = {
  allowed: 'a function, a moduleTask(url, exportName) or a URL',
  fault(value) {
    if (value instanceof URL || isModuleTask(value)) return undefined;
    if (typeof value !== 'function') return wrongType;
    return isClass(value as (...args: never[]) => unknown)
      ? wrongTypeBut(`Wrap the class: () => new ${value.name}().`)
      : undefined;
  },
};

/** A function that is called here. */
export const callback: Check = {
  allowed: 'a function',
  fault: (value) => (typeof value === 'function' ? undefined : wrongType),
};

/** Classes of the program. */
export const classList: Check = {
  allowed: 'an array of classes',
  fault(value) {
    if (!Array.isArray(value)) return wrongType;
    return value.every((each) => typeof each === 'function' && isClass(each as () => unknown)) ? undefined : wrongType;
  },
};

/** Any value, so a value says nothing about which option it is meant for. */
export const anything: Check = { allowed: 'any value', fault: () => undefined };

function isClass(value: (...args: never[]) => unknown): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

/** Whether an object is a plain one: a literal, of any realm, or an object without prototype. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
