/** A function that is being written, and the changes of its code. */

import { fillName } from '../graph.js';
import type { Slot } from '../parts.js';
import type { FreeVariable } from './analyse.js';
import type { ClassShape } from './classShape.js';
import type { WrittenFunction } from './scripts.js';
import type { Edit, Range } from './syntax.js';

/** A function that is being written, until it is known which of its variables are shared. */
export interface Draft {
  readonly number: number;
  readonly fn: (...args: never[]) => unknown;
  readonly written: WrittenFunction;
  readonly edits: Edit[];
  /** The variables whose values are bound to it. */
  readonly bindings: { name: string; slot: Slot; isEager: boolean }[];
  /** Names of ours in its code. */
  readonly names: Set<string>;
}

/** A variable that other functions see changing: a property of an object that they have in common. */
export function shareVariable(draft: Draft, variable: FreeVariable, cell: number): void {
  replaceUses(draft, variable, (own) => `${own}.v`).slot = cell;
}

/** Has the code use something else for a variable. @returns The binding, which has a name of ours now. */
export function replaceUses(
  draft: Draft,
  variable: FreeVariable,
  write: (own: string) => string,
): Draft['bindings'][number] {
  const name = freshName(draft);
  const value = write(name);
  for (const { start, end, place } of variable.uses) {
    replace(
      draft,
      { start, end },
      { plain: value, shorthand: `${variable.name}:${value}`, callee: `(0,${value})` }[place],
    );
  }
  const binding = draft.bindings.find((each) => each.name === variable.name) as Draft['bindings'][number];
  binding.name = name;
  return binding;
}

/** Letters that hardly anybody names anything by: short, so that what follows in a line stays in its place. */
const rareLetters = ['ǃ', 'ǂ', 'ǁ', 'ǀ', 'ʘ'];

/** A name that is nowhere in the text of a function. */
export function freshName({ written, names }: Draft): string {
  for (let number = 0; ; number++) {
    for (const letter of rareLetters) {
      const name = number === 0 ? letter : `${letter}${number}`;
      if (names.has(name) || written.text.includes(name)) continue;
      names.add(name);
      return name;
    }
  }
}

/** Puts something else in a place of the code: what follows stays on its line and, if there is room, in its column. */
export function replace({ written, edits }: Draft, { start, end }: Range, text: string): void {
  const lineBreaks = written.text.slice(start, end).replace(/[^\n\r\u2028\u2029]/g, '');
  edits.push({ start, end, text: lineBreaks === '' ? text.padEnd(end - start) : text + lineBreaks });
}

/**
 * Code that lets us fill private fields: only code inside the class can.
 *
 * @param filling The variable whose `on` says that constructors are only to make the fields of an instance, where some travel.
 */
export function editsForPrivates(shape: ClassShape, filling: string | undefined, extendsNodes: boolean): Edit[] {
  const { staticPrivates, privates, fieldInitialisers, constructorBody, heritage, end } = shape;
  const edits: Edit[] = [];
  const insert = (at: number, text: string): void => void edits.push({ start: at, end: at, text });
  const assign = (names: readonly string[], object: string): string =>
    names.length === 0 ? ';' : `[${names.map((name) => `${object}.${name}`).join(',')}]=v;`;
  if (staticPrivates.length > 0 || (filling !== undefined && privates.length > 0)) {
    const own = assign(staticPrivates, 'o');
    insert(
      end,
      `;static ${fillName}(o,v){if(o===this)${own}else ${assign(filling === undefined ? [] : privates, 'o')}}`,
    );
  }
  if (filling === undefined) return edits;
  for (const range of fieldInitialisers) {
    insert(range.start, `${filling}.on?void 0:(`);
    insert(range.end, ')');
  }
  const isDerived = heritage !== undefined && !heritage.isNull;
  // A class of JavaScript's or Node's would do something with the arguments.
  const parent = extendsNodes ? 'super();' : 'super(...arguments);';
  if (constructorBody !== undefined) insert(constructorBody, `if(${filling}.on){${isDerived ? parent : ''}return}`);
  // At the end, where it moves nothing that may be in a stack.
  else if (isDerived) insert(end, `;constructor(...v){if(${filling}.on){${parent}return}super(...v)}`);
  return edits;
}
