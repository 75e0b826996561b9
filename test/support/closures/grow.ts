/** Makes programs of choices: scopes in scopes, with functions that capture what is around them, and a task that uses it. */

import { Choices } from './Choices.js';
import {
  numberShape,
  Room,
  type FunctionShape,
  type ObjectShape,
  type Parameter,
  type Shape,
  type Variable,
} from './Room.js';
import {
  assign,
  binary,
  call,
  constant,
  declare,
  give,
  item,
  list,
  member,
  named,
  run,
  taskName,
  variable,
  type ClassMember,
  type ClassTree,
  type DeclarationKind,
  type Expression,
  type FunctionTree,
  type ObjectMember,
  type Pattern,
  type Program,
  type Statement,
  type Target,
} from './tree.js';

/** Few, so that scopes declare the same ones. */
const names = ['a', 'b', 'c', 'd', 'e'] as const;
const keys = ['p', 'q', 'r', 's'] as const;

/** How much a function may do in one call: calls in calls would take forever. */
const COST_LIMIT = 150;
const MAX_DEPTH = 3;

/** The program of a tape. */
export function grow(tape: readonly number[]): Program {
  const choices = new Choices(tape);
  const isTop = choices.chance(35);
  return { isTop, isStrict: choices.chance(50), body: new Grower(choices).program() };
}

/** What a function does in one call, as far as it has grown. */
interface Effort {
  cost: number;
  /** How often what grows now runs in one call. */
  times: number;
}

class Grower {
  readonly #choices: Choices;
  #fresh = 0;
  #effort: Effort = { cost: 0, times: 1 };
  /** What `this` is in the method that grows. */
  #self: Shape | undefined;

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  program(): Statement[] {
    return this.#layer(this.#room(undefined), 4);
  }

  // Layers: the scopes around the task, each in the one before

  /** Declarations, and in their midst the next layer; the innermost makes the task. */
  #layer(room: Room, left: number): Statement[] {
    const body = this.#declarations(room, 1 + this.#choices.below(4));
    const isLast = left === 0 || this.#choices.hasEnded || this.#choices.chance(25);
    if (isLast) body.push(run(assign(variable(taskName), this.#task(room))));
    else body.push(this.#nest(room, left - 1));
    if (this.#choices.chance(30)) body.push(...this.#changes(room, 2));
    return body;
  }

  #nest(room: Room, left: number): Statement {
    const choices = this.#choices;
    const kind = choices.pick([
      'block',
      'function',
      'count',
      'catch',
      'each',
      'if',
      'class',
      'switch',
      'method',
    ] as const);
    const inside = (...more: [string, Shape, boolean][]): Statement[] => {
      const around = new Room(room);
      for (const [name, shape, isMutable] of more) around.add(name, shape, isMutable);
      return this.#layer(this.#bodyOf(around), left);
    };
    switch (kind) {
      case 'block':
        return { type: 'block', body: inside() };
      case 'if':
        return { type: 'if', test: constant(1), yes: inside(), no: [] };
      case 'function': {
        const { fn, args } = this.#scopeFunction(room, left);
        return run(call(fn, args));
      }
      case 'count': {
        const isVar = choices.chance(25);
        const name = isVar ? this.#freshName() : choices.pick(names);
        const body = inside([name, numberShape, false]);
        return { type: 'count', kind: isVar ? 'var' : 'let', name, count: 1 + choices.below(3), body };
      }
      case 'each': {
        const name = choices.pick(names);
        // What the loop goes over cannot see the variable of the loop.
        const values = list([0, 1].map(() => this.#number(new Room(room, [name]))));
        const isMutable = choices.chance(50);
        const body = inside([name, numberShape, isMutable]);
        return { type: 'each', kind: isMutable ? 'let' : 'const', target: named(name), values, body };
      }
      case 'catch': {
        const name = choices.pick(names);
        const thrown = this.#number(room);
        const isFields = choices.chance(40);
        return {
          type: 'try',
          body: [{ type: 'throw', value: isFields ? object([['p', thrown]]) : thrown }],
          caught: isFields ? { type: 'fields', fields: [{ key: 'p', target: named(name) }] } : named(name),
          handler: inside([name, numberShape, true]),
          last: choices.chance(20) ? this.#changes(room, 1) : [],
        };
      }
      case 'switch': {
        const scope = this.#room(room);
        const first = this.#declarations(scope, 1);
        return { type: 'switch', at: 0, clauses: [first, this.#layer(scope, left)] };
      }
      case 'class': {
        const name = this.#take(room);
        const tree: ClassTree & { name: string } = {
          type: 'class',
          name,
          members: [{ type: 'staticBlock', body: inside() }],
        };
        return { type: 'declareClass', class: tree };
      }
      case 'method': {
        const name = choices.pick(names);
        const body = inside([name, numberShape, true]);
        const fn: FunctionTree = { type: 'function', form: 'function', parameters: [named(name)], body };
        const holder: Expression = { type: 'object', members: [{ type: 'method', key: 'm', fn }] };
        return run(call(member(holder, 'm'), [this.#number(room)]));
      }
    }
  }

  /** A function whose body is a layer, and the arguments that it is called with. */
  #scopeFunction(room: Room, left: number): { fn: FunctionTree; args: Expression[] } {
    const choices = this.#choices;
    const around = new Room(room);
    const form = choices.pick(['arrow', 'function'] as const);
    const name = form === 'function' && choices.chance(40) ? this.#freshName() : undefined;
    const { patterns, parameters } = this.#parameters(around);
    const body = this.#layer(this.#bodyOf(around), left);
    const args = this.#arguments(room, parameters);
    return { fn: { type: 'function', form, name, parameters: patterns, body }, args };
  }

  #task(room: Room): FunctionTree {
    const choices = this.#choices;
    const form = choices.pick(['arrow', 'function', 'async arrow'] as const);
    const around = new Room(room);
    const name = choices.pick(names);
    around.add(name, numberShape, true);
    const [body] = this.#measured(() => {
      const inside = this.#bodyOf(around, 2);
      const statements = [...this.#declarations(inside, choices.below(3)), ...this.#changes(inside, choices.below(3))];
      const results = Array.from({ length: 2 + choices.below(4) }, () => this.#number(inside));
      const found = inside.visible().filter(({ shape }) => shape.kind !== 'number');
      // What is left on the tape goes into reading all that there is.
      for (const each of found.slice(0, 8)) {
        const read = this.#reach(variable(each.name), each.shape, inside, 0);
        if (read !== undefined) results.push(read);
      }
      const numbers = inside.visible().filter(({ shape }) => shape.kind === 'number');
      results.push(...numbers.slice(0, 6).map((each) => variable(each.name)));
      const value = choices.chance(20) ? object([['p', list(results)]]) : list(results);
      return [...statements, give(value)];
    });
    return { type: 'function', form, parameters: [named(name)], body };
  }

  // Names

  /** A scope that is about to declare some names, of which others may be declared around it. */
  #room(outer: Room | undefined, most = 3): Room {
    const planned = new Set<string>();
    for (let i = this.#choices.below(most + 1); i > 0; i--) planned.add(this.#choices.pick(names));
    return new Room(outer, [...planned]);
  }

  /** The scope of a body, where the names of `around`, of parameters or of a `catch`, cannot be declared again. */
  #bodyOf(around: Room, most = 3): Room {
    const room = this.#room(around, most);
    return new Room(
      around,
      room.planned.filter((name) => !around.has(name)),
    );
  }

  /** The next name that a scope is to declare. */
  #take(room: Room): string {
    return room.planned.shift() ?? this.#freshName();
  }

  #freshName(): string {
    return `v${++this.#fresh}`;
  }

  // Statements

  #declarations(room: Room, count: number): Statement[] {
    return Array.from({ length: count }, () => this.#declaration(room)).flat();
  }

  #declaration(room: Room): Statement[] {
    const kinds = [
      () => this.#declareNumber(room),
      () => this.#declareNumber(room),
      () => this.#declareFunction(room),
      () => this.#declareFunction(room),
      () => this.#declareObject(room),
      () => this.#declareFactory(room),
      () => this.#declareClass(room),
      () => this.#declareRecursion(room),
      () => this.#declareMutualRecursion(room),
      () => this.#declareFunctionsOfLoop(room),
      () => this.#declareMap(room),
      () => this.#declareGenerator(room),
      () => this.#declareParts(room),
      () => this.#declareMemory(room),
      () => this.#declareCircle(room),
      () => this.#declareReplaced(room),
    ];
    return this.#choices.pick(kinds)();
  }

  #kind(): DeclarationKind {
    return this.#choices.pick(['const', 'let', 'var'] as const);
  }

  /** Declares a variable in a scope, of which nothing is known before that. */
  #declared(room: Room, value: Expression, shape: Shape, kind = this.#kind()): [string, Statement[]] {
    // A `var` belongs to the function around, where its name could be taken.
    const name = kind === 'var' ? this.#freshName() : this.#take(room);
    room.add(name, shape, kind !== 'const' && shape.kind === 'number');
    return [name, [declare(kind, name, value)]];
  }

  #declareNumber(room: Room): Statement[] {
    return this.#declared(room, this.#number(room), numberShape)[1];
  }

  #declareFunction(room: Room): Statement[] {
    const [fn, shape] = this.#function(room);
    if (this.#choices.chance(30)) {
      const name = this.#freshName();
      room.add(name, shape);
      return [{ type: 'declareFunction', fn: { ...fn, form: 'function', name } }];
    }
    return this.#declared(room, fn, shape)[1];
  }

  #declareObject(room: Room): Statement[] {
    const { members, shape } = this.#objectMembers(room);
    return this.#declared(room, { type: 'object', members }, shape)[1];
  }

  /** A function that makes closures over its own variables, and what it has made, once or twice. */
  #declareFactory(room: Room): Statement[] {
    const choices = this.#choices;
    const around = new Room(room);
    const [made, cost] = this.#measured(() => {
      const { patterns, parameters } = this.#parameters(around);
      const inside = this.#bodyOf(around);
      const body = this.#declarations(inside, 1 + choices.below(2));
      const counter = this.#take(inside);
      body.push(declare('let', counter, this.#number(inside)));
      inside.add(counter, numberShape, true);
      const { members, shape } = this.#objectMembers(inside, counter);
      return { patterns, parameters, body: [...body, give({ type: 'object', members })], shape };
    });
    const form = choices.pick(['arrow', 'function'] as const);
    const { parameters } = made;
    const fn: FunctionTree = { type: 'function', form, parameters: made.patterns, body: made.body };
    const [factory, statements] = this.#declared(
      room,
      fn,
      { kind: 'function', parameters, result: made.shape, cost },
      'const',
    );
    for (let i = 1 + choices.below(2); i > 0; i--) {
      const instance = copyOf(made.shape);
      statements.push(...this.#declared(room, call(variable(factory), this.#arguments(room, parameters)), instance)[1]);
    }
    if (choices.chance(60)) statements.push(...this.#changes(room, 1));
    return statements;
  }

  #declareClass(room: Room): Statement[] {
    const parents = room.visible().filter(({ shape }) => shape.kind === 'class');
    const parent = parents.length > 0 && this.#choices.chance(60) ? this.#choices.pick(parents) : undefined;
    const name = this.#take(room);
    const { tree, shape } = this.#class(room, parent, name);
    const statements: Statement[] = [];
    if (this.#choices.chance(30)) statements.push(declare('const', name, { ...tree, name: this.#freshName() }));
    else statements.push({ type: 'declareClass', class: { ...tree, name } });
    room.add(name, shape);
    for (let i = this.#choices.below(3); i > 0; i--) {
      statements.push(...this.#declared(room, this.#newOf(variable(name), shape, room), copyOf(shape.instance))[1]);
    }
    return statements;
  }

  #newOf(callee: Expression, shape: Extract<Shape, { kind: 'class' }>, room: Room): Expression {
    const args = Array.from({ length: shape.parameters }, () => this.#number(room));
    this.#spend(shape.cost);
    return { type: 'new', callee, args };
  }

  /** `n <= 0 ? … : f(n - 1) + …`, as a declaration, an arrow function or a function that knows its own name. */
  #declareRecursion(room: Room): Statement[] {
    const form = this.#choices.pick(['declaration', 'arrow', 'named'] as const);
    const name = form === 'declaration' ? this.#freshName() : this.#take(room);
    const own = form === 'named' ? this.#freshName() : name;
    const [fn, shape] = this.#recursive(room, own, own);
    room.add(name, shape);
    if (form === 'declaration') return [{ type: 'declareFunction', fn: { ...fn, form: 'function', name } }];
    if (form === 'arrow') return [declare('const', name, { ...fn, form: 'arrow' })];
    return [declare('const', name, { ...fn, form: 'function', name: own })];
  }

  /** A function `own` that calls `other`, which may be itself, with less. */
  #recursive(room: Room, own: string, other: string): [FunctionTree, FunctionShape] {
    const around = new Room(room, [own, other]);
    const n = this.#choices.pick(names.filter((name) => name !== own && name !== other));
    around.add(n, numberShape);
    const [[base, more], cost] = this.#measured(() => [this.#number(around), this.#number(around)] as const);
    // Of a number of any size, not more than the last bits count.
    const next: Expression = call(variable(other), [binary(variable(n), '-', constant(1))]);
    const body: Expression = {
      type: 'choose',
      test: binary(binary(variable(n), '%', constant(5)), '<=', constant(0)),
      yes: base,
      no: bounded(binary(more, '+', next)),
    };
    const shape: FunctionShape = { kind: 'function', parameters: ['number'], result: numberShape, cost: 5 * cost };
    return [{ type: 'function', form: 'arrow', parameters: [named(n)], body }, shape];
  }

  #declareMutualRecursion(room: Room): Statement[] {
    const isHoisted = this.#choices.chance(50);
    const [one, two] = isHoisted ? [this.#freshName(), this.#freshName()] : [this.#take(room), this.#take(room)];
    const [first, shape] = this.#recursive(room, one, two);
    const [second, { cost }] = this.#recursive(room, two, one);
    const both: FunctionShape = { ...shape, cost: shape.cost + cost };
    room.add(one, both);
    room.add(two, both);
    if (!isHoisted) return [declare('const', one, first), declare('const', two, second)];
    return [
      { type: 'declareFunction', fn: { ...first, form: 'function', name: one } },
      { type: 'declareFunction', fn: { ...second, form: 'function', name: two } },
    ];
  }

  /** Functions that a loop makes, each with variables of its own turn. */
  #declareFunctionsOfLoop(room: Room): Statement[] {
    const choices = this.#choices;
    const fns = this.#take(room);
    const count = 1 + choices.below(3);
    const isVar = choices.chance(25);
    const around = new Room(room, [fns]);
    const i = isVar ? this.#freshName() : choices.pick(names.filter((name) => name !== fns));
    around.add(i, numberShape, false);
    const inside = this.#room(around, 0);
    const own = choices.pick(names.filter((name) => name !== fns && name !== i));
    const body: Statement[] = [];
    let shape: FunctionShape | undefined;
    const grow = (): void => {
      // Its value tells the turns apart: functions whose variables are equal in everything may be taken for one.
      const start = binary(binary(variable(i), '*', constant(7)), '+', constant(choices.below(5)));
      body.push(declare('let', own, start));
      inside.add(own, numberShape, true);
      const [fn, made] = this.#function(inside, own);
      shape = made;
      body.push(run(call(member(variable(fns), 'push'), [fn])));
    };
    grow();
    room.add(fns, { kind: 'list', of: shape as FunctionShape, length: count });
    return [declare('const', fns, list([])), { type: 'count', kind: isVar ? 'var' : 'let', name: i, count, body }];
  }

  #declareMap(room: Room): Statement[] {
    const [fn, shape] = this.#function(room);
    const value: [Expression, Shape] = this.#choices.chance(60) ? [fn, shape] : [this.#number(room), numberShape];
    const entries = list([list([constant('k'), value[0]]), list([constant('l'), value[0]])]);
    // The second one is another function with the same text.
    const map: Expression = { type: 'new', callee: variable('Map'), args: [entries] };
    return this.#declared(room, map, { kind: 'map', of: value[1], keys: ['k', 'l'] })[1];
  }

  #declareGenerator(room: Room): Statement[] {
    const around = new Room(room);
    const n = this.#choices.pick(names);
    around.add(n, numberShape, true);
    const [body, cost] = this.#measured(() => {
      const inside = this.#bodyOf(around);
      const before = this.#declarations(inside, this.#choices.below(2));
      const turn = new Room(inside);
      const i = this.#choices.pick(names);
      turn.add(i, numberShape);
      const value = this.#repeated(2, () => this.#number(turn));
      const loop: Statement = { type: 'count', kind: 'let', name: i, count: 2, body: [{ type: 'yield', value }] };
      return [...before, loop, { type: 'yield', value: this.#number(inside) } as const];
    });
    const fn: FunctionTree = { type: 'function', form: 'generator', parameters: [named(n)], body };
    return this.#declared(room, fn, { kind: 'generator', cost })[1];
  }

  /** Takes an object or a list apart. */
  #declareParts(room: Room): Statement[] {
    const [one, two] = [this.#take(room), this.#take(room)];
    const kind = this.#choices.pick(['const', 'let'] as const);
    const [first, second] = [this.#number(room), this.#number(room)];
    const isList = this.#choices.chance(50);
    const later = this.#choices.chance(50);
    const target = (name: string): Pattern =>
      later ? { type: 'default', target: named(name), value: second } : named(name);
    const statement = isList
      ? declare(kind, { type: 'items', items: [named(one)], rest: named(two) }, list([first, second, constant(3)]))
      : declare(
          kind,
          {
            type: 'fields',
            fields: [
              { key: 'p', target: named(one) },
              { key: 'q', target: target(two) },
            ],
          },
          object([['p', first], ...(later ? [] : [['q', second] as const])]),
        );
    room.add(one, numberShape, kind === 'let');
    room.add(two, isList ? { kind: 'list', of: numberShape, length: 2 } : numberShape, kind === 'let' && !isList);
    return [statement];
  }

  /** A function that remembers what it has given. */
  #declareMemory(room: Room): Statement[] {
    const [cache, cached] = this.#declared(
      room,
      { type: 'new', callee: variable('Map'), args: [] },
      numberShape,
      'const',
    );
    // It is no number; nothing is known of it.
    room.add(cache, { kind: 'map', of: numberShape, keys: [] });
    const around = new Room(room);
    const n = this.#choices.pick(names.filter((name) => name !== cache));
    around.add(n, numberShape);
    const [value, cost] = this.#measured(() => this.#number(around));
    const store = call(member(variable(cache), 'set'), [variable(n), value]);
    const body: Statement[] = [
      {
        type: 'if',
        test: {
          type: 'choose',
          test: call(member(variable(cache), 'has'), [variable(n)]),
          yes: constant(0),
          no: constant(1),
        },
        yes: [run(store)],
        no: [],
      },
      give(binary(call(member(variable(cache), 'get'), [variable(n)]), '+', member(variable(cache), 'size'))),
    ];
    const fn: FunctionTree = { type: 'function', form: 'arrow', parameters: [named(n)], body };
    const shape: Shape = { kind: 'function', parameters: ['number'], result: numberShape, cost: cost + 1 };
    return [...cached, ...this.#declared(room, fn, shape)[1]];
  }

  /** Data with circles, and with parts that are in several places. */
  #declareCircle(room: Room): Statement[] {
    const part: ObjectShape = objectShape([['p', numberShape]]);
    const [first, statements] = this.#declared(room, object([['p', this.#number(room)]]), part, 'const');
    const whole: ObjectShape = objectShape([
      ['q', part],
      ['r', part],
      ['s', { kind: 'list', of: part, length: 2 }],
    ]);
    const pair = list([variable(first), variable(first)]);
    const value = object([
      ['q', variable(first)],
      ['r', variable(first)],
      ['s', pair],
    ]);
    const [second, more] = this.#declared(room, value, whole, 'const');
    statements.push(...more);
    if (this.#choices.chance(60)) {
      statements.push(run(assign(member(variable(second), 'self'), variable(second))));
      whole.members.set('self', whole);
      statements.push(run(assign(member(variable(first), 'whole'), variable(second))));
      part.members.set('whole', whole);
    }
    return statements;
  }

  /** `let f = …; const old = f; f = …` with the old one in the new one. */
  #declareReplaced(room: Room): Statement[] {
    const [fn, shape] = this.#function(room);
    const [name, statements] = this.#declared(room, fn, shape, 'let');
    const [old, kept] = this.#declared(room, variable(name), shape, 'const');
    const around = new Room(room, [name]);
    const parameters: Parameter[] = [];
    const [value, cost] = this.#measured(() => this.#reach(variable(old), shape, around, 0) ?? this.#number(around));
    const next: FunctionTree = { type: 'function', form: 'arrow', parameters: [], body: value };
    room.add(name, { kind: 'function', parameters, result: numberShape, cost });
    return [...statements, ...kept, run(assign(variable(name), next))];
  }

  /** Statements that change something: before the task travels, or in it. */
  #changes(room: Room, count: number): Statement[] {
    return Array.from({ length: count }, () => {
      const target = this.#target(room);
      if (target !== undefined && this.#choices.chance(60)) {
        return run(assign(target, bounded(this.#number(room)), this.#choices.pick(['=', '+=', '-='] as const)));
      }
      const swapped = this.#choices.chance(30) ? this.#swap(room) : undefined;
      if (swapped !== undefined) return run(swapped);
      if (this.#choices.chance(25)) {
        const inside = this.#room(new Room(room));
        const body = [...this.#declarations(inside, 1), run(this.#number(inside))];
        const test = binary(this.#number(room), '<', constant(5));
        return { type: 'if', test, yes: body, no: [run(this.#number(room))] } as const;
      }
      return run(this.#number(room));
    });
  }

  /** Assigns to one or two variables by a pattern. It is the value that is taken apart. */
  #swap(room: Room): Expression | undefined {
    const found = room.visible().filter(({ shape, isMutable }) => shape.kind === 'number' && isMutable);
    if (found.length === 0) return undefined;
    const [one, two] = [this.#choices.pick(found).name, this.#choices.pick(found).name];
    const [first, second] = [this.#leaf(room.visible()), this.#leaf(room.visible())];
    if (this.#choices.chance(50)) {
      const target: Pattern = {
        type: 'items',
        items: [named(one), { type: 'default', target: named(two), value: second }],
      };
      return { type: 'destructure', target, value: list([first]) };
    }
    // As `{ one, p: two }`, where the name of the variable is not another one in this file.
    const fields = [
      { key: one, target: named(one) },
      { key: 'p', target: named(two) },
    ];
    const value = object([
      [one, first],
      ['p', second],
    ]);
    return { type: 'destructure', target: { type: 'fields', fields }, value };
  }

  /** A number that can be assigned to. */
  #target(room: Room): Target | undefined {
    const found = room.visible().flatMap((each): Target[] => {
      if (each.shape.kind === 'number') return each.isMutable ? [variable(each.name)] : [];
      if (each.shape.kind === 'object') {
        return [...each.shape.setters].map((key) => member(variable(each.name), key));
      }
      return [];
    });
    return found.length === 0 ? undefined : this.#choices.pick(found);
  }

  // Functions

  /** Parameters, which are declared in `room`. */
  #parameters(room: Room): { patterns: Pattern[]; parameters: Parameter[] } {
    const choices = this.#choices;
    const own = [...names];
    const name = (): string => own.splice(choices.below(own.length), 1)[0] as string;
    const patterns: Pattern[] = [];
    const parameters: Parameter[] = [];
    const count = choices.below(3);
    const chosen = Array.from({ length: count * 2 }, name);
    // No default sees a name that is declared to its right.
    const before = new Room(room, chosen);
    for (let i = 0; i < count; i++) {
      const [one, two] = chosen.splice(0, 2) as [string, string];
      const kind = choices.pick(['number', 'default', 'fields', 'items'] as const);
      parameters.push(kind);
      const value = kind === 'number' ? constant(0) : this.#number(before);
      const withDefault: Pattern = { type: 'default', target: named(two), value };
      before.add(one, numberShape);
      room.add(one, numberShape, true);
      if (kind === 'number') patterns.push(named(one));
      else if (kind === 'default') patterns.push({ type: 'default', target: named(one), value });
      else {
        if (kind === 'items') patterns.push({ type: 'items', items: [named(one), withDefault] });
        else {
          const fields = [
            { key: 'p', target: named(one) },
            { key: 'q', target: withDefault },
          ];
          patterns.push({ type: 'fields', fields });
        }
        before.add(two, numberShape);
        room.add(two, numberShape, true);
      }
    }
    return { patterns, parameters };
  }

  #arguments(room: Room, parameters: readonly Parameter[]): Expression[] {
    const args = parameters.map((each) => {
      switch (each) {
        case 'number':
          return this.#number(room);
        case 'default':
          return this.#choices.chance(50) ? this.#number(room) : constant(undefined);
        case 'items':
          return list([this.#number(room), ...(this.#choices.chance(50) ? [this.#number(room)] : [])]);
        case 'fields':
          return object([
            ['p', this.#number(room)],
            ...(this.#choices.chance(50) ? [['q', this.#number(room)] as const] : []),
          ]);
      }
    });
    return args;
  }

  /** A function that gives a number, or now and then a function. `favourite` is a variable that it changes. */
  #function(room: Room, favourite?: string): [FunctionTree, FunctionShape] {
    const choices = this.#choices;
    const around = new Room(room);
    let result: Shape = numberShape;
    let patterns: Pattern[] = [];
    let parameters: Parameter[] = [];
    const [body, cost] = this.#measured((): Statement[] | Expression => {
      ({ patterns, parameters } = this.#parameters(around));
      const isLeaf = choices.chance(60);
      if (isLeaf) return this.#changed(around, favourite);
      const inside = this.#bodyOf(around);
      const statements = [
        ...(this.#depth < MAX_DEPTH ? this.#declarations(inside, choices.below(3)) : []),
        ...this.#changes(inside, choices.below(2)),
      ];
      if (choices.chance(20) && this.#depth < MAX_DEPTH) {
        const [fn, shape] = this.#function(inside);
        result = shape;
        return [...statements, give(fn)];
      }
      return [...statements, give(this.#changed(inside, favourite))];
    });
    const form = choices.pick(['arrow', 'function'] as const);
    const shape: FunctionShape = { kind: 'function', parameters, result, cost };
    return [{ type: 'function', form, parameters: patterns, body }, shape];
  }

  /** A number, for which the favourite variable is changed, if that one is still seen. */
  #changed(room: Room, favourite: string | undefined): Expression {
    const seen = room.visible().find(({ name, isMutable }) => name === favourite && isMutable);
    if (seen === undefined || this.#choices.chance(30)) return this.#number(room);
    return assign(variable(seen.name), bounded(this.#number(room)), this.#choices.pick(['+=', '-=', '='] as const));
  }

  #depth = 0;

  /** What `body` makes, as the code of a function, and what one call of that costs. */
  #measured<T>(body: () => T): [T, number] {
    const { times } = this.#effort;
    const outer = this.#effort;
    this.#effort = { cost: 1, times: 1 };
    const self = this.#self;
    this.#self = undefined;
    this.#depth++;
    const result = body();
    this.#depth--;
    this.#self = self;
    const { cost } = this.#effort;
    this.#effort = { ...outer, times };
    return [result, cost];
  }

  #repeated<T>(times: number, body: () => T): T {
    this.#effort.times *= times;
    const result = body();
    this.#effort.times /= times;
    return result;
  }

  #canSpend(cost: number): boolean {
    return this.#effort.cost + cost * this.#effort.times <= COST_LIMIT;
  }

  #spend(cost: number): void {
    this.#effort.cost += cost * this.#effort.times;
  }

  // Objects and classes

  #objectMembers(room: Room, favourite?: string): { members: ObjectMember[]; shape: ObjectShape } {
    const choices = this.#choices;
    const shape = objectShape([]);
    const members: ObjectMember[] = [];
    const available: string[] = [...keys];
    for (let i = 1 + choices.below(3); i > 0; i--) {
      const key = available.splice(choices.below(available.length), 1)[0] as string;
      const kind = choices.pick([
        'field',
        'function',
        'method',
        'getter',
        'known',
        'nested',
        'accessors',
        'spread',
        'shorthand',
      ] as const);
      switch (kind) {
        case 'field':
          members.push({ type: 'field', key, value: this.#number(room), isComputed: choices.chance(20) });
          shape.members.set(key, numberShape);
          shape.setters.add(key);
          break;
        case 'function': {
          const [fn, made] = this.#function(room, favourite);
          members.push({ type: 'field', key, value: fn });
          shape.members.set(key, made);
          break;
        }
        case 'method': {
          const [fn, made] = this.#method(room, shape, favourite);
          members.push({ type: 'method', key, fn });
          shape.members.set(key, made);
          break;
        }
        case 'accessors':
        case 'getter': {
          const [value, cost] = this.#measured(() => this.#changed(new Room(room), favourite));
          if (cost > 8) break;
          members.push({
            type: 'getter',
            key,
            fn: { type: 'function', form: 'function', parameters: [], body: value },
          });
          shape.members.set(key, numberShape);
          if (kind === 'getter' || favourite === undefined) break;
          const seen = room.visible().find(({ name, isMutable }) => name === favourite && isMutable);
          if (seen === undefined) break;
          const body = [run(assign(variable(favourite), variable('given')))];
          members.push({
            type: 'setter',
            key,
            fn: { type: 'function', form: 'function', parameters: [named('given')], body },
          });
          shape.setters.add(key);
          break;
        }
        case 'known': {
          const found = room.visible().filter(({ shape: { kind: is } }) => is === 'object' || is === 'function');
          if (found.length === 0) break;
          const each = choices.pick(found);
          members.push({ type: 'field', key, value: variable(each.name) });
          shape.members.set(key, each.shape);
          break;
        }
        case 'spread': {
          // Methods would find another `this`.
          const found = room.visible().filter(({ shape: is }) => is.kind === 'object' && isPlain(is));
          if (found.length === 0) break;
          const each = choices.pick(found) as Variable & { shape: ObjectShape };
          members.unshift({ type: 'spread', value: variable(each.name) });
          for (const [name, of] of each.shape.members) {
            if (!shape.members.has(name)) shape.members.set(name, of);
          }
          break;
        }
        case 'shorthand': {
          const found = room.visible().filter(({ shape: is }) => is.kind === 'number');
          if (found.length === 0) break;
          const { name } = choices.pick(found);
          if (shape.members.has(name)) break;
          members.push({ type: 'field', key: name, value: variable(name) });
          shape.members.set(name, numberShape);
          shape.setters.add(name);
          break;
        }
        case 'nested':
          members.push({ type: 'field', key, value: object([['p', this.#number(room)]]) });
          shape.members.set(key, objectShape([['p', numberShape]]));
          break;
      }
    }
    if (favourite !== undefined) {
      const [fn, made] = this.#function(room, favourite);
      members.push({ type: 'field', key: 'count', value: fn });
      shape.members.set('count', made);
      members.push({
        type: 'field',
        key: 'get',
        value: { type: 'function', form: 'arrow', parameters: [], body: variable(favourite) },
      });
      shape.members.set('get', { kind: 'function', parameters: [], result: numberShape, cost: 1 });
    }
    return { members, shape };
  }

  /** A method, which may use what its object has so far. */
  #method(room: Room, self: ObjectShape, favourite?: string): [FunctionTree, FunctionShape] {
    const around = new Room(room);
    const known: ObjectShape = copyOf(self);
    const [{ patterns, parameters, body }, cost] = this.#measured(() => {
      const made = this.#parameters(around);
      this.#self = known;
      return { ...made, body: this.#changed(around, favourite) };
    });
    const shape: FunctionShape = { kind: 'function', parameters, result: numberShape, cost };
    return [{ type: 'function', form: 'function', parameters: patterns, body }, shape];
  }

  #class(
    room: Room,
    parent: Variable | undefined,
    className: string,
  ): { tree: ClassTree; shape: Extract<Shape, { kind: 'class' }> } {
    const choices = this.#choices;
    const base = parent?.shape as Extract<Shape, { kind: 'class' }> | undefined;
    const around = new Room(room, [className]);
    const instance: ObjectShape = base === undefined ? objectShape([]) : copyOf(base.instance);
    // `this` in a static method that uses private fields has to be the class itself.
    const statics = new Map([...(base?.statics ?? [])].filter(([key]) => !key.startsWith('count')));
    const members: ClassMember[] = [];
    /** Members that only code of this class sees. */
    const inner: ObjectShape = copyOf(instance);
    const depth = base === undefined ? '' : String(this.#fresh++);
    let fieldCost = 0;
    for (let i = 1 + choices.below(4); i > 0; i--) {
      const name = choices.pick(keys);
      const kind = choices.pick([
        'field',
        'private',
        'method',
        'getter',
        'static',
        'staticPrivate',
        'privateMethod',
        'staticMethod',
      ] as const);
      // Each class has public names of its own, and private ones that others have, too.
      const key = kind === 'private' || kind === 'privateMethod' ? `#${name}` : name + depth;
      if (members.some((each) => each.type !== 'staticBlock' && each.key === key)) continue;
      switch (kind) {
        case 'field':
        case 'private': {
          const [value, cost] = this.#measured(() => this.#number(around));
          fieldCost += cost;
          members.push({ type: 'field', isStatic: false, key, value });
          inner.members.set(key, numberShape);
          inner.setters.add(key);
          if (kind === 'field') {
            instance.members.set(key, numberShape);
            instance.setters.add(key);
          }
          break;
        }
        case 'method':
        case 'privateMethod': {
          const [fn, shape] = this.#method(around, inner);
          members.push({ type: 'method', isStatic: false, key, fn });
          inner.members.set(key, shape);
          if (kind === 'method') instance.members.set(key, shape);
          break;
        }
        case 'getter': {
          const known = copyOf(inner);
          const [body, cost] = this.#measured(() => {
            this.#self = known;
            return this.#number(around);
          });
          if (cost > 8) break;
          members.push({
            type: 'getter',
            isStatic: false,
            key,
            fn: { type: 'function', form: 'function', parameters: [], body },
          });
          inner.members.set(key, numberShape);
          instance.members.set(key, numberShape);
          break;
        }
        case 'static': {
          if (statics.has(key)) break;
          const isFunction = choices.chance(40);
          const [value, shape] = isFunction ? this.#function(around) : [this.#number(around), numberShape];
          members.push({ type: 'field', isStatic: true, key, value });
          statics.set(key, shape);
          break;
        }
        case 'staticPrivate': {
          // Counted by a static method, which is called by the name of the class.
          const counter = `#n${this.#fresh++}`;
          const count = `count${this.#fresh++}`;
          members.push({ type: 'field', isStatic: true, key: counter, value: this.#number(around) });
          const target: Target = member({ type: 'this' }, counter);
          const [value, cost] = this.#measured(() => this.#number(around));
          const fn: FunctionTree = {
            type: 'function',
            form: 'function',
            parameters: [],
            body: assign(target, bounded(value), '+='),
          };
          members.push({ type: 'method', isStatic: true, key: count, fn });
          members.push({ type: 'staticBlock', body: [run(call(member({ type: 'this' }, count)))] });
          statics.set(count, { kind: 'function', parameters: [], result: numberShape, cost: cost + 1 });
          break;
        }
        case 'staticMethod': {
          const [fn, shape] = this.#function(around);
          if (statics.has(key)) break;
          members.push({ type: 'method', isStatic: true, key, fn: { ...fn, form: 'function' } });
          statics.set(key, shape);
          break;
        }
      }
    }
    if (base !== undefined && choices.chance(60)) {
      const methods = [...base.instance.members].filter(([, shape]) => shape.kind === 'function');
      if (methods.length > 0) {
        // Overrides a method, and calls the one that it hides.
        const [key, shape] = choices.pick(methods) as [string, FunctionShape];
        const [body, cost] = this.#measured(() => {
          const args = this.#arguments(around, shape.parameters);
          this.#spend(shape.cost);
          return bounded(binary(call({ type: 'superMember', key }, args), '+', this.#number(around)));
        });
        if (!members.some((each) => each.type !== 'staticBlock' && each.key === key)) {
          members.push({
            type: 'method',
            isStatic: false,
            key,
            fn: { type: 'function', form: 'function', parameters: [], body },
          });
          instance.members.set(key, { kind: 'function', parameters: [], result: numberShape, cost });
        }
      }
    }
    let parameters = base?.parameters ?? 0;
    let constructorOf: FunctionTree | undefined;
    let constructorCost = 0;
    if (choices.chance(60)) {
      const inside = new Room(around);
      const given = choices.pick(names);
      inside.add(given, numberShape, true);
      const [body, cost] = this.#measured((): Statement[] => {
        const statements: Statement[] = [];
        if (base !== undefined) {
          statements.push(
            run({ type: 'superCall', args: Array.from({ length: base.parameters }, () => this.#number(inside)) }),
          );
        }
        const target = [...inner.setters].map((key) => member({ type: 'this' }, key));
        if (target.length > 0) statements.push(run(assign(choices.pick(target), this.#number(inside))));
        statements.push(run(assign(member({ type: 'this' }, `own${depth}`), variable(given))));
        return statements;
      });
      instance.members.set(`own${depth}`, numberShape);
      constructorCost = cost;
      parameters = 1;
      constructorOf = { type: 'function', form: 'function', parameters: [named(given)], body };
    }
    const cost = (base?.cost ?? 0) + fieldCost + constructorCost + 1;
    const parentOf = parent === undefined ? undefined : variable(parent.name);
    return {
      tree: { type: 'class', parent: parentOf, constructorOf, members },
      shape: { kind: 'class', parameters, instance, statics, cost },
    };
  }

  // Numbers

  /** An expression that is a number. */
  #number(room: Room, depth = 0): Expression {
    const choices = this.#choices;
    const seen = room.visible();
    if (depth > 2) return this.#leaf(seen);
    const kind = choices.pick([
      'leaf',
      'use',
      'use',
      'leaf',
      'sum',
      'set',
      'use',
      'choose',
      'call',
      'self',
      'map',
    ] as const);
    switch (kind) {
      case 'leaf':
        return this.#leaf(seen);
      case 'sum': {
        const operator = choices.pick(['+', '-', '*'] as const);
        return bounded(binary(this.#number(room, depth + 1), operator, this.#number(room, depth + 1)));
      }
      case 'choose':
        return {
          type: 'choose',
          test: binary(this.#number(room, depth + 1), choices.pick(['<', '<=', '==='] as const), this.#leaf(seen)),
          yes: this.#number(room, depth + 1),
          no: this.#leaf(seen),
        };
      case 'set': {
        const target = this.#target(room);
        if (target === undefined) break;
        if (choices.chance(20)) {
          const swapped = this.#swap(room);
          if (swapped?.type === 'destructure' && swapped.target.type === 'items') return item(swapped, 0);
        }
        if (choices.chance(40)) return { type: 'step', target, isPrefix: choices.chance(50) };
        return assign(target, bounded(this.#number(room, depth + 1)), choices.pick(['+=', '=', '-='] as const));
      }
      case 'use': {
        const found = seen.filter(({ shape }) => shape.kind !== 'number');
        if (found.length === 0) break;
        const each = choices.pick(found);
        return this.#reach(variable(each.name), each.shape, room, depth + 1) ?? this.#leaf(seen);
      }
      case 'self': {
        if (this.#self === undefined) break;
        return this.#reach({ type: 'this' }, this.#self, room, depth + 1) ?? this.#leaf(seen);
      }
      case 'call': {
        // A function that is called where it stands.
        const around = new Room(room);
        const [{ patterns, parameters, body }, cost] = this.#measured(() => ({
          ...this.#parameters(around),
          body: this.#number(around, depth + 1),
        }));
        if (!this.#canSpend(cost)) break;
        this.#spend(cost);
        return call({ type: 'function', form: 'arrow', parameters: patterns, body }, this.#arguments(room, parameters));
      }
      case 'map': {
        const around = new Room(room);
        const own = choices.pick(names);
        around.add(own, numberShape, true);
        const [body, cost] = this.#measured(() => this.#number(around, depth + 1));
        if (!this.#canSpend(2 * cost)) break;
        this.#spend(2 * cost);
        const fn: FunctionTree = { type: 'function', form: 'arrow', parameters: [named(own)], body };
        const mapped = call(member(list([this.#leaf(seen), constant(2)]), 'map'), [fn]);
        return item(mapped, choices.below(2));
      }
    }
    return this.#leaf(seen);
  }

  #leaf(seen: readonly Variable[]): Expression {
    const numbers = seen.filter(({ shape }) => shape.kind === 'number');
    if (numbers.length === 0 || this.#choices.chance(25)) return constant(this.#choices.below(7));
    return variable(this.#choices.pick(numbers).name);
  }

  /** A number that is got by way of `value`; none where that would take too long. */
  #reach(value: Expression, shape: Shape, room: Room, depth: number): Expression | undefined {
    const choices = this.#choices;
    if (depth > 6) return undefined;
    switch (shape.kind) {
      case 'number':
        return value;
      case 'list':
        return this.#reach(item(value, choices.below(shape.length)), shape.of, room, depth + 1);
      case 'map':
        if (shape.keys.length === 0) return member(value, 'size');
        return this.#reach(call(member(value, 'get'), [constant(choices.pick(shape.keys))]), shape.of, room, depth + 1);
      case 'object': {
        const members = [...shape.members];
        if (members.length === 0) return undefined;
        const [key, of] = choices.pick(members);
        return this.#reach(member(value, key), of, room, depth + 1);
      }
      case 'function':
        if (!this.#canSpend(shape.cost)) return undefined;
        this.#spend(shape.cost);
        return this.#reach(call(value, this.#few(room, depth, shape.parameters)), shape.result, room, depth + 1);
      case 'generator': {
        if (!this.#canSpend(shape.cost)) return undefined;
        this.#spend(shape.cost);
        const all = list([{ type: 'spread', value: call(value, [this.#leaf(room.visible())]) }]);
        return item(all, choices.below(3));
      }
      case 'class': {
        const statics = [...shape.statics];
        if (statics.length > 0 && choices.chance(60)) {
          const [key, of] = choices.pick(statics);
          return this.#reach(member(value, key), of, room, depth + 1);
        }
        if (!this.#canSpend(shape.cost)) return undefined;
        return this.#reach(this.#newOf(value, shape, room), shape.instance, room, depth + 1);
      }
    }
  }

  /** Arguments, which are simple ones in the depth of an expression. */
  #few(room: Room, depth: number, parameters: readonly Parameter[]): Expression[] {
    if (depth < 2) return this.#arguments(room, parameters);
    return parameters.map((each) => {
      const value = this.#leaf(room.visible());
      return each === 'items' ? list([value]) : each === 'fields' ? object([['p', value]]) : value;
    });
  }
}

/** A number that stays small, however often it is changed. */
function bounded(value: Expression): Expression {
  return binary(value, '%', constant(1009));
}

function object(fields: readonly (readonly [string, Expression])[]): Expression {
  return { type: 'object', members: fields.map(([key, value]) => ({ type: 'field', key, value })) };
}

function objectShape(members: readonly (readonly [string, Shape])[]): ObjectShape {
  const setters = members.filter(([, { kind }]) => kind === 'number').map(([key]) => key);
  return { kind: 'object', members: new Map(members), setters: new Set(setters) };
}

function copyOf({ members, setters }: ObjectShape): ObjectShape {
  return { kind: 'object', members: new Map(members), setters: new Set(setters) };
}

function isPlain({ members }: ObjectShape): boolean {
  return [...members.values()].every(({ kind }) => kind === 'number');
}
