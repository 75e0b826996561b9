/** A program as JavaScript. */

import {
  taskName,
  type ClassMember,
  type ClassTree,
  type Expression,
  type FunctionTree,
  type ObjectMember,
  type Pattern,
  type Program,
  type Spread,
  type Statement,
} from './tree.js';

/**
 * The text of a program, whose value `give` makes known.
 *
 * @param suffix What every name of a program at the top of a file ends with, so that several can stand there.
 * @param give The text that says where the task goes, given the text of its value.
 */
export function print({ body, isStrict, isTop }: Program, suffix: string, give: (value: string) => string): string {
  const printer = new Printer(isTop ? suffix : '');
  const task = printer.name(taskName);
  const text = [`let ${task};`, ...body.map((each) => printer.statement(each))].join('\n');
  if (isTop) return `${text}\n${give(task)}\n`;
  return `${give(`(() => {\n${isStrict ? `'use strict';\n` : ''}${text}\nreturn ${task};\n})()`)}\n`;
}

/** Names of JavaScript's own. */
const globals: ReadonlySet<string> = new Set(['Map']);

class Printer {
  readonly #suffix: string;

  constructor(suffix: string) {
    this.#suffix = suffix;
  }

  name(name: string): string {
    return globals.has(name) ? name : name + this.#suffix;
  }

  statement(statement: Statement): string {
    switch (statement.type) {
      case 'declare': {
        const value = statement.value === undefined ? '' : ` = ${this.expression(statement.value)}`;
        return `${statement.kind} ${this.pattern(statement.target)}${value};`;
      }
      case 'declareFunction':
        return this.#function(statement.fn);
      case 'declareClass':
        return this.#class(statement.class);
      case 'run':
        return `(${this.expression(statement.value)});`;
      case 'yield':
      case 'return':
      case 'throw':
        return `${statement.type} ${this.expression(statement.value)};`;
      case 'if': {
        const no = statement.no.length === 0 ? '' : ` else ${this.block(statement.no)}`;
        return `if (${this.expression(statement.test)}) ${this.block(statement.yes)}${no}`;
      }
      case 'block':
        return this.block(statement.body);
      case 'count': {
        const name = this.name(statement.name);
        const head = `${statement.kind} ${name} = 0; ${name} < ${statement.count}; ${name}++`;
        return `for (${head}) ${this.block(statement.body)}`;
      }
      case 'each': {
        const head = `${statement.kind} ${this.pattern(statement.target)} of ${this.expression(statement.values)}`;
        return `for (${head}) ${this.block(statement.body)}`;
      }
      case 'try': {
        const last = statement.last.length === 0 ? '' : ` finally ${this.block(statement.last)}`;
        const handler = `catch (${this.pattern(statement.caught)}) ${this.block(statement.handler)}`;
        return `try ${this.block(statement.body)} ${handler}${last}`;
      }
      case 'switch': {
        const clauses = statement.clauses.map(
          (body, i) => `case ${i}:\n${body.map((each) => this.statement(each)).join('\n')}`,
        );
        return `switch (${statement.at}) {\n${clauses.join('\n')}\n}`;
      }
    }
  }

  block(body: readonly Statement[]): string {
    return body.length === 0 ? '{}' : `{\n${body.map((each) => this.statement(each)).join('\n')}\n}`;
  }

  pattern(pattern: Pattern): string {
    switch (pattern.type) {
      case 'name':
        return this.name(pattern.name);
      case 'default':
        return `${this.pattern(pattern.target)} = ${this.expression(pattern.value)}`;
      case 'items': {
        const rest = pattern.rest === undefined ? [] : [`...${this.pattern(pattern.rest)}`];
        return `[${[...pattern.items.map((each) => this.pattern(each)), ...rest].join(', ')}]`;
      }
      case 'fields': {
        const fields = pattern.fields.map(({ key, target }) => {
          const text = this.pattern(target);
          const first = target.type === 'default' ? target.target : target;
          return first.type === 'name' && this.name(first.name) === key ? text : `${key}: ${text}`;
        });
        const rest = pattern.rest === undefined ? [] : [`...${this.pattern(pattern.rest)}`];
        return `{ ${[...fields, ...rest].join(', ')} }`;
      }
    }
  }

  expression(expression: Expression): string {
    switch (expression.type) {
      case 'constant':
        return typeof expression.value === 'number' && expression.value < 0
          ? `(${expression.value})`
          : expression.value === undefined
            ? 'undefined'
            : JSON.stringify(expression.value);
      case 'variable':
        return this.name(expression.name);
      case 'assign':
        return `(${this.expression(expression.target)} ${expression.operator} ${this.expression(expression.value)})`;
      case 'destructure':
        return `(${this.pattern(expression.target)} = ${this.expression(expression.value)})`;
      case 'step':
        return expression.isPrefix
          ? `(++${this.expression(expression.target)})`
          : `(${this.expression(expression.target)}++)`;
      case 'member':
        return `${this.#callee(expression.object)}.${expression.key}`;
      case 'item':
        return `${this.#callee(expression.object)}[${this.expression(expression.index)}]`;
      case 'superMember':
        return `super.${expression.key}`;
      case 'call':
        return `${this.#callee(expression.callee)}(${this.#list(expression.args)})`;
      case 'superCall':
        return `super(${this.#list(expression.args)})`;
      case 'new':
        return `new (${this.expression(expression.callee)})(${this.#list(expression.args)})`;
      case 'binary':
        return `(${this.expression(expression.left)} ${expression.operator} ${this.expression(expression.right)})`;
      case 'choose':
        return `(${this.expression(expression.test)} ? ${this.expression(expression.yes)} : ${this.expression(expression.no)})`;
      case 'list':
        return `[${this.#list(expression.items)}]`;
      case 'object':
        return `({ ${expression.members.map((each) => this.#objectMember(each)).join(', ')} })`;
      case 'this':
        return 'this';
      case 'function':
        return this.#function(expression);
      case 'class':
        return this.#class(expression);
    }
  }

  /** What may stand before a dot or a bracket. */
  #callee(expression: Expression): string {
    const text = this.expression(expression);
    return /^(function|class|new)$/.test(expression.type) ? `(${text})` : text;
  }

  #list(items: readonly (Expression | Spread)[]): string {
    return items
      .map((each) => (each.type === 'spread' ? `...${this.expression(each.value)}` : this.expression(each)))
      .join(', ');
  }

  #parameters({ parameters, rest }: FunctionTree): string {
    const last = rest === undefined ? [] : [`...${this.pattern(rest)}`];
    return `(${[...parameters.map((each) => this.pattern(each)), ...last].join(', ')})`;
  }

  #body({ body }: FunctionTree): string {
    return 'type' in body ? `{ return ${this.expression(body)}; }` : this.block(body);
  }

  #function(fn: FunctionTree): string {
    if (fn.form === 'arrow' || fn.form === 'async arrow') {
      const body = 'type' in fn.body ? `(${this.expression(fn.body)})` : this.block(fn.body);
      return `${fn.form === 'arrow' ? '' : 'async '}${this.#parameters(fn)} => ${body}`;
    }
    const name = fn.name === undefined ? '' : ` ${this.name(fn.name)}`;
    return `function${fn.form === 'generator' ? '*' : ''}${name}${this.#parameters(fn)} ${this.#body(fn)}`;
  }

  #method(key: string, fn: FunctionTree, before = ''): string {
    return `${before}${fn.form === 'generator' ? '*' : ''}${key}${this.#parameters(fn)} ${this.#body(fn)}`;
  }

  #objectMember(part: ObjectMember): string {
    switch (part.type) {
      case 'spread':
        return `...${this.expression(part.value)}`;
      case 'getter':
        return this.#method(part.key, part.fn, 'get ');
      case 'setter':
        return this.#method(part.key, part.fn, 'set ');
      case 'method':
        return this.#method(part.key, part.fn);
      case 'field': {
        const value = this.expression(part.value);
        if (part.isComputed === true) return `[${JSON.stringify(part.key)}]: ${value}`;
        return value === part.key ? value : `${part.key}: ${value}`;
      }
    }
  }

  #class({ name, parent, constructorOf, members }: ClassTree): string {
    const head = `class${name === undefined ? '' : ` ${this.name(name)}`}`;
    const heritage = parent === undefined ? '' : ` extends ${this.#callee(parent)}`;
    const parts = members.map((each) => this.#classMember(each));
    if (constructorOf !== undefined) parts.unshift(this.#method('constructor', constructorOf));
    return `${head}${heritage} {\n${parts.join('\n')}\n}`;
  }

  #classMember(part: ClassMember): string {
    if (part.type === 'staticBlock') return `static ${this.block(part.body)}`;
    const before = part.isStatic ? 'static ' : '';
    switch (part.type) {
      case 'field':
        return `${before}${part.key}${part.value === undefined ? '' : ` = ${this.expression(part.value)}`};`;
      case 'method':
        return this.#method(part.key, part.fn, before);
      case 'getter':
        return this.#method(part.key, part.fn, `${before}get `);
      case 'setter':
        return this.#method(part.key, part.fn, `${before}set `);
    }
  }
}
