// Counts the words of many texts: each worker keeps its own counts, which exit functions give at the end.
//
//   npm run example word-counts            the Markdown files of the installed packages
//   npm run example word-counts PATH       those of any other folder
//
// A result per text would send every word to the program. Here a worker adds to one table for all the texts that it gets, and
// sends that table once.

import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { from, lastValueFrom, reduce } from 'rxjs';
import { parallelMap } from 'rxjs-parallel-map';

const countWords = async (path, { state }) => {
  const words = (await readFile(path, 'utf8')).toLowerCase().match(/\p{Letter}+/gu) ?? [];
  for (const word of words) state.counts.set(word, (state.counts.get(word) ?? 0) + 1);
  return words.length;
};

/** Adds up what the workers have counted. */
function merge(tables) {
  const total = new Map();
  for (const { counts } of tables) {
    for (const [word, count] of counts) total.set(word, (total.get(word) ?? 0) + count);
  }
  return total;
}

const folder = process.argv[2] ?? fileURLToPath(new URL('../../node_modules', import.meta.url));
const texts = (await readdir(resolve(folder), { recursive: true }))
  .filter((name) => name.endsWith('.md'))
  .map((name) => join(folder, name));

let tables = [];
const length$ = from(texts).pipe(
  parallelMap(countWords, {
    ordered: false, // the order of the lengths does not matter
    workerInit: ({ state }) => {
      state.counts = new Map();
    },
    workerExit: ({ state, workerId }) => ({ workerId, counts: state.counts }),
    onExitResults: (results) => {
      tables = results;
    },
  }),
  reduce((sum, length) => sum + length, 0),
);

const length = await lastValueFrom(length$);
const counts = merge(tables);
const number = (n) => n.toLocaleString('en');

console.log(`${number(texts.length)} texts have ${number(length)} words, ${number(counts.size)} different ones.`);
for (const { workerId, counts } of tables) {
  console.log(`Worker ${workerId} has seen ${number(counts.size)} different words.`);
}
console.log('The most frequent:');
const byFrequency = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
for (const [word, count] of byFrequency.slice(0, 10)) console.log(`${number(count).padStart(9)}  ${word}`);
