// The option `progressBar`: a bar on a terminal, lines elsewhere.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Subject } from 'rxjs';
import { parallelFrom, parallelMap } from './support/library.js';
import { outcomeOf } from './support/outcome.js';
import { createPool, endPools } from './support/pools.js';
import { programFile, projectFolder, runNode, runProgram } from './support/runProgram.js';
import { rejection } from './support/rejection.js';
import { describeEach } from './support/startMethods.js';
import { Terminal } from './support/terminal.js';
import { until } from './support/until.js';
import { trackWorkers } from './support/workers.js';

const identity = (n: number): number => n;
const rate = String.raw`[\d,.]+\/s`;
const time = String.raw`[\d.]+ s`;

describe('progressBar on a terminal', () => {
  afterEach(endPools);
  trackWorkers();

  /** A call whose values come as the test says. */
  function call(terminal: Terminal, progressBar: object = {}) {
    const source = new Subject<number>();
    const pool = createPool({ nJobs: 1 });
    let results = 0;
    const settings = { stream: terminal, throttle: 5, ...progressBar };
    const ended = outcomeOf(
      source.pipe(
        parallelMap(
          (n: number) => {
            if (n < 0) throw new RangeError('negative\nvalue');
            return n;
          },
          { pool, progressBar: settings },
        ),
      ),
    );
    const push = (count: number) => {
      for (let i = 0; i < count; i++) source.next(results++);
    };
    return { source, push, ended };
  }

  it('shows what is done, of how many, how fast and for how long', async () => {
    const terminal = new Terminal();
    const { source, push, ended } = call(terminal, { description: 'reading', unit: 'files', total: 1000 });
    push(500);
    const bar = new RegExp(`^reading █{10,}░{10,} 50% 500/1,000 files, ${rate}, ${time} left$`);
    await until(() => bar.test(terminal.lines[0] ?? ''), 'half a bar');
    expect(terminal.lines).to.have.length(1);
    push(500);
    source.complete();
    await ended;
    expect(terminal.lines).to.have.length(1);
    expect(terminal.lines[0]).to.match(new RegExp(`^reading: 1,000/1,000 files in ${time}, ${rate}$`));
  });

  it('shows no bar as long as nobody knows how many values there are', async () => {
    const terminal = new Terminal();
    const { source, push, ended } = call(terminal);
    push(20);
    const line = new RegExp(`^20 values, ${rate}$`);
    await until(() => line.test(terminal.lines[0] ?? ''), 'a count');
    source.complete();
    await ended;
    expect(terminal.lines[0]).to.match(new RegExp(`^20/20 values in ${time}, ${rate}$`));
  });

  it('knows the size of arrays, sets and maps', async () => {
    for (const input of [
      [1, 2, 3],
      new Set([1, 2, 3]),
      new Map([
        [1, 1],
        [2, 2],
        [3, 3],
      ]),
      new Uint8Array(3),
    ]) {
      const lines: string[] = [];
      const stream = { write: (text: string) => lines.push(text) };
      await outcomeOf(
        parallelFrom(input as number[], () => new Promise(() => {}), {
          progressBar: { stream },
          signal: AbortSignal.timeout(300),
        }),
      );
      expect(lines.join('')).to.match(/ at 0\/3 values: TimeoutError: .*\n$/);
    }
  });

  it('counts the pieces of a typed array, and knows from the start how many there are', async () => {
    const pool = createPool({ nJobs: 2 });
    for (const [options, count] of [
      [{}, 128],
      [{ nSplits: 50 }, 50],
      [{ chunkSize: 300 }, 34],
    ] as const) {
      const lines: string[] = [];
      const input = new Int8Array(10_000);
      const never = () => new Promise(() => {});
      // So few on their way that the last one is not reached.
      const settings = {
        ...options,
        maxTasksActive: 2,
        progressBar: { stream: { write: (text: string) => lines.push(text) } },
        signal: AbortSignal.timeout(300),
      };
      await rejection(pool.map(never, input, settings));
      await outcomeOf(parallelFrom(input, never, { ...settings, pool, signal: AbortSignal.timeout(300) }));
      expect(lines).to.have.length(2);
      for (const line of lines) expect(line).to.contain(` at 0/${count} values: TimeoutError: `);

      lines.length = 0;
      await pool.map((piece) => piece.length, input, { ...settings, signal: undefined });
      expect(lines.join('')).to.match(new RegExp(`^${count}/${count} values in `));
    }
  });

  it('has several bars at once, which end one by one', async () => {
    const terminal = new Terminal();
    const first = call(terminal, { description: 'first', total: 10 });
    const second = call(terminal, { description: 'second', total: 10 });
    first.push(5);
    second.push(2);
    await until(
      () => /^first .* 50%/.test(terminal.lines[0] ?? '') && /^second .* 20%/.test(terminal.lines[1] ?? ''),
      'two bars',
    );
    first.push(5);
    first.source.complete();
    await first.ended;
    await until(() => terminal.lines.length === 2, 'the rest of the bars');
    expect(terminal.lines[0]).to.match(/^first: 10\/10 values/);
    expect(terminal.lines[1]).to.match(/^second .* 20%/);
    second.push(8);
    second.source.complete();
    await second.ended;
    expect(terminal.lines).to.have.length(2);
    expect(terminal.lines[1]).to.match(/^second: 10\/10 values/);
  });

  it('stays below what the program prints, and breaks none of it', async () => {
    const terminal = new Terminal();
    const { write } = terminal;
    const { source, push, ended } = call(terminal, { total: 10 });
    push(5);
    const hasBar = (): boolean => /50% 5\/10 values/.test(terminal.lines.at(-1) ?? '');
    await until(hasBar, 'a bar');
    terminal.write('one\n');
    await until(hasBar, 'the bar again');
    expect(terminal.lines.slice(0, -1)).to.deep.equal(['one']);
    terminal.write('two ');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(terminal.lines).to.deep.equal(['one', 'two']); // the bar waits for the end of the line
    terminal.write('parts\nthree\n');
    await until(hasBar, 'the bar once more');
    expect(terminal.lines.slice(0, -1)).to.deep.equal(['one', 'two parts', 'three']);
    terminal.write('no end');
    source.complete();
    await ended;
    expect(terminal.lines.slice(0, 4)).to.deep.equal(['one', 'two parts', 'three', 'no end']);
    expect(terminal.lines[4]).to.match(/^5\/10 values in/);
    expect(terminal.write).to.equal(write);
    expect(Object.hasOwn(terminal, 'write')).to.equal(false);
  });

  it('fits into a narrow terminal', async () => {
    for (const columns of [12, 30, 60]) {
      const terminal = new Terminal(columns);
      const { source, push, ended } = call(terminal, { total: 100 });
      push(50);
      await until(() => terminal.lines.length > 0, 'a bar');
      expect(terminal.lines).to.have.length(1); // one that is too long would have been wrapped
      source.complete();
      await ended;
    }
  });

  it('shows how far it is beside a long description, of which it shows what fits', async () => {
    const description = 'the pictures of last summer, and of all the summers before that one';
    for (const [columns, label] of [
      [60, /^the picture[^…]*… /],
      [50, /^the pi[^…]*… /],
      [38, /^/],
    ] as const) {
      const terminal = new Terminal(columns);
      const { source, push, ended } = call(terminal, { total: 100, description });
      push(50);
      const numbers = new RegExp(`${label.source}50% 50/100 values, ${rate}, ${time} left$`);
      await until(() => numbers.test(terminal.lines[0] ?? ''), `the numbers in ${columns} columns`);
      expect(terminal.lines).to.have.length(1);
      source.complete();
      await ended;
    }
  });

  it('ends with how the call has ended', async () => {
    const failing = new Terminal(120);
    const failed = call(failing, { total: 10 });
    failed.push(3);
    await until(() => / 3\/10 /.test(failing.lines[0] ?? ''), 'three values');
    failed.source.next(-1);
    await failed.ended;
    expect(failing.lines).to.have.length(1);
    expect(failing.lines[0]).to.match(new RegExp(`^failed after ${time}, at 3/10 values: RangeError: negative$`));

    const cancelling = new Terminal();
    const source = new Subject<number>();
    const options = { progressBar: { stream: cancelling, throttle: 5 } };
    const subscription = source.pipe(parallelMap(identity, options)).subscribe();
    await until(() => cancelling.lines.length > 0, 'a bar');
    subscription.unsubscribe();
    expect(cancelling.lines[0]).to.match(new RegExp(`^cancelled after ${time}, at 0 values$`));

    const aborting = new Terminal();
    const controller = new AbortController();
    const settings = { signal: controller.signal, progressBar: { stream: aborting, throttle: 5 } };
    const pending = createPool({ nJobs: 1 }).map(() => new Promise(() => undefined), [1], settings);
    const aborted = rejection(pending);
    await until(() => aborting.lines.length > 0, 'a bar');
    controller.abort();
    expect(await aborted).to.have.property('name', 'AbortError');
    expect(aborting.lines[0]).to.match(new RegExp(`^cancelled after ${time}, at 0/1 values: AbortError: .*aborted$`));
  });

  it('cannot be broken by what it shows', async () => {
    const terminal = new Terminal();
    const { source, push, ended } = call(terminal, { description: 'a\nb\u001b[5Ac', unit: '\r!', total: 2 });
    push(2);
    source.complete();
    await ended;
    expect(terminal.lines).to.have.length(1);
    expect(terminal.lines[0]).to.match(/^a b \[5Ac: 2\/2 {2}! in/);
  });

  it('does no harm to the call where it cannot be written', async () => {
    const stream = {
      isTTY: true,
      write(): never {
        throw new Error('closed');
      },
    };
    const { values } = await outcomeOf(parallelFrom([1, 2], identity, { progressBar: { stream, throttle: 1 } }));
    expect(values).to.deep.equal([1, 2]);
  });

  it('says which package is missing where it cannot draw', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'progress-'));
    try {
      const modules = join(folder, 'node_modules');
      mkdirSync(join(modules, 'rxjs-parallel-map'), { recursive: true });
      cpSync(join(projectFolder, 'dist'), join(modules, 'rxjs-parallel-map/dist'), { recursive: true });
      cpSync(join(projectFolder, 'package.json'), join(modules, 'rxjs-parallel-map/package.json'));
      for (const name of ['rxjs', 'acorn', 'eslint-scope']) {
        symlinkSync(join(projectFolder, 'node_modules', name), join(modules, name));
      }
      const program = join(folder, 'program.mjs');
      writeFileSync(
        program,
        `import { WorkerPool } from 'rxjs-parallel-map';
         const pool = new WorkerPool({ nJobs: 1 });
         const write = () => true;
         const map = (stream) => pool.map((n) => n, [1], { progressBar: { stream } });
         await map({ isTTY: true, write }).catch((error) => console.log(error.message));
         console.log(await map({ write }));`,
      );
      const { stdout, stderr } = await runNode([program]);
      expect(stderr).to.equal('');
      expect(stdout).to.equal(
        'progressBar: the optional package log-update, which it draws on terminals with, is not installed ' +
          '(npm install log-update).\n[ 1 ]\n',
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('refuses what is no option of a bar', async () => {
    const pool = createPool({ nJobs: 1 });
    const refused: readonly [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
      ['yes', TypeError, /"progressBar" must be true, false or an object of description, unit,.* got 'yes'/],
      [[], TypeError, /got \[\]/],
      [{ size: 5 }, TypeError, /It has no 'size'/],
      [{ total: '5' }, TypeError, /Its 'total' must be an integer of at least 0, got '5'/],
      [{ total: -1 }, RangeError, /Its 'total' must be an integer of at least 0, got -1/],
      [{ throttle: 0 }, RangeError, /Its 'throttle' must be a positive number of milliseconds.*got 0/],
      [{ stream: {} }, TypeError, /Its 'stream' must be a stream to write to, got \{\}/],
      [{ description: 5 }, TypeError, /Its 'description' must be a string, got 5/],
    ];
    for (const [progressBar, errorClass, message] of refused) {
      const error = await rejection(pool.map(identity, [1], { progressBar: progressBar as never }));
      expect(error).to.be.instanceOf(errorClass);
      expect(error.message).to.match(message);
    }
  });
});

describe('progressBar that is written elsewhere', () => {
  afterEach(endPools);

  it('is a line every few seconds, and one at the end', async () => {
    const source = new Subject<number>();
    const stream = { text: '', write: (text: string) => void (stream.text += text) };
    const start = performance.now();
    const options = { pool: createPool({ nJobs: 1 }), progressBar: { total: 10, stream } };
    const ended = outcomeOf(source.pipe(parallelMap(identity, options)));
    for (let n = 0; n < 5; n++) source.next(n);
    await until(() => stream.text !== '', 'a line');
    expect(performance.now() - start).to.be.within(2000, 10_000);
    expect(stream.text).to.match(new RegExp(`^50% 5/10 values, ${rate}, ${time} left\n$`));
    source.complete();
    await ended;
    expect(stream.text.split('\n')[1]).to.match(new RegExp(`^5/10 values in ${time}, ${rate}$`));
  });
});

// The program writes the lines; those of a pool in a worker go the way of all output, which program.test.ts shows.
describeEach.of(['threading', 'spawn'], 'progressBar where stderr is no terminal', ({ name: startMethod }) => {
  const run = (what: string) => runProgram('progress.mjs', { args: [what, startMethod] });

  it('prints lines, and leaves stdout alone', async () => {
    const { code, stdout, stderr } = await run('completed');
    expect(code, stderr).to.equal(0);
    expect(stdout).to.equal('results 4\n');
    const lines = stderr.split('\n').slice(0, -1);
    expect(lines.length).to.be.above(1);
    for (const line of lines.slice(0, -1)) {
      expect(line).to.match(new RegExp(`^waiting: \\d+% \\d/4 values, ${rate}(, ${time} left)?$`));
    }
    expect(lines.at(-1)).to.match(new RegExp(`^waiting: 4/4 values in ${time}, ${rate}$`));
  });

  it('prints one line of what is quickly done', async () => {
    const { stderr } = await run('quiet');
    expect(stderr).to.match(new RegExp(`^4/4 values in ${time}, ${rate}\n$`));
  });

  it('says what has failed and what was cancelled', async () => {
    const failed = await run('failed');
    expect(failed.stdout).to.equal('too much\nof it\n');
    expect(failed.stderr).to.match(new RegExp(`^failed after ${time}, at 0/4 files: RangeError: too much\n$`));
    const cancelled = await run('cancelled');
    expect(cancelled.stdout).to.equal('50\n50\n');
    expect(cancelled.stderr).to.match(new RegExp(`^cancelled after ${time}, at 2/4 values\n$`));
  });

  it('prints the lines of pools inside workers, too', async () => {
    const { code, stdout, stderr } = await run('nested');
    expect(code, stderr).to.equal(0);
    expect(stdout).to.equal('[ 3 ]\n');
    expect(stderr).to.match(/^inner 7: 3\/3 steps in .*\nouter: 1\/1 values in .*\n$/);
  });
});

describeEach.of(['threading', 'forkserver'], 'progressBar on a terminal of the system', ({ name: startMethod }) => {
  it('shows bars for calls inside of workers, however deep', async function () {
    // The program `script`, of util-linux, has a pseudo-terminal.
    if (spawnSync('script', ['--version']).status !== 0) this.skip();
    const command = `stty cols 100; exec "${process.execPath}" "${programFile('progress.mjs')}" nestedBars ${startMethod}`;
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      timeout: 15_000,
      env: { ...process.env, TERM: 'xterm' },
    });
    const terminal = new Terminal(100);
    let deepest = '';
    // After each picture.
    for (const part of stdout.split('\u001b[?2026l')) {
      terminal.write(part);
      deepest = terminal.lines.find((line) => line.startsWith('deep █')) ?? deepest;
    }
    expect(deepest, stdout).to.match(new RegExp(`^deep █+░* \\d+% \\d/8 steps, ${rate}(, ${time} left)?$`));
    const ends = terminal.lines.map((line) => line.replace(/ (in|after) .*/, '')).sort();
    expect(ends).to.deep.equal(['deep: 8/8 steps', 'fulfilled rejected', 'lost: cancelled', 'outer: 2/2 values']);
  });
});
