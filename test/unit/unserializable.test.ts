import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { findUnserializable } from '../../src/internal/protocol/unserializable.js';

const succeeds = (act: () => unknown): boolean => {
  try {
    act();
    return true;
  } catch {
    return false;
  }
};

const transports: [name: string, isCloneable: (value: unknown) => boolean][] = [
  ['a thread', (value) => succeeds(() => structuredClone(value))],
  ['a process', (value) => succeeds(() => deserialize(serialize(value)))],
];

class User {
  constructor(
    readonly name: string,
    readonly extra: unknown,
  ) {}
}

class Subject {
  _listeners = [() => 1];
  closed = false;
}

const throwing = (): never => {
  throw new Error('boom');
};

const circle: Record<string, unknown> = { name: 'circle', list: [] };
circle['self'] = circle;
(circle['list'] as unknown[]).push(circle, new Map([[circle, circle]]));

const nested = (depth: number, end: unknown): unknown => {
  let value = end;
  for (let i = 0; i < depth; i++) value = { next: value };
  return value;
};

/** Each look at it gives another object. */
const endless = (): object => ({
  get next() {
    return endless();
  },
});

const shared = { handler: () => 1 };

/** [what it is, the value, its path, its kind] */
const cases: [what: string, make: () => unknown, path: string, kind: string][] = [
  ['a function', () => function resize() {}, 'value', 'function resize'],
  ['a function without a name', () => [() => 1], 'value[0]', 'function'],
  ['a class', () => ({ type: User }), 'value.type', 'class User'],
  ['a symbol', () => ({ id: Symbol('id') }), 'value.id', 'Symbol(id)'],
  ['a promise', () => ({ a: 1, later: Promise.resolve(1) }), 'value.later', 'Promise'],
  ['a weak map', () => [new WeakMap()], 'value[0]', 'WeakMap'],
  ['a weak reference', () => ({ ref: new WeakRef({}) }), 'value.ref', 'WeakRef'],
  ['a generator', () => ({ all: (function* () {})() }), 'value.all', 'Generator'],
  ['an array in an object', () => ({ items: [1, 2, 3, () => 1] }), 'value.items[3]', 'function'],
  ['a key that is no identifier', () => ({ 'odd key': Symbol() }), 'value["odd key"]', 'Symbol()'],
  ['a key in quotes', () => ({ 'say "hi"': throwing }), 'value["say \\"hi\\""]', 'function throwing'],
  ['a key in another script', () => ({ größe: { π: throwing } }), 'value.größe.π', 'function throwing'],
  ['a property of an array', () => Object.assign([1], { extra: throwing }), 'value.extra', 'function throwing'],
  [
    'a hole in an array',
    () => ({ list: Object.assign(new Array(3), { 2: throwing }) }),
    'value.list[2]',
    'function throwing',
  ],
  ['a value of a map', () => new Map([['key', throwing]]), 'value.get("key")', 'function throwing'],
  [
    'a value of a map by number',
    () => ({ map: new Map([[7, [throwing]]]) }),
    'value.map.get(7)[0]',
    'function throwing',
  ],
  [
    'a value of a map by object',
    () =>
      new Map<unknown, unknown>([
        [1, 1],
        [{}, throwing],
      ]),
    'value.values()[1]',
    'function throwing',
  ],
  [
    'a key of a map',
    () =>
      new Map<unknown, unknown>([
        [1, 1],
        [throwing, 1],
      ]),
    'value.keys()[1]',
    'function throwing',
  ],
  ['a member of a set', () => new Set<unknown>([1, 2, throwing]), 'value.values()[2]', 'function throwing'],
  [
    'a getter that throws',
    () => ({
      a: {
        get b() {
          return throwing();
        },
      },
    }),
    'value.a.b',
    'getter that throws (boom)',
  ],
  ['a field of a class instance', () => ({ user: new User('Ada', throwing) }), 'value.user.extra', 'function throwing'],
  ['a private field of a class instance', () => ({ subject: new Subject() }), 'value.subject', 'Subject'],
  ['a socket', () => ({ user: { socket: new Socket() } }), 'value.user.socket', 'Socket'],
  ['an event emitter with listeners', () => [new EventEmitter().on('x', throwing)], 'value[0]', 'EventEmitter'],
  ['a proxy', () => ({ settings: new Proxy({ a: 1 }, {}) }), 'value.settings', 'Proxy'],
  ['a proxy of an array', () => ({ rows: new Proxy([1, { a: 1 }], {}) }), 'value.rows', 'Proxy'],
  ['a proxy of a map', () => ({ map: new Proxy(new Map(), {}) }), 'value.map', 'Proxy'],
  [
    'a proxy that throws',
    () => ({ p: new Proxy({}, { getPrototypeOf: throwing, ownKeys: throwing, get: throwing }) }),
    'value.p',
    'Proxy',
  ],
  ['a proxy that does not list its keys', () => ({ p: new Proxy({}, { ownKeys: throwing }) }), 'value.p', 'Proxy'],
  [
    'the cause of an error',
    () => ({ error: new Error('x', { cause: throwing }) }),
    'value.error.cause',
    'function throwing',
  ],
  ['the first of several', () => ({ a: { b: [throwing] }, c: Symbol('c') }), 'value.a.b[0]', 'function throwing'],
  ['what is reached in two ways', () => ({ a: shared, b: shared }), 'value.a.handler', 'function handler'],
  ['something after a circle', () => ({ circle, end: throwing }), 'value.end', 'function throwing'],
  [
    'an object without a prototype',
    () => Object.assign(Object.create(null), { fn: throwing }),
    'value.fn',
    'function throwing',
  ],
  [
    'an object of another realm',
    () => runInNewContext('({ list: [new Map([["a", function foreign() {}]])] })'),
    'value.list[0].get("a")',
    'function foreign',
  ],
  [
    'the end of a long way',
    () => nested(500, throwing),
    `value${'.next'.repeat(19)} … ${'.next'.repeat(20)}`,
    'function throwing',
  ],
  ['what is nested too deeply for any channel', () => nested(50_000, 1), 'value', 'too deeply nested'],
  ['what goes on without end', endless, 'value', 'too deeply nested'],
];

for (const [transport, isCloneable] of transports) {
  describe(`findUnserializable, for ${transport}`, () => {
    for (const [what, make, path, kind] of cases) {
      it(`names ${what}: ${path.length > 60 ? '…' : path}`, () => {
        expect(findUnserializable(make(), isCloneable)).to.deep.equal({ path, kind });
      });
    }

    it('finds nothing in what can be sent', () => {
      const date = new Date();
      const fine = [
        undefined,
        null,
        0,
        'text',
        1n,
        {},
        [],
        circle,
        new Map([[{}, [date]]]),
        new Set([/x/g]),
        new User('Ada', date),
      ];
      for (const value of [
        ...fine,
        fine,
        new Uint8Array(9),
        Buffer.from('abc'),
        new Error('x'),
        new Error('x', { cause: 1 }),
      ]) {
        expect(findUnserializable(value, isCloneable)).to.equal(undefined);
      }
    });

    it('does not look where the channel does not: hidden and symbol keys, methods', () => {
      class Shape {
        readonly sides = 4;
        area(): number {
          return this.sides;
        }
      }
      const value = Object.defineProperty({ [Symbol('key')]: throwing, shape: new Shape() }, 'hidden', {
        value: throwing,
      });
      expect(findUnserializable(value, isCloneable)).to.equal(undefined);
    });

    it('calls the value as it is told', () => {
      expect(findUnserializable({ db: throwing }, isCloneable, 'sharedObjects')?.path).to.equal('sharedObjects.db');
    });

    it('shortens what would make a message unreadable', () => {
      const found = findUnserializable({ ['k'.repeat(10_000)]: throwing }, isCloneable);
      expect(found?.path.length).to.be.below(100);
    });

    it('names a child process and a timer rather than what is inside of them', () => {
      const child = spawn(process.execPath, ['--version']);
      const timer = setTimeout(throwing, 60_000);
      expect(findUnserializable({ child }, isCloneable)).to.deep.equal({ path: 'value.child', kind: 'ChildProcess' });
      expect(findUnserializable([timer], isCloneable)).to.deep.equal({ path: 'value[0]', kind: 'Timeout' });
      clearTimeout(timer);
    });

    it('is quick with a million numbers, or a hundred thousand objects', () => {
      let asked = 0;
      const counting = (value: unknown): boolean => (asked++, isCloneable(value));
      const numbers: unknown[] = Array.from({ length: 1_000_000 }, (_, i) => i);
      const rows: unknown[] = Array.from({ length: 100_000 }, (_, id) => ({ id, tags: ['a'] }));
      const start = performance.now();
      expect(findUnserializable([...numbers, throwing], counting)?.path).to.equal('value[1000000]');
      expect(findUnserializable([...rows, { id: throwing }], counting)?.path).to.equal('value[100000].id');
      expect(performance.now() - start).to.be.below(10_000);
      expect(asked).to.equal(0);
    });

    it('follows a hundred thousand levels less one without overflowing the stack', () => {
      expect(findUnserializable(nested(99_000, throwing), isCloneable)?.kind).to.equal('function throwing');
    });

    it('survives a getter that throws only now and then', () => {
      for (let first = 0; first < 4; first++) {
        let calls = first;
        const moody = {
          get a(): unknown {
            return calls++ % 4 < 2 ? throwing() : 1;
          },
        };
        expect(() => findUnserializable({ list: [moody] }, isCloneable)).not.to.throw();
      }
    });

    it('survives a question that throws', () => {
      expect(findUnserializable([new Date()], throwing)).to.deep.equal({ path: 'value[0]', kind: 'Date' });
    });

    it('says of what is only too large as a whole that it is', () => {
      const whole = [{ a: new Uint8Array(2) }, { b: new Uint8Array(2) }];
      const fits = (value: unknown): boolean => !Array.isArray(value);
      expect(findUnserializable(whole, fits)).to.deep.equal({ path: 'value', kind: 'too large as a whole' });
    });
  });
}
