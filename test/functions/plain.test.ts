import { expect } from 'chai';
import {
  parallelMap,
  UnportableFunctionError,
  type UnportableFunctionError as Unportable,
} from '../support/library.js';
import { createPool, endPools } from '../support/pools.js';
import { runProgram } from '../support/runProgram.js';
import { rejection, thrownBy } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';

let assigned = 0;

/** As Babel and swc write it, around `import()`. */
const interopCache = new WeakMap<object, object>();
function interopRequireWildcard(module: object): object {
  if (interopCache.has(module)) return interopCache.get(module) as object;
  const namespace = { ...module, default: module };
  interopCache.set(module, namespace);
  return namespace;
}

const computed = 'computed key';

class Shapes {
  static staticMethod(x: number) {
    return x + 1;
  }
  method(x: number) {
    return x + 2;
  }
  get getter() {
    return 3;
  }
}

/** Task functions in every way in which they can be written; each makes 4 of 2. */
const written: Readonly<Record<string, () => (x: number) => unknown>> = {
  'an arrow function': () => (x) => x * 2,
  'an arrow function with a block': () => (x) => {
    return x * 2;
  },
  'an async arrow function': () => async (x) => x * 2,
  'a function expression': () =>
    function (x) {
      return x * 2;
    },
  'a named function that calls itself': () =>
    function twice(x): number {
      return x > 100 ? x : x === 2 ? twice(104) - 100 : x;
    },
  'an async function': () =>
    async function (x) {
      await Promise.resolve();
      return x * 2;
    },
  'a method shorthand': () =>
    ({
      double(x: number) {
        return x * 2;
      },
    }).double,
  'an async method': () =>
    ({
      async double(x: number) {
        await Promise.resolve();
        return x * 2;
      },
    }).double,
  'a method called async': () =>
    ({
      async(x: number) {
        return x * 2;
      },
    }).async,
  'a method called get': () =>
    ({
      get(x: number) {
        return x * 2;
      },
    }).get,
  'a method called static': () =>
    ({
      static(x: number) {
        return x * 2;
      },
    }).static,
  'a method called function': () =>
    ({
      function(x: number) {
        return x * 2;
      },
    }).function,
  'a method whose name is a string': () =>
    ({
      'a b'(x: number) {
        return x * 2;
      },
    })['a b'],
  'a method whose name is a number': () =>
    ({
      5(x: number) {
        return x * 2;
      },
    })[5],
  'a method whose name is computed': () =>
    ({
      [computed](x: number) {
        return x * 2;
      },
    })[computed] as (x: number) => number,
  'a method whose name is a symbol': () =>
    ({
      [Symbol.iterator](x: number) {
        return x * 2;
      },
    })[Symbol.iterator],
  'a method of a class': () =>
    Object.getOwnPropertyDescriptor(Shapes.prototype, 'method')?.value as (x: number) => number,
  'a static method': () => (x) => x * 2,
  'default parameters':
    () =>
    (x, y = 2) =>
      x * (typeof y === 'number' ? y : 2),
  'a destructured parameter': () => (x) => {
    const { y } = { y: x };
    return y * 2;
  },
  'rest parameters':
    () =>
    (...all) =>
      all[0] * 2,
  'a function with its own use strict': () =>
    function (x) {
      'use strict';
      return x * 2;
    },
  'code made at run time': () => new Function('x', '/* a comment */ return x * 2 // the end') as (x: number) => number,
  'comments everywhere': () => /* before */ (x /* parameter */) => /* body */ x * 2 /* after */,
  'a template with its own functions': () => (x) => {
    const double = (n: number) => n * 2;
    return Number(`${double(x)}`);
  },
  'a method of sloppy code': () =>
    (
      new Function('return { method(x) { with ({ y: 2 }) { return x * y; } } };')() as {
        method: (x: number) => number;
      }
    ).method,
  'sloppy code': () => new Function('x', 'with ({ y: 2 }) { return x * y; }') as (x: number) => number,
};

describeEach.of(['threading', 'spawn'], 'a plain function', ({ name: startMethod }) => {
  afterEach(endPools);

  it('can be written in any way', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const outcomes: Record<string, unknown> = {};
    for (const [how, make] of Object.entries(written)) {
      outcomes[how] = await pool.map(make(), [2]).catch((error: unknown) => String(error));
    }
    expect(outcomes).to.deep.equal(Object.fromEntries(Object.keys(written).map((how) => [how, [4]])));
  });

  it('can be a getter of a class', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const getter = Object.getOwnPropertyDescriptor(Shapes.prototype, 'getter')?.get as () => number;
    expect(await pool.apply(getter)).to.equal(3);
    expect(await createPool({ nJobs: 1, startMethod }).map(Shapes.staticMethod, [1])).to.deep.equal([2]);
  });

  it('keeps its name', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const named = function theName(): string {
      return theName.name;
    };
    expect(await pool.apply(named)).to.equal('theName');
    const arrow = (): never => {
      throw new Error('see the stack');
    };
    expect((await rejection(pool.apply(arrow))).stack).to.match(/at arrow /);
  });

  it('is loaded once per worker, so that what it keeps on itself stays', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const count = function counter(): number {
      const kept = counter as { calls?: number };
      return (kept.calls = (kept.calls ?? 0) + 1);
    };
    expect(await pool.map(count, [0, 0], { chunkSize: 1 })).to.deep.equal([1, 2]);
    expect(await pool.map(count, [0])).to.deep.equal([3]);
  });

  it('can import modules', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const hash = async (text: string) => {
      const { createHash } = await import('node:crypto');
      return createHash('md5').update(text).digest('hex');
    };
    expect(await pool.map(hash, ['a'])).to.deep.equal(['0cc175b9c0f1b6a831c399e269772661']);
  });

  it('that assigns to a captured variable changes that of its worker', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const assigns = (x: number) => {
      assigned += x;
      return assigned;
    };
    expect(await pool.map(assigns, [1, 2])).to.deep.equal([1, 3]);
    expect(await pool.apply(() => Object.keys(globalThis).includes('assigned'))).to.be.false;
    expect(assigned).to.equal(0);
  });

  it('that uses a helper of a compiler, which remembers what it has made', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    interopRequireWildcard({});
    const task = (x: number) => {
      const module = { x };
      return interopRequireWildcard(module) === interopRequireWildcard(module);
    };
    expect(await pool.map(task, [1, 2])).to.deep.equal([true, true]);
  });

  it("whose own code throws a ReferenceError of another's is told as it is", async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const inner = async () => {
      const { runInNewContext } = await import('node:vm');
      return runInNewContext('somethingMissing');
    };
    const error = await rejection(pool.apply(inner));
    expect(error).to.not.be.instanceOf(UnportableFunctionError);
    expect(error).to.have.property('name', 'ReferenceError');
    const usesLibrary = async (): Promise<unknown> => {
      const library = (await import('data:text/javascript,export const broken = () => missing;' as string)) as {
        broken(): unknown;
      };
      return library.broken();
    };
    expect(await rejection(pool.apply(usesLibrary)))
      .to.be.instanceOf(ReferenceError)
      .with.property('message', 'missing is not defined');
  });

  it('that is native is found by its name', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    expect(await pool.apply(Math.max, [1, 3, 2])).to.be.NaN; // for the context comes last
    expect(await pool.map(parseInt as (text: string) => number, ['12', '7'])).to.deep.equal([12, 7]);
  });

  it('that is bound, or a proxy', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const times = function (this: { readonly by: number }, x: number) {
      return x * this.by;
    };
    const proxy = new Proxy((x: number) => x, { apply: (fn, _, [x]: [number]) => fn(x) + 1 });
    expect(await pool.map(times.bind({ by: 2 }), [1, 2])).to.deep.equal([2, 4]);
    expect(await pool.map(proxy, [1, 2])).to.deep.equal([2, 3]);
    const by = { by: 3 };
    const bound = times.bind(by);
    expect(await pool.apply(bound, [1])).to.equal(3);
    by.by = 4;
    expect(await pool.apply(bound, [1]), 'which is not kept from the first time').to.equal(4);
    const error = await rejection<Unportable>(pool.map(times.bind({ by: new Promise(() => undefined) } as never), [1]));
    expect(error.message).to.match(/"bound times" .* this of bound times\.by is a Promise/);
  });

  it('with a property that cannot travel is refused by its place, where it has no name', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const [fn] = [Object.assign((x: number) => x, { later: new Promise(() => undefined) })];
    Object.defineProperty(fn, 'name', { value: '' });
    const error = await rejection<Unportable>(pool.map(fn as (x: number) => number, [1]));
    expect(error.variable).to.equal(undefined);
    expect(error.message).to.match(/^An anonymous function \(.*plain\.test\.[jt]s:\d+:\d+\) .* later is a Promise/);
  });

  it('that is a class is refused by its name', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const error = await rejection(pool.map(Shapes as never, [1]));
    expect(error).to.be.instanceOf(TypeError);
    expect(error.message).to.include('Shapes');
    expect(await rejection(pool.map(class {} as never, [1]))).to.be.instanceOf(TypeError);
    expect(thrownBy(() => parallelMap(Shapes as never)).message).to.match(/got the class Shapes: wrap it/);
  });

  it('that is a generator function: an error that says what to do, and no hang', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const outcomes = await Promise.allSettled([
      pool.map(
        function* (x: number) {
          yield x;
        } as never,
        [1],
      ),
      pool.map(
        async function* (x: number) {
          yield x;
        } as never,
        [1],
      ),
    ]);
    for (const outcome of outcomes) {
      expect(outcome.status, 'a generator is silently sent as {}').to.equal('rejected');
      expect(outcome).to.have.property('reason').that.is.instanceOf(Error);
    }
  });
});

describe('a plain function in a program', () => {
  it('that imports a module writes nothing of its own to stderr', async () => {
    for (const { name } of (await import('../support/startMethods.js')).startMethods) {
      const { code, stdout, stderr } = await runProgram('imports.mjs', { args: [name] });
      expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: 'b\n', stderr: '' });
    }
  });
});
