/**
 * Runs a program without JavaScript's own functions, classes and scopes: each scope is a table of names, and each object a
 * table of properties. What it says is what a task has to give, in the program as in a worker.
 */

import {
  taskName,
  type AssignmentOperator,
  type BinaryOperator,
  type ClassTree,
  type Expression,
  type FunctionTree,
  type ObjectMember,
  type Pattern,
  type Program,
  type Spread,
  type Statement,
  type Target,
} from './tree.js';

type Value = unknown;

/** A variable; a slot without a value is one before its declaration. */
interface Slot {
  value?: Value;
}

class Scope {
  readonly slots = new Map<string, Slot>();
  readonly privates = new Map<string, PrivateName>();
  readonly outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.outer = outer;
  }

  find(name: string): Slot {
    for (let scope: Scope | undefined = this as Scope; scope !== undefined; scope = scope.outer) {
      const slot = scope.slots.get(name);
      if (slot !== undefined) return slot;
    }
    throw new Error(`${name} is not declared.`);
  }

  private(name: string): PrivateName {
    for (let scope: Scope | undefined = this as Scope; scope !== undefined; scope = scope.outer) {
      const found = scope.privates.get(name);
      if (found !== undefined) return found;
    }
    throw new Error(`${name} is not declared.`);
  }
}

/** What a private name of one class stands for. */
class PrivateName {}

interface Property {
  value?: Value;
  get?: Closure;
  set?: Closure;
  isMethod?: boolean;
}

class Thing {
  proto: Thing | undefined;
  readonly own = new Map<string | PrivateName, Property>();

  constructor(proto?: Thing) {
    this.proto = proto;
  }

  find(key: string | PrivateName): Property | undefined {
    return this.own.get(key) ?? (typeof key === 'string' ? this.proto?.find(key) : undefined);
  }
}

/** What `this`, `super` and `yield` mean where code runs. */
interface Frame {
  self: Value;
  readonly home: Thing | undefined;
  readonly callee: Closure | undefined;
  readonly target: Closure | undefined;
  readonly yielded: Value[] | undefined;
}

const outside: Frame = { self: undefined, home: undefined, callee: undefined, target: undefined, yielded: undefined };

class Closure extends Thing {
  readonly code: FunctionTree;
  readonly scope: Scope;
  /** That of an arrow function is that of the function around it. */
  readonly frame: Frame | undefined;
  home: Thing | undefined;
  class: { readonly isDerived: boolean; readonly instance: ((self: Thing) => void)[] } | undefined;

  constructor(code: FunctionTree, scope: Scope, frame: Frame | undefined) {
    super();
    this.code = code;
    this.scope = scope;
    this.frame = frame;
  }

  get prototype(): Thing {
    return this.own.get('prototype')?.value as Thing;
  }
}

class Thrown extends Error {
  readonly value: Value;

  constructor(value: Value) {
    super('thrown by the program');
    this.value = value;
  }
}

/** The end of a function by `return`. */
interface Returned {
  readonly value: Value;
}

/** Runs a program once. What it gives is its task, whose calls share the state of this run. */
export function evaluate({ body }: Program): (input: number) => unknown {
  const scope = new Scope();
  scope.slots.set('Map', { value: Map });
  const top = new Scope(scope);
  top.slots.set(taskName, { value: undefined });
  hoistVariables(body, top);
  runBlock(body, top, outside);
  const task = top.find(taskName).value as Closure;
  return (input) => toData(invoke(task, undefined, [input]));
}

/** A value as what it would be in JavaScript. */
function toData(value: Value): unknown {
  if (Array.isArray(value)) return value.map(toData);
  if (!(value instanceof Thing)) return value;
  return Object.fromEntries([...value.own].map(([key, property]) => [key, toData(property.value)]));
}

// Functions

function invoke(fn: Closure, self: Value, args: readonly Value[], target?: Closure): Value {
  const isArrow = fn.frame !== undefined;
  const yielded: Value[] = [];
  const frame: Frame = fn.frame ?? { self, home: fn.home, callee: fn, target, yielded };
  const { code } = fn;
  const scope = new Scope(fn.scope);
  const isSimple = code.rest === undefined && code.parameters.every(({ type }) => type === 'name');
  for (const pattern of [...code.parameters, ...(code.rest === undefined ? [] : [code.rest])]) {
    for (const name of namesOf(pattern)) scope.slots.set(name, isSimple ? { value: undefined } : {});
  }
  code.parameters.forEach((pattern, i) => {
    bind(pattern, args[i], scope, frame);
  });
  if (code.rest !== undefined) bind(code.rest, args.slice(code.parameters.length), scope, frame);
  const { body } = code;
  if ('type' in body) return evaluateIn(body, scope, isArrow ? frame : { ...frame, yielded });
  // Variables of the body are others than parameters which have code, but begin with their values.
  const inside = isSimple ? scope : new Scope(scope);
  hoistVariables(body, inside, scope);
  const returned = runBlock(body, new Scope(inside), frame);
  if (code.form === 'generator') return yielded;
  if (target !== undefined) return frame.self;
  return returned?.value;
}

function construct(fn: Closure, args: readonly Value[], target: Closure): Value {
  if (fn.class?.isDerived !== true) {
    const self = new Thing(target.prototype);
    fn.class?.instance.forEach((step) => {
      step(self);
    });
    return invoke(fn, self, args, target);
  }
  return invoke(fn, undefined, args, target);
}

function superCall(args: readonly Value[], frame: Frame): void {
  const { callee, target } = frame as { callee: Closure; target: Closure };
  frame.self = construct(callee.proto as Closure, args, target);
  callee.class?.instance.forEach((step) => {
    step(frame.self as Thing);
  });
}

function makeFunction(code: FunctionTree, scope: Scope, frame: Frame): Closure {
  if (code.form === 'arrow' || code.form === 'async arrow') return new Closure(code, scope, frame);
  const closure = new Closure(code, scope, undefined);
  closure.own.set('prototype', { value: new Thing() });
  return closure;
}

function makeClass(tree: ClassTree, around: Scope, frame: Frame): Closure {
  const scope = new Scope(around);
  if (tree.name !== undefined) scope.slots.set(tree.name, {});
  const parent = tree.parent && (evaluateIn(tree.parent, scope, frame) as Closure);
  for (const each of tree.members) {
    if (each.type !== 'staticBlock' && each.key.startsWith('#') && !scope.privates.has(each.key)) {
      scope.privates.set(each.key, new PrivateName());
    }
  }
  const args: FunctionTree = {
    type: 'function',
    form: 'function',
    parameters: [],
    rest: { type: 'name', name: 'args' },
    body: [{ type: 'run', value: { type: 'superCall', args: [{ type: 'variable', name: '...args' }] } }],
  };
  const none: FunctionTree = { type: 'function', form: 'function', parameters: [], body: [] };
  const made = new Closure(tree.constructorOf ?? (parent === undefined ? none : args), scope, undefined);
  const prototype = new Thing(parent?.prototype);
  made.proto = parent;
  made.own.set('prototype', { value: prototype });
  made.home = prototype;
  const instance: ((self: Thing) => void)[] = [];
  const privateMethods: ((self: Thing) => void)[] = [];
  made.class = { isDerived: parent !== undefined, instance };
  const steps: (() => void)[] = [];
  const frameOf = (self: Thing, home: Thing): Frame => ({ ...outside, self, home });
  for (const each of tree.members) {
    if (each.type === 'staticBlock') {
      steps.push(() => {
        const inside = new Scope(scope);
        hoistVariables(each.body, inside);
        runBlock(each.body, inside, frameOf(made, made));
      });
      continue;
    }
    const key = each.key.startsWith('#') ? scope.private(each.key) : each.key;
    const home = each.isStatic ? made : prototype;
    if (each.type === 'field') {
      const step = (self: Thing): void => {
        const value = each.value === undefined ? undefined : evaluateIn(each.value, scope, frameOf(self, home));
        self.own.set(key, { value });
      };
      if (each.isStatic) steps.push(() => step(made));
      else instance.push(step);
      continue;
    }
    const fn = makeFunction(each.fn, scope, frame);
    fn.home = home;
    const add = (object: Thing): void => defineMember(object, key, each.type, fn);
    if (each.isStatic || typeof key === 'string') add(home);
    else privateMethods.push(add);
  }
  instance.unshift(...privateMethods);
  if (tree.name !== undefined) scope.find(tree.name).value = made;
  for (const step of steps) step();
  return made;
}

function defineMember(
  object: Thing,
  key: string | PrivateName,
  type: 'getter' | 'setter' | 'method',
  fn: Closure,
): void {
  if (type === 'method') {
    object.own.set(key, { value: fn });
    return;
  }
  const known = object.own.get(key);
  const pair: Property = known !== undefined && ('get' in known || 'set' in known) ? known : {};
  pair[type === 'getter' ? 'get' : 'set'] = fn;
  object.own.set(key, pair);
}

// Statements

function namesOf(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'name':
      return [pattern.name];
    case 'default':
      return namesOf(pattern.target);
    case 'items':
      return [...pattern.items, ...(pattern.rest === undefined ? [] : [pattern.rest])].flatMap(namesOf);
    case 'fields':
      return [
        ...pattern.fields.map(({ target }) => target),
        ...(pattern.rest === undefined ? [] : [pattern.rest]),
      ].flatMap(namesOf);
  }
}

/** Declares what `var` declares anywhere in a function. */
function hoistVariables(body: readonly Statement[], scope: Scope, parameters?: Scope): void {
  const add = (name: string): void => {
    if (!scope.slots.has(name)) scope.slots.set(name, { value: parameters?.slots.get(name)?.value });
  };
  for (const statement of body) {
    switch (statement.type) {
      case 'declare':
        if (statement.kind === 'var') namesOf(statement.target).forEach(add);
        break;
      case 'if':
        hoistVariables([...statement.yes, ...statement.no], scope, parameters);
        break;
      case 'block':
        hoistVariables(statement.body, scope, parameters);
        break;
      case 'count':
        if (statement.kind === 'var') add(statement.name);
        hoistVariables(statement.body, scope, parameters);
        break;
      case 'each':
        if (statement.kind === 'var') namesOf(statement.target).forEach(add);
        hoistVariables(statement.body, scope, parameters);
        break;
      case 'try':
        hoistVariables([...statement.body, ...statement.handler, ...statement.last], scope, parameters);
        break;
      case 'switch':
        hoistVariables(statement.clauses.flat(), scope, parameters);
        break;
    }
  }
}

/** Runs statements in a scope of their own, which `scope` is. */
function runBlock(body: readonly Statement[], scope: Scope, frame: Frame): Returned | undefined {
  enter(body, scope, frame);
  return runAll(body, scope, frame);
}

function enter(body: readonly Statement[], scope: Scope, frame: Frame): void {
  for (const statement of body) {
    if (statement.type === 'declare' && statement.kind !== 'var') {
      for (const name of namesOf(statement.target)) scope.slots.set(name, {});
    } else if (statement.type === 'declareClass') {
      scope.slots.set(statement.class.name, {});
    } else if (statement.type === 'declareFunction') {
      scope.slots.set(statement.fn.name, { value: makeFunction(statement.fn, scope, frame) });
    }
  }
}

function runAll(body: readonly Statement[], scope: Scope, frame: Frame): Returned | undefined {
  for (const statement of body) {
    const returned = runStatement(statement, scope, frame);
    if (returned !== undefined) return returned;
  }
  return undefined;
}

function runStatement(statement: Statement, scope: Scope, frame: Frame): Returned | undefined {
  switch (statement.type) {
    case 'declare':
      // `var` without a value changes nothing.
      if (statement.value === undefined && statement.kind === 'var') return undefined;
      bind(
        statement.target,
        statement.value === undefined ? undefined : evaluateIn(statement.value, scope, frame),
        scope,
        frame,
      );
      return undefined;
    case 'declareFunction':
      return undefined;
    case 'declareClass':
      scope.find(statement.class.name).value = makeClass(statement.class, scope, frame);
      return undefined;
    case 'run':
      evaluateIn(statement.value, scope, frame);
      return undefined;
    case 'yield':
      frame.yielded?.push(evaluateIn(statement.value, scope, frame));
      return undefined;
    case 'return':
      return { value: evaluateIn(statement.value, scope, frame) };
    case 'throw':
      throw new Thrown(evaluateIn(statement.value, scope, frame));
    case 'if': {
      const chosen = isTrue(evaluateIn(statement.test, scope, frame)) ? statement.yes : statement.no;
      return runBlock(chosen, new Scope(scope), frame);
    }
    case 'block':
      return runBlock(statement.body, new Scope(scope), frame);
    case 'count':
      return runCount(statement, scope, frame);
    case 'each':
      for (const value of evaluateIn(statement.values, scope, frame) as Iterable<Value>) {
        const turn = new Scope(scope);
        if (statement.kind !== 'var') for (const name of namesOf(statement.target)) turn.slots.set(name, {});
        bind(statement.target, value, turn, frame);
        const returned = runBlock(statement.body, new Scope(turn), frame);
        if (returned !== undefined) return returned;
      }
      return undefined;
    case 'try':
      return runTry(statement, scope, frame);
    case 'switch': {
      const inside = new Scope(scope);
      enter(statement.clauses.flat(), inside, frame);
      return runAll(statement.clauses.slice(statement.at).flat(), inside, frame);
    }
  }
}

function runCount(
  { kind, name, count, body }: Extract<Statement, { type: 'count' }>,
  scope: Scope,
  frame: Frame,
): Returned | undefined {
  // Each turn has a variable of its own, which the next one's begins with.
  let turn = scope;
  const next = (value: Value): void => {
    if (kind === 'let') (turn = new Scope(scope)).slots.set(name, { value });
    else turn.find(name).value = value;
  };
  next(0);
  while (((turn.find(name).value ?? 0) as number) < count) {
    const returned = runBlock(body, new Scope(turn), frame);
    if (returned !== undefined) return returned;
    const { value } = turn.find(name);
    next(value);
    (turn.find(name).value as number)++;
  }
  return undefined;
}

function runTry(
  { body, caught, handler, last }: Extract<Statement, { type: 'try' }>,
  scope: Scope,
  frame: Frame,
): Returned | undefined {
  let returned: Returned | undefined;
  try {
    returned = runBlock(body, new Scope(scope), frame);
  } catch (error) {
    if (!(error instanceof Thrown)) throw error;
    const inside = new Scope(scope);
    for (const name of namesOf(caught)) inside.slots.set(name, {});
    bind(caught, error.value, inside, frame);
    returned = runBlock(handler, new Scope(inside), frame);
  } finally {
    returned = runBlock(last, new Scope(scope), frame) ?? returned;
  }
  return returned;
}

/** Gives the names of a pattern, which are declared, their values. */
function bind(pattern: Pattern, value: Value, scope: Scope, frame: Frame): void {
  switch (pattern.type) {
    case 'name':
      scope.find(pattern.name).value = value;
      return;
    case 'default':
      bind(pattern.target, value === undefined ? evaluateIn(pattern.value, scope, frame) : value, scope, frame);
      return;
    case 'items': {
      const values = [...(value as Iterable<Value>)];
      pattern.items.forEach((each, i) => {
        bind(each, values[i], scope, frame);
      });
      if (pattern.rest !== undefined) bind(pattern.rest, values.slice(pattern.items.length), scope, frame);
      return;
    }
    case 'fields': {
      for (const { key, target } of pattern.fields) bind(target, read(value, key), scope, frame);
      if (pattern.rest === undefined) return;
      const rest = new Thing();
      copyInto(rest, value as Thing);
      for (const { key } of pattern.fields) rest.own.delete(key);
      bind(pattern.rest, rest, scope, frame);
    }
  }
}

// Expressions

function evaluateIn(expression: Expression, scope: Scope, frame: Frame): Value {
  switch (expression.type) {
    case 'constant':
      return expression.value;
    case 'variable': {
      const slot = scope.find(expression.name);
      if (!('value' in slot)) throw new Error(`${expression.name} is read before its declaration.`);
      return slot.value;
    }
    case 'assign': {
      const reference = referenceTo(expression.target, scope, frame);
      const { operator } = expression;
      const before = operator === '=' ? undefined : reference.read();
      const value = assigned(operator, before, evaluateIn(expression.value, scope, frame));
      reference.write(value);
      return value;
    }
    case 'destructure': {
      const value = evaluateIn(expression.value, scope, frame);
      bind(expression.target, value, scope, frame);
      return value;
    }
    case 'step': {
      const reference = referenceTo(expression.target, scope, frame);
      const before = reference.read() as number;
      reference.write(before + 1);
      return expression.isPrefix ? before + 1 : before;
    }
    case 'member':
    case 'item':
      return referenceTo(expression, scope, frame).read();
    case 'superMember':
      return readFrom(frame.home?.proto, expression.key, frame.self);
    case 'call':
      return runCall(expression, scope, frame);
    case 'superCall': {
      const [first] = expression.args;
      const isImplicit = first?.type === 'variable' && first.name === '...args';
      superCall(isImplicit ? (scope.find('args').value as Value[]) : valuesOf(expression.args, scope, frame), frame);
      return frame.self;
    }
    case 'new': {
      const callee = evaluateIn(expression.callee, scope, frame);
      const args = valuesOf(expression.args, scope, frame);
      if (callee === Map) return new Map(args[0] as [Value, Value][] | undefined);
      return construct(callee as Closure, args, callee as Closure);
    }
    case 'binary':
      return operate(
        expression.operator,
        evaluateIn(expression.left, scope, frame),
        evaluateIn(expression.right, scope, frame),
      );
    case 'choose':
      return evaluateIn(
        isTrue(evaluateIn(expression.test, scope, frame)) ? expression.yes : expression.no,
        scope,
        frame,
      );
    case 'list':
      return valuesOf(expression.items, scope, frame);
    case 'object': {
      const object = new Thing();
      for (const each of expression.members) addMember(object, each, scope, frame);
      return object;
    }
    case 'this':
      return frame.self;
    case 'function': {
      const { name, form } = expression;
      if (name === undefined || form === 'arrow') return makeFunction(expression, scope, frame);
      const itself = new Scope(scope);
      const fn = makeFunction(expression, itself, frame);
      itself.slots.set(name, { value: fn });
      return fn;
    }
    case 'class':
      return makeClass(expression, scope, frame);
  }
}

function addMember(object: Thing, part: ObjectMember, scope: Scope, frame: Frame): void {
  switch (part.type) {
    case 'field':
      object.own.set(part.key, { value: evaluateIn(part.value, scope, frame) });
      return;
    case 'spread':
      copyInto(object, evaluateIn(part.value, scope, frame) as Thing);
      return;
    default: {
      const fn = makeFunction(part.fn, scope, frame);
      fn.home = object;
      defineMember(object, part.key, part.type, fn);
    }
  }
}

function copyInto(object: Thing, from: Thing): void {
  for (const key of from.own.keys()) {
    if (typeof key === 'string') object.own.set(key, { value: read(from, key) });
  }
}

function valuesOf(items: readonly (Expression | Spread)[], scope: Scope, frame: Frame): Value[] {
  return items.flatMap((each) =>
    each.type === 'spread'
      ? [...(evaluateIn(each.value, scope, frame) as Iterable<Value>)]
      : [evaluateIn(each, scope, frame)],
  );
}

function runCall({ callee, args }: Extract<Expression, { type: 'call' }>, scope: Scope, frame: Frame): Value {
  let self: Value;
  let fn: Value;
  if (callee.type === 'member' || callee.type === 'item') {
    self = evaluateIn(callee.object, scope, frame);
    const key = callee.type === 'item' ? evaluateIn(callee.index, scope, frame) : keyOf(callee.key, scope);
    fn = read(self, key as string);
  } else {
    self = callee.type === 'superMember' ? frame.self : undefined;
    fn = evaluateIn(callee, scope, frame);
  }
  const values = valuesOf(args, scope, frame);
  if (fn instanceof Closure) return invoke(fn, self, values);
  // A method of a list or a map, which is one of JavaScript's here, too.
  const functions = values.map((value) =>
    value instanceof Closure ? (...given: Value[]) => invoke(value, undefined, given) : value,
  );
  return (fn as (...given: Value[]) => Value).apply(self, functions);
}

interface Reference {
  read(): Value;
  write(value: Value): void;
}

function referenceTo(target: Target, scope: Scope, frame: Frame): Reference {
  if (target.type === 'variable') {
    return {
      read: () => evaluateIn(target, scope, frame),
      write(value) {
        const slot = scope.find(target.name);
        if (!('value' in slot)) throw new Error(`${target.name} is assigned before its declaration.`);
        slot.value = value;
      },
    };
  }
  const object = evaluateIn(target.object, scope, frame);
  const key = target.type === 'item' ? evaluateIn(target.index, scope, frame) : keyOf(target.key, scope);
  return {
    read: () => read(object, key as string),
    write: (value) => write(object, key as string, value),
  };
}

function keyOf(key: string, scope: Scope): string | PrivateName {
  return key.startsWith('#') ? scope.private(key) : key;
}

function read(object: Value, key: string | PrivateName): Value {
  if (object instanceof Thing) return readFrom(object, key, object);
  const host = object as Record<string, Value>;
  return host[key as string];
}

function readFrom(object: Thing | undefined, key: string | PrivateName, self: Value): Value {
  const property = object?.find(key);
  if (property === undefined) return undefined;
  return property.get === undefined ? property.value : invoke(property.get, self, []);
}

function write(object: Value, key: string | PrivateName, value: Value): void {
  if (!(object instanceof Thing)) {
    (object as Record<string, Value>)[key as string] = value;
    return;
  }
  const property = object.find(key);
  if (property?.set !== undefined) invoke(property.set, object, [value]);
  else if (property === undefined || !('get' in property)) {
    const own = object.own.get(key);
    if (own === undefined) object.own.set(key, { value });
    else own.value = value;
  }
}

function isTrue(value: Value): boolean {
  return Boolean(value);
}

function assigned(operator: AssignmentOperator, before: Value, value: Value): Value {
  if (operator === '+=') return (before as number) + (value as number);
  if (operator === '-=') return (before as number) - (value as number);
  return value;
}

function operate(operator: BinaryOperator, a: Value, b: Value): Value {
  const left = a as number;
  const right = b as number;
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '%':
      return left % right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '===':
      return left === right;
  }
}
