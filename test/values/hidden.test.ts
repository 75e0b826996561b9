// Objects whose contents only Node, or the engine, sees.
import { expect } from 'chai';
import { ReadableStream } from 'node:stream/web';
import { MessageChannel } from 'node:worker_threads';
import { transfer, UnserializableError, type TaskContext } from '../support/library.js';
import { createPool, endPools, identity, sharePools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

/** Only the type of a namespace is known where there is no page. */
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };

/** Makes an object of an expression, in which `m` is a module. */
type Recipe = readonly [module: string, code: string];

const build = async ([module, code]: Recipe): Promise<object> =>
  new Function('m', 'pem', `return ${code}`)(await import(module), (await import('node:tls')).rootCertificates[0]);

/** What Node clones between its threads. */
const handles: readonly Recipe[] = [
  ['node:buffer', 'new m.Blob(["abc"])'],
  ['node:net', 'new m.BlockList()'],
  ['node:net', 'new m.SocketAddress()'],
  ['node:crypto', 'm.createSecretKey(Buffer.from("abc"))'],
  ['node:crypto', 'm.generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey'],
  ['node:crypto', 'm.webcrypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt"])'],
  ['node:crypto', 'new m.X509Certificate(pem)'],
  ['node:perf_hooks', 'm.createHistogram()'],
  ['node:fs', 'new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))'],
];

/** What it clones nowhere, or only from some version on: an error, or whole. */
const others: readonly Recipe[] = [
  ['node:buffer', 'new m.File(["a"], "a.txt")'],
  ['node:url', 'new URL("http://host/path")'],
  ['node:url', 'new URLSearchParams("a=1")'],
  ['node:url', 'new (class extends URL { extra = 1 })("http://host/path")'],
  ['node:url', 'new Headers({ a: "1" })'],
  ['node:url', 'new Request("http://host/path")'],
  ['node:url', 'new Response("text")'],
  ['node:url', 'new FormData()'],
  ['node:stream/web', 'new m.ReadableStream()'],
  ['node:stream/web', 'new m.ReadableStream().getReader()'],
  ['node:stream/web', 'new m.WritableStream()'],
  ['node:stream/web', 'new m.TransformStream()'],
  ['node:stream/web', 'new m.CompressionStream("gzip")'],
  ['node:stream/web', 'new m.TextDecoderStream()'],
  ['node:events', 'new EventTarget()'],
  ['node:events', 'new Event("change")'],
  ['node:events', 'new AbortController()'],
  ['node:events', 'AbortSignal.abort()'],
  ['node:events', 'new DOMException("text", "AbortError")'],
  ['node:perf_hooks', 'm.performance'],
  ['node:perf_hooks', 'm.performance.mark("a")'],
  ['node:perf_hooks', 'm.monitorEventLoopDelay()'],
  ['node:perf_hooks', 'new m.PerformanceObserver(() => {})'],
  ['node:util', 'new m.TextDecoder()'],
  ['node:util', 'new m.TextEncoder()'],
  ['node:util', 'new m.MIMEType("text/plain")'],
  ['node:crypto', 'm.createECDH("secp256k1")'],
  ['node:crypto', 'm.webcrypto'],
  ['node:crypto', 'm.webcrypto.subtle'],
  ['node:async_hooks', 'new m.AsyncResource("x")'],
  ['node:v8', 'new m.Serializer()'],
  ['node:vm', 'new m.Script("1")'],
  ['node:worker_threads', 'new m.MessageChannel().port1'],
  ['node:fs', 'new WeakRef({})'],
  ['node:fs', 'new FinalizationRegistry(() => {})'],
  ['node:fs', 'new Intl.NumberFormat()'],
  ['node:fs', 'new Intl.Locale("en")'],
  ['node:fs', 'new WebAssembly.Memory({ initial: 1 })'],
  ['node:fs', '[1][Symbol.iterator]()'],
  ['node:fs', 'new Map().entries()'],
  ['node:fs', 'globalThis.Temporal === undefined ? new WeakMap() : Temporal.Now.instant()'],
  ['node:fs', '(function () { return arguments; })(1, 2)'],
];

const nameOf = (object: unknown): string => String((Object.getPrototypeOf(object) as object).constructor.name);
const nameOfInner = ({ inner: [object] }: { readonly inner: readonly object[] }): string =>
  String((Object.getPrototypeOf(object) as object).constructor.name);

describeEach.of(
  ['threading', 'spawn', 'inline'],
  'an object whose contents only Node sees',
  ({ name: startMethod, sharesMemory }) => {
    const share = sharePools();
    const pool = () => share({ nJobs: 1, startMethod });
    afterEach(endPools);

    /** It is sent there and back: the path in the error, or the class of what arrives. */
    const trip = async (recipe: Recipe): Promise<readonly string[]> => {
      const worker = await pool().apply(identity);
      const given = await build(recipe);
      const there = pool().map(nameOfInner, [{ inner: [given] }]);
      const back = pool()
        .map(async (code: Recipe) => ({ inner: [await build(code)] }), [recipe])
        .then(([result]) => nameOfInner(result as { inner: object[] }));
      const outcomes = await Promise.all(
        [there.then(([name]) => name as string), back].map((call) =>
          call.catch((error: UnserializableError) => {
            expect(error).to.be.instanceOf(UnserializableError);
            return error.path;
          }),
        ),
      );
      if (given instanceof EventTarget && 'close' in given) (given as { close(): void }).close();
      expect(await pool().apply(identity), 'the worker lives').to.equal(worker);
      return outcomes;
    };

    for (const recipe of handles) {
      it(`${recipe[1]} arrives whole between threads, and is refused by its path between processes`, async () => {
        const name = nameOf(await build(recipe));
        const expected = sharesMemory ? name : 'value.inner[0]';
        expect(await trip(recipe)).to.deep.equal([expected, expected]);
      });
    }

    for (const recipe of others) {
      it(`${recipe[1]} is refused by its path, or arrives whole`, async () => {
        const name = nameOf(await build(recipe));
        for (const outcome of await trip(recipe)) {
          if (sharesMemory && /File|DOMException/.test(name)) expect(outcome).to.be.oneOf([name, 'value.inner[0]']);
          else expect(outcome).to.equal('value.inner[0]');
        }
      });
    }

    it('is named, and so are arguments', async () => {
      const kindIn = async (value: unknown) => (await rejection<UnserializableError>(pool().map(nameOf, [value]))).kind;
      expect(await kindIn(new URL('http://host/'))).to.equal('URL');
      const [list] = [1].map(function () {
        return arguments;
      });
      expect(await kindIn(list)).to.equal('arguments object');
      expect(await kindIn(new Proxy([], {}))).to.equal('Proxy');
      const { open } = await import('node:fs/promises');
      const file = await open(process.execPath);
      const error = await rejection<UnserializableError>(pool().map(nameOf, [{ file }]));
      await file.close();
      expect(error).to.include({ path: 'value.file', kind: 'FileHandle' });
    });

    it('moves between threads, where it can, and is refused between processes also then', async () => {
      const stream = new ReadableStream<number>({
        start(controller) {
          controller.enqueue(7);
          controller.close();
        },
      });
      const read = async (source: ReadableStream<number>) => (await source.getReader().read()).value;
      const call = pool().map(read, [transfer(stream, [stream])]);
      if (sharesMemory) expect(await call).to.deep.equal([7]);
      else expect(await rejection(call)).to.include({ path: 'value', kind: 'ReadableStream' });
    });

    it('is found in what is deep, large, sparse, shared or goes in a circle', async () => {
      const url = new URL('http://host/');
      let deep: unknown = url;
      for (let i = 0; i < 200; i++) deep = [deep];
      const sparse: unknown[] = [];
      sparse[4_000_000_000] = url;
      const circle: Record<string, unknown> = { list: [] };
      circle['list'] = [circle, new Map([['key', { circle, url }]])];
      const long = [...Array.from({ length: 20_000 }, (_, i) => i), url];
      const many = { all: Array.from({ length: 3000 }, (_, i) => ({ i })), last: new Set([[url]]) };
      const cause = { error: new Error('outer', { cause: { url } }) };
      const cases: readonly [unknown, string][] = [
        [{ deep }, `value.deep${'[0]'.repeat(18)} … ${'[0]'.repeat(20)}`],
        [sparse, 'value[4000000000]'],
        [circle, 'value.list[1].get("key").url'],
        [long, 'value[20000]'],
        [many, 'value.last.values()[0][0]'],
        [cause, 'value.error.cause.url'],
        [Object.assign(Object.create(null), { url }), 'value.url'],
      ];
      for (const [value, path] of cases) {
        expect(await rejection(pool().map(nameOf, [value]))).to.include({ path, direction: 'input' });
      }
    });

    it('does not make suspects of other objects', async () => {
      const { EventEmitter } = await import('node:events');
      const { statSync } = await import('node:fs');
      const { runInNewContext } = await import('node:vm');
      class Empty {}
      class Request {
        method = 'mine';
      }
      class Ring extends EventEmitter {
        size = 1;
      }
      class Names extends Map<string, number> {}
      const values = [
        // What only looks like something comes before what is that.
        ...[Uint8Array, Map, RangeError, Date, Buffer].map(({ prototype }) => Object.create(prototype) as object),
        new Empty(),
        new Request(),
        new Ring(),
        new Names([['a', 1]]),
        statSync(process.execPath),
        runInNewContext('({ a: [new Map([[1, new Date(0)]])] })'),
        Object.create(null),
        Object.assign([1], { extra: 1 }),
        new Error('text', { cause: new RangeError('cause') }),
        new Uint8Array(1),
        new Map(),
        new RangeError(),
        new Date(),
        Buffer.alloc(1),
      ];
      const names = await pool().map((x: object) => Object.prototype.toString.call(x), values);
      const plain = '[object Object]';
      expect(names).to.deep.equal([
        ...[plain, plain, plain, plain, plain],
        ...[plain, plain, plain, '[object Map]', plain, plain, plain, '[object Array]', '[object Error]'],
        ...['[object Uint8Array]', '[object Map]', '[object Error]', '[object Date]', '[object Uint8Array]'],
      ]);
    });

    it('is refused as progress, and left out of an error', async () => {
      const report = async (recipe: Recipe, { progress }: TaskContext): Promise<string> => {
        try {
          progress({ a: [await build(recipe)] });
          return 'sent';
        } catch (error) {
          return (error as UnserializableError).path;
        }
      };
      const recipe: Recipe = ['node:url', 'new URL("http://host/path")'];
      const onProgress = (): void => undefined;
      expect(await pool().map(report, [recipe], { onProgress })).to.deep.equal(['value.a[0]']);
      const fail = async (code: Recipe) => {
        throw Object.assign(new Error('failed'), { at: await build(code), detail: { url: await build(code), a: 1 } });
      };
      const error = await rejection<Error & { detail: object }>(pool().map(fail, [recipe]));
      expect(error.message).to.equal('failed');
      expect(error).not.to.have.property('at');
      expect(error.detail).to.deep.equal({ a: 1 });
    });
  },
);

describeEach.of(
  ['threading', 'spawn', 'inline'],
  'a compiled WebAssembly module',
  ({ name: startMethod, sharesMemory }) => {
    afterEach(endPools);
    const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const compiled = new WebAssembly.Module(bytes);
    const isModule = (value: unknown): boolean => value instanceof WebAssembly.Module;

    it('as a value harms no other value of its chunk', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const settled = await pool.map(isModule, [1, compiled, 3], { settle: true, chunkSize: 3 });
      expect(settled.map(({ status }) => status)).to.deep.equal([
        'fulfilled',
        sharesMemory ? 'fulfilled' : 'rejected',
        'fulfilled',
      ]);
    });

    it('as a result, progress, exit result and property of an error', async () => {
      const pool = createPool({ nJobs: 1, startMethod });
      const give = (data: Uint8Array<ArrayBuffer>) => [new WebAssembly.Module(data)];
      const result = await pool.map(give, [bytes]).then(([list]) => isModule(list![0]), outcome);
      expect(result).to.equal(sharesMemory ? true : 'value[0]');
      const tell = (data: Uint8Array<ArrayBuffer>, { progress }: TaskContext) => {
        progress(new WebAssembly.Module(data));
        return 'sent';
      };
      const told = await pool.map(tell, [bytes], { onProgress: () => undefined }).then(([text]) => text, outcome);
      expect(told).to.equal(sharesMemory ? 'sent' : 'value');
      const fail = (data: Uint8Array<ArrayBuffer>) => {
        throw Object.assign(new RangeError('failed'), { module: new WebAssembly.Module(data), code: 7 });
      };
      const error = await rejection<RangeError & { module?: unknown }>(pool.map(fail, [bytes]));
      expect(error).to.be.instanceOf(RangeError).with.property('code', 7);
      expect(isModule(error.module)).to.equal(sharesMemory);
      const workerExit = () => new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
      const ended = await pool.map((n: number) => n, [1], { workerExit }).then(() => 'sent', outcome);
      expect(ended).to.equal(sharesMemory ? 'sent' : 'value');
    });

    it('as a capture and as a shared object', async function () {
      const pool = createPool({ nJobs: 1, startMethod });
      if (startMethod !== 'inline') {
        const capturing = pool.map(() => isModule(compiled), [1]).catch((error: Error) => error.name);
        expect(await capturing).to.deep.equal(sharesMemory ? [true] : 'UnportableFunctionError');
      }
      const shares = async () =>
        createPool({ nJobs: 1, startMethod, sharedObjects: { compiled } }).map(
          (_: number, { shared }: TaskContext) => shared.compiled instanceof WebAssembly.Module,
          [1],
        );
      const shared = await shares().catch((error: UnserializableError) => error.path);
      expect(shared).to.deep.equal(sharesMemory ? [true] : 'sharedObjects.compiled');
    });

    const outcome = (error: UnserializableError): string => {
      expect(error).to.be.instanceOf(UnserializableError);
      return error.path;
    };
  },
);

describeEach.of(['threading', 'spawn', 'inline'], 'what only its receiver could not read', ({ name: startMethod }) => {
  const share = sharePools();
  const pool = () => share({ nJobs: 1, startMethod });

  /** The path of what is refused; `undefined` where all arrives. The worker lives on. */
  const refused = async (call: () => Promise<unknown>): Promise<string | undefined> => {
    const worker = await pool().apply(identity);
    const error = await call().then(
      () => undefined,
      (reason: UnserializableError) => reason,
    );
    expect(await pool().apply(identity)).to.equal(worker);
    if (error !== undefined) expect(error).to.be.instanceOf(UnserializableError);
    return error?.path;
  };

  it('an error that is its own cause arrives, or is refused by its path', async () => {
    const give = (how: string): unknown => {
      const error = new Error('round');
      const other = new RangeError('other', { cause: error });
      error.cause = how === 'itself' ? error : how === 'other' ? other : { list: [error] };
      return { error };
    };
    const reads = process.version.startsWith('v20.') ? 'value.error' : undefined;
    for (const how of ['itself', 'other', 'inside']) {
      expect(await refused(() => pool().map(give, [how]))).to.match(
        reads === undefined ? /^undefined$/ : /^value\.error/,
      );
      const input = refused(() => pool().map((value: unknown) => typeof value, [give(how)]));
      expect(await input).to.match(reads === undefined ? /^undefined$/ : /^value\.error/);
    }
  });

  it('is too deep from 1,000 levels on, in each direction', async () => {
    const nest = (depth: number): unknown => {
      let value: unknown = 1;
      for (let i = 0; i < depth; i++) value = { value };
      return value;
    };
    const count = (value: unknown): number => {
      let depth = 0;
      for (let at = value; typeof at === 'object'; at = (at as { value: unknown }).value) depth++;
      return depth;
    };
    const task = (depth: number): unknown => nest(depth);
    expect(await pool().map(count, [nest(1000)])).to.deep.equal([1000]);
    expect(count((await pool().map(task, [1000]))[0])).to.equal(1000);
    for (const depth of [1100, 5000, 50_000]) {
      const there = await rejection<UnserializableError>(pool().map(count, [nest(depth)]));
      expect(there)
        .to.be.instanceOf(UnserializableError)
        .and.include({ kind: 'too deeply nested', direction: 'input' });
      expect(await refused(() => pool().map(task, [depth]))).to.match(/^value/);
    }
  });
});

describeEach.of(['threading', 'spawn', 'inline'], 'a port that is closed', ({ name: startMethod }) => {
  afterEach(endPools);

  const closedPort = async () => {
    const { port1 } = new MessageChannel();
    const closed = new Promise((resolve) => port1.once('close', resolve));
    port1.close();
    await closed;
    return port1;
  };

  it('is refused by its path, moved or not, in any place', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const port = await closedPort();
    const task = (value: unknown) => typeof value;
    for (const value of [port, { port }, [new Set([port])], new Error('x', { cause: port })]) {
      expect(await rejection(pool.map(task, [value]))).to.be.instanceOf(UnserializableError);
      expect(await rejection(pool.map(task, [transfer(value, [port])]))).to.be.instanceOf(UnserializableError);
    }
  });

  it('is refused as a result, and left out of an error', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const close = async (how: string) => {
      const { MessageChannel: Channel } = await import('node:worker_threads');
      const { port1 } = new Channel();
      const closed = new Promise((resolve) => port1.once('close', resolve));
      port1.close();
      await closed;
      if (how === 'throw')
        throw Object.assign(new Error('failed'), {
          port1,
          held: new (class {
            port = port1;
          })(),
        });
      return { port1 };
    };
    expect(await rejection(pool.map(close, ['return']))).to.include({ path: 'value.port1', kind: 'MessagePort' });
    expect(await rejection(pool.map(close, ['throw']))).to.include({ message: 'failed' });
  });
});
