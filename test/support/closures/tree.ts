/** Programs as trees: a part of JavaScript that `print.ts` writes as text and `evaluate.ts` runs by itself. */

/** What a value is bound to: a name, or a pattern of names. */
export type Pattern =
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'default'; readonly target: Pattern; readonly value: Expression }
  | { readonly type: 'items'; readonly items: readonly Pattern[]; readonly rest?: Pattern | undefined }
  | {
      readonly type: 'fields';
      readonly fields: readonly { readonly key: string; readonly target: Pattern }[];
      readonly rest?: Pattern | undefined;
    };

export type BinaryOperator = '+' | '-' | '*' | '%' | '<' | '<=' | '===';
export type AssignmentOperator = '=' | '+=' | '-=';

export interface Spread {
  readonly type: 'spread';
  readonly value: Expression;
}

/** The key of a member; one that begins with `#` is private. */
export type Key = string;

export type ObjectMember =
  | { readonly type: 'field'; readonly key: Key; readonly value: Expression; readonly isComputed?: boolean }
  | Accessor
  | Method
  | Spread;

export interface Accessor {
  readonly type: 'getter' | 'setter';
  readonly key: Key;
  readonly fn: FunctionTree;
}

export interface Method {
  readonly type: 'method';
  readonly key: Key;
  readonly fn: FunctionTree;
}

export type ClassMember =
  | ({ readonly isStatic: boolean } & (
      Accessor | Method | { readonly type: 'field'; readonly key: Key; readonly value: Expression | undefined }
    ))
  | { readonly type: 'staticBlock'; readonly body: readonly Statement[] };

export interface FunctionTree {
  readonly type: 'function';
  readonly form: 'arrow' | 'async arrow' | 'function' | 'generator';
  /** Its name, which it knows itself by; of a declaration, the name that is declared. */
  readonly name?: string | undefined;
  readonly parameters: readonly Pattern[];
  readonly rest?: Pattern | undefined;
  readonly body: readonly Statement[] | Expression;
}

export interface ClassTree {
  readonly type: 'class';
  readonly name?: string | undefined;
  readonly parent?: Expression | undefined;
  readonly constructorOf?: FunctionTree | undefined;
  readonly members: readonly ClassMember[];
}

export type Expression =
  | { readonly type: 'constant'; readonly value: number | string | undefined }
  | { readonly type: 'variable'; readonly name: string }
  | {
      readonly type: 'assign';
      readonly target: Target;
      readonly operator: AssignmentOperator;
      readonly value: Expression;
    }
  | { readonly type: 'destructure'; readonly target: Pattern; readonly value: Expression }
  | { readonly type: 'step'; readonly target: Target; readonly isPrefix: boolean }
  | { readonly type: 'member'; readonly object: Expression; readonly key: Key }
  | { readonly type: 'item'; readonly object: Expression; readonly index: Expression }
  | { readonly type: 'superMember'; readonly key: Key }
  | { readonly type: 'call'; readonly callee: Expression; readonly args: readonly (Expression | Spread)[] }
  | { readonly type: 'superCall'; readonly args: readonly Expression[] }
  | { readonly type: 'new'; readonly callee: Expression; readonly args: readonly Expression[] }
  | {
      readonly type: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly type: 'choose'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly type: 'list'; readonly items: readonly (Expression | Spread)[] }
  | { readonly type: 'object'; readonly members: readonly ObjectMember[] }
  | { readonly type: 'this' }
  | FunctionTree
  | ClassTree;

/** What can be assigned to. */
export type Target = Extract<Expression, { type: 'variable' | 'member' | 'item' }>;

export type DeclarationKind = 'const' | 'let' | 'var';

export type Statement =
  | {
      readonly type: 'declare';
      readonly kind: DeclarationKind;
      readonly target: Pattern;
      readonly value?: Expression | undefined;
    }
  | { readonly type: 'declareFunction'; readonly fn: FunctionTree & { readonly name: string } }
  | { readonly type: 'declareClass'; readonly class: ClassTree & { readonly name: string } }
  | { readonly type: 'run'; readonly value: Expression }
  | { readonly type: 'yield'; readonly value: Expression }
  | { readonly type: 'return'; readonly value: Expression }
  | { readonly type: 'throw'; readonly value: Expression }
  | {
      readonly type: 'if';
      readonly test: Expression;
      readonly yes: readonly Statement[];
      readonly no: readonly Statement[];
    }
  | { readonly type: 'block'; readonly body: readonly Statement[] }
  | {
      /** `for (kind name = 0; name < count; name++)` */
      readonly type: 'count';
      readonly kind: 'let' | 'var';
      readonly name: string;
      readonly count: number;
      readonly body: readonly Statement[];
    }
  | {
      readonly type: 'each';
      readonly kind: DeclarationKind;
      readonly target: Pattern;
      readonly values: Expression;
      readonly body: readonly Statement[];
    }
  | {
      readonly type: 'try';
      readonly body: readonly Statement[];
      readonly caught: Pattern;
      readonly handler: readonly Statement[];
      readonly last: readonly Statement[];
    }
  | {
      /** A `switch` whose clauses are one scope, and which enters at the clause of `at`. */
      readonly type: 'switch';
      readonly at: number;
      readonly clauses: readonly (readonly Statement[])[];
    };

/** A program: somewhere inside, it assigns to `task` a function of a number. */
export interface Program {
  readonly body: readonly Statement[];
  /** Whether its text asks for strict mode where it does not have it anyway. */
  readonly isStrict: boolean;
  /** Whether it stands at the top of its file, and not in a function. */
  readonly isTop: boolean;
}

/** The variable of a program that its task is assigned to. */
export const taskName = 'task';

export const constant = (value: number | string | undefined): Expression => ({ type: 'constant', value });
export const variable = (name: string): Expression & { type: 'variable' } => ({ type: 'variable', name });
export const named = (name: string): Pattern => ({ type: 'name', name });
export const member = (object: Expression, key: Key): Expression & { type: 'member' } => ({
  type: 'member',
  object,
  key,
});
export const item = (object: Expression, index: number): Expression & { type: 'item' } => ({
  type: 'item',
  object,
  index: constant(index),
});
export const call = (callee: Expression, args: readonly (Expression | Spread)[] = []): Expression => ({
  type: 'call',
  callee,
  args,
});
export const list = (items: readonly (Expression | Spread)[]): Expression => ({ type: 'list', items });
export const binary = (left: Expression, operator: BinaryOperator, right: Expression): Expression => ({
  type: 'binary',
  operator,
  left,
  right,
});
export const assign = (target: Target, value: Expression, operator: AssignmentOperator = '='): Expression => ({
  type: 'assign',
  target,
  operator,
  value,
});
export const run = (value: Expression): Statement => ({ type: 'run', value });
export const give = (value: Expression): Statement => ({ type: 'return', value });
export const declare = (kind: DeclarationKind, target: Pattern | string, value?: Expression): Statement => ({
  type: 'declare',
  kind,
  target: typeof target === 'string' ? named(target) : target,
  value,
});
