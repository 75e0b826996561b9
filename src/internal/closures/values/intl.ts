/** Objects of `Intl`, made anew from what they tell of themselves: only where the new one tells, and does, the same. */

import { isDeepStrictEqual } from 'node:util';
import type { ObjectParts } from '../parts.js';
import type { Kind } from './Kind.js';
import { anInstanceOf, tagOf } from './refused.js';

export interface IntlNode extends ObjectParts {
  readonly type: 'intl';
  /** The name of its class. */
  readonly class: string;
  readonly locale: string;
  readonly options: Readonly<Record<string, unknown>>;
}

interface Formatter {
  resolvedOptions(): Record<string, unknown> & { readonly locale: string };
}

interface FormatterClass {
  new (locale: string, options: object): Formatter;
  readonly prototype: Formatter & Record<string, (this: unknown, ...args: unknown[]) => unknown>;
}

/** What the objects of a class do, for values that show all of it that their options do not tell. */
type Samples = (call: (method: string, ...args: unknown[]) => unknown) => unknown;

const toldByOptions: Samples = () => undefined;

/** In the years before and after Christ, in all months and on days of one and two digits, in the morning and in the evening. */
const dates = [-62_200_000_000_000, ...Array.from({ length: 24 }, (_, i) => 1_100_000_000_123 + i * 1_357_924_680)];
const numbers = [0, 1, 2, 3, 5, 11, 21, 100, 1e6, 0.5, 1.5, -1];

const samples: Readonly<Record<string, Samples>> = {
  Collator: (call) => [
    ['a', 'B', 'ä', 'Z', 'z', '10', '9', 'a-b', 'ab', 'ch', 'ñ'].map((text, i, all) =>
      all.map((other) => Math.sign(call('compare', text, other) as number)),
    ),
  ],
  DateTimeFormat: (call) => [
    dates.map((date) => call('formatToParts', date)),
    dates.slice(2).map((date, i) => call('formatRangeToParts', dates[i + 1], date)),
  ],
  DisplayNames: toldByOptions,
  DurationFormat: (call) =>
    call('formatToParts', { years: 1, days: 2, hours: 3, minutes: 4, seconds: 5, milliseconds: 6 }),
  ListFormat: toldByOptions,
  NumberFormat: (call) =>
    [...numbers, 12_345_678.987_65, -1e-7, NaN, 10n ** 20n].map((each) => call('formatToParts', each)),
  PluralRules: (call) => numbers.map((each) => call('select', each)),
  RelativeTimeFormat: toldByOptions,
  Segmenter: toldByOptions,
};

/** Taken now: what they do is not to depend on what a program makes of them. */
const classes = Object.keys(samples).flatMap((name) => {
  const { [name]: owner } = Intl as unknown as Record<string, FormatterClass | undefined>;
  return owner === undefined ? [] : [{ name, owner, resolvedOptions: owner.prototype.resolvedOptions }];
});

export const formatters: Kind<object, IntlNode> = {
  matches: (value): value is object => classOf(value) !== undefined,
  write: (formatter, graph, origin) => {
    const { name, owner, resolvedOptions } = classOf(formatter) as (typeof classes)[number];
    const { locale, hour12, ...options } = resolvedOptions.call(formatter);
    // The cycle says more.
    if (hour12 !== undefined && options['hourCycle'] === undefined) options['hour12'] = hour12;
    // Some that it tells it was not given, and would not be the same with.
    for (const left of [undefined, ...Object.keys(options)]) {
      const given = Object.fromEntries(Object.entries(options).filter(([key]) => key !== left));
      const node: IntlNode = { type: 'intl', class: name, locale, options: given };
      if (isTwin(formatter, node)) return { ...node, ...graph.parts(formatter, owner.prototype, origin) };
    }
    return graph.fail(origin, `${anInstanceOf(`Intl.${name}`)} with options that it does not tell`);
  },
  read: { intl: (node, graph) => graph.finish(make(node), node) },
};

function make({ class: name, locale, options }: IntlNode): Formatter {
  const { [name]: owner } = Intl as unknown as Record<string, FormatterClass>;
  return new (owner as FormatterClass)(locale, options);
}

/** The class of `Intl` that has made an object. */
function classOf(value: unknown): (typeof classes)[number] | undefined {
  if (typeof value !== 'object' || value === null || !tagOf(value).startsWith('Intl.')) return undefined;
  return classes.find(({ resolvedOptions }) => {
    try {
      resolvedOptions.call(value as Formatter);
      return true;
    } catch {
      return false; // it is of another class
    }
  });
}

/** Whether what a node makes cannot be told from an object. */
function isTwin(one: object, node: IntlNode): boolean {
  const { name, owner, resolvedOptions } = classOf(one) as (typeof classes)[number];
  const factsOf = (formatter: object): unknown => [
    resolvedOptions.call(formatter as Formatter),
    samples[name]?.((method, ...args) => {
      const property = Object.getOwnPropertyDescriptor(owner.prototype, method);
      const bound = property?.get?.call(formatter) as ((...args: unknown[]) => unknown) | undefined;
      return bound === undefined ? (property as { value: Function }).value.call(formatter, ...args) : bound(...args);
    }),
  ];
  try {
    return isDeepStrictEqual(factsOf(one), factsOf(make(node)));
  } catch {
    return false; // it cannot be made so
  }
}

export interface LocaleNode extends ObjectParts {
  readonly type: 'locale';
  readonly tag: string;
}

export const locales: Kind<Intl.Locale, LocaleNode> = {
  matches: (value): value is Intl.Locale => value instanceof Intl.Locale && tagOf(value) === 'Intl.Locale',
  write: (locale, graph, origin) => ({
    type: 'locale',
    tag: Intl.Locale.prototype.toString.call(locale),
    ...graph.parts(locale, Intl.Locale.prototype, origin),
  }),
  read: { locale: (node, graph) => graph.finish(new Intl.Locale(node.tag), node) },
};
