import { expect } from 'chai';
import { lastValueFrom, of } from 'rxjs';
import { parallelMergeMap, transfer } from '../support/library.js';
import { createPool, endPools, identity, sharePools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

type Fields = Record<string, unknown>;

describeEach.of(['threading', 'fork'], 'what a task throws', ({ name: startMethod }) => {
  afterEach(endPools);
  const share = sharePools();
  const thrown = <E = Error>(fn: (value: number) => unknown): Promise<E> =>
    rejection<E>(share({ nJobs: 1, startMethod }).map(fn, [0]));

  it('arrives with its built-in class, name and message', async () => {
    const pool = share({ nJobs: 1, startMethod });
    const classes = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, Error];
    for (const Class of classes) {
      const fail = (name: string) => {
        const BuiltIn = (globalThis as unknown as Record<string, ErrorConstructor>)[name] as ErrorConstructor;
        throw new BuiltIn(`a ${name}`);
      };
      const error = await rejection(pool.map(fail, [Class.name]));
      expect(error.constructor).to.equal(Class);
      expect(error.name).to.equal(Class.name);
      expect(error.message).to.equal(`a ${Class.name}`);
      expect(Object.keys(error)).to.deep.equal([]);
    }
  });

  it('an AggregateError with its errors', async () => {
    const error = await thrown<AggregateError>(() => {
      throw new AggregateError([new TypeError('one'), 'two', new RangeError('three')], 'all');
    });
    expect(error).to.be.instanceOf(AggregateError).with.property('message', 'all');
    expect(error.errors[0]).to.be.instanceOf(TypeError).with.property('message', 'one');
    expect(error.errors[1]).to.equal('two');
    expect(error.errors[2]).to.be.instanceOf(RangeError).with.property('message', 'three');
  });

  it('an AggregateError of Promise.any', async () => {
    const error = await thrown<AggregateError>(() =>
      Promise.any([Promise.reject(new RangeError('r')), Promise.reject(new Error('e'))]),
    );
    expect(error).to.be.instanceOf(AggregateError);
    expect(error.errors[0]).to.be.instanceOf(RangeError);
  });

  it('a chain of causes, also one that goes in a circle', async () => {
    const error = await thrown(() => {
      const root = new RangeError('root', { cause: 0 });
      throw new Error('outer', { cause: new TypeError('middle', { cause: root }) });
    });
    expect(error.cause).to.be.instanceOf(TypeError).with.property('message', 'middle');
    expect((error.cause as Error).cause)
      .to.be.instanceOf(RangeError)
      .with.property('cause', 0);
    const circle = await thrown(() => {
      const round = new Error('round');
      round.cause = round;
      throw round;
    });
    expect(circle.cause).to.equal(circle);
  });

  it('a DOMException with its name and code', async () => {
    const error = await thrown<DOMException>(() => {
      throw new DOMException('gone', 'AbortError');
    });
    expect(error).to.be.instanceOf(DOMException);
    expect(error).to.include({ name: 'AbortError', message: 'gone', code: 20 });
    const timeout = await thrown<DOMException>(() => {
      return new Promise((_resolve, reject) => {
        const signal = AbortSignal.timeout(1);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        setTimeout(() => undefined, 100);
      });
    });
    expect(timeout).to.be.instanceOf(DOMException).with.property('name', 'TimeoutError');
  });

  it('null, undefined, strings, numbers, bigints and booleans', async () => {
    const pool = share({ nJobs: 1, startMethod });
    const fail = ([value]: readonly unknown[]) => {
      throw value;
    };
    for (const value of [null, undefined, 'text', '', 0, -0, NaN, 12n, true, false]) {
      let seen: { reason: unknown } | undefined;
      await pool.map(fail, [[value]]).catch((reason: unknown) => (seen = { reason }));
      expect(seen).to.not.equal(undefined);
      expect(Object.is(seen?.reason, value), String(value)).to.be.true;
      await pool.apply(fail, [[value]]).catch((reason: unknown) => (seen = { reason: [reason] }));
      expect(seen?.reason).to.deep.equal([value]);
    }
  });

  it('the same by rejections', async () => {
    for (const reject of [
      () => Promise.reject(undefined as unknown as Error),
      async () => {
        throw undefined;
      },
    ]) {
      const pool = share({ nJobs: 1, startMethod });
      let seen: { reason: unknown } | undefined;
      await pool.map(reject, [1]).catch((reason: unknown) => (seen = { reason }));
      expect(seen).to.deep.equal({ reason: undefined });
    }
  });

  it('plain objects, arrays, maps and dates', async () => {
    const pool = share({ nJobs: 1, startMethod });
    const fail = ([value]: readonly unknown[]) => {
      throw value;
    };
    for (const value of [{ code: 5, list: [1, { a: 1 }] }, [1, 2], new Map([[1, { a: 2 }]]), new Date(5), {}]) {
      expect(await rejection<unknown>(pool.map(fail, [[value]]))).to.deep.equal(value);
    }
  });

  it('a function or symbol as an error that shows it', async () => {
    const error = await thrown(() => {
      throw function theCulprit() {};
    });
    expect(error).to.be.instanceOf(Error);
    expect(error.message).to.include('theCulprit');
    const symbol = await thrown(() => {
      throw Symbol('sign');
    });
    expect(symbol.message).to.include('Symbol(sign)');
  });

  it('a proxy that is revoked or throws at any question as an error, in a way that the worker survives', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const worker = await pool.apply(identity);
    const throwing = (how: string): object => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      if (how === 'revoked') revoke();
      const trap = () => {
        throw new RangeError('trap');
      };
      const traps = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, trap]));
      return how === 'revoked' ? proxy : new Proxy({}, traps);
    };
    const fail = (how: string): never => {
      throw throwing(how);
    };
    const reject = (how: string) => Promise.reject(throwing(how));
    const give = async (how: string) => ({ inside: throwing(how) });
    const yields = function* (how: string) {
      yield 1;
      throw throwing(how);
    };
    for (const how of ['revoked', 'trapped']) {
      for (const task of [fail, reject]) {
        const error = await rejection(pool.map(task, [how]));
        expect(error.message).to.equal('What was thrown cannot be sent from the worker, only described: Proxy');
      }
      expect(await rejection(pool.map(give, [how]))).to.include({ path: 'value.inside', kind: 'Proxy' });
      const merged = lastValueFrom(of(how).pipe(parallelMergeMap(yields, { pool })));
      expect((await rejection(merged)).message).to.include('only described: Proxy');
      const workerInit = how === 'revoked' ? () => fail('revoked') : () => fail('trapped');
      const begun = await rejection(pool.map((n: number) => n, [1], { workerInit }));
      expect(begun.message).to.include('only described: Proxy');
      // Once something was transferred, it is asked of each result whether it is.
      transfer({}, []);
      expect(await rejection(pool.map((value: string) => [throwing(value)], [how]))).to.include({ kind: 'Proxy' });
    }
    expect(await pool.apply(identity)).to.equal(worker);
  });

  it('own properties, enumerable or not as they were', async () => {
    const error = await thrown<Error & Fields>(() => {
      const failure = Object.assign(new Error('with'), { code: 'E_CODE', status: 404, details: { list: [1, 2] } });
      Object.defineProperty(failure, 'hidden', { value: 'h', enumerable: false });
      throw failure;
    });
    expect(error).to.include({ code: 'E_CODE', status: 404, hidden: 'h' });
    expect(error.details).to.deep.equal({ list: [1, 2] });
    expect(Object.keys(error)).to.deep.equal(['code', 'status', 'details']);
  });

  it('without the properties that cannot be sent, with the others', async () => {
    const error = await thrown<Error & Fields>(() => {
      const response = { status: 500, socket: () => undefined, headers: { a: 'b' } };
      throw Object.assign(new TypeError('mixed'), { retry: () => true, sign: Symbol('s'), response, code: 7 });
    });
    expect(error).to.be.instanceOf(TypeError).with.property('code', 7);
    expect(error.response).to.deep.equal({ status: 500, headers: { a: 'b' } });
    expect(error).to.not.have.property('retry');
  });

  it("system errors of Node's, with their codes", async () => {
    const error = await thrown<NodeJS.ErrnoException>(async () => {
      const { readFileSync } = await import('node:fs');
      return readFileSync('/does/not/exist');
    });
    expect(error).to.include({ code: 'ENOENT', syscall: 'open', path: '/does/not/exist' });
    const typed = await thrown<NodeJS.ErrnoException>(async () => {
      const { readFileSync } = await import('node:fs');
      return readFileSync(1.5 as never);
    });
    expect(typed).to.have.property('code').that.is.a('string');
  });

  it('custom classes as the closest built-in class, with their name and fields', async () => {
    const error = await thrown<Error & Fields>(() => {
      class HttpError extends TypeError {
        override name = 'HttpError';
        constructor(
          readonly status: number,
          readonly request: { url: string },
        ) {
          super(`${status} for ${request.url}`);
        }
        toJSON() {
          return { fake: true };
        }
      }
      throw new HttpError(404, { url: '/x' });
    });
    expect(error).to.be.instanceOf(TypeError).and.include({ name: 'HttpError', message: '404 for /x', status: 404 });
    expect(error.request).to.deep.equal({ url: '/x' });
    const silent = await thrown(() => {
      class Silent extends Error {
        get [Symbol.toStringTag]() {
          return 'Silent';
        }
      }
      throw new Silent();
    });
    expect(silent).to.be.instanceOf(Error).with.property('message', '');
  });

  it('frozen errors, and errors whose properties throw when read', async () => {
    const frozen = await thrown<Error & Fields>(() => {
      throw Object.freeze(Object.assign(new RangeError('frozen'), { code: 1 }));
    });
    expect(frozen).to.be.instanceOf(RangeError).and.include({ message: 'frozen', code: 1 });
    const trapped = await thrown(() => {
      const failure = new Error('trapped');
      Object.defineProperty(failure, 'bad', {
        enumerable: true,
        get() {
          throw new Error('from the getter');
        },
      });
      throw failure;
    });
    expect(trapped.message).to.equal('trapped');
  });

  it('with a stack that names the task', async () => {
    const error = await thrown(function theTask() {
      throw new Error('here');
    });
    expect(error.stack).to.match(/^Error: here\n/);
    expect(error.stack).to.include('theTask');
    const module = new URL('../tasks/failing.js', import.meta.url);
    const { moduleTask } = await import('../support/library.js');
    const pool = share({ nJobs: 1, startMethod });
    const inModule = await rejection(pool.map(moduleTask<(x: number) => never>(module, 'throwRangeError'), [1]));
    expect(inModule.stack).to.include('failing.');
    expect(inModule.stack).to.include('throwRangeError');
  });

  it('with the worker and the index, unseen', async () => {
    const pool = share({ nJobs: 1, startMethod });
    const fail = (x: number) => {
      if (x === 3) throw new Error('three');
      return x;
    };
    const error = await rejection<Error & { workerId: number; index: number }>(pool.map(fail, [1, 2, 3, 4]));
    expect(error).to.include({ workerId: 0, index: 2 });
    expect(Object.keys(error)).to.deep.equal([]);
    expect(JSON.stringify(error)).to.equal('{}');
  });

  it("keeps the error's own index and workerId", async () => {
    const error = await thrown<Error & Fields>(() => {
      throw Object.assign(new Error('own'), { index: 'mine', workerId: 'mine too' });
    });
    expect(error).to.include({ index: 'mine', workerId: 'mine too' });
  });

  it('that of the smallest failing index, though a later one fails first', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const fail = async ([x, delay]: readonly [number, number]) => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      throw new Error(`value ${x}`);
    };
    const ordered = pool.map(
      fail,
      [
        [0, 500],
        [1, 0],
      ] as const,
      { chunkSize: 1 },
    );
    expect(await rejection(ordered)).to.have.property('message', 'value 0');
    // The first one is not waited for.
    const unordered = pool.mapUnordered(
      fail,
      [
        [0, 15_000],
        [1, 0],
      ] as const,
      { chunkSize: 1 },
    );
    expect(await rejection(unordered)).to.have.property('message', 'value 1');
  });

  it('after the results before it', async () => {
    const pool = share({ nJobs: 2, startMethod });
    const fail = async (x: number) => {
      if (x === 5) throw new Error('five');
      await new Promise((resolve) => setTimeout(resolve, 20));
      return x;
    };
    const seen: number[] = [];
    let error: unknown;
    try {
      for await (const x of pool.imap(fail, [0, 1, 2, 3, 4, 5, 6, 7])) seen.push(x);
    } catch (reason) {
      error = reason;
    }
    expect(seen).to.deep.equal([0, 1, 2, 3, 4]);
    expect(error).to.have.property('message', 'five');
  });

  it('and then starts no value with a larger index', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const fail = (x: number) => {
      const state = globalThis as { started?: number[] };
      (state.started ??= []).push(x);
      if (x === 2) throw new Error('two');
      return x;
    };
    await rejection(pool.map(fail, [0, 1, 2, 3, 4, 5, 6], { chunkSize: 4 }));
    expect(await pool.apply(() => (globalThis as { started?: number[] }).started)).to.deep.equal([0, 1, 2]);
  });

  it('makes no noise where several fail', async () => {
    const noise: unknown[] = [];
    const listener = (reason: unknown) => noise.push(reason);
    process.on('unhandledRejection', listener).on('warning', listener);
    try {
      const pool = createPool({ nJobs: 2, startMethod });
      const fail = async (x: number) => {
        await new Promise((resolve) => setTimeout(resolve, x));
        throw new Error(`value ${x}`);
      };
      await rejection(pool.map(fail, [1, 2, 3, 4, 5, 6], { chunkSize: 1 }));
      await rejection(pool.mapUnordered(fail, [1, 2, 3, 4, 5, 6], { chunkSize: 1 }));
      const results = pool.imap(fail, [1, 2, 3]);
      await rejection(results.next());
      await pool.stopAndJoin();
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('unhandledRejection', listener).off('warning', listener);
    }
    expect(noise).to.deep.equal([]);
  });

  it('leaves the other calls of the pool alone', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const fine = pool.map(
      (x: number) => new Promise<number>((resolve) => setTimeout(resolve, 5, x)),
      [1, 2, 3, 4, 5, 6],
    );
    const fail = () => {
      throw new Error('other');
    };
    await rejection(pool.map(fail, [1, 2, 3]));
    await rejection(pool.apply(fail));
    expect(await fine).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });
});
