/** What the text of a class says of its members. */

import { isNode, type Range, type SyntaxNode } from './syntax.js';

/** The parts of a class that are about its own state, which travels as values and is not computed again. */
export interface ClassShape {
  /** What follows `extends`. */
  readonly heritage: (Range & { readonly isNull: boolean }) | undefined;
  /** What initialises static fields, and the insides of static blocks. */
  readonly initialisers: readonly (Range & { readonly isBlock: boolean })[];
  /** The names of private fields with `#`: of the class itself and of its instances. */
  readonly staticPrivates: readonly string[];
  readonly privates: readonly string[];
  /** The names of private methods of its instances. */
  readonly privateMethods: readonly string[];
  /** Methods with names in brackets: what is in these, and the text of the method as a function. */
  readonly computedMethods: readonly { readonly key: Range; readonly method: string; readonly isStatic: boolean }[];
  /** Whether its instances have private fields, methods or accessors. */
  readonly hasPrivates: boolean;
  /** What initialises fields of instances, where that may do something. */
  readonly fieldInitialisers: readonly Range[];
  /** Where the body of the constructor begins, after its brace; none where it has none of its own. */
  readonly constructorBody: number | undefined;
  /** Where the last brace is. */
  readonly end: number;
  /** The texts of its methods: functions that come with it. */
  readonly methods: ReadonlySet<string>;
}

export function shapeOfClass(node: SyntaxNode, text: string, rangeOf: (range: Range) => Range): ClassShape {
  const initialisers: (Range & { isBlock: boolean })[] = [];
  const staticPrivates: string[] = [];
  const privates: string[] = [];
  const privateMethods: string[] = [];
  const fieldInitialisers: Range[] = [];
  let hasPrivates = false;
  const computedMethods: { key: Range; method: string; isStatic: boolean }[] = [];
  const methods = new Set<string>();
  let constructorBody: number | undefined;
  for (const element of elementsOf(node)) {
    const range = rangeOf(element);
    if (element.type === 'StaticBlock') {
      initialisers.push({ start: text.indexOf('{', range.start) + 1, end: range.end - 1, isBlock: true });
      continue;
    }
    const key = element['key'] as SyntaxNode;
    const value = isNode(element['value']) ? element['value'] : undefined;
    if (key.type === 'PrivateIdentifier' && element['static'] !== true) hasPrivates = true;
    if (element.type === 'PropertyDefinition') {
      if (element['static'] !== true && value !== undefined && !/Function|^Literal$/.test(value.type)) {
        fieldInitialisers.push(rangeOf(value));
      }
      if (key.type === 'PrivateIdentifier') {
        (element['static'] === true ? staticPrivates : privates).push(`#${key['name'] as string}`);
      }
      if (element['static'] === true && value !== undefined) initialisers.push({ ...rangeOf(value), isBlock: false });
      continue;
    }
    if (element['kind'] === 'constructor' && value !== undefined) {
      constructorBody = rangeOf(value['body'] as SyntaxNode).start + 1;
    }
    const isStatic = element['static'] === true;
    const method = text.slice(range.start, range.end).replace(isStatic ? /^static\b\s*/ : '', '');
    methods.add(method);
    if (element['computed'] === true) computedMethods.push({ key: rangeOf(key), method, isStatic });
    if (key.type === 'PrivateIdentifier' && !isStatic && element['kind'] === 'method') {
      privateMethods.push(`#${key['name'] as string}`);
    }
  }
  const superClass = node['superClass'] as SyntaxNode | null;
  const heritage = superClass && {
    ...rangeOf(superClass),
    isNull: superClass.type === 'Literal' && superClass['value'] === null,
  };
  return {
    heritage: heritage ?? undefined,
    initialisers,
    staticPrivates,
    privates,
    privateMethods,
    computedMethods,
    hasPrivates,
    fieldInitialisers,
    constructorBody,
    end: rangeOf(node).end - 1,
    methods,
  };
}

/** The members of a class. */
export function elementsOf(classNode: SyntaxNode): SyntaxNode[] {
  return (classNode['body'] as SyntaxNode)['body'] as SyntaxNode[];
}

/** What of a class is evaluated when it is made: names in brackets. */
export function eagerRanges(node: SyntaxNode, shape: ClassShape | undefined): Range[] {
  if (shape === undefined) return [];
  const ranges: Range[] = [];
  for (const element of elementsOf(node)) if (element['computed'] === true) ranges.push(element['key'] as SyntaxNode);
  return ranges;
}
