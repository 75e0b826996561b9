import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { inspect, types } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import { decodeThrown } from '../../src/internal/protocol/decodeThrown.js';
import { encodeThrown, type EncodedThrown } from '../../src/internal/protocol/errorCodec.js';
import * as ours from '../../src/errors.js';

const succeeds = (act: () => unknown): boolean => {
  try {
    act();
    return true;
  } catch {
    return false;
  }
};

const byThread = (value: unknown): boolean => succeeds(() => structuredClone(value));
const byProcess = (value: unknown): boolean => succeeds(() => deserialize(serialize(value)));

const byPort = (value: unknown): unknown => {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(value);
  const received = receiveMessageOnPort(port2)?.message as unknown;
  port1.close();
  return received;
};

const transports: [name: string, isCloneable: (value: unknown) => boolean, send: (value: unknown) => unknown][] = [
  ['structuredClone', byThread, (value) => structuredClone(value)],
  ['a MessageChannel', byThread, byPort],
  ['v8.serialize', byProcess, (value) => deserialize(serialize(value))],
];

/** What `act` throws. */
const thrownBy = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

const throwing = (): never => {
  throw new Error('boom');
};

/** What a loop over a value sees. */
const propertiesOf = (value: unknown): object => Object.fromEntries(Object.entries(value as object));

/** Any property of anything. */
type Any = { readonly [key: string]: Any };

const isHidden = (object: unknown, key: string): boolean =>
  Object.getOwnPropertyDescriptor(object, key)?.enumerable === false;

for (const [transport, isCloneable, send] of transports) {
  const arrive = (thrown: unknown): unknown => decodeThrown(send(encodeThrown(thrown, isCloneable)) as EncodedThrown);
  const arriveError = (thrown: unknown): Error & Any => {
    const arrived = arrive(thrown);
    expect(arrived).to.be.instanceOf(Error);
    return arrived as Error & Any;
  };

  describe(`A thrown value, over ${transport}`, () => {
    describe('built-in errors', () => {
      const classes = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];
      for (const Class of classes) {
        it(`${Class.name} arrives as ${Class.name}`, () => {
          const thrown = new Class('wrong');
          const arrived = arriveError(thrown);
          expect(Object.getPrototypeOf(arrived)).to.equal(Class.prototype);
          expect(types.isNativeError(arrived)).to.equal(true);
          expect(arrived.name).to.equal(Class.name);
          expect(arrived.message).to.equal('wrong');
          expect(arrived.stack).to.equal(thrown.stack);
          expect(Object.keys(arrived)).to.deep.equal([]);
          expect(isHidden(arrived, 'message')).to.equal(true);
          expect(isHidden(arrived, 'stack')).to.equal(true);
          expect(arrived).not.to.have.own.property('name');
          expect(arrived).not.to.have.property('cause');
          expect(inspect(arrived)).to.equal(inspect(thrown));
        });
      }

      it('AggregateError arrives with its errors', () => {
        const thrown = new AggregateError(
          [new TypeError('a'), 'b', new AggregateError([new RangeError('c')])],
          'all failed',
        );
        const arrived = arriveError(thrown) as unknown as AggregateError;
        expect(arrived).to.be.instanceOf(AggregateError).with.property('message', 'all failed');
        expect(isHidden(arrived, 'errors')).to.equal(true);
        expect(arrived.errors).to.have.length(3);
        expect(arrived.errors[0]).to.be.instanceOf(TypeError).with.property('message', 'a');
        expect(arrived.errors[1]).to.equal('b');
        expect(arrived.errors[2].errors[0]).to.be.instanceOf(RangeError).with.property('message', 'c');
      });

      it('SuppressedError, which not every Node has, arrives with both its errors', () => {
        // As the class makes it: neither property shows up in a loop.
        const thrown = Object.defineProperties(new Error('closing failed'), {
          error: { value: new TypeError('a'), configurable: true, writable: true },
          suppressed: { value: new RangeError('b'), configurable: true, writable: true },
        });
        const arrived = arriveError(thrown);
        expect(arrived['error']).to.be.instanceOf(TypeError).with.property('message', 'a');
        expect(arrived['suppressed']).to.be.instanceOf(RangeError).with.property('message', 'b');
        expect([isHidden(arrived, 'error'), isHidden(arrived, 'suppressed')]).to.deep.equal([true, true]);
      });

      it('DOMException arrives with its name and code', () => {
        const thrown = new DOMException('stopped', 'AbortError');
        const arrived = arriveError(thrown);
        expect(arrived).to.be.instanceOf(DOMException);
        expect(arrived).to.include({ name: 'AbortError', message: 'stopped', code: 20, stack: thrown.stack });
        expect(arriveError(new DOMException('plain')).name).to.equal('Error');
        expect(arriveError(AbortSignal.abort().reason)).to.include({ name: 'AbortError', code: 20 });
        expect(arriveError(thrownBy(() => structuredClone(throwing)))).to.include({ name: 'DataCloneError', code: 25 });
      });

      it('an error of another realm arrives as one of this realm', () => {
        const foreign = (code: string): unknown => runInNewContext(code);
        expect(arriveError(foreign('new RangeError("far away")')))
          .to.be.instanceOf(RangeError)
          .with.property('message', 'far away');
        expect(arriveError(foreign('class Mine extends TypeError {}; new Mine("far")'))).to.be.instanceOf(TypeError);
        expect(arriveError(foreign('new AggregateError([new SyntaxError("x")])'))['errors']?.['0']).to.be.instanceOf(
          SyntaxError,
        );
        expect(arriveError(new Error('x', { cause: foreign('new EvalError("e")') })).cause).to.be.instanceOf(EvalError);
      });

      it('an error of the system arrives with its code, path and syscall', () => {
        const arrived = arriveError(thrownBy(() => readFileSync('/does/not/exist')));
        expect(arrived)
          .to.include({ code: 'ENOENT', syscall: 'open', path: '/does/not/exist' })
          .and.have.property('errno');
        expect(Object.keys(arrived)).to.have.members(['errno', 'code', 'syscall', 'path']);
        expect(arriveError(thrownBy(() => new URL('no url'))))
          .to.be.instanceOf(TypeError)
          .with.property('code', 'ERR_INVALID_URL');
      });

      it('overflowing the stack arrives as a RangeError', () => {
        const recurse = (): number => recurse() + 1;
        expect(arriveError(thrownBy(recurse))).to.be.instanceOf(RangeError);
      });
    });

    describe('classes of users', () => {
      it('arrive as the closest built-in class, with their name', () => {
        class ValidationError extends TypeError {
          override name = 'ValidationError';
          constructor(readonly field: { name: string }) {
            super(`invalid ${field.name}`); // throws without an argument: nobody calls it without
          }
        }
        class DeepError extends ValidationError {}
        const arrived = arriveError(new DeepError({ name: 'age' }));
        expect(Object.getPrototypeOf(arrived)).to.equal(TypeError.prototype);
        expect(arrived).to.include({ name: 'ValidationError', message: 'invalid age' });
        expect(arrived['field']).to.deep.equal({ name: 'age' });
        expect(Object.keys(arrived)).to.have.members(['name', 'field']);
      });

      it('a name from the prototype, or a getter, does not show up as a property', () => {
        class Named extends Error {}
        Object.defineProperty(Named.prototype, 'name', { value: 'Named' });
        class Got extends RangeError {
          override get name(): string {
            return 'Got';
          }
          get code(): string {
            return 'E_GOT';
          }
        }
        expect(arriveError(new Named('x')).name).to.equal('Named');
        expect(Object.keys(arriveError(new Named('x')))).to.deep.equal([]);
        expect(arriveError(new Got('x')))
          .to.be.instanceOf(RangeError)
          .and.include({ name: 'Got', code: 'E_GOT' });
        expect(Object.keys(arriveError(new Got('x')))).to.deep.equal([]);
      });

      it('a class without a native error behind it is an error all the same', () => {
        const thrown = Object.assign(Object.create(RangeError.prototype) as object, { message: 'old', code: 1 });
        const arrived = arriveError(thrown);
        expect(arrived).to.be.instanceOf(RangeError).and.include({ message: 'old', code: 1 });
        expect(types.isNativeError(arrived)).to.equal(true);
      });

      it('a class that calls itself like a built-in one is still only what it extends', () => {
        const Fake = { TypeError: class TypeError extends Error {} }.TypeError;
        expect(arriveError(new Fake('x'))).not.to.be.instanceOf(TypeError);
      });

      it('a class that extends DOMException is one', () => {
        class Stop extends DOMException {
          readonly why = 'because';
        }
        expect(arriveError(new Stop('x', 'TimeoutError')))
          .to.be.instanceOf(DOMException)
          .and.include({ code: 23, why: 'because' });
      });
    });

    describe('errors of this package', () => {
      const cause = new TypeError('why');
      const samples = [
        new ours.WorkerPoolError({ message: 'base', cause }),
        new ours.WorkerTimeoutError({ stage: 'task', timeout: 5, workerId: 1, index: 2 }),
        new ours.WorkerDiedError({ workerId: 1, exitCode: null, signal: 'SIGKILL', indexes: [1, 2], cause }),
        new ours.WorkerStartError({ workerId: 1, cause }),
        new ours.UnserializableError({ path: 'value.a', index: 1, direction: 'result', kind: 'Promise', cause }),
        new ours.UnportableFunctionError({ functionName: 'f', variable: 'x', location: 'a.js:1:1', cause }),
        new ours.BufferOverflowError({ bufferSize: 3 }),
        new ours.NestedPoolError(),
        new ours.PoolTerminatedError(),
        new ours.StartMethodUnavailableError({ startMethod: 'fork', reason: 'no Linux' }),
      ];
      for (const thrown of samples) {
        it(`${thrown.name} arrives as itself, with all fields`, () => {
          const arrived = arriveError(thrown);
          expect(Object.getPrototypeOf(arrived)).to.equal(Object.getPrototypeOf(thrown));
          expect(propertiesOf(arrived)).to.deep.equal(propertiesOf(thrown));
          expect(arrived).to.include({ name: thrown.name, message: thrown.message, stack: thrown.stack });
          expect(arrived).not.to.have.own.property('name');
          expect('cause' in arrived).to.equal('cause' in thrown);
          if ('cause' in thrown) expect(arrived.cause).to.be.instanceOf(TypeError).with.property('message', 'why');
          expect(types.isNativeError(arrived)).to.equal(true);
        });
      }

      it('one of another copy of the package arrives as one of this copy', () => {
        class WorkerDiedError extends Error {
          workerId = 4;
        }
        Object.defineProperties(WorkerDiedError.prototype, {
          [Symbol.for('rxjs-parallel-map.error')]: { value: 'WorkerDiedError' },
          name: { value: 'WorkerDiedError' },
        });
        expect(arriveError(new WorkerDiedError('x')))
          .to.be.instanceOf(ours.WorkerDiedError)
          .with.property('workerId', 4);
      });

      it('one of a later version is a WorkerPoolError with its name', () => {
        class FutureError extends Error {}
        Object.defineProperties(FutureError.prototype, {
          [Symbol.for('rxjs-parallel-map.error')]: { value: 'FutureError' },
          name: { value: 'FutureError' },
        });
        const arrived = arriveError(new FutureError('x'));
        expect(Object.getPrototypeOf(arrived)).to.equal(ours.WorkerPoolError.prototype);
        expect(arrived.name).to.equal('FutureError');
      });
    });

    describe('cause', () => {
      it('a chain of causes arrives', () => {
        const arrived = arriveError(
          new Error('a', { cause: new TypeError('b', { cause: new RangeError('c', { cause: 'd' }) }) }),
        );
        expect(arrived.cause).to.be.instanceOf(TypeError).with.property('message', 'b');
        expect((arrived.cause as Error).cause).to.be.instanceOf(RangeError);
        expect(((arrived.cause as Error).cause as Error).cause).to.equal('d');
        expect(isHidden(arrived, 'cause')).to.equal(true);
      });

      for (const cause of [undefined, null, 0, '', { code: 1 }, [1]]) {
        it(`a cause may be anything: ${JSON.stringify(cause)}`, () => {
          const arrived = arriveError(new Error('x', { cause }));
          expect(arrived).to.have.own.property('cause').deep.equal(cause);
        });
      }

      it('a cause that was assigned shows up as it did', () => {
        expect(Object.keys(arriveError(Object.assign(new Error('x'), { cause: 1 })))).to.deep.equal(['cause']);
      });

      it('10,000 causes arrive', () => {
        let thrown = new Error('0');
        for (let i = 1; i < 10_000; i++) thrown = new Error(String(i), { cause: thrown });
        let depth = 0;
        for (let at: unknown = arrive(thrown); at instanceof Error; at = at.cause) depth++;
        expect(depth).to.equal(10_000);
      });
    });

    describe('own properties', () => {
      it('arrive: primitives, plain data, dates, buffers, maps and sets', () => {
        const date = new Date();
        const fields = {
          code: 'E_X',
          status: 404,
          big: 10n,
          nothing: null,
          missing: undefined,
          nested: { list: [1, { two: 2 }], map: new Map<unknown, unknown>([['a', { b: 1 }]]), set: new Set([1, 'x']) },
          date,
          pattern: /x/gi,
          bytes: new Uint8Array([1, 2]),
        };
        const arrived = arriveError(Object.assign(new Error('x'), fields));
        expect(propertiesOf(arrived)).to.deep.equal(fields);
      });

      it('a property that does not show up in a loop does not do so afterwards', () => {
        const thrown = Object.defineProperty(new Error('x'), 'workerId', { value: 3 });
        const arrived = arriveError(thrown);
        expect(arrived['workerId']).to.equal(3);
        expect(isHidden(arrived, 'workerId')).to.equal(true);
      });

      it('an error in a property is an error again, however deep', () => {
        class Context {
          readonly failure = new RangeError('deep');
        }
        const arrived = arriveError(
          Object.assign(new Error('x'), {
            inner: Object.assign(new TypeError('t'), { code: 1 }),
            all: [{ reason: new SyntaxError('s') }],
            map: new Map([['e', new EvalError('e')]]),
            context: new Context(),
          }),
        );
        expect(arrived['inner']).to.be.instanceOf(TypeError).with.property('code', 1);
        expect(arrived['all']?.['0']?.['reason']).to.be.instanceOf(SyntaxError);
        expect((arrived['map'] as unknown as Map<string, unknown>).get('e')).to.be.instanceOf(EvalError);
        expect(arrived['context']?.['failure']).to.be.instanceOf(RangeError);
      });

      it('what cannot be sent is left out, and the rest arrives', () => {
        const thrown = Object.assign(new Error('x'), {
          response: {
            status: 503,
            socket: new Socket(),
            headers: { 'content-type': 'text/plain', toString: throwing },
            items: [1, throwing, 3],
            map: new Map<unknown, unknown>([
              ['a', 1],
              ['b', throwing],
              [throwing, 2],
            ]),
            set: new Set<unknown>([1, throwing]),
            later: Promise.resolve(),
          },
          retry: throwing,
          id: Symbol('id'),
          weak: new WeakMap(),
          code: 'E',
        });
        const arrived = arriveError(thrown);
        expect(propertiesOf(arrived)).to.deep.equal({
          response: {
            status: 503,
            headers: { 'content-type': 'text/plain' },
            items: [1, undefined, 3],
            map: new Map([['a', 1]]),
            set: new Set([1]),
          },
          code: 'E',
        });
      });

      it('an object of a class arrives as plain data, if it can be cloned', () => {
        class Point {
          constructor(
            readonly x: number,
            readonly move?: () => void,
          ) {}
        }
        const arrived = arriveError(Object.assign(new Error('x'), { at: new Point(1), to: new Point(2, throwing) }));
        expect(arrived['at']).to.deep.equal({ x: 1, move: undefined });
        expect(arrived).not.to.have.property('to');
      });

      it('getters and proxies that throw are left out', () => {
        const bad = { get: throwing, ownKeys: throwing, getPrototypeOf: throwing, getOwnPropertyDescriptor: throwing };
        const thrown = Object.assign(new Error('x'), {
          code: 1,
          proxy: new Proxy({}, bad),
          list: [new Proxy({}, bad)],
        });
        Object.defineProperty(thrown, 'details', { enumerable: true, get: throwing });
        expect(propertiesOf(arriveError(thrown))).to.deep.equal({ code: 1, list: [undefined] });
      });

      it('a key may be __proto__', () => {
        const data = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}') as object;
        const arrived = arriveError(Object.assign(new Error('x'), { data }));
        expect(Object.getPrototypeOf(arrived['data'])).to.equal(Object.prototype);
        expect(Object.keys(arrived['data'] as object)).to.deep.equal(['__proto__', 'a']);
        expect(({} as Any)['polluted']).to.equal(undefined);
      });

      it('toJSON is not asked', () => {
        const arrived = arriveError(Object.assign(new Error('x'), { code: 1, toJSON: () => ({ fake: true }) }));
        expect(propertiesOf(arrived)).to.deep.equal({ code: 1 });
      });
    });

    describe('name, message and stack', () => {
      it('a message that is no text arrives as it is, or described', () => {
        const withMessage = (message: unknown): Error => Object.assign(new Error(), { message });
        expect(arriveError(withMessage(42)).message).to.equal(42);
        expect(arriveError(withMessage({ a: [1] })).message).to.deep.equal({ a: [1] });
        expect(arriveError(withMessage(Symbol('odd'))).message).to.equal('Symbol(odd)');
        expect(arriveError(withMessage(throwing)).message).to.equal('function throwing');
      });

      it('an error without a message has none', () => {
        const arrived = arriveError(new Error());
        expect(arrived.message).to.equal('');
        expect(arrived).not.to.have.own.property('message');
      });

      for (const key of ['name', 'message', 'stack', 'cause']) {
        it(`a getter of "${key}" that throws does no harm`, () => {
          const own = Object.defineProperty(new TypeError('x'), key, { get: throwing });
          expect(arriveError(own)).to.be.instanceOf(TypeError);
          class Inherits extends TypeError {}
          Object.defineProperty(Inherits.prototype, key, { get: throwing });
          expect(arriveError(new Inherits('x'))).to.be.instanceOf(TypeError);
        });
      }

      it('an error whose stack was removed does not get one of another place', () => {
        const thrown = new Error('x');
        delete thrown.stack;
        expect(arriveError(thrown).stack).to.equal(undefined);
      });

      it('a prepareStackTrace that throws, or gives no text, does no harm', () => {
        const { prepareStackTrace } = Error;
        try {
          for (const prepare of [throwing, (_: Error, sites: unknown) => sites]) {
            const thrown = new Error('x');
            Error.prepareStackTrace = prepare;
            expect(arriveError(thrown).message).to.equal('x');
          }
        } finally {
          Error.prepareStackTrace = prepareStackTrace;
        }
      });

      it('a frozen error arrives as one to which properties can be added', () => {
        const arrived = arriveError(Object.freeze(Object.assign(new TypeError('cold'), { code: 1 })));
        expect(arrived).to.be.instanceOf(TypeError).and.include({ message: 'cold', code: 1 });
        expect(Object.isExtensible(arrived)).to.equal(true);
        expect(Object.getOwnPropertyDescriptor(arrived, 'message')).to.include({ writable: true, configurable: true });
      });
    });

    describe('circles', () => {
      it('an error that is its own cause', () => {
        const thrown: Error = new Error('x');
        thrown.cause = thrown;
        const arrived = arriveError(thrown);
        expect(arrived.cause).to.equal(arrived);
      });

      it('errors that are the causes of each other', () => {
        const a = new Error('a');
        const b = new TypeError('b', { cause: a });
        a.cause = b;
        const arrived = arriveError(a);
        expect(arrived.cause).to.be.instanceOf(TypeError);
        expect((arrived.cause as Error).cause).to.equal(arrived);
      });

      it('an error in a property of itself, in an array, map, set or object', () => {
        const thrown = new Error('x') as Error & Record<string, unknown>;
        const self: Record<string, unknown> = { thrown };
        self['self'] = self;
        Object.assign(thrown, { self, list: [thrown], map: new Map([[thrown, self]]), set: new Set([thrown]) });
        const arrived = arriveError(thrown) as unknown as Record<string, Any>;
        expect(arrived['self']?.['thrown']).to.equal(arrived);
        expect(arrived['self']?.['self']).to.equal(arrived['self']);
        expect(arrived['list']?.['0']).to.equal(arrived);
        expect((arrived['map'] as unknown as Map<unknown, unknown>).get(arrived)).to.equal(arrived['self']);
        expect((arrived['set'] as unknown as Set<unknown>).has(arrived)).to.equal(true);
      });

      it('an AggregateError that contains itself', () => {
        const thrown = new AggregateError([], 'x');
        thrown.errors.push(thrown);
        const arrived = arrive(thrown) as AggregateError;
        expect(arrived.errors[0]).to.equal(arrived);
      });

      it('what is one object stays one object', () => {
        const shared = { a: new Date() };
        const reason = new Error('once');
        const arrived = arriveError(Object.assign(new AggregateError([reason, reason]), { one: shared, two: shared }));
        expect(arrived['one']).to.equal(arrived['two']);
        expect(arrived['errors']?.['0']).to.equal(arrived['errors']?.['1']);
      });

      it('an error without end comes to an end', () => {
        const endless = (): object => ({
          get left() {
            return endless();
          },
          get right() {
            return endless();
          },
        });
        const start = performance.now();
        expect(arriveError(Object.assign(new Error('x'), { tree: endless(), code: 1 }))['code']).to.equal(1);
        expect(performance.now() - start).to.be.below(15_000);
      });

      it('a large graph of objects that all know each other takes no ages', () => {
        class Node {
          readonly children: Node[] = [];
          constructor(
            readonly parent: Node | undefined,
            readonly visit?: () => void,
          ) {
            parent?.children.push(this);
          }
        }
        const grow = (visit?: () => void): Node[] => {
          const nodes = [new Node(undefined, visit)];
          for (let i = 1; i < 5000; i++) nodes.push(new Node(nodes[i >> 1]));
          return nodes;
        };
        const start = performance.now();
        expect(arriveError(Object.assign(new Error('x'), { nodes: grow() }))['nodes']).to.have.length(5000);
        // None of these can be cloned, since each leads to the function.
        expect(arriveError(Object.assign(new Error('x'), { nodes: grow(throwing) }))['nodes']).to.have.length(5000);
        expect(performance.now() - start).to.be.below(10_000);
      });
    });

    describe('what is no error', () => {
      for (const thrown of ['text', '', 0, -0, NaN, 1n, true, null, undefined]) {
        it(`${inspect(thrown)} arrives as itself`, () => {
          expect(Object.is(arrive(thrown), thrown)).to.equal(true);
        });
      }

      it('plain data arrives as it is', () => {
        const date = new Date();
        const thrown = { code: 1, list: [[], [date]], map: new Map([[1, new Set('a')]]), none: undefined };
        expect(arrive(thrown)).to.deep.equal(thrown);
        const holey = Object.assign(new Array<number>(3), { 0: 1, 2: 3 });
        expect(arrive(holey)).to.deep.equal(holey);
        expect(arrive(date)).to.deep.equal(date);
        expect(arrive(new Uint8Array([1]))).to.deep.equal(new Uint8Array([1]));
        expect(arrive(new Map([[1, 2]]))).to.deep.equal(new Map([[1, 2]]));
      });

      it('an error in it is an error', () => {
        expect((arrive({ error: new TypeError('x') }) as Any)['error']).to.be.instanceOf(TypeError);
        expect((arrive([new RangeError('x')]) as Any)['0']).to.be.instanceOf(RangeError);
      });

      it('an object of a class arrives as plain data, without what cannot be sent', () => {
        class Failure {
          readonly code = 7;
          readonly retry = throwing;
          readonly self = this;
        }
        const arrived = arrive(new Failure()) as Any;
        expect(Object.keys(arrived)).to.deep.equal(['code', 'self']);
        expect(arrived['code']).to.equal(7);
        expect(arrived['self']).to.equal(arrived);
      });

      it('a socket in it is left out', () => {
        expect(arrive({ status: 500, socket: new Socket() })).to.deep.equal({ status: 500 });
      });

      const odd: [what: string, thrown: unknown, shown: string][] = [
        ['a function', function resize() {}, 'function resize() {'],
        ['a class', class Foo {}, 'class Foo {'],
        ['a symbol', Symbol('odd'), 'Symbol(odd)'],
        ['a promise', Promise.resolve(), 'Promise'],
        ['a weak map', new WeakMap(), 'WeakMap'],
        ['a proxy that throws', new Proxy({}, { getPrototypeOf: throwing }), 'Proxy'],
      ];
      for (const [what, thrown, shown] of odd) {
        it(`${what} arrives as an error that shows it`, () => {
          const arrived = arriveError(thrown);
          expect(arrived.message).to.include(shown);
          expect(arrived.stack).to.include(shown);
        });
      }

      it('a long function is cut', () => {
        const long = new Function(`return "${'x'.repeat(10_000)}"`);
        expect(arriveError(long).message.length).to.be.below(300);
      });
    });

    it('survives a question that throws', () => {
      const encoded = encodeThrown(Object.assign(new TypeError('x'), { date: new Date(), code: 1 }), throwing);
      expect(propertiesOf(decodeThrown(send(encoded) as EncodedThrown))).to.deep.equal({ code: 1 });
    });

    it('asks nothing about a common error', () => {
      const never = (): boolean => expect.fail('asked');
      encodeThrown(
        Object.assign(new TypeError('x', { cause: new Error('y') }), { code: 'E', data: { a: [1] } }),
        never,
      );
    });
  });
}

describe('A thrown value, from a worker', () => {
  const codec = new URL('../../src/internal/protocol/errorCodec.js', import.meta.url).href;
  const thrower = `
    class HttpError extends RangeError {
      constructor(response) { super('HTTP ' + response.status); this.name = 'HttpError'; this.response = response; }
    }
    const inner = new AggregateError([new DOMException('stopped', 'AbortError'), null], 'inner');
    const error = new HttpError({ status: 503, send() {} });
    error.cause = inner;
    inner.cause = error;
    const { encodeThrown } = await import(${JSON.stringify(codec)});
  `;
  const check = (encoded: EncodedThrown): void => {
    const arrived = decodeThrown(encoded) as Error & Any;
    expect(arrived).to.be.instanceOf(RangeError).and.include({ name: 'HttpError', message: 'HTTP 503' });
    expect(arrived['response']).to.deep.equal({ status: 503 });
    expect(arrived.stack).to.match(/^\w+Error: HTTP 503\n +at /);
    const inner = arrived.cause as AggregateError;
    expect(inner).to.be.instanceOf(AggregateError);
    expect(inner.errors[0]).to.be.instanceOf(DOMException).and.include({ name: 'AbortError', code: 20 });
    expect(inner.errors[1]).to.equal(null);
    expect(inner.cause).to.equal(arrived);
  };

  it('that is a thread', async () => {
    const code = `(async () => { ${thrower}
      const isCloneable = (value) => { try { structuredClone(value); return true; } catch { return false; } };
      require('node:worker_threads').parentPort.postMessage(encodeThrown(error, isCloneable));
    })()`;
    const worker = new Worker(code, { eval: true });
    const [encoded] = (await once(worker, 'message')) as [EncodedThrown];
    await worker.terminate();
    check(encoded);
  });

  it('that is a process', async () => {
    const code = `${thrower}
      const { serialize } = await import('node:v8');
      const isCloneable = (value) => { try { serialize(value); return true; } catch { return false; } };
      process.send(encodeThrown(error, isCloneable));
      process.disconnect();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    const [encoded] = (await once(child, 'message')) as [EncodedThrown];
    await once(child, 'exit');
    check(encoded);
  });
});
