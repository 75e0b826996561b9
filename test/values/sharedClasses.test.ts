// A class that several functions and `sharedObjects` bring along: each has a copy of it, which knows the instances of the others.
import { expect } from 'chai';
import { WorkerPool, type TaskContext, type UnserializableError } from '../support/library.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { Money } from '../tasks/money.js';

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
  get length(): number {
    return Math.hypot(this.x, this.y);
  }
}

class Place extends Point {
  name = 'home';
}

class Secret {
  readonly #key = 1;
  open(): number {
    return this.#key;
  }
}

class Bytes extends Uint8Array {
  label = 'bytes';
  sum(): number {
    return this.reduce((sum, each) => sum + each, 0);
  }
}

class Day extends Date {
  label = 'day';
  weekday(): number {
    return this.getUTCDay();
  }
}

class Names extends Map<string, Point> {
  label = 'names';
}

class Marks extends Set<Point> {
  label = 'marks';
}

class Path extends Array<Point> {
  label = 'path';
}

/** Structured clone drops the own property: setting it again must not call the setter. */
class Guarded extends Map<string, number> {
  constructor() {
    super();
    Object.defineProperty(this, 'label', { value: 'own', enumerable: true });
  }
  set label(_: string) {
    throw new Error('the setter was called');
  }
}

const here = { Point, Place, Bytes, Day, Names, Marks, Path };

describeEach.of(['threading', 'fork', 'inline'], 'a class that several functions know', ({ name: startMethod }) => {
  afterEach(endPools);

  it('is that of the instances in sharedObjects, which keep it on their way back', async () => {
    const pool = createPool({
      nJobs: 1,
      startMethod,
      sharedObjects: { point: new Point(3, 4), place: new Place(1, 0) },
    });
    const knowing = (_: unknown, { shared: { point, place } }: TaskContext): unknown[] => [
      [point, place].map((each) => each instanceof Point),
      [point, place].map((each) => each instanceof Place),
      point.length,
      point,
    ];
    const [[points, places, length, point] = []] = await pool.map(knowing, [1]);
    expect([points, places, length]).to.deep.equal([[true, true], [false, true], 5]);
    expect(point).to.be.instanceOf(Point);
    const [shared] = await pool.map((_: unknown, context: TaskContext) => context.shared, [1]);
    expect(shared.point).to.be.instanceOf(Point).and.have.property('length', 5);
    expect(shared.place).to.be.instanceOf(Place).and.have.property('name', 'home');
    // The worker has it, so a value keeps it as well.
    expect(await pool.map((point_: Point) => point_.length, [new Point(6, 8)])).to.deep.equal([10]);
    const fail = (_: unknown, context: TaskContext): never => {
      throw Object.assign(new Error('failed'), { at: context.shared.point });
    };
    expect((await rejection<Error & { at: Point }>(pool.map(fail, [1]))).at).to.be.instanceOf(Point);
  });

  it('is that of what an init function has made, and that an exit function finds', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const look = (_: unknown, { state }: TaskContext): unknown[] => [state.point instanceof Point, state.point];
    const [[isPoint, point] = []] = await pool.map(look, [1], {
      workerInit: ({ state }) => (state.point = new Point(3, 4)),
      workerExit: ({ state }) => [state.point instanceof Point, state.point],
    });
    expect(isPoint).to.be.true;
    expect(point).to.be.instanceOf(Point);
    await pool.stopAndJoin();
    const [[wasPoint, last] = []] = pool.getExitResults() as unknown[][];
    expect(wasPoint).to.be.true;
    expect(last).to.be.instanceOf(Point);
  });

  it('is that of what a function has left whose captured values have changed since', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    let round = 0;
    const task = (n: number, { state }: TaskContext): unknown[] => {
      state.point ??= new Point(n, 0);
      return [round, state.point instanceof Point, state.point];
    };
    for (round = 1; round < 4; round++) {
      const [[at, isPoint, point] = []] = await pool.map(task, [round]);
      expect([at, isPoint]).to.deep.equal([round, true]);
      expect(point).to.be.instanceOf(Point).and.have.property('x', 1);
    }
  });

  it('has the variables of each function in its copies', async () => {
    let factor = 2;
    class Scale {
      readonly kind = 'scale';
      of(n: number): number {
        return n * factor;
      }
    }
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true, sharedObjects: new Scale() });
    factor = 3;
    const task = (n: number, { shared }: TaskContext): unknown[] => [
      shared instanceof Scale,
      shared.of(n),
      new Scale().of(n),
    ];
    // Without a worker there is one class, with one variable.
    expect(await pool.map(task, [10])).to.deep.equal([[true, startMethod === 'inline' ? 30 : 20, 30]]);
  });

  it('is that of a module, where one of them imports it', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true, sharedObjects: new Money(4) });
    const task = (_: unknown, { shared }: TaskContext): unknown[] => [shared instanceof Money, shared.text, shared];
    const [[isMoney, text, money] = []] = await pool.map(task, [1]);
    expect([isMoney, text]).to.deep.equal([true, '4 €']);
    expect(money).to.be.instanceOf(Money);
  });

  it('with private members works in sharedObjects, and is refused as a result', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true, sharedObjects: { secret: new Secret() } });
    const open = (_: unknown, { shared }: TaskContext): unknown => [
      shared.secret instanceof Secret,
      shared.secret.open(),
    ];
    expect(await pool.map(open, [1])).to.deep.equal([[true, 1]]);
    const error = await rejection<UnserializableError>(pool.map((_: unknown, { shared }: TaskContext) => shared, [1]));
    expect(error).to.include({ path: 'value.secret', kind: 'Secret', direction: 'result' });
  });

  it('keeps its instances apart from those of another class of that name', async () => {
    const make = (kind: string): new () => object =>
      class Twin {
        readonly kind = kind;
      };
    const [One, Two] = [make('one'), make('two')];
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true, sharedObjects: [new One(), new Two()] });
    const look = (_: unknown, { shared }: TaskContext): boolean[] => [
      shared[0] instanceof One,
      shared[0] instanceof Two,
      shared[1] instanceof One,
      shared[1] instanceof Two,
    ];
    expect(await pool.map(look, [1])).to.deep.equal([[true, false, false, true]]);
  });

  it('may be frozen', async () => {
    class Fixed {
      readonly kind = 'fixed';
    }
    Object.freeze(Fixed);
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true, sharedObjects: new Fixed() });
    const look = (value: unknown, { shared }: TaskContext): boolean[] => [
      value instanceof Fixed,
      shared instanceof Fixed,
    ];
    expect(await pool.map(look, [new Fixed()])).to.deep.equal([[true, true]]);
  });

  it('of an AggregateError comes with its errors, as a value too, and those with their classes', async () => {
    class Several extends AggregateError {
      get isSeveral(): boolean {
        return true;
      }
    }
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const echo = (error: AggregateError): unknown[] => [error instanceof AggregateError, error.errors.length, error];
    const values = [
      new AggregateError([new RangeError('inner'), Buffer.from('a')], 'outer'),
      new Several([new Point(3, 4), new AggregateError([1])], 'outer'),
    ];
    const results = await pool.map(echo, values, { classes: [Several, Point] });
    expect(results.map(([isThere, count]) => [isThere, count])).to.deep.equal([
      [true, 2],
      [true, 2],
    ]);
    const [plain, several] = results.map(([, , error]) => error as Several);
    expect(plain).to.be.instanceOf(AggregateError).and.include({ name: 'AggregateError', message: 'outer' });
    expect(plain!.errors[0]).to.be.instanceOf(RangeError);
    expect(plain!.errors[1]).to.be.instanceOf(Buffer);
    expect(Object.keys(plain!)).to.deep.equal([]);
    expect(several).to.be.instanceOf(Several).and.have.property('isSeveral', true);
    expect(several!.errors[0]).to.be.instanceOf(Point);
    expect((several!.errors[1] as AggregateError).errors).to.deep.equal([1]);
  });

  it('of the language that it extends comes with its methods and properties, alone and inside of others', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const echo = (value: object, { index }: TaskContext): unknown[] => {
      const found = Object.entries(here).filter(([, each]) => value instanceof each);
      return [found.map(([name]) => name), (value as Day).label, index === 0 ? value : [value]];
    };
    const point = new Point(1, 2);
    const values = [
      Bytes.of(1, 2) as Bytes,
      new Day(0),
      new Names([['a', point]]),
      new Marks([point]),
      Path.of(point),
      new Place(1, 2),
    ];
    const options = { chunkSize: 6 };
    const names = [['Bytes'], ['Day'], ['Names'], ['Marks'], ['Path'], ['Point', 'Place']];
    const labels = ['bytes', 'day', 'names', 'marks', 'path', undefined];
    const results = await pool.map(echo, values, options);
    expect(results.map(([found]) => found)).to.deep.equal(names);
    expect(results.map(([, label]) => label)).to.deep.equal(labels);
    for (const [i, [, , back]] of results.entries()) {
      const value = (i === 0 ? back : (back as unknown[])[0]) as Day;
      expect(value).to.be.instanceOf(values[i]!.constructor);
      expect(value.label).to.equal(labels[i]);
    }
    expect(((await pool.map(() => Bytes.of(1, 2) as Bytes, [1])) as unknown as Bytes[])[0]!.sum()).to.equal(3);
    expect((await pool.map(() => new Day(0), [1]))[0]!.weekday()).to.equal(4);
    const fail = (): never => {
      const all = {
        bytes: Bytes.of(1),
        day: new Day(0),
        names: new Names(),
        marks: new Marks(),
        path: Path.of(new Point(1, 2)),
      };
      throw Object.assign(new Error('failed'), all);
    };
    const error = await rejection<Error & Record<string, { label: string }>>(pool.map(fail, [1]));
    for (const each of ['bytes', 'day', 'names', 'marks', 'path'] as const) {
      expect(error[each]!.label, each).to.equal(each);
      expect(error[each]!.constructor.name.toLowerCase()).to.equal(each);
    }
    const [guarded] = await pool.map((value: Guarded) => value, [new Guarded()], { classes: [Guarded] });
    expect(guarded).to.be.instanceOf(Guarded).and.have.property('label', 'own');
  });
});

describeEach.of(['threading', 'forkserver'], 'a class that a nested pool knows', ({ name: startMethod }) => {
  afterEach(endPools);

  it('is the same one in each of the workers, and back here', async () => {
    const pool = createPool({ nJobs: 1, startMethod, daemon: false, sharedObjects: new Point(3, 4) });
    const outer = async (_: unknown, { shared }: TaskContext): Promise<unknown[]> => {
      const inner = new WorkerPool({ nJobs: 1, sharedObjects: shared });
      const task = (point: Point, context: TaskContext): unknown[] => [
        point instanceof Point && context.shared instanceof Point,
        point,
      ];
      const [result = []] = await inner.map(task, [shared]);
      await inner.stopAndJoin();
      return [shared instanceof Point, ...result];
    };
    const [[isHere, isThere, point] = []] = await pool.map(outer, [1]);
    expect([isHere, isThere]).to.deep.equal([true, true]);
    expect(point).to.be.instanceOf(Point);
  });
});
