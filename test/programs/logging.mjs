// `node logging.mjs <start method> <WorkerTimeoutError or unsubscribed>`: has a task log without end, for a second or so, into a file. Prints how
// that has ended, after how long, how much memory the program had, and whether all lines are there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { of } from 'rxjs';
import { parallelMap } from './library.mjs';

const [startMethod, wanted, isInner] = process.argv.slice(2);

if (isInner === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'logging-'));
  const file = openSync(join(folder, 'log'), 'w');
  const args = [fileURLToPath(import.meta.url), startMethod, wanted, 'inner'];
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', file, 'inherit', 'ipc'] });
  let report = {};
  child.on('message', (message) => (report = message));
  await once(child, 'close');
  const milliseconds = Math.round(performance.now() - start);
  closeSync(file);
  const lines = readFileSync(join(folder, 'log'), 'latin1').split('\n');
  lines.pop(); // of a process that was killed in the middle of it
  const isWhole = lines.length > 1000 && lines.every((line, i) => line.startsWith(`line ${i} x`));
  console.log(JSON.stringify({ ...report, milliseconds, lines: isWhole ? 'whole' : `${lines.length} lines` }));
  rmSync(folder, { recursive: true });
} else {
  let end = 'unsubscribed';
  const log = () => {
    for (let i = 0; ; i++) console.log(`line ${i} ${'x'.repeat(100)}`);
  };
  const taskTimeout = wanted === end ? undefined : 1000;
  const subscription = of(1)
    .pipe(parallelMap(log, { nJobs: 1, startMethod, taskTimeout }))
    .subscribe({ error: (error) => (end = error.name) });
  if (taskTimeout === undefined) {
    // A second after it has begun.
    const watch = setInterval(() => {
      if (fstatSync(1).size < 200_000) return;
      clearInterval(watch);
      setTimeout(() => subscription.unsubscribe(), 1000);
    }, 10);
  }
  process.channel.unref();
  process.on('exit', () => process.send({ end, megabytes: Math.round(process.resourceUsage().maxRSS / 1024) }));
}
