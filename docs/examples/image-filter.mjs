// Finds the edges in one large picture that all workers share, without a copy for each.
//
//   npm run example image-filter               with 'fork', where that is available, else with threads
//   npm run example image-filter threading     with threads
//   npm run example image-filter spawn         with processes that have a copy each, for comparison
//
// A task is a strip of rows, a value of two numbers. The picture itself goes to the workers once, as `sharedObjects`: with
// 'fork' they are copies of a process that has it, and the kernel copies memory only when it is written to; threads read
// the same SharedArrayBuffer.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { lastValueFrom, range, map, tap } from 'rxjs';
import { availableStartMethods, parallelMap } from 'rxjs-parallel-map';

const width = 8000;
const height = 4000;
const strip = 50;

const startMethod = process.argv[2] ?? (availableStartMethods().includes('fork') ? 'fork' : 'threading');
const bytes = width * height;
const pixels = new Uint8Array(startMethod === 'threading' ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));

/** Draws discs, dark and light, on a ground that grows lighter downwards. */
function draw() {
  for (let y = 0; y < height; y++) pixels.fill((y / height) * 100, y * width, (y + 1) * width);
  for (const [centerX, centerY, radius, shade] of [
    [2500, 2000, 1400, 220],
    [5800, 1500, 900, 180],
    [5200, 2600, 700, 20],
  ]) {
    for (let y = centerY - radius; y <= centerY + radius; y++) {
      const half = Math.round(Math.sqrt(radius ** 2 - (y - centerY) ** 2));
      pixels.fill(shade, y * width + centerX - half, y * width + centerX + half);
    }
  }
}

/** The edges in some rows, by Sobel's filter. Runs in the workers. */
function findEdges({ top, bottom }, { shared }) {
  const { pixels, width, height } = shared;
  const edges = new Uint8Array((bottom - top) * width);
  for (let y = Math.max(top, 1); y < Math.min(bottom, height - 1); y++) {
    for (let x = 1; x < width - 1; x++) {
      const above = (y - 1) * width + x;
      const here = above + width;
      const below = here + width;
      const right = pixels[above + 1] + 2 * pixels[here + 1] + pixels[below + 1];
      const left = pixels[above - 1] + 2 * pixels[here - 1] + pixels[below - 1];
      const down = pixels[below - 1] + 2 * pixels[below] + pixels[below + 1];
      const up = pixels[above - 1] + 2 * pixels[above] + pixels[above + 1];
      edges[(y - top) * width + x] = Math.min(255, Math.hypot(right - left, down - up));
    }
  }
  return { top, edges };
}

/** A picture in characters, small enough for a terminal: `#` where there is any edge. */
function inCharacters(picture, columns, rows) {
  const lines = Array.from({ length: rows }, () => Array(columns).fill(' '));
  for (let i = 0; i < picture.length; i++) {
    if (picture[i] < 64) continue;
    const row = Math.floor(((i / width) * rows) / height);
    lines[row][Math.floor(((i % width) * columns) / width)] = '#';
  }
  return lines.map((line) => line.join('').trimEnd()).join('\n');
}

/** What a worker process has in memory that no other process has, in bytes; `undefined` where the system does not tell. */
function ownMemory() {
  try {
    const parts = readFileSync('/proc/self/smaps_rollup', 'utf8').matchAll(/^Private_\w+: +(\d+) kB$/gm);
    return [...parts].reduce((sum, [, kilobytes]) => sum + 1024 * Number(kilobytes), 0);
  } catch {
    return undefined;
  }
}

function tellMemory(workers) {
  if (startMethod === 'threading') return console.log(`${workers.length} threads read the same memory.`);
  for (const { workerId, own } of workers) {
    if (own !== undefined)
      console.log(`Worker ${workerId} has the picture, and began with ${megabytes(own)} of its own.`);
  }
}

const megabytes = (n) => `${Math.round(n / 1_000_000)} MB`;

draw();
const result = new Uint8Array(bytes);
const start = performance.now();

await lastValueFrom(
  range(0, height / strip).pipe(
    map((n) => ({ top: n * strip, bottom: (n + 1) * strip })),
    parallelMap(findEdges, {
      startMethod,
      nJobs: Math.min(4, availableParallelism()),
      sharedObjects: { pixels, width, height },
      ordered: false, // each strip has its place
      workerInit: ({ state }) => {
        state.own = ownMemory();
      },
      workerExit: ({ state, workerId }) => ({ workerId, own: state.own }),
      onExitResults: tellMemory,
    }),
    tap(({ top, edges }) => result.set(edges, top * width)),
  ),
);

const seconds = (performance.now() - start) / 1000;
const found = result.reduce((count, edge) => count + (edge >= 64 ? 1 : 0), 0);
console.log(
  `${found} of ${bytes} pixels (${megabytes(bytes)}) are edges, found in ${seconds.toFixed(1)} s by ${startMethod}.`,
);
console.log(inCharacters(result, 80, 20));
