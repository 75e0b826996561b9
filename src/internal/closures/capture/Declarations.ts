/** Where the variables of a file are declared. */

import { analyseScopes, childrenOf, type DeclaredScope, type Range, type SyntaxNode } from './syntax.js';

/** Where a variable is declared that a function uses. */
export interface Declaration {
  /** The offset of the declaration. */
  readonly at: number;
  /** Whether it is at the top of the file, so that there is one of it. */
  readonly isTop: boolean;
  /** Whether one variable may be seen by several functions of the same text: by a loop, or a function in between. */
  readonly repeats: boolean;
}

/** A loop or a function. */
interface Repeating extends Range {
  readonly around: Repeating | undefined;
}

export class Declarations {
  /** In the order of the text, so that those around a place are found without looking at all. */
  readonly #scopes: readonly DeclaredScope[];
  readonly #repeating: readonly Repeating[];

  constructor(tree: SyntaxNode, isModule: boolean) {
    this.#scopes = [...analyseScopes(tree, isModule).scopes].sort((a, b) => a.block.start - b.block.start);
    this.#repeating = repeatingIn(tree);
  }

  /** The declaration that `name` refers to in a function that begins at `offset`; `undefined` where there is none. */
  find(offset: number, name: string): Declaration | undefined {
    const isAround = ({ start, end }: Range): boolean => start < offset && offset < end;
    const hasIt = ({ block, set }: DeclaredScope): boolean =>
      set.has(name) && (block.type === 'Program' || isAround(block));
    let scope: DeclaredScope | null | undefined = lastUpTo(offset, this.#scopes, ({ block }) => block.start);
    while (scope && !hasIt(scope)) scope = scope.upper;
    const declared = scope?.set.get(name)?.identifiers[0];
    if (!scope || declared === undefined) return undefined;
    const { block } = scope;
    let inner = lastUpTo(offset, this.#repeating, ({ start }) => start);
    while (inner !== undefined && !isAround(inner)) inner = inner.around;
    return {
      at: declared.start,
      isTop: block.type === 'Program',
      repeats: inner !== undefined && isInside(inner, block),
    };
  }
}

/** Whether a range is a part of another one, and not all of it. */
function isInside(inner: Range, outer: Range): boolean {
  return outer.start <= inner.start && inner.end <= outer.end && inner.end - inner.start < outer.end - outer.start;
}

/** The last that begins at a place or before, of what is in the order of the text. */
function lastUpTo<T>(offset: number, sorted: readonly T[], startOf: (each: T) => number): T | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (startOf(sorted[middle] as T) <= offset) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}

function repeatingIn(tree: SyntaxNode): Repeating[] {
  const found: Repeating[] = [];
  const visit = (node: SyntaxNode, around: Repeating | undefined): void => {
    let inner = around;
    if (/^(For|While|DoWhile)|Function/.test(node.type)) {
      inner = { start: node.start, end: node.end, around };
      found.push(inner);
    }
    for (const child of childrenOf(node)) visit(child, inner);
  };
  visit(tree, undefined);
  return found.sort((a, b) => a.start - b.start);
}
