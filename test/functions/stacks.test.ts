/** Where errors in a worker say that they come from: the file, line and column that the function was written at. */

import { expect } from 'chai';
import { transformSync } from 'esbuild';
import { isCommonJs, useProgramFolder, type Form, type ProgramFolder } from '../support/forms.js';
import { describeEach } from '../support/startMethods.js';

/** It prints the stacks of functions that fail, in a worker and here, and where one stands that cannot travel. */
const source = `
  import { WorkerPool } from 'rxjs-parallel-map';
  import { fail } from './helper.js';

  interface Padding { readonly a: number }
  type More = Padding & { b: string };

  const message: string = 'thrown';
  function helper(n: number): never {
    const padding: More = { a: n, b: '' };
    if (n > 0) throw new Error(message + padding.b);
    throw new Error('never');
  }
  class Service {
    #n: number = 1;
    run(): void { helper(this.#n); }
    static async later(this: void): Promise<void> {
      await Promise.resolve();
      helper(2);
    }
  }
  const service = new Service();
  const holder = {
    method(n: number): void {
      helper(n);
    },
  };
  const functions: Record<string, () => unknown> = {
    plain: () => helper(1),
    ofMethod: () => service.run(),
    ofShorthand: () => { holder.method(3); },
    ofStatic: async () => { await Service.later(); },
    named: function named() {
      const inner = (): never => helper(5);
      return [1].map(() => inner());
    },
    ofImport: () => fail(),
    atTheEnd: () => { (undefined as any).missing; },
  };
  async function main(): Promise<void> {
    const pool = new WorkerPool({ nJobs: 1, startMethod: process.argv[2] as never, keepAlive: true });
    const stackOf = async (call: () => unknown): Promise<string | undefined> => {
      try { await call(); } catch (error) { return (error as Error).stack; }
      return 'none';
    };
    const stacks: Record<string, unknown> = {};
    for (const [name, fn] of Object.entries(functions)) {
      stacks[name] = { worker: await stackOf(() => pool.apply(fn)), here: await stackOf(async () => await fn()) };
    }
    const weak = new FinalizationRegistry(() => undefined);
    const location = await pool.apply(() => weak).catch((error) => error.location);
    await pool.terminate();
    console.log(JSON.stringify({ stacks, location }));
  }
  void main();
`;

const helper = `
  export interface Unused { readonly a: number }
  export function fail(): never {
    throw new TypeError('of an import');
  }
`;

interface Stacks {
  readonly worker: string;
  readonly here: string;
}

/** What the program prints: the stacks, and the place of a function that cannot travel. */
interface Printed {
  readonly stacks: Record<string, Stacks>;
  readonly location: string;
}

/** The line of the source that holds a text. */
function lineOf(text: string): number {
  return source.slice(0, source.indexOf(text)).split('\n').length;
}

/** How many frames of its own each function's stack has at least, where nothing is optimised away. */
const depths: Readonly<Record<string, number>> = {
  plain: 2,
  ofMethod: 3,
  ofShorthand: 3,
  ofStatic: 3,
  named: 4,
  ofImport: 2,
  atTheEnd: 1,
};

/** The places of the program's frames, up to the function itself: `program.ts:10:5`. */
function placesIn(stack: string, depth: number): string[] {
  const frames = stack.split('\n').filter((line) => /^\s+at .*(program|helper)\.[jt]s:/.test(line));
  return frames.slice(0, depth).map((frame) => /(?:program|helper)\.[jt]s:\d+:\d+/.exec(frame)?.[0] ?? frame);
}

/** Fails where the stacks in the worker are not those of the program, with places in files that have an extension. */
function expectSame({ stacks, location }: Printed, extension: string): void {
  expect(location).to.match(new RegExp(`program\\.${extension}:\\d+:\\d+$`));
  if (extension === 'ts') expect(location).to.include(`:${lineOf('() => weak')}:`);
  for (const [name, depth] of Object.entries(depths)) {
    const { worker, here } = stacks[name] as Stacks;
    expect(placesIn(worker, depth), `${name}: ${worker}\n\nHere: ${here}`).to.deep.equal(placesIn(here, depth));
    expect(placesIn(worker, depth).join('\n'), name).to.match(
      new RegExp(`^((program|helper)\\.${extension}:\\d+:\\d+\n?){${depth}}$`),
    );
  }
}

/** For a suite: a folder for programs, and what runs them. */
function usePrograms(startMethod: string) {
  const folder = useProgramFolder();
  const run = async (program: string, options: Parameters<ProgramFolder['run']>[1] = {}): Promise<Printed> => {
    const { stdout, stderr } = await folder.run(program, { ...options, args: [startMethod] });
    expect(stderr).to.equal('');
    return JSON.parse(stdout) as Printed;
  };
  const runWithMaps = async (form: Form): Promise<Printed> => {
    const write = (name: string, text: string): string =>
      form === 'tsx' ? folder.write(`${name}.ts`, text) : folder.writeWithMap(name, text);
    write('helper', helper);
    return run(write('program', source), { form, flags: ['--enable-source-maps'] });
  };
  return { folder, run, runWithMaps };
}

describeEach('the stack of an error in a worker', ({ name: startMethod }) => {
  const { folder, run, runWithMaps } = usePrograms(startMethod);

  it('shows file, line and column of the compiled file, where no source map is used', async () => {
    folder.writeAs('tsc', 'helper', helper);
    const printed = await run(folder.writeAs('tsc', 'program', source));
    expectSame(printed, 'js');
    const { stacks } = printed;
    const { worker } = stacks['ofMethod'] as Stacks;
    expect(worker).to.match(/at helper \(.*\n.*at (Service\.)?run \(.*\n.*at (Object\.)?ofMethod/);
    expect(stacks['named']?.worker).to.match(/at inner \(/);
  });

  it('shows places in the source with --enable-source-maps', async () => {
    expectSame(await runWithMaps('tsc'), 'ts');
  });
});

// Who has compiled a program is known in the program, and to what loads modules in a thread or a process.
describeEach.of(['threading', 'spawn'], 'the stack of an error in a worker', ({ name: startMethod }) => {
  const { folder, run, runWithMaps } = usePrograms(startMethod);

  it('shows places in the source with --enable-source-maps, compiled by tsx', async () => {
    expectSame(await runWithMaps('tsx'), 'ts');
  });

  for (const flags of [[], ['--enable-source-maps']]) {
    it(`shows the column, too, in a minified file of one line ${flags.join()}`, async () => {
      const compile = (name: string, text: string): string => {
        const options = {
          loader: 'ts',
          minify: true,
          sourcemap: 'inline',
          format: isCommonJs ? 'cjs' : 'esm',
        } as const;
        const { code } = transformSync(text, { ...options, sourcefile: `${name}.ts` });
        expect(code.trim().split('\n'), 'the code, and its map').to.have.lengthOf(2);
        return folder.write(`${name}.js`, code);
      };
      compile('helper', helper);
      expectSame(await run(compile('program', source), { flags }), flags.length > 0 ? 'ts' : 'js');
    });
  }

  it('shows those of the source, where tsx maps stacks by itself', async () => {
    folder.write('helper.ts', helper);
    expectSame(await run(folder.write('program.ts', source), { form: 'tsx' }), 'ts');
  });
});
