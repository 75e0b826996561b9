// What compilers say of a mistake in an option: of several signatures, they tell what is wrong with the last one.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../', import.meta.url));

const calls = [
  'parallelMap((n: number) => n, WRONG)',
  'parallelMergeMap((n: number) => [n], WRONG)',
  'parallelFrom([1], (n) => n, WRONG)',
  'pool.map((n: number) => n, [1], WRONG)',
  'pool.mapUnordered((n: number) => n, [1], WRONG)',
  'pool.imap((n: number) => n, [1], WRONG)',
  'pool.imapUnordered((n: number) => n, [1], WRONG)',
  'pool.apply((n: number) => n, [1], WRONG)',
];

describe('a mistake in an option', () => {
  it('is what the compiler tells of, for each function that takes options', function () {
    this.timeout(60_000);
    const folder = join(root, 'build', `type-errors-${process.env['FORMAT'] ?? 'esm'}`);
    mkdirSync(folder, { recursive: true });
    const lines = [
      `import { parallelFrom, parallelMap, parallelMergeMap, WorkerPool } from 'rxjs-parallel-map';`,
      'declare const pool: WorkerPool;',
      ...calls.map((call) => `${call.replace('WRONG', `{ taskTimeout: 'soon' }`)};`),
    ];
    writeFileSync(join(folder, 'mistakes.ts'), lines.join('\n'));
    const tsc = join(root, 'node_modules/@typescript/native/bin/tsc');
    const flags = '--noEmit --strict --ignoreConfig --module nodenext --target es2022 --skipLibCheck --types node';
    const { stdout } = spawnSync(process.execPath, [tsc, ...flags.split(' '), join(folder, 'mistakes.ts')], {
      encoding: 'utf8',
      cwd: root,
    });
    rmSync(folder, { recursive: true });
    const told = stdout.split(/^(?=\S)/m);
    expect(told).to.have.length(calls.length);
    calls.forEach((call, i) => {
      expect(told[i], call).to.include(`mistakes.ts(${i + 3},`);
      expect(told[i], call).to.match(/Type 'string' is not assignable to type 'number( \| undefined)?'\.\s*$/);
    });
  });
});
