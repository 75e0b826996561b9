// Values keep their class.
import { expect } from 'chai';
import { lastValueFrom, of, toArray } from 'rxjs';
import {
  moduleTask,
  parallelMap,
  parallelMergeMap,
  transfer,
  UnserializableError,
  type TaskContext,
} from '../support/library.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { Account, Money, Overdrawn } from '../tasks/money.js';

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
  get length(): number {
    return Math.hypot(this.x, this.y);
  }
  plus(other: Point): Point {
    return new Point(this.x + other.x, this.y + other.y);
  }
}

class Place extends Point {
  name = 'home';
}

class TooFar extends RangeError {
  override readonly name = 'TooFar';
  constructor(readonly at: Point) {
    super(`too far: ${at.length}`);
  }
  get isFar(): boolean {
    return this.at.length > 1;
  }
}

class Names extends Map<string, Point> {
  label = 'names';
  first(): Point | undefined {
    return [...this.values()][0];
  }
}

class Path extends Array<Point> {
  total(): number {
    return this.reduce((sum, { length }) => sum + length, 0);
  }
}

class Secret {
  readonly #key = 1;
  open(): number {
    return this.#key;
  }
}

class Other {
  kind = 'other';
}

describeEach.of(['threading', 'forkserver', 'fork', 'inline'], 'a Buffer', ({ name: startMethod }) => {
  afterEach(endPools);

  it('arrives as a Buffer, and so does what is made of it', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const hex = (buffer: Buffer) => buffer.toString('hex');
    expect(await pool.map(hex, [Buffer.from('ab'), Buffer.alloc(100_000, 'c')])).to.deep.equal([
      '6162',
      '63'.repeat(100_000),
    ]);
    const reverse = (buffer: Buffer) => Buffer.from(buffer).reverse();
    const results = await pool.map(reverse, [Buffer.from('ab'), Buffer.from('cd'), Buffer.alloc(70_000, 'e')]);
    for (const result of results) expect(result).to.be.instanceOf(Buffer);
    expect(results.map((result) => result.toString().slice(0, 2))).to.deep.equal(['ba', 'dc', 'ee']);
  });

  it('keeps its class in any place, and shares memory with other views of it', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const memory = new ArrayBuffer(8);
    const value = {
      list: [Buffer.from('a'), [Buffer.from('b')]],
      map: new Map([['key', Buffer.from('c')]]),
      set: new Set([Buffer.from('d')]),
      views: [Buffer.from(memory, 2, 4), new Uint8Array(memory), new DataView(memory)] as const,
      error: new Error('text', { cause: Buffer.from('e') }),
      bytes: Uint8Array.of(1),
    };
    const check = (x: typeof value): typeof value => {
      const [set] = x.set;
      const buffers = [x.list[0], (x.list[1] as Buffer[])[0], x.map.get('key'), set, x.views[0], x.error.cause];
      if (!buffers.every((each) => Buffer.isBuffer(each))) throw new Error('a Buffer has lost its class');
      if (x.views[0].buffer !== x.views[1].buffer) throw new Error('memory is not shared');
      if ([x.views[1], x.bytes].some((each) => Buffer.isBuffer(each))) throw new Error('a Uint8Array is a Buffer');
      return x;
    };
    const [result] = await pool.map(check, [value, 1 as never].slice(0, 1));
    check(result as typeof value);
  });

  it('keeps it where values share it, and where a result waits or moves', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const shared = Buffer.from('shared');
    const task = (x: { shared: Buffer; n: number }) => {
      x.shared[0] = 65 + x.n;
      return { shared: x.shared, text: x.shared.toString('latin1') };
    };
    const values = Array.from({ length: 20 }, (_, n) => ({ shared, n }));
    const results = await pool.map(task, values, { chunkSize: 20 });
    expect(results.map(({ text }) => text)).to.deep.equal(values.map(({ n }) => `${String.fromCharCode(65 + n)}hared`));
    for (const result of results) expect(result.shared).to.be.instanceOf(Buffer);
    const buffer = Buffer.from(new Uint8Array(10).buffer);
    const moved = await pool.map((x: Buffer) => Buffer.isBuffer(x), [transfer(buffer, [buffer.buffer])]);
    expect(moved).to.deep.equal([true]);
  });

  it('keeps it as an argument, yield, progress, exit result and property of an error', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const join = (a: Buffer, { b }: { b: Buffer }) => Buffer.concat([a, b]);
    expect((await pool.apply(join, [Buffer.from('a'), { b: Buffer.from('b') }])).toString()).to.equal('ab');
    const reports: unknown[] = [];
    await pool.map((x: Buffer, { progress }: TaskContext) => progress([x]), [Buffer.from('p')], {
      onProgress: ({ value }) => reports.push(value),
      workerExit: () => ({ end: Buffer.from('end') }),
    });
    expect((reports as Buffer[][])[0]?.[0]).to.be.instanceOf(Buffer);
    expect((pool.getExitResults() as { end: Buffer }[])[0]?.end.toString()).to.equal('end');
    const split = function* (x: Buffer) {
      for (const byte of x) yield Buffer.of(byte);
    };
    const yields$ = of(Buffer.from('xyz')).pipe(parallelMergeMap(split, { pool }), toArray());
    expect((await lastValueFrom(yields$)).map((each) => each.toString())).to.deep.equal(['x', 'y', 'z']);
    const fail = (): never => {
      throw Object.assign(new Error('failed'), { body: Buffer.from('body') });
    };
    expect((await rejection<Error & { body: Buffer }>(pool.map(fail, [1]))).body.toString()).to.equal('body');
  });

  it('is cut into Buffers, and put together to one', async () => {
    const pool = createPool({ nJobs: 2, startMethod });
    const upper = (part: Buffer) => Buffer.from(part.toString().toUpperCase());
    const whole = await pool.map(upper, Buffer.from('abcdef'), { chunkSize: 2 });
    expect(whole.toString()).to.equal('ABCDEF');
    expect(await pool.map(upper, Buffer.alloc(0))).to.be.instanceOf(Buffer);
  });
});

describeEach.of(['threading', 'forkserver', 'fork', 'inline'], 'an instance of a class', ({ name: startMethod }) => {
  afterEach(endPools);
  const own = () => createPool({ nJobs: 1, startMethod });

  it('that the function captures is one there, and so is the result', async () => {
    const double = (point: Point) => (point instanceof Point ? point.plus(point) : undefined);
    const results = await own().map(double, [new Point(1, 2), new Point(3, 4)]);
    expect(results.every((each) => each instanceof Point)).to.be.true;
    expect(results.map((each) => each?.length)).to.deep.equal([Math.hypot(2, 4), 10]);
  });

  it('that the function has imported is one there, of the module that it imports', async () => {
    const url = new URL('../tasks/money.js', import.meta.url).href;
    const task = async (account: Account, { index }: TaskContext) => {
      const { spend } = (await import(url)) as typeof import('../tasks/money.js');
      return account instanceof Account ? spend(account) : index;
    };
    const [account] = await own().map(task, [new Account(new Money(10))], { classes: [Money] });
    expect(account).to.be.instanceOf(Account);
    expect((account as Account).money)
      .to.be.instanceOf(Money)
      .and.have.property('amount', 7);
  });

  it('that only `classes` has is one as well; without, it is a plain object', async () => {
    const lengths = ({ points: [a, b] }: { points: Point[] }) => [a!.length, b?.plus !== undefined];
    const value = { points: [new Point(3, 4), new Place(0, 1)] };
    expect(await own().map(lengths, [value], { classes: [Point, Place] })).to.deep.equal([[5, true]]);
    expect(await own().map(lengths, [value])).to.deep.equal([[undefined, false]]);
    const operator = of(value).pipe(parallelMap(lengths, { startMethod, classes: [Place, Point] }));
    expect(await lastValueFrom(operator)).to.deep.equal([5, true]);
    expect(await own().apply(lengths, [value], { classes: [Point, Place] })).to.deep.equal([5, true]);
  });

  it('of another class is a plain object, beside one that is known', async () => {
    const look = ({ a, b }: { a: Point; b: Other }) => [
      a instanceof Point,
      Object.getPrototypeOf(b) === Object.prototype,
    ];
    expect(await own().map(look, [{ a: new Point(1, 1), b: new Other() }])).to.deep.equal([[true, true]]);
  });

  it('keeps its class in any place, what is one object stays one, and so do derived classes', async () => {
    const check = (value: { place: Place; again: Place; names: Names; path: Path; error: TooFar }): typeof value => {
      const { place, again, names, path, error } = value;
      const facts = [
        place instanceof Place && place.length === 5 && place.name === 'home',
        place === again && names.get('a') === (place as Point),
        names instanceof Names && names.label === 'names' && names.first()?.length === 5,
        path instanceof Path && path.total() === 10,
        error instanceof TooFar && error.isFar && error.name === 'TooFar' && error.message === 'too far: 5',
      ];
      if (facts.includes(false)) throw new Error(`not whole: ${facts.join()}`);
      return value;
    };
    const place = new Place(3, 4);
    const value = {
      place,
      again: place,
      names: new Names([['a', place]]),
      path: Path.of(place, new Point(0, 5)) as Path,
      error: new TooFar(place),
    };
    const [result] = await own().map(check, [value]);
    check(result!);
  });

  it('keeps it where values share it, and in each result of a batch', async () => {
    const shared = new Point(3, 4);
    const measure = ({ shared: point, n }: { shared: Point; n: number }) => {
      const { length } = point;
      (point as { x: number }).x = 100;
      return new Point(length, n);
    };
    const values = Array.from({ length: 30 }, (_, n) => ({ shared, n }));
    const results = await own().map(measure, values, { chunkSize: 30 });
    expect(results).to.deep.equal(values.map(({ n }) => new Point(5, n)));
    for (const each of results) expect(each).to.be.instanceOf(Point);
  });

  it('keeps it as an argument, yield, progress, exit result, and in what is thrown', async () => {
    const pool = own();
    const add = (a: Point, [b]: [Point]) => a.plus(b);
    expect(await pool.apply(add, [new Point(1, 1), [new Point(2, 2)]], { classes: [Point] })).to.be.instanceOf(Point);
    const reports: unknown[] = [];
    const work = (n: number, { progress }: TaskContext) => progress(new Point(n, n));
    await pool.map(work, [1], {
      onProgress: ({ value }) => reports.push(value),
      workerExit: () => [new Point(9, 9)],
    });
    expect(reports[0]).to.be.instanceOf(Point);
    expect((pool.getExitResults() as Point[][])[0]?.[0]).to.be.instanceOf(Point);
    const spread = function* (point: Point) {
      yield point;
      yield point.plus(point);
    };
    const yields$ = of(new Point(3, 4)).pipe(parallelMergeMap(spread, { pool, classes: [Point] }), toArray());
    expect((await lastValueFrom(yields$)).map(({ length }) => length)).to.deep.equal([5, 10]);
    const fail = (point: Point): never => {
      throw new Error('outer', { cause: new TooFar(point) });
    };
    const error = await rejection<Error & { cause: TooFar }>(pool.map(fail, [new Point(3, 4)], { classes: [Point] }));
    expect(error.cause).to.be.instanceOf(TooFar).and.include({ name: 'TooFar', isFar: true });
    expect(error.cause.at).to.be.instanceOf(Point);
    expect(Object.hasOwn(error.cause, 'isFar')).to.be.false;
  });

  it('with private members is refused by its path, in both directions', async () => {
    const open = (value: { list: Secret[] }) => value.list[0]?.open();
    const there = await rejection<UnserializableError>(
      own().map(open, [{ list: [new Secret()] }], { classes: [Secret] }),
    );
    expect(there).to.be.instanceOf(UnserializableError);
    expect(there).to.include({ path: 'value.list[0]', kind: 'Secret', direction: 'input' });
    const back = await rejection<UnserializableError>(own().map(() => ({ list: [new Secret()] }), [1]));
    expect(back).to.include({ path: 'value.list[0]', kind: 'Secret', direction: 'result' });
  });

  it('of a class that the module of a task exports is one there, where `classes` has it', async () => {
    const url = new URL('../tasks/money.js', import.meta.url);
    const pool = own();
    const spend = moduleTask<typeof import('../tasks/money.js').spend>(url, 'spend');
    const classes = [Money, Account, Overdrawn];
    const [account] = await pool.map(spend, [new Account(new Money(10))], { classes });
    expect(account).to.be.instanceOf(Account);
    expect(account?.money).to.be.instanceOf(Money).and.have.property('text', '7 €');
    const error = await rejection<Overdrawn>(pool.map(spend, [new Account(new Money(1))], { classes }));
    expect(error).to.be.instanceOf(Overdrawn);
    expect(error.missing).to.be.instanceOf(Money).and.have.property('text', '2 €');
    const missing = await rejection(pool.map(spend, [new Account(new Money(10))], { classes: [Other] }));
    expect(missing).to.have.property('name', 'WorkerStartError');
    expect(missing.message).to.include('exports no class "Other", which the option "classes" has');
  });
});
