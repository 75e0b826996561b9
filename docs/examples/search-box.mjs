// A search box: each key begins a search on all CPUs, and cancels the one before it, by switchMap.
//
// A user types a word with a typo, faster than the searches finish. switchMap unsubscribes from each search when the next key
// comes, and that is all that it takes. The workers belong to a pool and have read their words already, so they are worth keeping:
// a search looks at `context.signal` from time to time and stops by itself, and no worker is killed.

import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { concatMap, delay, finalize, lastValueFrom, map, of, range, switchMap, tap, toArray } from 'rxjs';
import { parallelMap, WorkerPool } from 'rxjs-parallel-map';

const parts = 16;
const typed = 'obsevabel';
const folder = new URL('../../node_modules/', import.meta.url);

/** Every word in the READMEs of the installed packages. Each worker reads them once. */
async function loadWords({ state }) {
  const words = new Map();
  for (const name of await readdir(folder)) {
    const readme = await readFile(new URL(`${name}/README.md`, folder), 'utf8').catch(() => '');
    for (const word of readme.toLowerCase().match(/\p{Letter}{3,}/gu) ?? []) {
      words.set(word, (words.get(word) ?? 0) + 1);
    }
  }
  state.words = [...words].map(([word, count]) => ({ word, count }));
}

/** In how many steps – a letter more, less, another one, or two swapped – one word becomes another. */
function distance(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
      }
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** The words that are nearest to what was typed, in one part of all words. */
async function search({ query, part }, { state, signal }) {
  const found = [];
  for (let i = part; i < state.words.length; i += parts) {
    const { word, count } = state.words[i];
    // Not the word alone but all that is within it: "observable" is in "observables".
    let steps = Infinity;
    for (let from = 0; from < word.length; from++) {
      for (let to = from + 1; to <= word.length; to++) {
        const whole = from === 0 && to === word.length ? 0 : 0.5;
        steps = Math.min(steps, distance(query, word.slice(from, to)) + whole);
      }
    }
    found.push({ word, count, steps });
    // Lets the worker hear that this result is no longer wanted.
    if (found.length % 20 === 0) await setImmediate();
    if (signal.aborted) return [];
  }
  return nearest(found);
}

const nearest = (found) => found.sort((a, b) => a.steps - b.steps || b.count - a.count).slice(0, 3);

const pool = new WorkerPool({ nJobs: Math.min(4, availableParallelism()), keepAlive: true, insights: true });

// The first search would wait for the workers and their words; so they start before it.
await pool.map(() => undefined, Array(parts), { workerInit: loadWords });

/** One search, as an Observable of one list. It ends when it is unsubscribed from. */
function search$(query) {
  let isDone = false;
  return range(0, parts).pipe(
    map((part) => ({ query, part })),
    // A worker that has not stopped after two seconds would be killed.
    parallelMap(search, { pool, ordered: false, workerInit: loadWords, cancelTimeout: 2000 }),
    toArray(),
    tap(() => (isDone = true)),
    finalize(() => isDone || console.log(`"${query}" is given up`)),
  );
}

/** What is in the box after each key. The first results are of interest when there are some letters. */
const box$ = range(4, typed.length - 3).pipe(concatMap((length) => of(typed.slice(0, length)).pipe(delay(60))));

await lastValueFrom(
  box$.pipe(
    switchMap((query) => {
      console.log(`"${query}" is searched for`);
      return search$(query).pipe(tap((lists) => show(query, nearest(lists.flat()))));
    }),
  ),
);

function show(query, words) {
  console.log(`"${query}" is near to ${words.map(({ word, count }) => `${word} (${count}×)`).join(', ')}`);
}

await pool.stopAndJoin();
const { workerRestarts } = pool.getInsights();
console.log(`Workers that were killed: ${workerRestarts.reduce((sum, n) => sum + n, 0)}.`);
