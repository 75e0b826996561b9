/** Tables of functions as tests: see test/functions/tables/table.ts. */

import { expect } from 'chai';
import type { StartMethodName } from 'rxjs-parallel-map';
import type { Failures, Tables } from '../functions/tables/table.js';
import { forms, sourceOfTest, useProgramFolder, type ProgramFolder } from './forms.js';
import { describeEach } from './startMethods.js';

/** For a program that hangs. Those that load a compiler in each worker take long on a busy machine. */
const LIMIT = 50_000;

export interface TableModule {
  /** The name of the module that exports `tables`. */
  readonly name: string;
  readonly source: string;
  /** Other modules, in the same form. */
  readonly others?: Readonly<Record<string, string>>;
  /** Files that are what they are in every form. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The module of test/functions/tables with this name. */
export function tableModule(name: string): TableModule {
  return { name, source: sourceOfTest(`functions/tables/${name}.ts`) };
}

/**
 * Tries the tables of a module in every form of programs, and makes a test of each of them.
 *
 * @param tables Their titles, as properties or as an array.
 */
export function describeTables(
  startMethods: readonly StartMethodName[],
  title: string,
  module: TableModule,
  tables: Tables | readonly string[],
): void {
  const titles = Array.isArray(tables) ? (tables as readonly string[]) : Object.keys(tables);
  describeEach.of(startMethods, title, ({ name: startMethod }) => {
    for (const form of forms) {
      describe(`in a program that ${form} has compiled`, () => {
        const folder = useProgramFolder();
        let failures: Record<string, Failures> = {};

        before(async function () {
          this.timeout(LIMIT + 10_000);
          const program = writeProgram(folder, form, module);
          // Where the program is started from does not matter; but tsx is looked for there.
          const { code, signal, stdout, stderr } = await folder.run(program, {
            form,
            // The deepest of values take long to capture, which is warned of.
            flags: ['--disable-warning=ExperimentalWarning', '--disable-warning=WorkerPoolWarning'],
            args: [startMethod],
            limit: LIMIT,
            ...(form === 'tsx' ? {} : { cwd: '/' }),
          });
          expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
          failures = JSON.parse(stdout) as typeof failures;
        });

        for (const table of titles) {
          it(table, () => {
            expect(failures[table]).to.deep.equal({});
          });
        }

        it('and nothing else', () => {
          expect(Object.keys(failures)).to.have.members(titles);
        });
      });
    }
  });
}

function writeProgram(
  folder: ProgramFolder,
  form: (typeof forms)[number],
  { name, source, others = {}, files = {} }: TableModule,
): string {
  for (const [path, text] of Object.entries(files)) folder.write(path, text);
  for (const [path, text] of Object.entries(others)) folder.writeAs(form, path, text);
  folder.writeAs(form, 'table', sourceOfTest('functions/tables/table.ts'));
  folder.writeAs(form, name, source);
  const program = `
    import { tables } from './${name}.js';
    import { tryTables } from './table.js';
    void tryTables(tables);
  `;
  return folder.writeAs(form, 'program', program);
}
