/** A file as a list of the statements at its top: what each declares, uses and does. Nothing here knows of workers. */

import { analyseScopes, childrenOf, isNode, parse, type SyntaxNode } from '../capture/syntax.js';
import { roleOf, whyExcluded, type Role } from './rules.js';

export interface Statement {
  readonly start: number;
  readonly end: number;
  /** What of its text is left out: `export` and the like. */
  readonly skip: number;
  /** The variables of the file that it declares. */
  readonly declares: readonly string[];
  /** The names that it uses and does not declare inside of itself. */
  readonly uses: ReadonlySet<string>;
  /** The variables that it assigns. */
  readonly assigns: ReadonlySet<string>;
  /** A package or file that it imports for its effects alone. */
  readonly bare: string | undefined;
  /** What it does, where it is an expression. */
  readonly role: Role | undefined;
  /** What in it must not run again. */
  readonly excluded: string | undefined;
  /** Whether running it gives the same each time, and does nothing: functions, classes, literals. */
  readonly isInert: boolean;
}

export interface FileStatements {
  readonly statements: readonly Statement[];
  /** The statement that declares a variable. */
  readonly declarations: ReadonlyMap<string, Statement>;
  /** The variables that are assigned in functions, at times that nobody knows. */
  readonly assignedLater: ReadonlySet<string>;
}

/** @throws SyntaxError */
export function statementsOf(source: string, isModule: boolean): FileStatements {
  const tree = parse(source, isModule);
  const scopes = analyseScopes(tree, isModule).scopes;
  const top = new Set<string>();
  for (const { block, set } of scopes) if (block.type === 'Program') for (const name of set.keys()) top.add(name);
  const statements = withUnusedRequires(
    (tree['body'] as SyntaxNode[]).flatMap((node) => split(node)).map((each) => read(each)),
    source,
  );
  const declarations = new Map<string, Statement>();
  for (const each of statements) for (const name of each.declares) declarations.set(name, each);
  const assignedLater = new Set<string>();
  for (const node of tree['body'] as SyntaxNode[]) collectAssigned(node, false, assignedLater);
  return { statements, declarations, assignedLater };
}

/** `var effects = require('effects')`, which nothing uses: what esbuild makes of an import for its effects. */
function withUnusedRequires(statements: readonly Statement[], source: string): Statement[] {
  return statements.map((each) => {
    const [name] = each.declares;
    const text = source.slice(each.start, each.end);
    const [, , specifier] = /^(?:var|let|const) [\w$]+ ?= ?require\((['"])([^'"]+)\1\);?$/.exec(text) ?? [];
    if (name === undefined || specifier === undefined) return each;
    return statements.some((other) => other !== each && other.uses.has(name)) ? each : { ...each, bare: specifier };
  });
}

/** Minifiers write several statements as one: `a(), b()`. */
function split(node: SyntaxNode): SyntaxNode[] {
  const expression = node.type === 'ExpressionStatement' ? (node['expression'] as SyntaxNode) : undefined;
  if (expression?.type !== 'SequenceExpression') return [node];
  return (expression['expressions'] as SyntaxNode[]).map((each) => ({
    type: 'ExpressionStatement',
    start: each.start,
    end: each.end,
    expression: each,
  }));
}

function read(node: SyntaxNode): Statement {
  const exported = /^Export(Named|Default)Declaration$/.test(node.type) ? node['declaration'] : undefined;
  const inner = isNode(exported) ? exported : node;
  const isDeclaration = /^(Variable|Function|Class)Declaration$/.test(inner.type);
  const declares = isDeclaration ? declaredBy(inner) : [];
  const uses = new Set<string>();
  const assigns = new Set<string>();
  collectUses(inner, uses);
  collectAssigned(inner, true, assigns);
  const expression = inner.type === 'ExpressionStatement' ? (inner['expression'] as SyntaxNode) : undefined;
  return {
    start: node.start,
    end: node.end,
    skip: isDeclaration ? inner.start - node.start : 0,
    declares,
    uses,
    assigns,
    bare: bareImport(node, expression),
    role: expression && roleOf(expression),
    excluded: whyExcluded(inner),
    isInert: isDeclaration && isInert(inner),
  };
}

function bareImport(node: SyntaxNode, expression: SyntaxNode | undefined): string | undefined {
  if (node.type === 'ImportDeclaration' && (node['specifiers'] as unknown[]).length === 0) {
    return (node['source'] as { value: string }).value;
  }
  if (expression?.type !== 'CallExpression' || (expression['callee'] as { name?: string }).name !== 'require') {
    return undefined;
  }
  const [first] = expression['arguments'] as { readonly value?: unknown }[];
  return typeof first?.value === 'string' ? first.value : undefined;
}

function declaredBy(node: SyntaxNode): string[] {
  if (node.type !== 'VariableDeclaration') return isNode(node['id']) ? [node['id']['name'] as string] : [];
  return (node['declarations'] as SyntaxNode[]).flatMap((each) => namesIn(each['id'] as SyntaxNode));
}

function namesIn(id: SyntaxNode): string[] {
  if (id.type === 'Identifier') return [id['name'] as string];
  if (id.type === 'Property') return namesIn(id['value'] as SyntaxNode);
  if (id.type === 'AssignmentPattern') return namesIn(id['left'] as SyntaxNode);
  return childrenOf(id).flatMap(namesIn);
}

/** Names that may be variables of the file: more than there are, where an inner one has the same name, which does no harm. */
function collectUses(node: SyntaxNode, uses: Set<string>): void {
  if (node.type === 'Identifier') uses.add(node['name'] as string);
  const isFixedKey = (child: SyntaxNode): boolean =>
    (node.type === 'MemberExpression' && child === node['property'] && node['computed'] !== true) ||
    (/^(Property|MethodDefinition|PropertyDefinition)$/.test(node.type) &&
      child === node['key'] &&
      node['computed'] !== true &&
      node['shorthand'] !== true);
  for (const child of childrenOf(node)) if (!isFixedKey(child)) collectUses(child, uses);
}

/** @param isTop Whether what is outside of functions counts; else what is inside of them. */
function collectAssigned(node: SyntaxNode, isTop: boolean, names: Set<string>, depth = 0): void {
  const inner = depth + (node.type.includes('Function') ? 1 : 0);
  const target =
    node.type === 'AssignmentExpression'
      ? node['left']
      : node.type === 'UpdateExpression'
        ? node['argument']
        : undefined;
  if (isNode(target) && target.type !== 'MemberExpression' && isTop === (inner === 0)) {
    for (const name of namesIn(target)) names.add(name);
  }
  for (const child of childrenOf(node)) collectAssigned(child, isTop, names, inner);
}

function isInert(node: SyntaxNode): boolean {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'Literal':
      return true;
    case 'VariableDeclaration':
      return (node['declarations'] as SyntaxNode[]).every(({ init }) => !isNode(init) || isInert(init));
    case 'TemplateLiteral':
    case 'UnaryExpression':
    case 'ArrayExpression':
    case 'ObjectExpression':
    case 'Property':
    case 'TemplateElement':
      return childrenOf(node).every((child) => isInert(child) || (node.type === 'Property' && child === node['key']));
    default:
      return false;
  }
}
