/** What cannot travel: one error, when somebody subscribes, that says what, where and whose it is. */

import { expect } from 'chai';
import * as inspector from 'node:inspector';
import { createServer, Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { of } from 'rxjs';
import {
  parallelMap,
  UnportableFunctionError,
  type UnportableFunctionError as Unportable,
} from '../support/library.js';
import { sourceOfTest } from '../support/forms.js';
import { outcomeOf } from '../support/outcome.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { sourcePlaces } from '../support/sourcePlaces.js';
import { describeEach } from '../support/startMethods.js';
import { trackWorkers } from '../support/workers.js';

function withResolvers() {
  let resolve: unknown;
  const settled = new Promise((settle) => (resolve = settle));
  return { promise: settled, resolve: resolve as () => void };
}

const socket = new Socket();
const server = createServer();
const stream = new PassThrough();
const detached = new Uint8Array(4);
const detachedMemory = detached.buffer;
const detachedInside = { list: [new Uint8Array(0), new DataView(detachedMemory)] };
structuredClone(detached, { transfer: [detachedMemory] });
const webStream = new ReadableStream();
const promise = new Promise<number>(() => undefined);
class LatePromise extends Promise<number> {}
const subclassed = new LatePromise(() => undefined);
const thenable = (async () => await promise)();
const keyOfWeakMap = {};
const weakMap = new WeakMap([[keyOfWeakMap, [socket]]]);
const weakRef = new WeakRef(socket);
const registry = new FinalizationRegistry(() => undefined);
const proxy = new Proxy({ socket }, {});
const handlerOfProxy = new Proxy({} as { a?: 1 }, { get: () => socket });
const functionProxy = new Proxy(() => 1, { apply: (fn) => (socket.destroyed ? fn() : 2) });
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const revokedProxy = revoked.proxy;
const bound = function boundOne(this: unknown) {
  return this;
}.bind(socket);
const boundNative = console.log.bind(console, 1, socket);
const { resolve: resolver } = withResolvers();
function* count() {
  yield 1;
  yield 2;
}
const generator = count();
generator.next();
async function* countSlowly() {
  yield 1;
}
const asyncGenerator = countSlowly();
const arrayIterator = [1, 2][Symbol.iterator]();
const timer = setTimeout(() => undefined, 0);
const decoder = new TextDecoder('utf-16le');
const controller = new AbortController();
const worker = new MessageChannel().port1;
const format = Object.assign(new Intl.NumberFormat('en'), { socket });
const { compare } = new Intl.Collator();
const config = { db: { name: 'x', pool: [{ socket }] } };
const inMap = new Map<string, unknown>([
  ['fine', 1],
  ['key', { deep: [registry] }],
]);
const inSet = new Set([1, [promise]]);
const byKey = { 'not-a-name': { 5: { [Symbol('s')]: promise } } };
class Service {
  #connection = socket;
  open(): boolean {
    return this.#connection.connecting;
  }
}
const service = new Service();
class Registry {
  static readonly all = { first: promise };
  static get size() {
    return Object.keys(Registry.all).length;
  }
}
const withProperty = Object.assign(() => 1, { cache: { weak: registry } });
const helper = () => socket.destroyed;
const helperOfHelper = () => helper();
const objectWithMethod = {
  method() {
    return registry.register({}, 1);
  },
};
const callsThrough = { list: [helperOfHelper] };

/** What is captured: the function, the variable that the error names, what is said of it, and the function that captures it. */
interface Case {
  readonly fn: () => unknown;
  readonly variable: string;
  readonly reason: RegExp;
  readonly functionName?: string;
  /** Where that function begins. */
  readonly at?: RegExp;
}

const cases: Readonly<Record<string, Case>> = {
  'a socket': { fn: () => socket.destroyed, variable: 'socket', reason: /^it is a Socket/ },
  'a server': { fn: () => server.listening, variable: 'server', reason: /^it is a Server/ },
  'a stream': { fn: () => stream.closed, variable: 'stream', reason: /^it is a PassThrough/ },
  'a web stream': { fn: () => webStream.locked, variable: 'webStream', reason: /^it is a ReadableStream/ },
  'a promise': { fn: () => promise, variable: 'promise', reason: /^it is a Promise.*await/ },
  'a promise of a subclass': { fn: () => subclassed, variable: 'subclassed', reason: /^it is a Promise/ },
  'a promise of an async function': {
    fn: async () => await thenable,
    variable: 'thenable',
    reason: /^it is a Promise/,
  },
  'in a WeakMap': {
    fn: () => weakMap.get(keyOfWeakMap),
    variable: 'weakMap',
    reason: /^weakMap\.get\(…\)\[0\] is a Socket/,
  },
  'of a WeakRef': { fn: () => weakRef, variable: 'weakRef', reason: /^weakRef\.deref\(\) is a Socket/ },
  'a FinalizationRegistry': { fn: () => registry, variable: 'registry', reason: /^it is a FinalizationRegistry/ },
  'in the target of a proxy': { fn: () => proxy.socket, variable: 'proxy', reason: /^proxy\.socket is a Socket/ },
  'captured by the handler of a proxy': {
    fn: () => handlerOfProxy.a,
    variable: 'socket',
    reason: /^it is a Socket/,
    functionName: 'get',
    at: /\(\) => socket \}\);/,
  },
  'captured by the handler of a proxy of a function': {
    fn: () => functionProxy(),
    variable: 'socket',
    reason: /^it is a Socket/,
    functionName: 'apply',
    at: /\(fn\) => \(socket\./,
  },
  'a revoked proxy': { fn: () => revokedProxy, variable: 'revokedProxy', reason: /^it is a Proxy that is revoked/ },
  'the this of a bound function': {
    fn: () => bound(),
    variable: 'bound',
    reason: /^this of bound is a Socket/,
  },
  'an argument of a bound function': {
    fn: () => boundNative(),
    variable: 'boundNative',
    reason: /^argument 2 of boundNative is a Socket/,
  },
  'a native function without a name of its own': {
    fn: () => resolver(),
    variable: 'resolver',
    reason: /^it is a native function/,
  },
  'a generator in progress': {
    fn: () => generator.next(),
    variable: 'generator',
    reason: /^it is a generator in progress/,
  },
  'an async generator in progress': {
    fn: () => asyncGenerator.next(),
    variable: 'asyncGenerator',
    reason: /generator/,
  },
  'an iterator in progress': {
    fn: () => arrayIterator.next(),
    variable: 'arrayIterator',
    reason: /^it is an (Array I|i)terator/,
  },
  'a timer': { fn: () => timer.hasRef(), variable: 'timer', reason: /^it is a Timeout/ },
  'a decoder that may have begun': {
    fn: () => decoder.encoding,
    variable: 'decoder',
    reason: /^it is a TextDecoder .*in the middle/,
  },
  'an AbortSignal': {
    fn: () => controller.signal.aborted,
    variable: 'controller',
    reason: /^it is an AbortController/,
  },
  'a MessagePort': { fn: () => worker, variable: 'worker', reason: /^it is a MessagePort/ },
  'what hangs on an object of Intl': {
    fn: () => format.format(1),
    variable: 'format',
    reason: /^format\.socket is a Socket/,
  },
  'a function of an object of Intl': {
    fn: () => compare('a', 'b'),
    variable: 'compare',
    reason: /^it is a native function/,
  },
  'an array whose memory was transferred': {
    fn: () => detached.length,
    variable: 'detached',
    reason: /^it is a Uint8Array that is detached: its memory was transferred$/,
  },
  'such memory itself': {
    fn: () => detachedMemory,
    variable: 'detachedMemory',
    reason: /^it is an ArrayBuffer that is detached/,
  },
  'such a view, by its path': {
    fn: () => detachedInside,
    variable: 'detachedInside',
    reason: /^detachedInside\.list\[1\] is a DataView/,
  },
  'by its path': { fn: () => config, variable: 'config', reason: /^config\.db\.pool\[0\]\.socket is a Socket/ },
  'inside a map': {
    fn: () => inMap,
    variable: 'inMap',
    reason: /^inMap\.values\(\)\[1\]\.deep\[0\] is a FinalizationRegistry/,
  },
  'inside a set': { fn: () => inSet, variable: 'inSet', reason: /^inSet\.values\(\)\[1\]\[0\] is a Promise/ },
  'by keys that are no names': {
    fn: () => byKey,
    variable: 'byKey',
    reason: /^byKey\["not-a-name"\]\[5\]\[Symbol\(s\)\] is a Promise/,
  },
  'in a private field': { fn: () => service.open(), variable: 'service', reason: /^service\.#connection is a Socket/ },
  'in a static field of a class': {
    fn: () => Registry.size,
    variable: 'Registry',
    reason: /^Registry\.all\.first is a Promise/,
  },
  'in a property of a function': {
    fn: () => withProperty(),
    variable: 'withProperty',
    reason: /^withProperty\.cache\.weak is a FinalizationRegistry/,
  },
  'captured by a function that it calls': {
    fn: () => helperOfHelper(),
    variable: 'socket',
    reason: /^it is a Socket/,
    functionName: 'helper',
    at: /\(\) => socket.destroyed;/,
  },
  'captured by a function in an object': {
    fn: () => callsThrough,
    variable: 'socket',
    reason: /^it is a Socket/,
    functionName: 'helper',
    at: /\(\) => socket.destroyed;/,
  },
  'captured by a method of a captured object': {
    fn: () => objectWithMethod.method(),
    variable: 'registry',
    reason: /^it is a FinalizationRegistry/,
    functionName: 'method',
    at: /method\(\) \{\s+return registry/,
  },
};

class Holder {
  protected value = 1;
  #secret = 2;
  readonly arrow = () => this.value;
  makers(): Record<string, () => unknown> {
    return {
      'its parameters': ({ [String(this.value)]: value }: Record<string, unknown> = {}) => value ?? this.value,
      'a class in it': () => [
        this.value,
        class {
          static readonly value = 1;
        },
      ],
      'new.target': Holder.withTarget(),
      '#secret': () => Holder.reveal({} as Holder),
    };
  }
  static withTarget(): () => unknown {
    function Made(this: { fn: () => unknown }) {
      this.fn = () => new.target;
    }
    return new (Made as unknown as new () => { fn: () => unknown })().fn;
  }
  static reveal(holder: Holder): unknown {
    return holder.#secret;
  }
}
class Derived extends Holder {
  override makers(): Record<string, () => unknown> {
    return { super: () => super.makers() };
  }
}

const source = sourceOfTest('functions/unportable.test.ts');

/** Where something stands in this file. */
function placeOf(pattern: RegExp): string {
  const at = source.search(pattern);
  expect(at, String(pattern)).to.be.above(-1);
  const lines = source.slice(0, at).split('\n');
  return `test/functions/unportable.test.ts:${lines.length}:${(lines.at(-1) as string).length + 1}`;
}

function literally(text: string): string {
  return text.replace(/[^\w\s]/g, '\\$&');
}

describeEach.of(['threading', 'spawn'], 'what cannot travel', ({ name: startMethod, sharesMemory }) => {
  afterEach(endPools);
  const workers = trackWorkers();
  const memory = new SharedArrayBuffer(4);
  const view = new Int32Array(memory);

  const subscribe = async (fn: () => unknown): Promise<Unportable> => {
    const { values, end, error } = await outcomeOf(
      of(1, 2, 3).pipe(parallelMap(fn, { nJobs: 2, startMethod, setup: false })),
    );
    expect({ values, end }).to.deep.equal({ values: [], end: 'error' });
    expect(error).to.be.instanceOf(UnportableFunctionError);
    return error as Unportable;
  };

  for (const [what, { fn, variable, reason, functionName = 'fn', at }] of Object.entries(cases)) {
    it(`${what}: named before any worker starts`, async () => {
      const error = await subscribe(fn);
      expect(error.reason).to.match(reason);
      expect(error).to.include({ variable, functionName });
      expect(error.message)
        .to.include(variable)
        .and.to.include(functionName)
        .and.to.include(error.reason as string);
      expect(error.message)
        .to.match(/moduleTask/)
        .and.to.match(/captures/);
      const place = placeOf(at ?? new RegExp(`${literally(String(fn))},\\s+variable: `));
      expect(sourcePlaces(String(error.location))).to.equal(place);
      expect(workers.started).to.equal(0);
    });
  }

  it('what an arrow function takes from the function around it, where that cannot be read', async () => {
    const makers = { ...new Holder().makers(), ...new Derived().makers() };
    for (const [name, variable] of [
      ['its parameters', 'this'],
      ['a class in it', 'this'],
      ['super', 'super'],
      ['new.target', 'new.target'],
    ] as const) {
      const error = await subscribe(makers[name] as () => unknown);
      expect(error.variable, name).to.equal(variable);
      expect(error.reason, name).to.match(/arrow/);
      expect(sourcePlaces(String(error.location)), name).to.match(/unportable\.test\.ts:\d+:\d+$/);
    }
    const method = Object.getOwnPropertyDescriptor(Holder, 'reveal')?.value as () => unknown;
    expect((await subscribe(method)).variable).to.equal('#secret');
    expect(workers.started).to.equal(0);
  });

  it('this of an arrow function while a debugger may be attached, but by hand', async () => {
    inspector.open(0); // which says so on stderr, whatever that is
    try {
      const { arrow } = new Holder();
      const error = await subscribe(arrow);
      expect(error.reason).to.match(/debugger/);
      expect(error.message).to.include('captures: { this: this }');
      const pool = createPool({ nJobs: 1, startMethod });
      expect(await pool.apply(arrow, [], { captures: { this: { value: 5 } } })).to.equal(5);
    } finally {
      inspector.close();
    }
  });

  it('begins at the variable of the function itself, and leads to what cannot travel', async () => {
    const services = { first: { check: helperOfHelper } };
    const { message } = await subscribe(() => services.first.check());
    expect(message)
      .to.match(
        /^An anonymous function \(.*\) captures "services", which cannot travel to a worker: services\.first\.check → helper → socket, /,
      )
      .and.match(/ → socket, in the function "helper" \(.*\): it is a Socket, which lives only here\. /)
      .and.include('const services = perWorker(() => …)');
  });

  it('private names are no obstacle where their class comes along', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const holder = new Holder();
    expect(await pool.apply(() => Holder.reveal(holder))).to.equal(2);
  });

  it('a namespace that no import declaration has made', async () => {
    const namespace = await import('../support/until.js').then((module) => module);
    const error = await subscribe(() => namespace.until);
    expect(error.variable).to.equal('namespace');
    expect(error.reason).to.match(/module/);
  });

  it('shared memory, where it cannot be shared', async () => {
    const fn = () => Atomics.add(view, 0, 1);
    if (sharesMemory) {
      const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
      await pool.apply(fn);
      await pool.apply(fn);
      expect(view[0]).to.equal(2);
    } else {
      const error = await subscribe(fn);
      expect(error.variable).to.equal('view');
      expect(error.reason)
        .to.match(/SharedArrayBuffer/)
        .and.to.match(/start method/);
      expect(workers.started).to.equal(0);
    }
  });

  it('the calls of a pool reject, and the pool goes on', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    for (const call of [
      pool.map(() => socket.destroyed, [1]),
      pool.mapUnordered(() => socket.destroyed, [1]),
      pool.apply(() => socket.destroyed),
      pool.imap(() => socket.destroyed, [1]).next(),
    ]) {
      const error = await rejection<Unportable>(call);
      expect(error).to.be.instanceOf(UnportableFunctionError);
      expect(error.variable).to.equal('socket');
    }
    expect(workers.started).to.equal(0);
    expect(await pool.map((n: number) => n + 1, [1])).to.deep.equal([2]);
  });

  it('says nothing against what is captured and not used', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const unused = [socket, promise];
    const used = 5;
    const others = () => [unused, used];
    expect(others()).to.have.lengthOf(2);
    expect(await pool.apply(() => used)).to.equal(5);
  });
});
