/** Prints a received value in an error message: short, but recognisable. */

const LONGEST_STRING = 60;

/** `'4' (string)`, `4n (bigint)`, `NaN`, `null`, `[Function]`, `[…]`, `{…}`, `[Map]`. Runs no code of the value's own. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `${quote(value)} (string)`;
    case 'bigint':
      return `${value}n (bigint)`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'function':
      return '[Function]';
    case 'object':
      return value === null ? 'null' : describeObject(value);
    default:
      return String(value);
  }
}

/** A string in single quotes, with invisible characters escaped, shortened if long. */
export function quote(text: string): string {
  const shown = text.length > LONGEST_STRING ? `${text.slice(0, LONGEST_STRING)}…` : text;
  return `'${JSON.stringify(shown).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** `a`, `a and b`, `a, b and c`, or with another conjunction. */
export function enumerate(words: readonly string[], conjunction = 'and'): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} ${conjunction} ${last}`;
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : '[…]';
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (tag !== 'Object') return `[${tag}]`;
  return Object.keys(value).length === 0 ? '{}' : '{…}';
}
