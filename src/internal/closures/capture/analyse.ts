/**
 * What the text of a function needs from around it: the variables that it uses without declaring them, and what else would
 * not mean the same elsewhere.
 */

import { eagerRanges, elementsOf, shapeOfClass, type ClassShape } from './classShape.js';
import { childrenOf, freeReferences, isNode, parse, type Range, type SyntaxNode } from './syntax.js';

/** A use of a variable of the surroundings. */
export interface VariableUse extends Range {
  readonly isWrite: boolean;
  /** What it stands in, which decides how it can be replaced. */
  readonly place: 'plain' | 'shorthand' | 'callee';
}

/** A variable of the surroundings. */
export interface FreeVariable {
  readonly name: string;
  readonly uses: readonly VariableUse[];
  readonly isWritten: boolean;
  /** The properties that are read of it, where nothing else is done with it. */
  readonly members: ReadonlySet<string> | undefined;
  /** Whether it is needed when the function is made, not only when it runs: in the heading of a class. */
  readonly isEager: boolean;
  /** Whether it may be where objects keep their private fields: a compiler has helpers called with it and the object. */
  readonly isStorage: boolean;
}

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends ReadonlySet<infer E> | undefined
    ? Set<E> | undefined
    : T[K] extends readonly (infer E)[]
      ? E[]
      : T[K];
};

export interface LexicalUse {
  readonly name: 'this' | 'super' | 'new.target' | 'arguments';
  readonly uses: readonly Range[];
}

export interface ArrowShape {
  /** Where the body may begin: behind the arrow. */
  readonly body: number;
  /** What to call it with; `undefined` where code of its could run before its first statement, or unseen. */
  readonly args: readonly unknown[] | undefined;
}

export interface FunctionShape {
  /** Whether the text is an expression, or a method as it stands in an object. */
  readonly form: 'expression' | 'method';
  readonly kind: 'arrow' | 'function' | 'class';
  readonly variables: readonly FreeVariable[];
  /** What an arrow function takes from the function around it, and where. */
  readonly lexical: readonly LexicalUse[];
  /** What it takes to call an arrow function so that nothing runs before its body. */
  readonly arrow: ArrowShape | undefined;
  /** Whether a method uses `super`. */
  readonly usesSuper: boolean;
  /** A private name of the class around it. */
  readonly privateName: string | undefined;
  readonly importMeta: readonly Range[];
  /** The name of a method in brackets, which would be computed anew. */
  readonly computedName: Range | undefined;
  readonly class: ClassShape | undefined;
  /** The same function without its name, where it uses that: a declared one is a variable of its surroundings. */
  readonly nameless: { readonly text: string; readonly shape: FunctionShape } | undefined;
}

/** How texts can be read: what stands around them, and where the function is then. */
const forms = [
  { form: 'expression', before: '(', after: '\n)' },
  { form: 'method', before: '({', after: '\n})' },
] as const;

/** @throws SyntaxError where the text cannot be read alone. */
export function analyse(text: string, isModule: boolean): FunctionShape {
  let failure: unknown;
  for (const { form, before, after } of forms) {
    let tree: SyntaxNode;
    try {
      tree = parse(before + text + after, isModule);
    } catch (error) {
      failure ??= error;
      continue;
    }
    return shapeOf(tree, form, text, isModule, before.length);
  }
  throw failure;
}

function shapeOf(
  tree: SyntaxNode,
  form: FunctionShape['form'],
  text: string,
  isModule: boolean,
  offset: number,
): FunctionShape {
  const expression = ((tree['body'] as SyntaxNode[])[0] as SyntaxNode)['expression'] as SyntaxNode;
  const property = form === 'method' ? ((expression['properties'] as SyntaxNode[])[0] as SyntaxNode) : undefined;
  const node = property === undefined ? expression : (property['value'] as SyntaxNode);
  const rangeOf = ({ start, end }: Range): Range => ({ start: start - offset, end: end - offset });
  const classShape = node.type.startsWith('Class') ? shapeOfClass(node, text, rangeOf) : undefined;
  const computed = property?.['computed'] === true ? (property['key'] as SyntaxNode) : undefined;

  const dropped: Range[] = [...(classShape?.initialisers ?? [])];
  if (classShape?.heritage !== undefined) dropped.push(classShape.heritage);
  for (const { key } of classShape?.computedMethods ?? []) dropped.push(key);
  if (computed !== undefined) dropped.push(rangeOf(computed));
  const meanings = meaningsIn(node);
  const parents = parentsIn(tree);
  const eager = eagerRanges(node, classShape).map(rangeOf);

  const isArrow = node.type === 'ArrowFunctionExpression';
  const byName = new Map<string, Mutable<FreeVariable>>();
  for (const { name, node: identifier, isWrite } of freeReferences(tree, isModule)) {
    const range = rangeOf(identifier);
    if (dropped.some((part) => contains(part, range))) continue;
    const parent = parents.get(identifier);
    let variable = byName.get(name);
    if (variable === undefined) {
      variable = { name, uses: [], isWritten: false, members: new Set(), isEager: false, isStorage: false };
      byName.set(name, variable);
    }
    variable.uses.push({ ...range, isWrite, place: placeOf(identifier, parent, parents) });
    variable.isWritten ||= isWrite;
    variable.isStorage ||= isPassed(identifier, parents, classShape !== undefined);
    variable.isEager ||= eager.some((part) => contains(part, range));
    const member = memberRead(identifier, parent);
    if (member === undefined || isWrite) variable.members = undefined;
    else variable.members?.add(member);
  }

  const lexical: LexicalUse[] = [];
  if (isArrow) {
    for (const [name, ranges] of meanings.lexical) lexical.push({ name, uses: ranges.map(rangeOf) });
    const ofArguments = byName.get('arguments');
    if (ofArguments !== undefined) lexical.push({ name: 'arguments', uses: ofArguments.uses });
  }
  return {
    form,
    kind: classShape !== undefined ? 'class' : isArrow ? 'arrow' : 'function',
    variables: [...byName.values()],
    lexical,
    arrow: isArrow ? arrowShape(node, text, rangeOf) : undefined,
    usesSuper: !isArrow && meanings.lexical.has('super'),
    privateName: meanings.privateName,
    importMeta: meanings.importMeta.map(rangeOf),
    computedName: computed === undefined ? undefined : computedNameIn(text, rangeOf(computed)),
    class: classShape,
    nameless: withoutName(node, text, isModule, rangeOf),
  };
}

function arrowShape(node: SyntaxNode, text: string, rangeOf: (range: Range) => Range): ArrowShape {
  const body = text.lastIndexOf('=>', rangeOf(node['body'] as SyntaxNode).start) + '=>'.length;
  const args: unknown[] = [];
  for (const parameter of node['params'] as SyntaxNode[]) {
    const value = valueFor(parameter);
    if (value === undefined) return { body, args: undefined };
    args.push(value);
  }
  return { body, args: hasStaticParts(node) ? undefined : args };
}

/** A value with which a pattern computes nothing: each part is there, so that no default is asked for. */
function valueFor(pattern: SyntaxNode): unknown {
  switch (pattern.type) {
    case 'Identifier':
      return 0;
    case 'AssignmentPattern':
      return valueFor(pattern['left'] as SyntaxNode);
    case 'RestElement': // which gets an array, or an object, anyway
      return (pattern['argument'] as SyntaxNode).type === 'Identifier' ? 0 : undefined;
    case 'ArrayPattern': {
      const values = (pattern['elements'] as (SyntaxNode | null)[]).map((each) => (each === null ? 0 : valueFor(each)));
      return values.includes(undefined) ? undefined : values;
    }
    case 'ObjectPattern': {
      const value: Record<string, unknown> = {};
      for (const property of pattern['properties'] as SyntaxNode[]) {
        const part = valueFor(property.type === 'Property' ? (property['value'] as SyntaxNode) : property);
        if (part === undefined || property['computed'] === true) return undefined;
        if (property.type !== 'Property') continue;
        const { name, value: text } = property['key'] as { readonly name?: string; readonly value?: unknown };
        Object.defineProperty(value, name ?? String(text), { value: part, enumerable: true });
      }
      return value;
    }
    default:
      return undefined;
  }
}

/** Whether a class in a function has static parts: these are functions of their own, which run where the class is made. */
function hasStaticParts(node: SyntaxNode): boolean {
  return node.type === 'StaticBlock' || node['static'] === true || childrenOf(node).some(hasStaticParts);
}

function withoutName(
  node: SyntaxNode,
  text: string,
  isModule: boolean,
  rangeOf: (range: Range) => Range,
): FunctionShape['nameless'] {
  const id = node.type === 'FunctionExpression' && isNode(node['id']) ? node['id'] : undefined;
  if (id === undefined) return undefined;
  const { start, end } = rangeOf(id);
  const name = id['name'] as string;
  if (!text.includes(name, end)) return undefined;
  const anonymous = text.slice(0, start) + ' '.repeat(end - start) + text.slice(end);
  const shape = analyse(anonymous, isModule);
  return shape.variables.some((variable) => variable.name === name) ? { text: anonymous, shape } : undefined;
}

/** What of `this` and the like in a node is that of the surroundings, and other things that need its place. */
function meaningsIn(root: SyntaxNode): {
  readonly lexical: ReadonlyMap<'this' | 'super' | 'new.target', Range[]>;
  readonly privateName: string | undefined;
  readonly importMeta: Range[];
} {
  const lexical = new Map<'this' | 'super' | 'new.target', Range[]>();
  const add = (name: 'this' | 'super' | 'new.target', node: SyntaxNode): void => {
    lexical.set(name, [...(lexical.get(name) ?? []), node]);
  };
  const importMeta: Range[] = [];
  let privateName: string | undefined;
  const visit = (node: SyntaxNode, owner: 'outside' | 'own' | 'root', declared: ReadonlySet<string>): void => {
    switch (node.type) {
      case 'ThisExpression':
        if (owner === 'outside') add('this', node);
        break;
      case 'Super':
        if (owner !== 'own') add('super', node);
        break;
      case 'MetaProperty':
        if ((node['meta'] as { name?: string }).name === 'import') importMeta.push(node);
        else if (owner === 'outside') add('new.target', node);
        break;
      case 'PrivateIdentifier':
        if (!declared.has(node['name'] as string)) privateName ??= `#${node['name'] as string}`;
        break;
      case 'ClassExpression':
      case 'ClassDeclaration': {
        const names = new Set(declared);
        for (const element of elementsOf(node)) {
          const key = element['key'] as SyntaxNode | undefined;
          if (key?.type === 'PrivateIdentifier') names.add(key['name'] as string);
        }
        if (isNode(node['superClass'])) visit(node['superClass'], owner, names);
        for (const element of elementsOf(node)) {
          if (element.type === 'StaticBlock') {
            for (const child of childrenOf(element)) visit(child, 'own', names);
            continue;
          }
          visit(element['key'] as SyntaxNode, element['computed'] === true ? owner : 'own', names);
          if (isNode(element['value'])) visit(element['value'], 'own', names);
        }
        return;
      }
      case 'Property':
        if (node['method'] === true || node['kind'] !== 'init') {
          visit(node['key'] as SyntaxNode, owner, declared);
          visit(node['value'] as SyntaxNode, 'own', declared);
          return;
        }
        break;
      case 'FunctionExpression':
      case 'FunctionDeclaration':
        for (const child of childrenOf(node)) visit(child, node === root ? 'root' : 'own', declared);
        return;
    }
    for (const child of childrenOf(node)) visit(child, owner, declared);
  };
  visit(root, 'outside', new Set());
  return { lexical, privateName, importMeta };
}

function parentsIn(tree: SyntaxNode): Map<SyntaxNode, SyntaxNode> {
  const parents = new Map<SyntaxNode, SyntaxNode>();
  const visit = (node: SyntaxNode): void => {
    for (const child of childrenOf(node)) {
      parents.set(child, node);
      visit(child);
    }
  };
  visit(tree);
  return parents;
}

function placeOf(
  identifier: SyntaxNode,
  parent: SyntaxNode | undefined,
  parents: ReadonlyMap<SyntaxNode, SyntaxNode>,
): VariableUse['place'] {
  if (parent === undefined) return 'plain';
  // `{ a }` and, as a target, `{ a = 1 }`
  const holder = parent.type === 'AssignmentPattern' && parent['left'] === identifier ? parents.get(parent) : parent;
  if (holder?.type === 'Property' && holder['shorthand'] === true && holder['key'] !== undefined) return 'shorthand';
  if (parent.type === 'CallExpression' && parent['callee'] === identifier) return 'callee';
  if (parent.type === 'TaggedTemplateExpression' && parent['tag'] === identifier) return 'callee';
  return 'plain';
}

/** The property that `identifier.name` reads. */
function memberRead(identifier: SyntaxNode, parent: SyntaxNode | undefined): string | undefined {
  if (parent?.type !== 'MemberExpression' || parent['object'] !== identifier || parent['computed'] === true) {
    return undefined;
  }
  return (parent['property'] as { name?: string }).name;
}

/** Whether a variable is an argument of a call, or has a method called; with `this`, unless that may have any name. */
function isPassed(identifier: SyntaxNode, parents: ReadonlyMap<SyntaxNode, SyntaxNode>, isInClass: boolean): boolean {
  const parent = parents.get(identifier);
  const call = parent?.type === 'MemberExpression' && parent['object'] === identifier ? parents.get(parent) : parent;
  if (call?.type !== 'CallExpression' || call['callee'] === identifier) return false;
  return isInClass || (call['arguments'] as SyntaxNode[]).some(({ type }) => type === 'ThisExpression');
}

function contains(outer: Range, inner: Range): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

/** A name in brackets, with its brackets. */
function computedNameIn(text: string, expression: Range): Range {
  return { start: text.lastIndexOf('[', expression.start - 1), end: text.indexOf(']', expression.end) + 1 };
}
