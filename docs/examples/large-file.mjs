// Reads a large file line by line with parallelFrom, no faster than the workers follow: in bounded memory.
//
//   npm run example large-file             a log of 100 MB
//   npm run example large-file 500         or of as many
//
// It makes the file, and removes it.

import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { lastValueFrom, reduce } from 'rxjs';
import { parallelFrom } from 'rxjs-parallel-map';

const MB = 1_000_000;

/** Writes a number of bytes of log lines. Every hundredth request has failed. */
async function writeLog(path, bytes) {
  const file = await open(path, 'w');
  let count = 0;
  for (let written = 0; written < bytes;) {
    let lines = '';
    for (const end = count + 1000; count < end; count++) {
      const status = count % 100 === 99 ? 500 : 200;
      const route = `/customers/${(count * 7919) % 100_000}/orders/${count}`;
      lines += `${JSON.stringify({ time: 1_700_000_000_000 + 7 * count, route, status, took: (count * 31) % 400 })}\n`;
    }
    written += (await file.write(lines)).bytesWritten;
  }
  await file.close();
  return count;
}

/** Runs in the workers, once for each line. */
function judge(line) {
  const { route, status, took } = JSON.parse(line);
  const [, collection] = route.split('/');
  return { collection, failed: status >= 500, took };
}

const size = Number(process.argv[2] ?? 100) * MB;
if (!(size > 0)) throw new RangeError(`Give the size in megabytes, not "${process.argv[2]}".`);

const folder = await mkdtemp(join(tmpdir(), 'large-file-'));
try {
  const path = join(folder, 'requests.log');
  const written = await writeLog(path, size);
  console.log(`The file has ${Math.round(size / MB)} MB in ${written} lines.`);

  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);

  const start = performance.now();
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  const { count, failed, slowest } = await lastValueFrom(
    // The order does not matter for a sum. More workers would wait for lines.
    parallelFrom(lines, judge, { ordered: false, nJobs: 2 }).pipe(
      reduce(
        (sum, { failed, took }) => ({
          count: sum.count + 1,
          failed: sum.failed + (failed ? 1 : 0),
          slowest: Math.max(sum.slowest, took),
        }),
        { count: 0, failed: 0, slowest: 0 },
      ),
    ),
  );
  clearInterval(watch);

  const seconds = (performance.now() - start) / 1000;
  console.log(`${count} lines in ${seconds.toFixed(1)} s: ${failed} failed, the slowest took ${slowest} ms.`);
  const megabytes = (bytes) => Math.round(bytes / MB);
  console.log(
    `Peak memory was ${megabytes(peak)} MB, workers included: ${megabytes(peak - before)} MB more than before reading.`,
  );
} finally {
  await rm(folder, { recursive: true });
}
