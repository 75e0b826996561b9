/** Values that functions capture: each is to arrive as what it was. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { createSecretKey } from 'node:crypto';
import * as diagnostics from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import type { Tables } from './table.js';

// Primitives.
const one = 1;
const minusZero = -0;
const notANumber = NaN;
const endless = -Infinity;
const text = 'ä€😀\0\ud800 "quoted" \\ `${x}`';
const huge = -(2n ** 70n);
const yes = true;
const nothing = null;
const missing = undefined;
const registered = Symbol.for('rxjs-parallel-map.test');
const wellKnown = Symbol.asyncIterator;
const own = Symbol('own');
const keyedByOwn = { [own]: 'found' };
const inside = { zero: -0, nan: NaN, big: 5n, missing: undefined, symbol: registered, list: [-0, undefined, null, 7n] };

// What JavaScript and Node bring along.
const date = new Date(86_400_000);
const noDate = new Date(NaN);
const pattern = /(?<word>\w+)-/dgiu;
pattern.lastIndex = 3;
const key = { id: 1 };
const map = new Map<unknown, unknown>([
  [key, 'by object'],
  [NaN, 'by NaN'],
  ['inner', new Map([[1, new Set([2])]])],
]);
const circularMap = new Map<string, unknown>();
circularMap.set('self', circularMap);
const set = new Set<unknown>([key, -0, 'b', 'a']);
const typed = {
  bytes: new Uint8Array([1, 255]),
  clamped: new Uint8ClampedArray([300, -5]),
  shorts: new Int16Array([-1, 2]),
  unsigned: new Uint32Array([4_294_967_295]),
  floats: new Float32Array([0.5, NaN, -0]),
  doubles: new Float64Array([Math.PI]),
  bigs: new BigInt64Array([-5n]),
};
const memory = new ArrayBuffer(16);
const whole = new Uint8Array(memory);
const part = new Uint16Array(memory, 4, 2);
const view = new DataView(memory, 8, 4);
const nodeBuffer = Buffer.from('grüße');
const slice = Buffer.from('abcdef').subarray(1, 3);
const address = new URL('https://user@example.org:8080/a/b?c=d#e');
const query = new URLSearchParams('a=1&a=2&b=%20');
const boxed = [Object(5) as number, Object('text') as string, Object(false) as boolean, Object(9n) as bigint];
const regExpWithMore = Object.assign(/x/, { note: 'mine' });
const arrayWithMore = Object.assign([1, 2], { note: 'mine' });
const dateWithMore = Object.assign(new Date(5), { note: key });
const mapWithMore = Object.assign(new Map([[1, 2]]), { note: key });

// Errors.
const cause = new SyntaxError('the cause');
const failure = Object.assign(new RangeError('too far', { cause }), { code: 'E_FAR', details: { at: [1, 2] } });
const several = new AggregateError([cause, new Error('other')], 'several');
class AppError extends Error {
  override name = 'AppError';
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
  describe(): string {
    return `${this.name} ${this.status}: ${this.message}`;
  }
}
const appError = new AppError('gone', 410);
const stackOfFailure = failure.stack;

// Objects.
const circle: { name: string; self?: unknown; list: unknown[] } = { name: 'circle', list: [] };
circle.self = circle;
circle.list.push(circle.list, circle);
const shared = { n: 1 };
const holders = [{ shared }, { shared }];
const readShared = (): object => shared;
const frozen = Object.freeze({ a: Object.freeze([1, 2]), b: { open: true } });
const sealed = Object.seal({ a: 1 });
const closed = Object.preventExtensions({ a: 1 });
const frozenMap = Object.freeze(new Map([[1, 2]]));
const bare = Object.assign(Object.create(null) as Record<string, unknown>, { a: 1, constructor: 'no function' });
// oxlint-disable-next-line no-sparse-arrays
const sparse = [, 1, , 3, ,];
const long: unknown[] = new Array(5);
const hidden = Object.defineProperty({ seen: 1 }, 'unseen', { value: 2 });
const readOnly = Object.defineProperty({}, 'fixed', { value: 1, enumerable: true });
const accessors = {
  first: 'Ada',
  get upper() {
    return this.first.toUpperCase();
  },
  set upper(name: string) {
    this.first = name.toLowerCase();
  },
};
const onlySetter = Object.defineProperty({} as { got?: unknown }, 'put', {
  set(this: { got?: unknown }, value: unknown) {
    this.got = value;
  },
  configurable: true,
});
const symbolKeys = { [registered]: 1, [Symbol.toStringTag]: 'Mine', [own]: 2 };
const ordered = { z: 1, 10: 2, a: 3, 2: 4 };
const protoKey = JSON.parse('{"__proto__": {"a": 1}}') as object;
const lookalike = { type: 'function', then: 1, length: 2, toJSON: 3, v: 4 };
const parent = { greet: () => 'from the parent' };
const child = Object.assign(Object.create(parent) as typeof parent, { own: true });
let deep: { next?: unknown; depth: number } = { depth: 0 };
for (let depth = 1; depth <= 5000; depth++) deep = { next: deep, depth };
interface Link {
  next?: Link;
  call: () => number;
}
let links: Link | undefined;
for (let i = 0; i < 300; i++) links = { ...(links === undefined ? {} : { next: links }), call: () => i };
const large = Array.from({ length: 20_000 }, (_, i) => ({ i }));

// Instances of the program's classes.
class Point {
  static made = 0;
  #secret = 'unset';
  readonly x: number;
  constructor(x: number, secret: string) {
    Point.made++;
    if (secret === '') throw new Error('a secret is needed');
    this.x = x;
    this.#secret = secret;
  }
  get secret(): string {
    return this.#secret;
  }
  set secret(value: string) {
    this.#secret = value;
  }
  #hidden(): string {
    return `hidden ${this.#secret}`;
  }
  reveal(): string {
    return this.#hidden();
  }
  static isPoint(value: object): boolean {
    return #secret in value;
  }
}
class Point3 extends Point {
  #secret = new Map([['depth', 3]]);
  override reveal(): string {
    return `${super.reveal()} ${this.#secret.get('depth')}`;
  }
}
const point = new Point(1, 'a');
const point3 = new Point3(2, 'b');
class Counts extends Map<string, number> {
  total = 0;
  override set(name: string, count: number): this {
    this.total = (this.total ?? 0) + count;
    return super.set(name, count);
  }
}
const counts = new Counts().set('a', 2).set('b', 3);
class Stack<T> extends Array<T> {
  peek(): T | undefined {
    return this.at(-1);
  }
}
const stack = Stack.from([1, 2, 3]) as Stack<number>;
class Tags extends Set<string> {
  join(): string {
    return [...this].join();
  }
}
const tags = new Tags(['x', 'y']);
class Bytes extends Uint8Array {
  sum(): number {
    return this.reduce((a, b) => a + b, 0);
  }
}
const bytes = new Bytes([1, 2, 3]);
class Node2 {
  #parent: Node2 | undefined;
  readonly children: Node2[] = [];
  add(each: Node2): this {
    each.#parent = this;
    this.children.push(each);
    return this;
  }
  get parent(): Node2 | undefined {
    return this.#parent;
  }
}
const family = new Node2().add(new Node2()).add(new Node2());
const frozenPoint = Object.freeze(new Point(5, 'frozen'));
const { made } = Point;
class Emitter extends EventEmitter {
  heard: string[] = [];
}
const emitter = new Emitter();
emitter.on('news', function (this: Emitter, what: string) {
  this.heard.push(what);
});
class Lazy {
  #value: number | undefined;
  static readonly #known = new Set<string>(['known']);
  get value(): number {
    return (this.#value ??= 7);
  }
  static knows(name: string): boolean {
    return Lazy.#known.has(name);
  }
}
const lazy = new Lazy();
class Accessors {
  #n = 1;
  get #double(): number {
    return this.#n * 2;
  }
  set #double(n: number) {
    this.#n = n / 2;
  }
  grow(): number {
    this.#double += 10;
    return this.#n;
  }
}
const withAccessors = new Accessors();

// Scopes.
let changing = 'early';
changing = 'late';
// oxlint-disable-next-line no-var
var declaredByVar = 'var';
let unusedSocket: unknown;
export const useUnused = (): unknown => unusedSocket;
unusedSocket = new WeakMap();

const shadow = 'module';
const shadowOfModule = (): string => shadow;
const shadows: (() => unknown)[] = [];
function shadowing(shadow: string): void {
  shadows.push(() => shadow);
  {
    const shadow = 'block';
    shadows.push(() => shadow);
    shadows.push((shadow = 'default') => (typeof shadow === 'string' ? shadow : 'context'));
  }
  const inner = (): void => {
    const shadow = 'inner';
    shadows.push(() => [shadow, (() => shadow)(), shadowOfModule()]);
  };
  inner();
}
shadowing('parameter');
const [ofParameter, ofBlock, , ofInner] = shadows as [() => unknown, () => unknown, () => unknown, () => unknown];

const inLet: (() => number)[] = [];
for (let i = 0; i < 3; i++) inLet.push(() => i);
const inVar: (() => number)[] = [];
// oxlint-disable-next-line no-var
for (var v = 0; v < 3; v++) inVar.push(() => v);
const inOf: (() => unknown)[] = [];
for (const [name, { length }] of [['a', [1, 2]] as const, ['b', [1]] as const]) inOf.push(() => [name, length]);
const inIn: (() => string)[] = [];
for (const name in { first: 1, second: 2 }) inIn.push(() => name);
const inCatch: (() => unknown)[] = [];
try {
  throw Object.assign(new Error('caught'), { code: 5 });
} catch (error) {
  inCatch.push(() => (error as Error).message);
}
try {
  throw Object.assign(new Error('caught'), { code: 6, list: [1, 2] });
} catch ({ code, list: [, second] }: any) {
  inCatch.push(() => [code, second]);
}
const inSwitch: (() => unknown)[] = [];
switch (one as number) {
  case 1:
    const ofSwitch = 'switch';
    inSwitch.push(() => ofSwitch);
}
const inClass: (() => unknown)[] = [];
const Renamed = class Inner {
  static label = 'static';
  static {
    const ofStaticBlock = 'static block';
    inClass.push(() => [ofStaticBlock, Inner.label, Inner.name]);
  }
};
const named = function self(n: number): number {
  return n > 1 ? n * self(n - 1) : 1;
};
function adder(a: number) {
  return (b: number) => {
    const sum = a + b;
    return (c: number) => () => sum + c + one;
  };
}
const added = adder(1)(2)(3);
function withArguments(..._all: unknown[]): () => unknown {
  // oxlint-disable-next-line prefer-rest-params
  const all = arguments;
  const [first, ...rest] = all;
  return () => [first, rest];
}
const fromArguments = withArguments(1, 'two', [3]);
function withDefaults(a = 1, b = a + 1, c = () => a + b): () => unknown {
  return () => [a, b, c()];
}
const fromDefaults = withDefaults();
const $dollar_ünïcode = 'names';
const async = 'async';
const of = 'of';
const get = 'get';
const eval2 = 'eval2';
const processHere = (
  (process: unknown) => () =>
    process
)('shadowed');
const consoleHere = (
  (console: unknown) => () =>
    console
)('shadowed');

// What V8 shows of a value.
function listed(this: { readonly at: string } | undefined, ...args: unknown[]): unknown[] {
  return [this?.at, ...args];
}
const bound = listed.bind({ at: 'here' }, 1);
const boundAgain = Object.assign(bound.bind(null, 2), { note: 'mine' });
const boundToItself = {
  value: 4,
  read(): number {
    return this.value;
  },
};
boundToItself.read = boundToItself.read.bind(boundToItself);
class Handler {
  readonly #name = 'handler';
  constructor() {
    this.handle = this.handle.bind(this);
  }
  handle(): string {
    return this.#name;
  }
}
const handler = new Handler();
const { handle } = new Handler();
const boundOfNode = console.log.bind(console);
const boundOfStream = process.stdout.write.bind(process.stdout);
const called: string[] = [];
const proxy = new Proxy({ a: 1 } as Record<string, unknown>, {
  get: (target, name) => {
    called.push(String(name));
    return name === 'b' ? `${String(target['a'])}!` : Reflect.get(target, name);
  },
});
const functionProxy = new Proxy((n: number) => n, { apply: (fn, _, [n]: [number]) => fn(n) * 2 });
const classProxy = new Proxy(Handler, { construct: (owner) => Object.assign(new owner(), { made: true }) });
const instanceProxy = new Proxy(new Handler(), {
  get: (target, name) => {
    const found: unknown = Reflect.get(target, name);
    return typeof found === 'function' ? (found.bind(target) as unknown) : found;
  },
});
const calledBefore = called.length;
const weakMap = new WeakMap<object, unknown>([
  [key, 'plain'],
  [Date, 'of the language'],
  [handler, key],
  [{ elsewhere: true }, () => called],
]);
const weakSet = new WeakSet<object>([key]);
class Metadata extends WeakMap<object, string> {
  readonly title = 'metadata';
}
const metadata = new Metadata([[Handler, 'of the handler']]);
const weakRef = new WeakRef(key);
const fulfilled = Promise.resolve({ key });
const rejected = Promise.reject(failure);
rejected.catch(() => undefined);
class Tracked extends Promise<number> {}
const tracked = Tracked.resolve(1);
const numberFormat = new Intl.NumberFormat('de-DE', {
  style: 'currency',
  currency: 'EUR',
  roundingMode: 'floor',
} as object);
const dateFormat = new Intl.DateTimeFormat('fr', { dateStyle: 'full', timeStyle: 'short', timeZone: 'Asia/Tokyo' });
const hours = new Intl.DateTimeFormat('en', { hour: 'numeric', minute: '2-digit', hour12: false, era: 'short' });
const collator = new Intl.Collator('sv', { numeric: true });
const others = [
  new Intl.PluralRules('ar', { type: 'ordinal', minimumFractionDigits: 1 }),
  new Intl.RelativeTimeFormat('es', { numeric: 'auto', style: 'short' }),
  new Intl.ListFormat('en', { type: 'disjunction', style: 'narrow' }),
  new Intl.DisplayNames('fr', { type: 'region', fallback: 'none' }),
  new Intl.Segmenter('en', { granularity: 'word' }),
] as const;
const locale = new Intl.Locale('en-Latn-US-u-ca-buddhist-hc-h12');
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const oneByte = new TextDecoder('latin1');
const storage = new AsyncLocalStorage<string>();
const tokenLater = async (): Promise<string | undefined> => {
  await Promise.resolve();
  return storage.getStore();
};
const channel = diagnostics.channel('rxjs-parallel-map.test');
const headers = new Headers([
  ['a', '1'],
  ['set-cookie', 'x=1'],
  ['set-cookie', 'y=2'],
]);
const form = new FormData();
form.append('a', '1');
form.append('a', '2');
const controller = new AbortController();
controller.abort(failure);
const { signal } = controller;
const abortedAnyhow = AbortSignal.abort();
const secret = createSecretKey(Buffer.from('secret'));
const boxedSymbol = Object(own) as symbol;
const LateClass = TextDecoder;

export const tables: Tables = {
  primitives: [
    ['a number', () => one, 1],
    ['-0', () => Object.is(minusZero, -0), true],
    ['NaN', () => notANumber, NaN],
    ['-Infinity', () => endless, -Infinity],
    ['a string', () => text, 'ä€😀\0\ud800 "quoted" \\ `${x}`'],
    ['a bigint', () => huge, -1180591620717411303424n],
    ['a boolean', () => yes, true],
    ['null', () => nothing, null],
    ['undefined', () => [missing, typeof missing], [undefined, 'undefined']],
    [
      'a symbol of the registry',
      () => [Symbol.keyFor(registered), registered === Symbol.for('rxjs-parallel-map.test')],
      ['rxjs-parallel-map.test', true],
    ],
    ['a symbol of the language', () => wellKnown === Symbol.asyncIterator, true],
    ['any symbol, the same everywhere', () => [String(own), keyedByOwn[own]], ['Symbol(own)', 'found']],
    [
      'inside objects',
      () => ({ ...inside, symbol: inside.symbol === Symbol.for('rxjs-parallel-map.test') }),
      { zero: -0, nan: NaN, big: 5n, missing: undefined, symbol: true, list: [-0, undefined, null, 7n] },
    ],
  ],

  'objects of JavaScript and Node': [
    [
      'a date',
      () => [date instanceof Date, date.toISOString(), noDate.getTime()],
      [true, '1970-01-02T00:00:00.000Z', NaN],
    ],
    [
      'a regular expression',
      () => [pattern.source, pattern.flags, pattern.lastIndex, pattern.exec('ab-cd-')?.groups?.['word']],
      ['(?<word>\\w+)-', 'dgiu', 3, 'cd'],
    ],
    [
      'a map',
      () => [
        [...map.keys()].length,
        map.get(key),
        map.get(NaN),
        (map.get('inner') as Map<number, Set<number>>).get(1)?.has(2),
      ],
      [3, 'by object', 'by NaN', true],
    ],
    ['a map that holds itself', () => circularMap.get('self') === circularMap, true],
    ['a set', () => [set.has(key), [...set].slice(1)], [true, [0, 'b', 'a']]],
    ['typed arrays', () => typed, typed],
    [
      'views of one buffer',
      () => {
        part[0] = 0x0102;
        view.setInt8(0, -7);
        return [
          part.buffer === memory,
          view.buffer === whole.buffer,
          whole[4],
          whole[5],
          whole[8],
          part.length,
          view.byteLength,
        ];
      },
      [true, true, 2, 1, 249, 2, 4],
    ],
    ['an ArrayBuffer', () => [memory instanceof ArrayBuffer, memory.byteLength], [true, 16]],
    [
      'a Buffer',
      () => [Buffer.isBuffer(nodeBuffer), nodeBuffer.toString(), nodeBuffer.length, slice.toString('hex')],
      [true, 'grüße', 7, '6263'],
    ],
    [
      'a URL',
      () => [address instanceof URL, address.href, address.searchParams.get('c')],
      [true, 'https://user@example.org:8080/a/b?c=d#e', 'd'],
    ],
    ['URLSearchParams', () => [query.getAll('a'), query.get('b')], [['1', '2'], ' ']],
    [
      'boxed primitives',
      () => boxed.map((each) => [typeof each, each.valueOf()]),
      [
        ['object', 5],
        ['object', 'text'],
        ['object', false],
        ['object', 9n],
      ],
    ],
    [
      'with properties of their own',
      () => [
        regExpWithMore.note,
        regExpWithMore.test('x'),
        arrayWithMore.note,
        arrayWithMore.length,
        dateWithMore.note === key,
        mapWithMore.note === key,
        mapWithMore.get(1),
      ],
      ['mine', true, 'mine', 2, true, true, 2],
    ],
  ],

  errors: [
    [
      'class, message and own properties',
      () => [failure instanceof RangeError, failure.name, failure.message, failure.code, failure.details],
      [true, 'RangeError', 'too far', 'E_FAR', { at: [1, 2] }],
    ],
    [
      'the cause',
      () => [failure.cause === cause, cause instanceof SyntaxError, cause.message, Object.keys(failure)],
      [true, true, 'the cause', ['code', 'details']],
    ],
    ['the stack', () => failure.stack, stackOfFailure],
    [
      'several in one',
      () => [several instanceof AggregateError, several.errors[0] === cause, (several.errors[1] as Error).message],
      [true, true, 'other'],
    ],
    [
      'of a class of the program',
      () => [appError instanceof AppError, appError instanceof Error, appError.describe()],
      [true, true, 'AppError 410: gone'],
    ],
  ],

  objects: [
    [
      'circles',
      () => [circle.self === circle, circle.list[0] === circle.list, circle.list[1] === circle, circle.name],
      [true, true, true, 'circle'],
    ],
    [
      'what is shared stays shared',
      () => [holders[0]?.shared === holders[1]?.shared, holders[0]?.shared === shared, readShared() === shared],
      [true, true, true],
    ],
    [
      'frozen, sealed, closed',
      () => [
        Object.isFrozen(frozen),
        Object.isFrozen(frozen.a),
        Object.isFrozen(frozen.b),
        Object.isSealed(sealed),
        Object.isFrozen(sealed),
        Object.isExtensible(closed),
        Object.isSealed(closed),
        Object.isFrozen(frozenMap),
        frozenMap.get(1),
      ],
      [true, true, false, true, false, false, false, true, 2],
    ],
    [
      'without prototype',
      () => [Object.getPrototypeOf(bare), bare['a'], bare['constructor']],
      [null, 1, 'no function'],
    ],
    [
      'sparse arrays',
      () => [sparse.length, 0 in sparse, 1 in sparse, Object.keys(sparse), long.length, 0 in long],
      [5, false, true, ['1', '3'], 5, false],
    ],
    [
      'hidden and read-only properties',
      () => [
        Object.keys(hidden),
        (hidden as unknown as { unseen: number }).unseen,
        Object.getOwnPropertyDescriptor(readOnly, 'fixed'),
      ],
      [['seen'], 2, { value: 1, writable: false, enumerable: true, configurable: false }],
    ],
    [
      'accessors',
      () => {
        const before = accessors.upper;
        accessors.upper = 'EVE';
        const after = accessors.first;
        accessors.first = 'Ada';
        return [before, after];
      },
      ['ADA', 'eve'],
    ],
    [
      'a setter alone',
      () => {
        (onlySetter as { put?: unknown }).put = 5;
        return [onlySetter.got, (onlySetter as { put?: unknown }).put];
      },
      [5, undefined],
    ],
    [
      'symbols as keys',
      () => [
        symbolKeys[registered],
        String(symbolKeys),
        symbolKeys[own],
        Object.getOwnPropertySymbols(symbolKeys).length,
      ],
      [1, '[object Mine]', 2, 3],
    ],
    ['the order of keys', () => Object.keys(ordered), ['2', '10', 'z', 'a']],
    [
      'a key __proto__',
      () => [Object.keys(protoKey), Object.getPrototypeOf(protoKey) === Object.prototype],
      [['__proto__'], true],
    ],
    [
      'that look like something else',
      () => ({ ...lookalike }),
      { type: 'function', then: 1, length: 2, toJSON: 3, v: 4 },
    ],
    [
      'with another object as prototype',
      () => [child.greet(), Object.keys(child), Object.getPrototypeOf(child) === parent],
      ['from the parent', ['own'], true],
    ],
    [
      '5,000 deep',
      () => {
        let depth = 0;
        for (let at: unknown = deep; at !== undefined; at = (at as typeof deep).next) depth++;
        return depth;
      },
      5001,
    ],
    [
      '300 deep, with functions',
      () => {
        let sum = 0;
        for (let at: Link | undefined = links; at !== undefined; at = at.next) sum += at.call();
        return sum;
      },
      44_850,
    ],
    ['large', () => [large.length, large.at(-1)], [20_000, { i: 19_999 }]],
  ],

  instances: [
    [
      'class, prototype and fields',
      () => [
        point instanceof Point,
        Object.getPrototypeOf(point) === Point.prototype,
        point.constructor === Point,
        Object.keys(point),
      ],
      [true, true, true, ['x']],
    ],
    [
      'private fields and methods',
      () => [point.secret, point.reveal(), Point.isPoint(point), Point.isPoint({})],
      ['a', 'hidden a', true, false],
    ],
    [
      'private fields of the same name in base and derived class',
      () => [point3 instanceof Point, point3.secret, point3.reveal()],
      [true, 'b', 'hidden b 3'],
    ],
    [
      'private fields stay writable',
      () => {
        point.secret = 'new';
        const { secret } = point;
        point.secret = 'a';
        return secret;
      },
      'new',
    ],
    ['no constructor runs', () => Point.made, made],
    ['known by its own methods only', () => point3.reveal(), 'hidden b 3'],
    [
      'of a class that extends Map',
      () => [counts instanceof Counts, counts instanceof Map, [...counts], counts.total],
      [
        true,
        true,
        [
          ['a', 2],
          ['b', 3],
        ],
        5,
      ],
    ],
    [
      'of a class that extends Array',
      () => [
        stack instanceof Stack,
        Array.isArray(stack),
        stack.length,
        stack.peek(),
        stack.map((n) => n * 2) instanceof Stack,
      ],
      [true, true, 3, 3, true],
    ],
    ['of a class that extends Set', () => [tags instanceof Tags, tags.join()], [true, 'x,y']],
    ['of a class that extends Uint8Array', () => [bytes instanceof Bytes, bytes.sum()], [true, 6]],
    [
      'that know each other by private fields',
      () => [family.children[0]?.parent === family, family.parent, family.children.length],
      [true, undefined, 2],
    ],
    ['frozen', () => [Object.isFrozen(frozenPoint), frozenPoint.secret], [true, 'frozen']],
    [
      'of a class that extends EventEmitter, with listeners',
      () => {
        emitter.emit('news', 'it works');
        return emitter.heard.splice(0);
      },
      ['it works'],
    ],
    [
      'private fields that are not yet set, and static ones',
      () => [lazy.value, Lazy.knows('known'), Lazy.knows('x')],
      [7, true, false],
    ],
    ['private accessors', () => withAccessors.grow() > 5, true],
  ],

  'what V8 shows': [
    [
      'bound functions',
      () => [bound(2), bound.name, bound.length, boundAgain(3), boundAgain.note],
      [['here', 1, 2], 'bound listed', 0, ['here', 1, 2, 3], 'mine'],
    ],
    ['bound to the object that they are in', () => [boundToItself.read(), (0, boundToItself.read)()], [4, 4]],
    [
      'bound methods that use private fields',
      () => [(0, handler.handle)(), handle(), Object.hasOwn(handler, 'handle')],
      ['handler', 'handler', true],
    ],
    ['bound functions of Node', () => [typeof boundOfNode, typeof boundOfStream], ['function', 'function']],
    ['proxies', () => [proxy['a'], proxy['b'], proxy['c']], [1, '1!', undefined]],
    ['whose traps no capture calls', () => calledBefore, 0],
    ['proxies of functions', () => functionProxy(3), 6],
    [
      'proxies of classes',
      () => [(new classProxy() as { made?: boolean }).made, new classProxy().handle()],
      [true, 'handler'],
    ],
    ['proxies of instances', () => instanceProxy.handle(), 'handler'],
    [
      'the entries of a WeakMap that the worker can ask for',
      () => [weakMap.get(key), weakMap.get(Date), weakMap.get(handler) === key, weakMap.has({})],
      ['plain', 'of the language', true, false],
    ],
    ['and of a WeakSet', () => [weakSet.has(key), weakSet.has(handler)], [true, false]],
    [
      'of a class that extends WeakMap',
      () => [metadata.get(Handler), metadata.title, metadata instanceof Metadata],
      ['of the handler', 'metadata', true],
    ],
    ['a WeakRef', () => weakRef.deref() === key, true],
    [
      'settled promises',
      async () => [(await fulfilled).key === key, await rejected.catch((error: unknown) => error === failure)],
      [true, true],
    ],
    ['of a class that extends Promise', async () => [await tracked, tracked instanceof Tracked], [1, true]],
    [
      'numbers and dates of Intl',
      () => [
        numberFormat.format(-1234.567),
        dateFormat.format(1e12),
        hours.format(1e12),
        hours.formatToParts(-7e13).length,
      ],
      [numberFormat.format(-1234.567), dateFormat.format(1e12), hours.format(1e12), hours.formatToParts(-7e13).length],
    ],
    ['a Collator', () => ['z10', 'ö', 'z9'].sort(collator.compare), ['z9', 'z10', 'ö']],
    [
      'the rest of Intl',
      () => [
        others[0].select(3),
        others[1].format(-1, 'day'),
        others[2].format(['a', 'b', 'c']),
        others[3].of('US'),
        [...others[4].segment('a b')].length,
        locale.toString(),
      ],
      ['other', 'ayer', 'a, b, or c', 'États-Unis', 3, 'en-Latn-US-u-ca-buddhist-hc-h12'],
    ],
    [
      'encoders and decoders',
      () => [
        decoder.decode(encoder.encode('\ufeffä')),
        decoder.fatal,
        oneByte.decode(new Uint8Array([228])),
        LateClass.name,
      ],
      ['\ufeffä', true, 'ä', 'TextDecoder'],
    ],
    [
      'an AsyncLocalStorage, one for all functions',
      async () => [
        storage.getStore(),
        await storage.run('x', tokenLater),
        storage.run('x', () => storage.exit(() => storage.getStore())),
        storage instanceof AsyncLocalStorage,
      ],
      [undefined, 'x', undefined, true],
    ],
    [
      'channels of diagnostics',
      () => [channel.name, channel === diagnostics.channel('rxjs-parallel-map.test')],
      ['rxjs-parallel-map.test', true],
    ],
    [
      'headers and forms',
      () => [headers.get('a'), headers.getSetCookie(), form.getAll('a')],
      ['1', ['x=1', 'y=2'], ['1', '2']],
    ],
    [
      'signals that are aborted',
      () => [
        signal.aborted,
        signal.reason === failure,
        controller.signal === signal,
        (abortedAnyhow.reason as Error).name,
      ],
      [true, true, true, 'AbortError'],
    ],
    ['keys', () => [secret.type, secret.export().toString()], ['secret', 'secret']],
    ['a boxed symbol', () => [typeof boxedSymbol, boxedSymbol.valueOf() === own], ['object', true]],
  ],

  scopes: [
    [
      'of the module',
      () => [changing, declaredByVar, typeof adder, typeof Point],
      ['late', 'var', 'function', 'function'],
    ],
    ['what is beside it and unused may be anything', () => one + 1, 2],
    ['shadowed by a parameter', ofParameter, 'parameter'],
    ['shadowed by a block', ofBlock, 'block'],
    ['shadowed inside, seen through another function', ofInner, ['inner', 'inner', 'module']],
    [
      'variables of the same name in several scopes at once',
      () => [shadow, ofParameter(), ofBlock()],
      ['module', 'parameter', 'block'],
    ],
    ['loops with let', () => inLet.map((fn) => fn()), [0, 1, 2]],
    ['loops with var', () => inVar.map((fn) => fn()), [3, 3, 3]],
    [
      'for … of with destructuring',
      () => inOf.map((fn) => fn()),
      [
        ['a', 2],
        ['b', 1],
      ],
    ],
    ['for … in', () => inIn.map((fn) => fn()), ['first', 'second']],
    ['catch', () => inCatch.map((fn) => fn()), ['caught', [6, 2]]],
    ['switch', inSwitch[0] as () => unknown, 'switch'],
    ['classes', () => [inClass.map((fn) => fn()), Renamed.name], [[['static block', 'static', 'Inner']], 'Inner']],
    ['the name of a function expression', () => [named(5), named.name], [120, 'self']],
    ['closures in closures', added, 7],
    ['arguments, taken into a variable', fromArguments, [1, ['two', [3]]]],
    ['parameters with defaults', fromDefaults, [1, 2, 3]],
    ['names of all kinds', () => [$dollar_ünïcode, async, of, get, eval2], ['names', 'async', 'of', 'get', 'eval2']],
    ['names that hide global ones', () => [processHere(), consoleHere()], ['shadowed', 'shadowed']],
  ],
};
