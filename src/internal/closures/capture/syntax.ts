/**
 * Reading JavaScript: `acorn` parses, `eslint-scope` says which names of a text belong to it. Both are loaded when the first
 * function is captured, since many a program only uses modules.
 */

import { createRequire } from 'node:module';

/** A node of an ESTree. Positions are offsets in the text that was given. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** A name that is used and not declared in the text. */
export interface FreeReference {
  readonly name: string;
  readonly node: SyntaxNode;
  readonly isWrite: boolean;
}

/** A part of a text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

interface Acorn {
  parse(text: string, options: object): SyntaxNode;
}

interface ScopeAnalyser {
  analyze(tree: SyntaxNode, options: object): ScopeTree;
}

/** What `eslint-scope` finds. */
export interface ScopeTree {
  readonly globalScope: {
    readonly through: readonly { readonly identifier: SyntaxNode & { readonly name: string }; isWrite(): boolean }[];
  };
  /** The outer ones first. */
  readonly scopes: readonly DeclaredScope[];
}

export interface DeclaredScope {
  readonly block: SyntaxNode;
  /** The scope around it. */
  readonly upper: DeclaredScope | null;
  readonly set: ReadonlyMap<string, { readonly identifiers: readonly SyntaxNode[] }>;
}

let libraries: { readonly acorn: Acorn; readonly scopes: ScopeAnalyser } | undefined;

function load(): { readonly acorn: Acorn; readonly scopes: ScopeAnalyser } {
  if (libraries === undefined) {
    const require = createRequire(import.meta.url);
    libraries = { acorn: require('acorn') as Acorn, scopes: require('eslint-scope') as ScopeAnalyser };
  }
  return libraries;
}

/** The tree of a program. @throws SyntaxError where it is none. */
export function parse(text: string, isModule: boolean): SyntaxNode {
  return load().acorn.parse(text, {
    ecmaVersion: 'latest',
    sourceType: isModule ? 'module' : 'script',
    ranges: true,
    allowAwaitOutsideFunction: isModule,
    allowHashBang: true,
    allowReturnOutsideFunction: true,
    allowSuperOutsideMethod: true,
    checkPrivateFields: false, // of a method that is read alone, they are in its class
  });
}

const scopeTrees = new WeakMap<SyntaxNode, ScopeTree>();

export function analyseScopes(tree: SyntaxNode, isModule: boolean): ScopeTree {
  const known = scopeTrees.get(tree);
  if (known !== undefined) return known;
  const scopes = load().scopes.analyze(tree, {
    ecmaVersion: 2022,
    sourceType: isModule ? 'module' : 'script',
    ignoreEval: true,
    fallback: 'iteration', // kinds of nodes that are newer than the library
  });
  scopeTrees.set(tree, scopes);
  return scopes;
}

/** The names that a tree uses and does not declare, in the order of the text. */
export function freeReferences(tree: SyntaxNode, isModule: boolean): FreeReference[] {
  const found = new Map<SyntaxNode, FreeReference>();
  for (const reference of analyseScopes(tree, isModule).globalScope.through) {
    const { identifier: node } = reference;
    // A target with a default, `[a = 1] = []`, is reported twice.
    const isWrite = reference.isWrite() || found.get(node)?.isWrite === true;
    found.set(node, { name: node.name, node, isWrite });
  }
  return [...found.values()];
}

/** The nodes right below one. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === 'range') continue;
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (isNode(each)) children.push(each);
    }
  }
  return children;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as Partial<SyntaxNode>).type === 'string';
}

/** A change of a text: what stands in `start` to `end` is replaced. */
export interface Edit extends Range {
  readonly text: string;
}

/** The text with its edits, none of which may overlap another. What is inserted where something is replaced comes first. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}
