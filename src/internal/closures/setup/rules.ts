/**
 * Which statements at the top of a file set something up, and which must never run twice. The rule, in words:
 *
 * - Set-up is: an assignment to a member of something, `X.a = b`; a call as a statement whose every name is a word of
 *   `configuring`, `X.use(a).init(b)`, `setLocale(c)`; a decorator.
 * - It never is where anything outside of nested functions waits (`await`), or is called or made by a word of `excluded` or `live`.
 */

import { childrenOf, type SyntaxNode } from '../capture/syntax.js';

const configuring = new Set(
  (
    'add alias cache concurrency config configure default defaults define defs disable enable extend import init ' +
    'initialise initialize install language locale mixin option options override plugin precision register seed set setup ' +
    'unregister use'
  ).split(' '),
);

const excluded = new Set(
  (
    'append apply attach begin bind bootstrap catch close commit connect debug delete destroy dispatch emit end error exec execute ' +
    'exit fetch finally fork info join kill launch listen log main migrate mkdir next notify on once open post print publish push put ' +
    'query read remove rename request rm run schedule send serve spawn start stop subscribe sync terminate test then trace unlink ' +
    'upload wait warn watch write'
  ).split(' '),
);

/** What is likely to hold a connection, a file, a thread or a timer. */
const live =
  /(Client|Pool|Connection|Socket|Server|Redis|Database|Worker|Transport|Stream|Console|Logger|Channel|Process|Interval|Timeout|Immediate|Promise|Instance|Agent)$|^(sharp|createInterface)$/;

/** What a statement does to the things that it works on. */
export interface Role {
  readonly kind: 'configures' | 'decorates' | 'excluded' | 'other';
  /** The name that it begins with: what is configured. */
  readonly root: string | undefined;
  /** The names that it hands over as they are. */
  readonly given: readonly string[];
}

const isFunction = ({ type }: SyntaxNode): boolean => type.includes('Function');

/** What an expression that is a statement does. */
export function roleOf(expression: SyntaxNode): Role {
  const given = givenIn(expression);
  const chain = chainOf(expression);
  const { root } = chain;
  if (whyExcluded(expression) !== undefined) return { kind: 'excluded', root, given };
  switch (expression.type) {
    case 'AssignmentExpression': {
      const right = expression['right'] as SyntaxNode;
      if (isDecorating(right)) return { kind: 'decorates', root, given: givenIn(right) };
      const left = expression['left'] as SyntaxNode;
      if (left.type !== 'MemberExpression') return { kind: 'other', root: chainOf(left).root, given };
      const target = chainOf(left);
      const isExports = /^(exports|module)$/.test(target.root ?? '');
      return { kind: isExports ? 'other' : 'configures', root: target.root, given };
    }
    case 'CallExpression':
      if (isDecorating(expression)) return { kind: 'decorates', root, given };
      if (chain.calls.length === 0 || !chain.calls.every((name) => configuring.has(firstWord(name)))) break;
      return { kind: 'configures', root, given };
  }
  return { kind: 'other', root, given };
}

/** `__decorate([…], X.prototype, …)` and its like of other compilers, and by hand `Type(…)(X.prototype, 'a')`. */
function isDecorating(node: SyntaxNode): boolean {
  if (node.type !== 'CallExpression') return false;
  const callee = node['callee'] as SyntaxNode;
  const names = chainOf(callee).names;
  if (names.some((name) => /^_*(ts_)?decorate(Class)?$/i.test(name))) return true;
  const [first] = node['arguments'] as SyntaxNode[];
  return (
    callee.type === 'CallExpression' &&
    first?.type === 'MemberExpression' &&
    (first['property'] as { name?: string }).name === 'prototype'
  );
}

/** What in a node, outside of nested functions, must not run again; `undefined` where nothing. */
export function whyExcluded(node: SyntaxNode): string | undefined {
  if (isFunction(node)) return undefined;
  if (node.type === 'AwaitExpression') return 'await';
  if (node.type === 'ImportExpression') return 'import()';
  if (node.type === 'CallExpression' || node.type === 'NewExpression') {
    const names = chainOf(node['callee'] as SyntaxNode).names;
    const name = names.at(-1) ?? '';
    if (names.some((each) => each === 'console' || live.test(each)) || excluded.has(firstWord(name))) return name;
  }
  for (const child of childrenOf(node)) {
    const why = whyExcluded(child);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** `setLocale` → `set`. */
function firstWord(name: string): string {
  return (/^[A-Z]?[a-z]+/.exec(name)?.[0] ?? name).toLowerCase();
}

/** What `a.b(…).c(…)` begins with, all its names, and those that are called. */
function chainOf(node: SyntaxNode): { root: string | undefined; names: string[]; calls: string[] } {
  switch (node.type) {
    case 'Identifier':
      return { root: node['name'] as string, names: [node['name'] as string], calls: [] };
    case 'MemberExpression': {
      const { root, names, calls } = chainOf(node['object'] as SyntaxNode);
      const property = node['property'] as { readonly name?: string; readonly value?: unknown };
      const isKnown = node['computed'] !== true || typeof property.value === 'string';
      return { root, names: [...names, isKnown ? String(property.name ?? property.value) : '?'], calls };
    }
    case 'CallExpression': {
      const { root, names, calls } = chainOf(node['callee'] as SyntaxNode);
      return { root, names, calls: [...calls, names.at(-1) ?? '?'] };
    }
    case 'ChainExpression':
      return chainOf(node['expression'] as SyntaxNode);
    case 'SequenceExpression': // (0, a.b)()
      return chainOf((node['expressions'] as SyntaxNode[]).at(-1) as SyntaxNode);
    case 'LogicalExpression': // (a.default ?? a)()
      return chainOf(node['right'] as SyntaxNode);
    case 'AssignmentExpression':
    case 'UpdateExpression':
      return chainOf((node['left'] ?? node['argument']) as SyntaxNode);
    default:
      return { root: undefined, names: [], calls: [] };
  }
}

/** The names that an expression uses outside of nested functions. */
function givenIn(node: SyntaxNode): string[] {
  if (isFunction(node)) return [];
  if (node.type === 'Identifier') return [node['name'] as string];
  if (node.type === 'MemberExpression' && node['computed'] !== true) return givenIn(node['object'] as SyntaxNode);
  return childrenOf(node).flatMap(givenIn);
}
