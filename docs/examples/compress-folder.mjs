// Compresses every JavaScript file below a folder, with all CPUs, and tells which files shrink best and worst.
//
//   npm run demo                   some of the installed packages
//   npm run demo -- PATH           any other folder
//
// Ctrl-C ends it at once.

import { readdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import {
  connect,
  finalize,
  from,
  fromEvent,
  ignoreElements,
  lastValueFrom,
  merge,
  sampleTime,
  scan,
  startWith,
  takeLast,
  takeUntil,
  tap,
  toArray,
} from 'rxjs';
import { parallelMap } from 'rxjs-parallel-map';

/** The heavy function. It runs in the workers, which import for it what is imported above. */
async function compress({ path, name }) {
  const source = await readFile(path);
  const start = performance.now();
  const gzip = gzipSync(source, { level: 9 }).length;
  const brotli = brotliCompressSync(source, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: source.length,
    },
  }).length;
  return { name, size: source.length, gzip, brotli, time: performance.now() - start };
}

/**
 * Compresses files on a number of workers. Emits a result per file, as they finish.
 *
 * The workers are processes, because those end at once, even in the middle of a compression. Zlib is native code, and a
 * thread (`startMethod: 'threading'`) ends when that returns.
 */
const compressAll = (files, nJobs) =>
  from(files).pipe(parallelMap(compress, { nJobs, startMethod: 'spawn', ordered: false }));

const interrupted$ = fromEvent(process, 'SIGINT');

/** All results; `undefined` when Ctrl-C came first: the subscription has ended then, and the workers with it. */
const collect = (results$) =>
  lastValueFrom(results$.pipe(toArray(), takeUntil(interrupted$)), { defaultValue: undefined });

/** Passes results on, and prints how far they are: one line that is rewritten in a terminal, lines elsewhere. */
function showProgress(files) {
  const { isTTY } = process.stdout;
  const print = (text) => process.stdout.write(isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  const bytes = sum(files, 'size');
  const start = performance.now();

  return connect((results$) =>
    merge(
      results$,
      results$.pipe(
        scan(({ count, done }, { size }) => ({ count: count + 1, done: done + size }), { count: 0, done: 0 }),
        startWith({ count: 0, done: 0 }),
        connect((progress$) => merge(progress$.pipe(sampleTime(isTTY ? 100 : 1000)), progress$.pipe(takeLast(1)))),
        tap(({ count, done }) => {
          const elapsed = seconds(performance.now() - start);
          print(`${percent(done, bytes).padStart(6)}  ${count} of ${files.length} files, ${elapsed}`);
        }),
        ignoreElements(),
      ),
    ).pipe(finalize(() => process.stdout.write(isTTY ? '\n' : ''))),
  );
}

/** The JavaScript files below a folder, largest first: a large one at the end would keep one worker while others idle. */
async function findFiles(folders) {
  const found = folders.map(async (folder) => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && /\.[cm]?js$/.test(entry.name))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  });
  const paths = (await Promise.all(found)).flat();
  const base = folders.length === 1 ? folders[0] : join(folders[0], '..');
  const files = await Promise.all(
    paths.map(async (path) => ({ path, name: relative(base, path), size: (await stat(path)).size })),
  );
  return files.sort((a, b) => b.size - a.size);
}

/** The files that shrink best and worst. */
function formatTable(results) {
  const ranked = results.filter(({ size }) => size > 0).sort((a, b) => a.brotli / a.size - b.brotli / b.size);
  const shown = Math.min(5, Math.ceil(ranked.length / 2));
  const row = ({ name, size, gzip, brotli }) => [name, formatSize(size), percent(gzip, size), percent(brotli, size)];
  const best = ranked.slice(0, shown);
  const worst = ranked.slice(Math.max(shown, ranked.length - shown)).reverse();
  const sections = [
    ['best', best],
    ['worst', worst],
  ].filter(([, files]) => files.length > 0);

  return sections
    .map(([title, files]) =>
      [[title, 'size', 'gzip', 'brotli'], ...files.map(row)]
        .map(([name, ...cells]) => `${shorten(name, 50).padEnd(52)}${cells.map((cell) => cell.padStart(10)).join('')}`)
        .join('\n'),
    )
    .join('\n\n');
}

/**
 * How long one worker would take for all files. Measured on every fifth one, and as many times as much as those had of the
 * time of all when several workers were at it.
 */
async function estimateOneWorker(files, results) {
  const sample = files.length < 5 ? files : files.filter((_, i) => i % 5 === 2);
  const alone = await collect(compressAll(sample, 1));
  if (alone === undefined) return undefined;
  const names = new Set(sample.map(({ name }) => name));
  const together = results.filter(({ name }) => names.has(name));
  return { time: (sum(alone, 'time') / sum(together, 'time')) * sum(results, 'time'), count: sample.length };
}

async function main(folders) {
  const files = (await findFiles(folders)).filter(({ size }) => size > 0);
  if (files.length === 0) {
    console.log(`There are no JavaScript files below ${folders.join(', ')}.`);
    return 0;
  }
  const nJobs = availableParallelism();
  console.log(`Compressing ${files.length} files, ${formatSize(sum(files, 'size'))}, with ${nJobs} workers:`);

  const start = performance.now();
  const results = await collect(compressAll(files, nJobs).pipe(showProgress(files)));
  if (results === undefined) return stopped();
  const elapsed = performance.now() - start;

  const [size, gzip, brotli] = ['size', 'gzip', 'brotli'].map((field) => sum(results, field));
  console.log(`\n${formatTable(results)}\n`);
  console.log(`${formatSize(size)} are ${formatSize(gzip)} by gzip, ${formatSize(brotli)} by brotli.`);
  console.log(`It took ${seconds(elapsed)} with ${nJobs} workers. What one takes is being measured ...`);

  const one = await estimateOneWorker(files, results);
  if (one === undefined) return stopped();
  const how = one.count === files.length ? 'measured on all files' : `estimated from ${one.count} of the files`;
  console.log(`One takes ${seconds(one.time)} (${how}): ${(one.time / elapsed).toFixed(1)} times as long.`);
  return 0;
}

function stopped() {
  console.log('Stopped.');
  return 130; // what shells expect after Ctrl-C
}

const sum = (items, field) => items.reduce((total, item) => total + item[field], 0);
const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)}%`;
const formatSize = (bytes) => (bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`);
const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;
const shorten = (text, length) => (text.length > length ? `…${text.slice(1 - length)}` : text);

const installed = ['typedoc', 'highlight.js', 'mocha', 'yaml', 'fast-check'].map((name) =>
  fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url)),
);
const [path, ...others] = process.argv.slice(2);

try {
  if (others.length > 0) throw new RangeError(`Give one folder; "${others[0]}" is one too many.`);
  process.exitCode = await main(path === undefined ? installed : [resolve(path)]);
} catch (error) {
  const reasons = { ENOENT: 'does not exist', ENOTDIR: 'is not a folder', EACCES: 'may not be read' };
  const reason = reasons[error.code];
  if (reason !== undefined) console.error(`${error.path} ${reason}.`);
  else console.error(error instanceof RangeError ? error.message : error);
  process.exitCode = 1;
}
