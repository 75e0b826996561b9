/**
 * Reads an options object. Checks that each option is known, accepted here, and valid.
 *
 * Only own enumerable properties count. Each is read once, and the first mistake throws.
 */

import { describeValue, enumerate, quote } from './describeValue.js';
import { nearest, type Candidate } from './nearest.js';
import { anything, isPlainObject, type OptionGroup, type OptionRow, type Rows } from './rows.js';

/** The given values, by option. */
export type Given = ReadonlyMap<string, unknown>;

/** An option: its row, its name and its group. */
interface Option extends Candidate {
  readonly row: OptionRow<unknown>;
  readonly group: OptionGroup;
}

/** Somewhere that takes options. */
export interface Place {
  readonly accepted: readonly Option[];
  /** All options, to tell a misplaced option from an unknown one. */
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
 * @param options What the user passed. `undefined` means no options.
 * @param caller The function that takes the options, for the messages.
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

/** The settings of `rows`, given or default. They always have the same order, so all such objects have one shape. */
export function settle<Settings extends object>(rows: Rows<Settings>, given: Given): Settings {
  // A copy of the rows has the right own keys, so no assignment can reach a setter on Object.prototype.
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
  // An instance of the user's own class is fine. A Map is not, nor is a pool that should have been { pool }.
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

/** Whether a value that is not an options object could be meant for an option. */
function isMeantFor(value: unknown, row: OptionRow<unknown>): boolean {
  return row.fault !== anything.fault && row.fault(value) === undefined;
}

function exampleOf(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  return typeof value === 'object' || typeof value === 'function' ? '…' : String(value);
}

function misplacedOption({ name, group }: Option, caller: string): TypeError {
  return new TypeError(`${caller}: option "${name}" is not accepted here, only by ${group.where}: ${group.why}.`);
}

function unknownOption(name: string, caller: string, { accepted, known, accepts }: Place): TypeError {
  const meant = nearest(name, accepted) ?? nearest(name, [...known.values()]);
  const elsewhere = meant === undefined || accepts(meant) ? '' : `, which is accepted by ${meant.group.where}`;
  const suggestion = meant === undefined ? '' : ` Did you mean "${meant.name}"${elsewhere}?`;
  const names = enumerate(accepted.map((option) => option.name));
  return new TypeError(`${caller}: unknown option ${JSON.stringify(name)}.${suggestion} The options are ${names}.`);
}
