/**
 * Which names of a file are imports: those are imported again in the worker, instead of copying what they stand for.
 *
 * In an ES module these are the names of `import` declarations, and constants that are an `await import('…')`. In CommonJS,
 * names whose value comes from `require('…')`: all of it, a property, a part of it by destructuring, and each of these through
 * one of the helpers that compilers put around it. Such a declaration travels as text, with the helpers.
 */

import { childrenOf, freeReferences, isNode, parse, type SyntaxNode } from './syntax.js';

/** Where the value of a name comes from. */
export type Import =
  | {
      readonly kind: 'import';
      readonly specifier: string;
      /** An export, or `*` for the namespace. */
      readonly name: string;
      /** As in `with { type: 'json' }`. */
      readonly attributes: Readonly<Record<string, string>> | undefined;
      /** Whether more was done with it, so that the name may hold something else. */
      readonly isGuess: boolean;
    }
  | {
      readonly kind: 'require';
      /** Statements that declare the name. */
      readonly code: string;
      readonly name: string;
      /** All names of the function that declares it; none at the top of the file. */
      readonly locals: ReadonlySet<string> | undefined;
    };

/** What a file says of its own names. */
export interface ScriptShape {
  /** Whether its code is strict throughout. */
  readonly isStrict: boolean;
  readonly imports: ReadonlyMap<string, Import>;
  /**
   * Whether something else than Node has loaded the file, such as a test runner: it stands inside of a function that gets `require` or the
   * like. What it imports may be transformed or replaced, so that no other loader would give the same.
   */
  readonly isWrapped?: boolean;
}

const nothing: ScriptShape = { isStrict: false, imports: new Map() };

/** Reads a file. One that cannot be read, for it is in a newer language, has no imports that we know of. */
export function shapeOfScript(source: string, isModule: boolean): ScriptShape {
  // Most functions that are made at run time, and those of the REPL, need no parser.
  if (!isModule && !/\brequire\b|['"]use strict['"]/.test(source)) return nothing;
  let tree: SyntaxNode;
  try {
    tree = parse(source, isModule);
  } catch {
    return { ...nothing, isStrict: isModule };
  }
  const body = tree['body'] as readonly SyntaxNode[];
  const wrapped = isModule ? undefined : wrappedBody(body);
  if (wrapped !== undefined) return shapeOfWrapped(source, body, wrapped);
  return isModule
    ? { isStrict: true, imports: importsOfModule(body) }
    : { isStrict: body[0]?.['directive'] === 'use strict', imports: importsOfCommonJs(source, body) };
}

/** The statements of a file that is one function, as loaders of test runners make them. */
function wrappedBody(body: readonly SyntaxNode[]): readonly SyntaxNode[] | undefined {
  const statement = body.at(-1);
  if (statement?.type !== 'ExpressionStatement' || body.slice(0, -1).some((each) => each['directive'] === undefined)) {
    return undefined;
  }
  const expression = statement['expression'] as SyntaxNode;
  const [property, ...others] = (expression['properties'] ?? []) as SyntaxNode[];
  const fn = property === undefined ? expression : property['value'];
  if (!isNode(fn) || !isFunction(fn) || others.length > 0) return undefined;
  const names = (fn['params'] as SyntaxNode[]).map(nameOf);
  if (!names.includes('require') && !names.some((name) => viteImport.test(name))) return undefined;
  const block = fn['body'] as SyntaxNode;
  const inside = (block['body'] ?? []) as SyntaxNode[];
  const [first] = inside;
  return inside.length === 1 && first?.type === 'BlockStatement' ? (first['body'] as SyntaxNode[]) : inside;
}

/** What Vite has the modules import by. */
const viteImport = /^__vi(te_ssr)?_(dynamic_)?import__$/;

function shapeOfWrapped(source: string, outer: readonly SyntaxNode[], body: readonly SyntaxNode[]): ScriptShape {
  const imports = importsOfCommonJs(source, body);
  for (const statement of body) {
    for (const { id, init } of constantsOf(statement)) {
      const call = init?.type === 'AwaitExpression' ? (init['argument'] as SyntaxNode) : undefined;
      if (id.type !== 'Identifier' || call?.type !== 'CallExpression') continue;
      const specifier = textOf((call['arguments'] as SyntaxNode[])[0]);
      if (specifier === undefined || !viteImport.test(calleeName(call['callee'] as SyntaxNode))) continue;
      imports.set(nameOf(id), { kind: 'import', specifier, name: '*', attributes: undefined, isGuess: true });
    }
  }
  const isStrict = [outer[0], body[0]].some((each) => each?.['directive'] === 'use strict');
  return { isStrict, imports, isWrapped: true };
}

function importsOfModule(body: readonly SyntaxNode[]): Map<string, Import> {
  const imports = new Map<string, Import>();
  for (const statement of body) {
    if (statement.type === 'ImportDeclaration') addImports(imports, statement);
    for (const { id, init } of constantsOf(statement)) {
      if (init?.type !== 'AwaitExpression') continue;
      const imported = findImport(init);
      const specifier = textOf(imported?.['source']);
      if (specifier === undefined || isNode(imported?.['options'])) continue;
      // Compilers put something around it: `await import('x').then(…)`.
      const isGuess = init['argument'] !== imported;
      for (const { local, name } of namesOfPattern(id)) {
        if (isGuess && name !== '*') continue;
        imports.set(local, { kind: 'import', specifier, name, attributes: undefined, isGuess });
      }
    }
  }
  return imports;
}

/** The one `import()` in an expression. */
function findImport(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type === 'ImportExpression') return node;
  const found = childrenOf(node)
    .map(findImport)
    .filter((each) => each !== undefined);
  return found.length === 1 ? found[0] : undefined;
}

function addImports(imports: Map<string, Import>, statement: SyntaxNode): void {
  const specifier = textOf(statement['source']) as string;
  const attributes: Record<string, string> = {};
  for (const attribute of (statement['attributes'] ?? []) as SyntaxNode[]) {
    attributes[nameOf(attribute['key'])] = textOf(attribute['value']) as string;
  }
  for (const each of statement['specifiers'] as SyntaxNode[]) {
    const name =
      each.type === 'ImportNamespaceSpecifier'
        ? '*'
        : each.type === 'ImportDefaultSpecifier'
          ? 'default'
          : nameOf(each['imported']);
    imports.set(nameOf(each['local']), {
      kind: 'import',
      specifier,
      name,
      attributes: Object.keys(attributes).length === 0 ? undefined : attributes,
      isGuess: false,
    });
  }
}

interface Declared {
  readonly id: SyntaxNode;
  readonly init: SyntaxNode | undefined;
}

function constantsOf(statement: SyntaxNode): Declared[] {
  if (statement.type === 'ExportNamedDeclaration' && isNode(statement['declaration'])) {
    return constantsOf(statement['declaration']);
  }
  if (statement.type !== 'VariableDeclaration' || statement['kind'] !== 'const') return [];
  return declaredIn(statement);
}

function declaredIn(statement: SyntaxNode): Declared[] {
  return (statement['declarations'] as SyntaxNode[]).map((each) => ({
    id: each['id'] as SyntaxNode,
    init: isNode(each['init']) ? each['init'] : undefined,
  }));
}

/** The names that `x` or `{ a, b: c }` declares, and the properties that they are; none where it is more than that. */
function namesOfPattern(id: SyntaxNode): { readonly local: string; readonly name: string }[] {
  if (id.type === 'Identifier') return [{ local: nameOf(id), name: '*' }];
  if (id.type !== 'ObjectPattern') return [];
  const names: { local: string; name: string }[] = [];
  for (const property of id['properties'] as SyntaxNode[]) {
    const value = property['value'];
    if (property.type !== 'Property' || property['computed'] === true || !isNode(value)) continue;
    if (value.type === 'Identifier') names.push({ local: nameOf(value), name: nameOf(property['key']) });
  }
  return names;
}

/** The names of what compilers put around `require('…')` and `import('…')`. */
export const interop = /import|interop|toesm|wildcard/i;

type Declarations = ReadonlyMap<string, { readonly text: string; readonly node: SyntaxNode }>;

function importsOfCommonJs(source: string, body: readonly SyntaxNode[]): Map<string, Import> {
  const imports = new Map<string, Import>();
  addRequires(imports, source, body, new Map(), undefined);
  return imports;
}

/**
 * Finds the imports among the declarations of a body, and of functions in it that run once: bundlers and tsx put files into such.
 *
 * @param outer What is declared around it.
 * @param locals What the body declares, where it is that of a function.
 */
function addRequires(
  imports: Map<string, Import>,
  source: string,
  body: readonly SyntaxNode[],
  outer: Declarations,
  locals: ReadonlySet<string> | undefined,
): void {
  const own = declarationsOf(source, body);
  const declarations = new Map([...outer, ...own]);
  for (const [name, { node }] of own) {
    if (node.type !== 'VariableDeclarator' || !isNode(node['init'])) continue;
    const { init } = node as { readonly init?: SyntaxNode };
    const isAlias = init?.type === 'Identifier' && imports.has(nameOf(init));
    if (!isAlias && !comesFromRequire(node['init'], source)) continue;
    if (imports.has(name) || isAssignedAgain(source, name)) continue; // two bodies may have one name
    imports.set(name, { kind: 'require', code: withHelpers(name, declarations), name, locals });
  }
  for (const fn of body.flatMap(functionsThatRunOnce)) {
    const block = fn['body'] as SyntaxNode;
    if (block.type !== 'BlockStatement') continue;
    const parameters = (fn['params'] as SyntaxNode[]).flatMap(localsOf);
    const names = new Set([...parameters, ...namesDeclaredIn(block)]);
    addRequires(imports, source, block['body'] as SyntaxNode[], declarations, names);
  }
}

function declarationsOf(source: string, body: readonly SyntaxNode[]): Declarations {
  const declarations = new Map<string, { readonly text: string; readonly node: SyntaxNode }>();
  for (const statement of body) {
    if (statement.type === 'FunctionDeclaration') {
      declarations.set(nameOf(statement['id']), {
        text: source.slice(statement.start, statement.end),
        node: statement,
      });
    }
    if (statement.type !== 'VariableDeclaration') continue;
    for (const declarator of statement['declarations'] as SyntaxNode[]) {
      const text = `var ${source.slice(declarator.start, declarator.end)};`;
      for (const local of localsOf(declarator['id'] as SyntaxNode)) declarations.set(local, { text, node: declarator });
    }
  }
  return declarations;
}

const isFunction = ({ type }: SyntaxNode): boolean => type.includes('Function');

/** Functions that are called where they stand, `(() => { … })()`, and those of esbuild's `__commonJS({ 'x.js'() { … } })`. */
function functionsThatRunOnce(node: SyntaxNode): SyntaxNode[] {
  if (isFunction(node) || node.type.startsWith('Class')) return [];
  if (node.type === 'CallExpression') {
    const callee = node['callee'] as SyntaxNode;
    if (isFunction(callee)) return [callee];
    if (/commonjs|__esm/i.test(calleeName(callee))) {
      const files = (node['arguments'] as SyntaxNode[]).flatMap((each) => (each['properties'] ?? []) as SyntaxNode[]);
      return files.map((file) => file['value'] as SyntaxNode).filter(isFunction);
    }
  }
  return childrenOf(node).flatMap(functionsThatRunOnce);
}

/** The names that a block declares, including those of `var` in blocks inside it. */
function namesDeclaredIn(node: SyntaxNode): string[] {
  return childrenOf(node).flatMap((child): string[] => {
    if (child.type === 'FunctionDeclaration' || child.type === 'ClassDeclaration') return [nameOf(child['id'])];
    if (isFunction(child) || child.type.startsWith('Class')) return [];
    const declared = child.type === 'VariableDeclarator' ? localsOf(child['id'] as SyntaxNode) : [];
    return [...declared, ...namesDeclaredIn(child)];
  });
}

/** `require('x')`, `require('x').y`, `helper(require('x'), …)` and these in each other. */
function comesFromRequire(node: SyntaxNode, source: string): boolean {
  if (node.type === 'MemberExpression')
    return node['computed'] !== true && comesFromRequire(node['object'] as SyntaxNode, source);
  if (node.type === 'SequenceExpression')
    return comesFromRequire((node['expressions'] as SyntaxNode[]).at(-1) as SyntaxNode, source);
  if (node.type !== 'CallExpression') return false;
  const callee = node['callee'] as SyntaxNode;
  const [first] = node['arguments'] as SyntaxNode[];
  if (first === undefined) return false;
  if (callee.type === 'Identifier' && callee['name'] === 'require') return textOf(first) !== undefined;
  // Minifiers put the helper where it is called.
  const isInlined = isFunction(callee) && source.slice(callee.start, callee.end).includes('__esModule');
  return (isInlined || interop.test(calleeName(callee))) && comesFromRequire(first, source);
}

/** The names in `f`, `f.g` and `(0, f.g)`, to be searched for a word. */
function calleeName(callee: SyntaxNode): string {
  if (callee.type === 'Identifier') return nameOf(callee);
  return childrenOf(callee).map(calleeName).join('.');
}

function isAssignedAgain(source: string, name: string): boolean {
  const assignments = source.match(new RegExp(`(?<![\\w$.])${name.replaceAll('$', '\\$')}\\s*=(?![=>])`, 'g'));
  return (assignments?.length ?? 0) > 1;
}

/** The declaration of a name and of all that it needs of the same file, in an order in which they can run. */
function withHelpers(name: string, declarations: Declarations): string {
  const texts = new Set<string>();
  const seen = new Set<string>();
  const add = (wanted: string): void => {
    const declaration = declarations.get(wanted);
    if (declaration === undefined || seen.has(wanted)) return;
    seen.add(wanted);
    for (const reference of freeReferences(parse(declaration.text, false), false)) add(reference.name);
    texts.add(declaration.text);
  };
  add(name);
  return [...texts].join('\n');
}

function localsOf(id: SyntaxNode): string[] {
  if (id.type === 'Identifier') return [nameOf(id)];
  if (id.type === 'Property') return localsOf(id['value'] as SyntaxNode);
  if (id.type === 'AssignmentPattern') return localsOf(id['left'] as SyntaxNode);
  return childrenOf(id).flatMap(localsOf);
}

/** The text of a string literal. */
function textOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined;
}

/** The name of an identifier, or the text of a string that stands for one. */
function nameOf(node: unknown): string {
  const { name, value } = node as { readonly name?: string; readonly value?: unknown };
  return name ?? String(value);
}
