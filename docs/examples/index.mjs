// Runs an example by its name: `npm run example NAME`. Without a name, lists them, each with the first line of its file.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('.', import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs') && file !== 'index.mjs')
  .map((file) => file.slice(0, -'.mjs'.length));

const about = (name) => /^\/\/ (.*)/.exec(readFileSync(new URL(`${name}.mjs`, folder), 'utf8'))[1];
const width = Math.max(...names.map((name) => name.length));
const list = names.map((name) => `  ${name.padEnd(width)}  ${about(name)}`).join('\n');

const [name, ...args] = process.argv.slice(2);

if (name === undefined) {
  console.log(`npm run example NAME\n\n${list}`);
} else if (names.includes(name)) {
  const program = new URL(`${name}.mjs`, folder);
  process.argv = [process.argv[0], fileURLToPath(program), ...args];
  await import(program);
} else {
  console.error(`There is no example "${name}". There are:\n\n${list}`);
  process.exitCode = 1;
}
