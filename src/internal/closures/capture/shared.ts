/**
 * Which functions share a variable that one of them changes: a counter, a cache, the state of a random generator. In the worker
 * they are to share it, too; functions that have a variable of the same name each to themselves are not.
 *
 * V8 does not say whether two functions have been made in one run of the function around them. So it is concluded: from where
 * the variable is declared, from the values of all variables beside it, and from that a place in the code which is in no
 * loop makes one function per run.
 */

import type { FreeVariable } from './analyse.js';
import type { Scope } from './facts.js';
import type { Inspector } from './Inspector.js';
import type { WrittenFunction } from './scripts.js';
import { findDeclaration, parse, type Declaration, type SyntaxNode } from './syntax.js';

/** A variable of the surroundings, as one function uses it. */
export interface SharedUse {
  readonly fn: object;
  readonly written: WrittenFunction;
  readonly variable: FreeVariable;
  /** The scope that has the variable, and those around it. */
  readonly scopes: readonly Scope[];
}

type Trees = Map<string, { readonly tree: SyntaxNode; readonly found: Map<string, Declaration | undefined> }>;

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
  const trees: Trees = new Map();
  for (const candidates of byName.values()) {
    if (candidates.length < 2 || !candidates.some(({ variable }) => variable.isWritten)) continue;
    for (const group of partition(candidates, trees, inspector)) {
      if (group.length > 1 && group.some(({ variable }) => variable.isWritten)) groups.push(group);
    }
  }
  return groups;
}

function partition<Use extends SharedUse>(candidates: readonly Use[], trees: Trees, inspector: Inspector): Use[][] {
  const groups: { declaration: Declaration; uses: Use[] }[] = [];
  for (const use of candidates) {
    const { written, variable } = use;
    const { script } = written;
    let file = trees.get(script.id);
    if (file === undefined) {
      file = { tree: parse(inspector.sourceOf(script), script.isModule), found: new Map() };
      trees.set(script.id, file);
    }
    const key = `${written.offset} ${variable.name}`;
    if (!file.found.has(key)) {
      file.found.set(key, findDeclaration(file.tree, script.isModule, written.offset, variable.name));
    }
    const declaration = file.found.get(key);
    if (declaration === undefined) continue;
    const group = groups.find(
      (each) => each.declaration.at === declaration.at && mayShare(each.uses, use, declaration),
    );
    if (group === undefined) groups.push({ declaration, uses: [use] });
    else group.uses.push(use);
  }
  return groups.map((group) => group.uses);
}

function mayShare(uses: readonly SharedUse[], use: SharedUse, { isTop, repeats }: Declaration): boolean {
  if (isTop) return true;
  return uses.every((other) => {
    if (other.scopes.length !== use.scopes.length) return false;
    if (!other.scopes.every((scope, i) => hasSameValues(scope, use.scopes[i] as Scope))) return false;
    const isTwin = other.fn !== use.fn && other.written.offset === use.written.offset;
    return !isTwin || repeats;
  });
}

function hasSameValues({ object: a }: Scope, { object: b }: Scope): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && Object.is(a[name], b[name]))
  );
}
