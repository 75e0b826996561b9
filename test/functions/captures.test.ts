/** The option `captures`: values of variables, by hand. */

import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { lastValueFrom, of, toArray } from 'rxjs';
import {
  parallelFrom,
  parallelMap,
  parallelMergeMap,
  UnportableFunctionError,
  type UnportableFunctionError as Unportable,
} from '../support/library.js';
import { useProgramFolder } from '../support/forms.js';
import { createPool, endPools } from '../support/pools.js';
import { rejection, thrownBy } from '../support/rejection.js';
import { describeEach } from '../support/startMethods.js';
import { trackWorkers } from '../support/workers.js';

const salt = 'pepper';
const promise = Promise.resolve('unportable');
const season = (text: string): string => salt + text;
const nested = { season };
const hash = (text: string): string => createHash('md5').update(text).digest('hex').slice(0, 4);
const undefinedHere: unknown = 'defined';

describeEach.of(['threading', 'spawn', 'fork'], 'captures', ({ name: startMethod }) => {
  afterEach(endPools);
  const workers = trackWorkers();

  it('come before the values that variables have, in all calls', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    const captures = { salt: 'sugar' };
    const fn = (text: string): string => salt + text;
    const options = { pool, captures };
    expect(await pool.map(fn, ['a'], { captures })).to.deep.equal(['sugara']);
    expect(await pool.mapUnordered(fn, ['a'], { captures })).to.deep.equal(['sugara']);
    expect(await pool.apply(fn, ['a'], { captures })).to.equal('sugara');
    expect(await pool.imap(fn, ['a'], { captures }).next()).to.include({ value: 'sugara' });
    expect(await lastValueFrom(of('a').pipe(parallelMap(fn, options)))).to.equal('sugara');
    expect(await lastValueFrom(parallelFrom(['a'], fn, options))).to.equal('sugara');
    const all = of('a').pipe(
      parallelMergeMap((text: string) => [salt, text], options),
      toArray(),
    );
    expect(await lastValueFrom(all)).to.deep.equal(['sugar', 'a']);
  });

  it('belong to one call: the same function gets others in the next', async () => {
    const pool = createPool({ nJobs: 2, startMethod, keepAlive: true });
    const fn = (text: string): string => salt + text;
    const calls = ['a', 'b', undefined, 'a'].map((value) =>
      pool.map(fn, ['1', '2'], value === undefined ? {} : { captures: { salt: value } }),
    );
    expect(await Promise.all(calls)).to.deep.equal([
      ['a1', 'a2'],
      ['b1', 'b2'],
      ['pepper1', 'pepper2'],
      ['a1', 'a2'],
    ]);
  });

  it('reach the functions of the file that come along', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const fn = (): unknown => [season('a'), nested.season('b')];
    expect(await pool.apply(fn, [], { captures: { salt: 'sugar' } })).to.deep.equal(['sugara', 'sugarb']);
  });

  it('may be of any kind that travels: functions, classes and imports too', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    class Louder {
      readonly #mark = '!';
      say(text: string): string {
        return text.toUpperCase() + this.#mark;
      }
    }
    const fn = (): unknown => [season('a'), hash('a'), undefinedHere];
    const captures = {
      season: (text: string) => new Louder().say(text),
      createHash: () => ({ update: () => ({ digest: () => 'faked' }) }),
      undefinedHere: undefined,
    };
    expect(await pool.apply(fn, [], { captures })).to.deep.equal(['A!', 'fake', undefined]);
  });

  it('stand for what cannot travel, and for global names', async () => {
    const pool = createPool({ nJobs: 1, startMethod, keepAlive: true });
    expect(await pool.apply(async () => await promise, [], { captures: { promise: 'given' } })).to.equal('given');
    const fetches = async (): Promise<unknown> => await fetch('https://example.org');
    expect(await pool.apply(fetches, [], { captures: { fetch: (url: string) => `fake ${url}` } })).to.equal(
      'fake https://example.org',
    );
  });

  it('that no function of the call uses are refused, with what was meant', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const refusal = async (captures: object, options = {}): Promise<string> => {
      const error = await rejection(pool.apply(() => salt, [], { ...options, captures: { ...captures } }));
      expect(error).to.be.instanceOf(TypeError);
      return error.message;
    };
    const sentence = 'which no function of the call has as a variable.';
    expect(await refusal({ salts: 1 })).to.equal(`"captures" has 'salts', ${sentence} Did you mean 'salt'?`);
    expect(await refusal({ salt: 1, other: 1 })).to.equal(`"captures" has 'other', ${sentence} Leave it out.`);
    expect(workers.started).to.equal(0);
    const workerInit = (): unknown => promise;
    expect(await pool.apply(() => salt, [], { workerInit, captures: { salt: 'a', promise: 1 } })).to.equal('a');
  });

  it('that cannot travel are refused by their name', async () => {
    const pool = createPool({ nJobs: 1, startMethod });
    const captures = { salt: { deep: [new FinalizationRegistry(() => undefined)] } };
    const error = await rejection<Unportable>(pool.apply(() => salt, [], { captures }));
    expect(error).to.be.instanceOf(UnportableFunctionError);
    expect(error).to.include({ variable: 'salt' });
    expect(error.reason).to.match(/^salt\.deep\[0\] is a FinalizationRegistry/);
    expect(workers.started).to.equal(0);
  });

  it('that are no object are refused', () => {
    for (const captures of [1, 'salt', null, [salt], () => salt] as never[]) {
      const error = thrownBy(() => parallelMap(() => 1, { startMethod, captures }));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include('captures');
    }
  });
});

describeEach.of(['threading', 'spawn', 'forkserver'], 'in a Node that allows no inspector', ({ name: startMethod }) => {
  const folder = useProgramFolder();

  it('captures give what is used; whatever is missing is named', async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
    const program = folder.writeAs(
      'tsc',
      'program',
      `
        import { WorkerPool } from 'rxjs-parallel-map';
        const salt = 'pepper';
        const season = (text) => salt + text;
        class Point { #x; constructor(x) { this.#x = x; } get x() { return this.#x; } }
        async function main() {
          const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv[2], keepAlive: true });
          const told = ({ name, variable, message }) => [name, variable, /inspector/.test(message), /captures/.test(message)];
          const results = [
            await pool.map((n) => n + 1, [1]).catch(told),
            await pool.map((n) => Math.max(n, 2) + process.argv.length * 0, [1]).catch(told),
            await pool.map((n) => salt + n, [1]).catch(told),
            await pool.map((n) => salt + n, [1], { captures: { salt: 'given ' } }).catch(told),
            await pool.map((n) => season(n), [1], { captures: { season } }).catch(told),
            await pool.map((n) => season(n), [1], { captures: { season, salt } }).catch(told),
            await pool.map((n) => new Point(n).x, [1], { captures: { Point } }).catch(told),
            await pool.map(async (n) => await new Promise((resolve) => setTimeout(resolve, 1, n)), [1]).catch(told),
          ];
          await pool.terminate();
          console.log(JSON.stringify(results));
        }
        void main();
      `,
    );
    const { code, stdout } = await folder.run(program, {
      flags: [
        flag,
        '--allow-fs-read=*',
        '--allow-fs-write=*',
        '--allow-worker',
        '--allow-child-process',
        '--no-warnings',
        // Those that came later: without them worker processes can neither be copied nor be spoken to.
        ...['--allow-addons', '--allow-net'].filter((name) => process.allowedNodeEnvironmentFlags.has(name)),
      ],
      args: [startMethod],
    });
    expect(code).to.equal(0);
    const missing = ['UnportableFunctionError', 'salt', true, true];
    expect(JSON.parse(stdout)).to.deep.equal([[2], [2], missing, ['given 1'], missing, ['pepper1'], [1], [1]]);
  });
});
