/** Functions and classes that functions capture: each is to do in a worker what it does here. */

import type { Tables } from './table.js';

// Helpers.
const factor = 3;
const triple = (n: number): number => n * factor;
function sixfold(n: number): number {
  return double(triple(n));
}
const double = function (n: number): number {
  return n * 2;
};
const isEven = (n: number): boolean => (n === 0 ? true : isOdd(n - 1));
function isOdd(n: number): boolean {
  return n === 0 ? false : isEven(n - 1);
}
// As compilers for old targets write generators: a function is the prototype of another one.
function Family(): void {}
function Member(): void {}
(Family as { prototype: unknown }).prototype = Member;
(Member as { prototype: unknown }).prototype = { kind: 'member' };
Object.defineProperty(Member, 'constructor', { value: Family });
function Alone(): void {}
(Alone as { prototype: unknown }).prototype = null;
const likeAnError = Object.assign(() => 'called', { [Symbol.toStringTag]: 'DOMException' });
const tableOfFunctions = { triple, nested: { double, list: [isEven] }, map: new Map([['six', sixfold]]) };
const compose =
  (...fns: ((n: number) => number)[]) =>
  (n: number): number =>
    fns.reduce((value, fn) => fn(value), n);
const composed = compose(triple, double, (n) => n + 1);
let recursive: ((n: number) => number) | undefined;
recursive = (n) => (n === 0 ? 0 : n + (recursive as (n: number) => number)(n - 1));

// Kinds of functions.
function* countTo(n: number): Generator<number, string, number | undefined> {
  for (let i = 1; i <= n; i++) i += (yield i * factor) ?? 0;
  return 'done';
}
const delayed = async (n: number): Promise<number> => {
  await Promise.resolve();
  return triple(n);
};
async function* slowly(n: number): AsyncGenerator<number> {
  for (let i = 0; i < n; i++) yield await delayed(i);
}
const delegates = function* (): Generator<number, void, undefined> {
  yield* countTo(2) as Generator<number, string, undefined>;
  yield 100;
};
const methodName = 'computed name';
const iteratorHolder = {
  *[Symbol.iterator](): Generator<number> {
    yield factor;
  },
};
const holder = {
  base: 10,
  plain(n: number) {
    return this.base + triple(n);
  },
  async later(n: number) {
    await Promise.resolve();
    return this.plain(n);
  },
  *each() {
    yield this.base;
    yield factor;
  },
  async *eachLater() {
    yield await this.later(1);
  },
  [methodName]() {
    return this.base;
  },
  'quoted name'(n: number) {
    return n + factor;
  },
  42() {
    return 'forty-two';
  },
  get current() {
    return this.base * factor;
  },
  set current(value: number) {
    this.base = value / factor;
  },
  get() {
    return 'get';
  },
  async() {
    return 'async';
  },
  static() {
    return 'static';
  },
  arrow: (n: number) => n * factor,
  toString() {
    return `holder of ${this.base}`;
  },
};
const { plain: lonelyMethod } = holder;
const lonelyGetter = Object.getOwnPropertyDescriptor(holder, 'current')?.get as (this: { base: number }) => number;
const proto = {
  greet(name: string) {
    return `hello ${name}`;
  },
  get title() {
    return 'proto';
  },
};
const derivedObject = {
  __proto__: proto,
  greet(name: string) {
    return `${super.greet(name)}!`;
  },
  get title() {
    return `derived ${super.title}`;
  },
  async later(name: string) {
    await Promise.resolve();
    return (() => super.greet(name))();
  },
} as unknown as { greet(name: string): string; title: string; later(name: string): Promise<string> };

// Parts of the language.
const withDefaults = (
  a: number,
  b = triple(a),
  { c = b + factor, d: [e = double(c)] = [] as number[] } = {},
): number[] => [a, b, c, e];
function collect(
  { a, ...others }: Record<string, unknown>,
  [first, , ...rest]: unknown[],
  ...more: unknown[]
): unknown {
  return [a, others, first, rest, more];
}
const assigning = (): unknown => {
  let a = 1;
  let b = 2;
  const target: Record<string, number> = {};
  [a, b] = [b, a];
  ({ x: target['x'] = factor } = {} as never);
  a ||= 5;
  b &&= 6;
  return [a, b, target['x'], `${a ?? b}`, target?.['y']?.toFixed];
};
const labels = (): number[] => {
  const found: number[] = [];
  outer: for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 5; j++) {
      if (j === factor) continue outer;
      if (i === factor) break outer;
      found.push(i * 10 + j);
    }
  }
  block: {
    if (found.length > 0) break block;
    found.push(-1);
  }
  return found;
};
const templates = new Set<TemplateStringsArray>();
function tag(strings: TemplateStringsArray, ...values: unknown[]): string {
  templates.add(strings);
  return `${strings.raw.join('|')} ${values.join()} ${Object.isFrozen(strings)}`;
}
const tagged = (): string => tag`a\n${factor}b${triple(2)}`;
const taggedByMethod = { tag }.tag;
function Made(this: unknown, ..._args: unknown[]): unknown {
  return new.target === undefined ? 'called' : { target: new.target === Made, name: new.target.name };
}
const regExps = (text: string): unknown => [/[/\]]+/g.exec(text)?.[0], text.replace(/(a)\/(b)/, '$2'), 4 / 2 / 1];
const comma = (n: number): number => (void 0, n++, n ** (2 ** 1));
const exceptions = (): unknown => {
  const said: unknown[] = [];
  try {
    try {
      throw new RangeError('thrown');
    } catch (error) {
      said.push((error as Error).name);
      throw error;
    } finally {
      said.push('finally');
    }
  } catch {
    said.push('caught again');
  }
  return said;
};
const hoisted = (): unknown => {
  const early = inner();
  function inner(): number {
    return factor;
  }
  // oxlint-disable-next-line no-var, block-scoped-var
  for (var i = 0; i < 2; i++);
  return [early, i];
};
// Compilers and people write functions that replace themselves.
/* oxlint-disable no-func-assign */
function replacesItself(): number {
  const made = factor * 2;
  // @ts-expect-error TypeScript would rather not
  replacesItself = () => made + 1;
  return made;
}
function wrapped(n: number): number {
  return n < 1 ? 0 : wrapped(n - 1) + 1;
}
// @ts-expect-error likewise
wrapped = (
  (inner) => (n: number) =>
    inner(n) + 100
)(wrapped);
/* oxlint-enable no-func-assign */
const knowsItself = function wrapped(n: number): unknown {
  return n > 0 ? wrapped(n - 1) : wrapped === knowsItself;
};
const curried = (a: number) => (b: number) => (c: number) => a + b * c + factor;

// Functions as objects.
const annotated = Object.assign((n: number): number => n + annotated.step, { step: 5, config: { deep: [1] } });
const sameFunction = [annotated, annotated];
function Counter(this: { n: number }, start: number) {
  this.n = start;
}
Counter.prototype.add = function (this: { n: number }, by: number) {
  this.n += by * factor;
  return this;
};
Object.defineProperty(Counter.prototype, 'value', {
  get(this: { n: number }) {
    return this.n;
  },
});
Counter.create = (start: number) => new (Counter as unknown as CounterClass)(start);
interface CounterInstance {
  readonly value: number;
  add(by: number): CounterInstance;
}
type CounterClass = new (start: number) => CounterInstance;
function SubCounter(this: { n: number }, start: number) {
  Counter.call(this, start + 100);
}
SubCounter.prototype = Object.create(Counter.prototype, { constructor: { value: SubCounter } });
Object.setPrototypeOf(SubCounter, Counter);
const counterInstance = new (SubCounter as unknown as CounterClass)(1);
const Replaced = function () {} as unknown as new () => { kind: string };
Replaced.prototype = { kind: 'replaced' } as never;
const frozenFunction = Object.freeze((n: number) => n + 1);
const renamed = Object.defineProperty(() => 1, 'name', { value: 'other name' });
const memo = Object.assign(
  (n: number): number => {
    const known = memo.cache.get(n);
    if (known !== undefined) return known;
    memo.cache.set(n, n * factor);
    return memo(n);
  },
  { cache: new Map<number, number>([[1, 1000]]) },
);

// Classes.
abstract class Shape {
  static count = 0;
  static readonly registry: string[] = [];
  static #secret = 'static secret';
  static {
    Shape.registry.push('from the static block');
  }
  readonly id = ++Shape.count;
  #area = -1;
  abstract area(): number;
  static create(): string {
    return `${this.name} ${Shape.#secret}`;
  }
  static get size(): number {
    return Shape.registry.length;
  }
  static set secret(value: string) {
    Shape.#secret = value;
  }
  static #whisper(): string {
    return `psst: ${Shape.#secret}`;
  }
  static whisper(): string {
    return Shape.#whisper();
  }
  describe(): string {
    this.#area = this.area();
    return `${this.constructor.name} of ${this.#area}`;
  }
}
class Square extends Shape {
  static override count = 50;
  readonly side: number;
  get [methodName](): string {
    return 'by a computed name';
  }
  constructor(side: number = factor) {
    super();
    this.side = side;
  }
  area(): number {
    return this.side ** 2;
  }
  override describe(): string {
    return `${super.describe()}, ${(() => super.describe())()}`;
  }
  static override create(): string {
    return `${super.create()} of Square`;
  }
  static readonly limit = triple(7);
  bound = (): number => this.side;
  static *all(): Generator<Shape> {
    yield new this(1);
  }
  async later(): Promise<number> {
    await Promise.resolve();
    return this.area();
  }
}
Shape.secret = 'changed later';
Shape.registry.push('later');
(Square as unknown as { addedLater: unknown }).addedLater = (n: number) => triple(n);
(Square.prototype as unknown as { added: unknown }).added = function (this: Square) {
  return this.side + 1;
};
class NotFound extends Error {
  override readonly name = 'NotFound';
  readonly code: string;
  constructor(what: string, options?: ErrorOptions) {
    super(`not found: ${what}`, options);
    this.code = `E_${what}`;
  }
}
class Defaults extends Map<string, number> {
  override get(key: string): number {
    return super.get(key) ?? factor;
  }
}
class Last<T> extends Array<T> {
  get last(): T | undefined {
    return this[this.length - 1];
  }
}
const Mixin = <T extends new (...args: any[]) => object>(Base: T) =>
  class extends Base {
    mixed(): number {
      return factor;
    }
  };
class Mixed extends Mixin(Square) {}
const AnonymousHeritage = class extends class {
  inherited(): string {
    return 'inherited';
  }
} {};
const withMethod = (name: string) =>
  class {
    [name](): string {
      return 'by a parameter';
    }
    static [`static ${name}`](): number {
      return factor;
    }
  };
const ByParameter = withMethod('given');
class FromNull extends (null as unknown as ObjectConstructor) {
  static only = 'static';
}
const Named = class InnerName {
  self(): unknown {
    return InnerName;
  }
};
class Accessors {
  static #instances = 0;
  #x = 1;
  static #create(): Accessors {
    Accessors.#instances++;
    return new Accessors();
  }
  get x(): number {
    return this.#x;
  }
  set x(value: number) {
    this.#x = value * factor;
  }
  static make(): Accessors {
    return this.#create();
  }
  static get instances(): number {
    return this.#instances;
  }
  equals(other: Accessors): boolean {
    return #x in other && other.#x === this.#x;
  }
}
Accessors.make();

// State that functions share.
let shared = 10;
const increase = (): number => ++shared;
const readShared = (): number => shared;
function counter(start = 0) {
  let n = start;
  return { increase: () => ++n, read: () => n, reset: () => ((n = start), n) };
}
const first = counter(1);
const second = counter(5);
const twins = [counter(), counter()] as const;
function privateState() {
  const cache: string[] = [];
  return [(text: string) => cache.push(text), () => cache] as const;
}
const [remember, remembered] = privateState();
let lazily: Map<string, number> | undefined;
const table = (): Map<string, number> => (lazily ??= new Map([['made', 1]]));
let tagsUsed = 0;
const countTag = (_strings: TemplateStringsArray): number => ++tagsUsed;
const destructuringWrite = (): number => {
  [shared] = [100];
  ({ shared } = { shared: shared + 1 });
  for (shared of [200, 201]);
  return shared++ + readShared();
};

const bySymbol = Symbol('by symbol');
const withSymbolMethod = {
  [bySymbol]() {
    return factor;
  },
};
const unnamed = [
  (n: number) => n + 1,
  function (n: number) {
    return n + 2;
  },
  async (n: number) => n + 3,
  class {
    x = 4;
  },
] as const;
const nativeOnes = { max: Math.max, parse: JSON.parse, slice: Array.prototype.slice, log: console.log };
const AsyncFunction = (async () => {}).constructor;
const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as object;
const iteratesItself = {
  [Symbol.iterator]: (iteratorPrototype as Iterable<unknown>)[Symbol.iterator],
  next: () => ({ done: true }),
};
const inheritsIteration = Object.assign(Object.create(iteratorPrototype) as object, { next: () => ({ done: true }) });
const { stringify } = JSON;
const hasOwn = Object.prototype.hasOwnProperty;

// What arrow functions take from around them. Whatever would run in the program counts.
let hasRun = 0;
const run = <T>(value: T): T => {
  hasRun++;
  return value;
};
class Service {
  readonly rate = 3;
  readonly #factor = 5;
  memory?: number;
  get listed(): number[] {
    return run([this.rate]);
  }
  list(): number[] {
    return run([this.rate]);
  }
  factor(): number {
    return this.#factor;
  }
  readonly expression = (x = 2): number => x * this.rate;
  readonly block = (x = 2): number => {
    run(x);
    return x * this.rate;
  };
  readonly later = async (): Promise<number> => this.rate;
  readonly object = () => ({ rate: this.rate });
  readonly inner = () => [1, 2].map((x) => x * this.rate);
  readonly loop = () => {
    for (const x of this.list()) return x;
    return 0;
  };
  readonly loopOverGetter = () => {
    for (const x of this.listed) return x;
    return 0;
  };
  readonly doLoop = () => {
    do run(1);
    while (this.rate < 0);
    return this.rate;
  };
  readonly choice = () => (run(this.rate) > 1 ? run('many') : 'few');
  readonly chosen = () => {
    switch (this.list().length) {
      case 1:
        return this.factor();
    }
    return 0;
  };
  readonly taken = () => {
    const { listed, rate } = this;
    return [listed, rate];
  };
  readonly hoisted = () => {
    return own(this);
    function own(service: Service): number {
      return service.rate;
    }
  };
  readonly template = () => `${run(this.rate)}`;
  readonly assigns = () => (this.memory ??= run(4));
  readonly recursive = (n = 3): number => (n === 0 ? this.rate : this.recursive(n - 1));
  readonly parameters = (
    { a = run(1), b: { c: [d] = [run(2)], ...e } = run({}) }: any = run({ a: 5, b: { c: [6] } }),
    [f, , g = run(3)]: number[] = run([7]),
    ...rest: unknown[]
  ) => [a, d, e, f, g, rest.length > 1, this.rate];
  readonly method = function (this: Service, ..._all: unknown[]) {
    // oxlint-disable-next-line prefer-rest-params
    return () => [this.rate, arguments.length, ...arguments];
  };
  static readonly title = 'service';
  static readonly titled = () => this.title;
}
const service = new Service();
const { expression } = service;
const ofMethod = service.method(1, 'two');
function Older(this: { value: number; read: () => number }) {
  this.value = 9;
  this.read = () => this.value;
}
const older = new (Older as unknown as new () => { read: () => number })();
const ofPrimitive = function (this: number) {
  return () => this + 1;
}.call(5);
const hasRunBefore = hasRun;

export const tables: Tables = {
  'what arrow functions take from around them': [
    ['of which nothing runs meanwhile', () => hasRunBefore, 0],
    ['expressions', () => [service.expression(), expression(3)], [6, 9]],
    ['blocks', () => service.block(), 6],
    ['promises', () => service.later(), 3],
    ['objects', () => service.object(), { rate: 3 }],
    ['arrow functions inside', () => service.inner(), [3, 6]],
    ['loops', () => [service.loop(), service.loopOverGetter(), service.doLoop()], [3, 3, 3]],
    ['conditions', () => [service.choice(), service.chosen()], ['many', 5]],
    ['destructuring', () => service.taken(), [[3], 3]],
    ['functions that are declared inside', () => service.hoisted(), 3],
    ['templates and assignments', () => [service.template(), service.assigns()], ['3', 4]],
    ['recursion', () => service.recursive(), 3],
    ['parameters of all kinds', () => service.parameters(), [5, 6, {}, 7, 3, false, 3]],
    ['arguments', () => ofMethod(), [3, 2, 1, 'two']],
    ['the this of a class', () => Service.titled(), 'service'],
    [
      'a function that is the prototype of another one',
      () => [typeof Member, (Member.prototype as { kind: string }).kind, Family.prototype === Member, Alone.prototype],
      ['function', 'member', true, null],
    ],
    ['a function with the tag of something else', () => likeAnError(), 'called'],
    ['of a constructor that is a function', () => older.read(), 9],
    ['of a call with a primitive', () => ofPrimitive(), 6],
  ],

  helpers: [
    ['that capture variables and each other', () => [triple(2), sixfold(2)], [6, 12]],
    ['that are mutually recursive', () => [isEven(10), isOdd(10)], [true, false]],
    [
      'inside objects, arrays and maps',
      () => [
        tableOfFunctions.triple(1),
        tableOfFunctions.nested.double(1),
        tableOfFunctions.nested.list[0]?.(3),
        tableOfFunctions.map.get('six')?.(1),
      ],
      [3, 2, false, 6],
    ],
    ['made by other functions', () => [composed(1), curried(1)(2)(3)], [7, 10]],
    ['that call themselves by a variable', () => recursive?.(4), 10],
    ['that are one and the same', () => sameFunction[0] === sameFunction[1] && sameFunction[0] === annotated, true],
    [
      'without names',
      async () => [unnamed[0](0), unnamed[1](0), await unnamed[2](0), new unnamed[3]().x, unnamed[0].name],
      [1, 2, 3, 4, ''],
    ],
    [
      'that are native',
      () => [
        nativeOnes.max(1, 2),
        nativeOnes.parse('[1]'),
        nativeOnes.slice.call([1, 2], 1),
        nativeOnes.log === console.log,
        stringify({}),
        hasOwn.call({ a: 1 }, 'a'),
        delayed instanceof AsyncFunction,
        iteratorPrototype.isPrototypeOf(countTo(1)),
        [...(iteratesItself as never)],
        [...(inheritsIteration as never)],
      ],
      [2, [1], [2], true, '{}', true, true, true, [], []],
    ],
  ],

  'kinds of functions': [
    [
      'generators',
      () => {
        const generator = countTo(10);
        return [generator.next(), generator.next(5), [...countTo(3)], generator.return('stopped')];
      },
      [{ value: 3, done: false }, { value: 21, done: false }, [3, 6, 9], { value: 'stopped', done: true }],
    ],
    ['generators that delegate', () => [...delegates()], [3, 6, 100]],
    ['async functions', async () => [await delayed(2), delayed(1) instanceof Promise], [6, true]],
    [
      'async generators',
      async () => {
        const all: number[] = [];
        for await (const each of slowly(3)) all.push(each);
        return all;
      },
      [0, 3, 6],
    ],
    ['iterators', () => [...iteratorHolder], [3]],
    [
      'methods',
      async () => [
        holder.plain(1),
        await holder.later(1),
        [...holder.each()],
        holder[methodName](),
        holder['quoted name'](1),
        holder[42](),
        holder.arrow(2),
        `${holder}`,
      ],
      [13, 13, [10, 3], 10, 4, 'forty-two', 6, 'holder of 10'],
    ],
    [
      'async generator methods',
      async () => {
        const all: number[] = [];
        for await (const each of holder.eachLater()) all.push(each);
        return all;
      },
      [13],
    ],
    [
      'getters and setters',
      () => {
        const before = holder.current;
        holder.current = 60;
        const { base } = holder;
        holder.base = 10;
        return [before, base];
      },
      [30, 20],
    ],
    [
      'methods with names that mean something',
      () => [holder.get(), holder.async(), holder.static()],
      ['get', 'async', 'static'],
    ],
    [
      'methods and getters without their objects',
      () => [lonelyMethod.call({ base: 1 } as never, 1), lonelyGetter.call({ base: 2 })],
      [4, 6],
    ],
    ['methods by symbols', () => withSymbolMethod[bySymbol](), 3],
    [
      'super in objects',
      async () => [derivedObject.greet('you'), derivedObject.title, await derivedObject.later('all')],
      ['hello you!', 'derived proto', 'hello all'],
    ],
  ],

  'parts of the language': [
    [
      'defaults that use captured names and earlier parameters',
      () => [withDefaults(1), withDefaults(1, 2, { c: 4, d: [5] })],
      [
        [1, 3, 6, 12],
        [1, 2, 4, 5],
      ],
    ],
    [
      'destructuring and rest',
      () => collect({ a: 1, b: 2, c: 3 }, [4, 5, 6, 7], 8, 9),
      [1, { b: 2, c: 3 }, 4, [6, 7], [8, 9]],
    ],
    ['assignments of all kinds', assigning, [2, 6, 3, '2', undefined]],
    ['labels', () => labels(), [0, 1, 2, 10, 11, 12, 20, 21, 22]],
    [
      'tagged templates',
      () => [tagged(), tagged(), templates.size, taggedByMethod`x`],
      ['a\\n|b| 3,6 true', 'a\\n|b| 3,6 true', 1, 'x  true'],
    ],
    [
      'new.target',
      () => [(Made as () => unknown)(), new (Made as unknown as new () => unknown)()],
      ['called', { target: true, name: 'Made' }],
    ],
    ['regular expressions and divisions', () => regExps('x/]a/b'), ['/]', 'x/]b', 2]],
    ['operators', () => comma(2), 9],
    ['exceptions', () => exceptions(), ['RangeError', 'finally', 'caught again']],
    ['hoisting', () => hoisted(), [3, 2]],
    [
      'declared functions that replace themselves',
      () => [replacesItself(), replacesItself(), replacesItself()],
      [6, 7, 7],
    ],
    ['declared functions that were replaced', () => wrapped(3), 403],
    ['function expressions that are called like another function', () => knowsItself(2), true],
  ],

  'functions as objects': [
    [
      'own properties',
      () => [annotated(1), annotated.config.deep, Object.keys(annotated)],
      [6, [1], ['step', 'config']],
    ],
    ['that refer to their own properties', () => [memo(1), memo(2), memo.cache.size], [1000, 6, 2]],
    [
      'name and length',
      () => [triple.name, double.name, renamed.name, withDefaults.length, holder.plain.name],
      ['triple', 'double', 'other name', 1, 'plain'],
    ],
    ['frozen', () => [Object.isFrozen(frozenFunction), frozenFunction(1)], [true, 2]],
    [
      'constructors with prototypes',
      () => {
        const made = new (Counter as unknown as CounterClass)(1).add(2);
        return [
          made.value,
          made instanceof Counter,
          (Counter as unknown as { create(n: number): CounterInstance }).create(5).value,
          made.constructor === Counter,
        ];
      },
      [7, true, 5, true],
    ],
    [
      'constructors that inherit, and their instances',
      () => {
        const made = new (SubCounter as unknown as CounterClass)(1);
        return [
          made.value,
          made instanceof SubCounter,
          made instanceof Counter,
          Object.getPrototypeOf(SubCounter) === Counter,
          counterInstance.value,
          counterInstance instanceof SubCounter,
          'add' in counterInstance,
        ];
      },
      [101, true, true, true, 101, true, true],
    ],
    ['constructors whose prototype was replaced', () => new Replaced().kind, 'replaced'],
  ],

  classes: [
    [
      'fields, methods and inheritance',
      () => {
        const square = new Square(2);
        return [
          square.side,
          square.area(),
          square.describe(),
          square instanceof Square,
          square instanceof Shape,
          square.bound.call(null as never),
        ];
      },
      [2, 4, 'Square of 4, Square of 4', true, true, 2],
    ],
    ['default parameters of constructors', () => new Square().side, 3],
    [
      'static members have their current values, and no static block runs again',
      () => [
        Shape.registry,
        Shape.size,
        Square.registry === Shape.registry,
        Square.limit,
        Square.count,
        Shape.whisper(),
      ],
      [['from the static block', 'later'], 2, true, 21, 50, 'psst: changed later'],
    ],
    [
      'static methods, super and this',
      () => [Square.create(), Shape.create()],
      ['Square changed later of Square', 'Shape changed later'],
    ],
    [
      'static generators and async methods',
      async () => [[...Square.all()].length, await new Square(3).later()],
      [1, 9],
    ],
    ['computed names', () => new Square(1)[methodName], 'by a computed name'],
    [
      'members that were added later',
      () => [
        (Square as unknown as { addedLater(n: number): number }).addedLater(1),
        (new Square(1) as unknown as { added(): number }).added(),
      ],
      [3, 2],
    ],
    [
      'that extend Error',
      () => {
        const cause = new Error('why');
        const error = new NotFound('x', { cause });
        return [
          error instanceof NotFound,
          error instanceof Error,
          error.message,
          error.code,
          error.cause === cause,
          Object.prototype.toString.call(error),
          /NotFound|not found/.test(error.stack ?? ''),
        ];
      },
      [true, true, 'not found: x', 'E_x', true, '[object Error]', true],
    ],
    [
      'that extend Map',
      () => [new Defaults([['a', 1]]).get('a'), new Defaults().get('b'), new Defaults() instanceof Map],
      [1, 3, true],
    ],
    [
      'that extend Array',
      () => [Last.from([1, 2]) instanceof Last, new Last(1, 2, 3).last, Array.isArray(new Last())],
      [true, 3, true],
    ],
    [
      'that extend the result of a call',
      () => [new Mixed(2).mixed(), new Mixed(2).area(), new Mixed() instanceof Square],
      [3, 4, true],
    ],
    [
      'that extend an expression, or null',
      () => [new AnonymousHeritage().inherited(), FromNull.only, Object.getPrototypeOf(FromNull.prototype)],
      ['inherited', 'static', null],
    ],
    [
      'whose names are computed from what is gone',
      () => [
        (new ByParameter() as unknown as Record<string, () => unknown>)['given']?.(),
        (ByParameter as unknown as Record<string, () => unknown>)['static given']?.(),
      ],
      ['by a parameter', 3],
    ],
    ['that know themselves by an inner name', () => [new Named().self() === Named, Named.name], [true, 'InnerName']],
    [
      'private names of all kinds',
      () => {
        const made = Accessors.make();
        made.x = 2;
        const other = new Accessors();
        other.x = 2;
        return [made.x, made.equals(other), made.equals({} as Accessors), Accessors.instances >= 2];
      },
      [6, true, false, true],
    ],
  ],

  'variables that functions share and change': [
    [
      'at module level',
      () => {
        const values = [readShared(), increase(), readShared(), (shared += 5), readShared()];
        shared = 10;
        return values;
      },
      [10, 11, 11, 16, 16],
    ],
    [
      'by destructuring, loops and increments',
      () => {
        const value = destructuringWrite();
        shared = 10;
        return value;
      },
      403,
    ],
    [
      'of a factory',
      () => [first.increase(), first.increase(), first.read(), first.reset(), first.read()],
      [2, 3, 3, 1, 1],
    ],
    [
      'of two instances of one factory',
      () => [first.increase(), second.increase(), first.read(), second.read(), first.reset(), second.reset()],
      [2, 6, 2, 6, 1, 5],
    ],
    [
      'of two instances that are equal in everything',
      () => [twins[0].increase(), twins[0].increase(), twins[1].increase(), twins[0].reset(), twins[1].reset()],
      [1, 2, 1, 0, 0],
    ],
    [
      'that are objects',
      () => {
        remember('a');
        return remembered().splice(0);
      },
      ['a'],
    ],
    [
      'that are set when first asked for',
      () => [table() === table(), table().get('made'), (lazily = undefined)],
      [true, 1, undefined],
    ],
    ['by a template tag', () => [countTag`x`, countTag`y`, (tagsUsed = 0)], [1, 2, 0]],
  ],
};
