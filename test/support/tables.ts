/** Tables of functions as tests: see test/functions/tables/table.ts. */

import { expect } from 'chai';
import type { Failures, Tables } from '../functions/tables/table.js';
import { forms, sourceOfTest, useProgramFolder } from './forms.js';
import { describeEach } from './startMethods.js';

/**
 * Tries the tables of a module in every form of programs, and makes a test of each of them.
 *
 * @param name The module, in test/functions/tables.
 */
export function describeTables(title: string, name: string, tables: Tables): void {
  describeEach(title, ({ name: startMethod }) => {
    for (const form of forms) {
      describe(`in a program that ${form} has compiled`, () => {
        const folder = useProgramFolder();
        let failures: Record<string, Failures> = {};

        before(async () => {
          for (const each of ['table', name]) folder.writeAs(form, each, sourceOfTest(`functions/tables/${each}.ts`));
          const program = `import { tables } from './${name}.js';\nimport { tryTables } from './table.js';\nvoid tryTables(tables);\n`;
          const path = folder.writeAs(form, 'program', program);
          const { stdout, stderr } = await folder.run(path, { form, args: [startMethod] });
          expect(stderr).to.equal('');
          failures = JSON.parse(stdout) as typeof failures;
        });

        for (const table of Object.keys(tables)) {
          it(table, () => {
            expect(failures[table]).to.deep.equal({});
          });
        }
      });
    }
  });
}
