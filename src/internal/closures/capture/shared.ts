/**
 * Which functions share a variable that one of them changes: a counter, a cache, the state of a random generator. In the worker
 * they are to share it, too; functions that have a variable of the same name each to themselves are not.
 *
 * V8 does not say whether two functions have been made in one run of the function around them. So it is concluded: from where
 * the variable is declared, from the values of all variables beside it, and from that a place in the code which is in no
 * loop makes one function per run.
 */

import type { FreeVariable } from './analyse.js';
import { Declarations } from './Declarations.js';
import type { Scope } from './facts.js';
import type { Inspector } from './Inspector.js';
import type { WrittenFunction } from './scripts.js';
import { parse } from './syntax.js';

/** A variable of the surroundings, as one function uses it. */
export interface SharedUse {
  readonly fn: object;
  readonly written: WrittenFunction;
  readonly variable: FreeVariable;
  /** The scope that has the variable, and those around it. */
  readonly scopes: readonly Scope[];
}

/** The uses of one variable, for each variable that is shared and changed. */
export function groupShared<Use extends SharedUse>(uses: readonly Use[], inspector: Inspector): Use[][] {
  const byName = new Map<string, Use[]>();
  for (const use of uses) {
    const key = `${use.written.script.id} ${use.variable.name}`;
    const same = byName.get(key);
    if (same === undefined) byName.set(key, [use]);
    else same.push(use);
  }
  const groups: Use[][] = [];
  const identify = identities();
  const declarations = new Map<string, Declarations>();
  for (const candidates of byName.values()) {
    if (candidates.length < 2 || !candidates.some(({ variable }) => variable.isWritten)) continue;
    for (const group of partition(candidates, declarations, inspector, identify)) {
      if (group.length > 1 && group.some(({ variable }) => variable.isWritten)) groups.push(group);
    }
  }
  return groups;
}

/** Groups are looked up by a text, not compared with each other: one place in the code may have made thousands of functions. */
function partition<Use extends SharedUse>(
  candidates: readonly Use[],
  files: Map<string, Declarations>,
  inspector: Inspector,
  identify: (value: unknown) => number,
): Use[][] {
  const groups = new Map<string, Use[]>();
  /** How many functions of one text have been met, for each run that they may be of. */
  const twins = new Map<string, number>();
  for (const use of candidates) {
    const { script, offset } = use.written;
    let file = files.get(script.id);
    if (file === undefined) {
      file = new Declarations(parse(inspector.sourceOf(script).text, script.isModule), script.isModule);
      files.set(script.id, file);
    }
    const declaration = file.find(offset, use.variable.name);
    if (declaration === undefined) continue;
    let key = String(declaration.at);
    if (!declaration.isTop) {
      key += ` ${valuesOf(use.scopes, identify)}`;
      const twin = twins.get(`${offset} ${key}`) ?? 0;
      twins.set(`${offset} ${key}`, twin + 1);
      key += declaration.repeats ? ' 0' : ` ${twin}`;
    }
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [use]);
    else group.push(use);
  }
  return [...groups.values()];
}

/** The names and values in scopes as a text: the same text means the same values. */
function valuesOf(scopes: readonly Scope[], identify: (value: unknown) => number): string {
  return scopes
    .map(({ object }) =>
      Object.keys(object)
        .sort()
        .map((name) => `${name}=${identify(object[name])}`)
        .join(),
    )
    .join(';');
}

/** Gives each value a number. */
function identities(): (value: unknown) => number {
  const numbers = new Map<unknown, number>();
  const minusZero = {};
  return (value) => {
    const key = Object.is(value, -0) ? minusZero : value;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = numbers.size));
    return number;
  };
}
