/**
 * Reads an options object: which options are given, whether each is known, in its place and right.
 *
 * Only own enumerable properties count, each is read once, and the first mistake throws.
 */

import { describeValue, enumerate, quote } from './describeValue.js';
import { nearest, type Candidate } from './nearest.js';
import { anything, isPlainObject, type OptionGroup, type OptionRow, type Rows } from './rows.js';

/** The values that are not left to the default, by option. */
export type Given = ReadonlyMap<string, unknown>;

/** An option: its row, its name and the group that it is in. */
interface Option extends Candidate {
  readonly row: OptionRow<unknown>;
  readonly group: OptionGroup;
}

/** Somewhere that takes options. */
export interface Place {
  readonly accepted: readonly Option[];
  /** Those and all others, so that a misplaced option can be told from an unknown one. */
  readonly known: ReadonlyMap<string, Option>;
  readonly accepts: (option: Option) => boolean;
}

/** A place that accepts `groups`, of `allGroups`. */
export function placeFor(groups: readonly OptionGroup[], allGroups: readonly OptionGroup[]): Place {
  const options = allGroups.flatMap(optionsOf);
  return {
    accepted: groups.flatMap(optionsOf),
    known: new Map(options.map((option) => [option.name, option])),
    accepts: ({ group }) => groups.includes(group),
  };
}

function optionsOf(group: OptionGroup): Option[] {
  return Object.entries(group.rows).map(([name, row]) => ({ name, aliases: row.aliases, row, group }));
}

/**
 * @param options What the user passed; `undefined` is no options at all.
 * @param caller The function whose options they are, for the messages.
 */
export function readOptions(options: unknown, caller: string, place: Place): Given {
  const given = new Map<string, unknown>();
  if (options === undefined) return given;
  if (!isOptionsObject(options, place)) throw notAnObject(options, caller, place);

  for (const name of Object.keys(options)) {
    const option = place.known.get(name);
    if (option === undefined) throw unknownOption(name, caller, place);
    const { row } = option;
    const value = options[name];
    if (value === undefined) continue;
    if (!place.accepts(option)) throw misplacedOption(option, caller);
    if (value === null && row.nullMeans !== undefined) continue;
    checkValue(value, option, caller);
    given.set(name, row.normalise(value));
  }
  return given;
}

/** The settings of `rows`, given or default: always all of them in the same order, so that all such objects have one shape. */
export function settle<Settings extends object>(rows: Rows<Settings>, given: Given): Settings {
  // A copy of the rows has the right keys as its own, so that no assignment can reach a setter on Object.prototype.
  const settings: Record<string, unknown> = { ...rows };
  for (const name of Object.keys(settings)) {
    const row = rows[name as keyof Settings];
    settings[name] = given.has(name) ? given.get(name) : row.default();
  }
  return settings as Settings;
}

function isOptionsObject(value: unknown, { known }: Place): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (isPlainObject(value)) return true;
  // An instance of the user's own class is fine; a Map, or a pool that should have been { pool }, is not.
  return (
    Object.prototype.toString.call(value) === '[object Object]' &&
    [...known.values()].every(({ row }) => !isMeantFor(value, row))
  );
}

function checkValue(value: unknown, { name, row }: Option, caller: string): void {
  const fault = row.fault(value);
  if (fault === undefined) return;
  const allowed = row.nullMeans === undefined ? row.allowed : `${row.allowed} or null for ${row.nullMeans}`;
  const message = `${caller}: option "${name}" must be ${allowed}, got ${describeValue(value)}.`;
  throw new fault.error(fault.advice === '' ? message : `${message} ${fault.advice}`);
}

function notAnObject(options: unknown, caller: string, { accepted }: Place): TypeError {
  const meant = accepted.find(({ row }) => isMeantFor(options, row));
  const example = meant === undefined ? '' : ` such as { ${meant.name}: ${exampleOf(options)} }`;
  return new TypeError(`${caller}: options must be an object${example}, got ${describeValue(options)}.`);
}

/** Whether a value that is no options object could be that of an option. */
function isMeantFor(value: unknown, row: OptionRow<unknown>): boolean {
  return row.fault !== anything.fault && row.fault(value) === undefined;
}

function exampleOf(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  return typeof value === 'object' || typeof value === 'function' ? '…' : String(value);
}

function misplacedOption({ name, group }: Option, caller: string): TypeError {
  return new TypeError(`${caller}: option "${name}" does not belong here but to ${group.where}: ${group.why}.`);
}

function unknownOption(name: string, caller: string, { accepted, known, accepts }: Place): TypeError {
  const meant = nearest(name, accepted) ?? nearest(name, [...known.values()]);
  const elsewhere = meant === undefined || accepts(meant) ? '' : `, which belongs to ${meant.group.where}`;
  const suggestion = meant === undefined ? '' : ` Did you mean "${meant.name}"${elsewhere}?`;
  const names = enumerate(accepted.map((option) => option.name));
  return new TypeError(`${caller}: unknown option ${JSON.stringify(name)}.${suggestion} The options are ${names}.`);
}
