// The examples of docs/examples, as `npm run example` runs them: they end by themselves, and what they print is true. The demo has
// tests of its own.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { availableStartMethods } from './support/library.js';

// From build/test, where the tests are run.
const root = fileURLToPath(new URL('../../', import.meta.url));
const { scripts } = createRequire(import.meta.url)(join(root, 'package.json')) as { scripts: { example: string } };
const [command, ...fixed] = scripts.example.split(' ');

interface End {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

// They are ES modules, whatever the format of the other tests.
if (process.env['FORMAT'] !== 'cjs') describe('the examples', examples);

function examples(this: Mocha.Suite): void {
  // Each takes a few seconds on an idle machine.
  this.timeout(60_000);

  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'examples-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  /** Runs `npm run example` with these arguments, without the npm around it. */
  function run(...args: string[]): Promise<End> {
    return runWith([], ...args);
  }

  /** The same with flags for node. */
  function runWith(flags: readonly string[], ...args: string[]): Promise<End> {
    expect(command).to.equal('node');
    const env = { ...process.env, TMPDIR: folder };
    return new Promise((resolve) => {
      execFile(process.execPath, [...flags, ...fixed, ...args], { cwd: root, env }, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  /** Runs an example that is to succeed, and gives what it prints. */
  async function output(...args: string[]): Promise<string> {
    return outputOf(await run(...args));
  }

  /** What a program has printed that is to have succeeded. */
  function outputOf({ exitCode, stdout, stderr }: End): string {
    expect(stderr).to.equal('');
    expect(exitCode).to.equal(0);
    return stdout;
  }

  it('are listed with a line each when no name is given', async () => {
    const files = await readdir(join(root, 'docs/examples'));
    const names = files.filter((file) => file !== 'index.mjs').map((file) => file.replace('.mjs', ''));
    const listed = [...(await output()).matchAll(/^ {2}([\w-]+) +[A-Z].*\.$/gm)].map(([, name]) => name);
    expect(listed).to.deep.equal(names.sort()).and.to.include('compress-folder');
  });

  it('are listed on stderr when there is none of that name', async () => {
    const { exitCode, stdout, stderr } = await run('nope');
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
    expect(stderr).to.match(/^There is no example "nope"\. There are:\n\n {2}compress-folder {2}/);
  });

  it('model-per-worker makes one model in each worker', async () => {
    const text = await output('model-per-worker');
    const workers = [...text.matchAll(/^Worker (\d) has learned (\d+) words once, and answered (\d+) questions\.$/gm)];
    const summary = /^(\d+) of (\d+) paragraphs are told right: \d+%\.$/m.exec(text);
    const [right, asked] = [Number(summary?.[1]), Number(summary?.[2])];

    expect(workers.length).to.be.within(1, 4);
    expect(new Set(workers.map(([, id]) => id)).size, 'lines per worker').to.equal(workers.length);
    expect(new Set(workers.map(([, , size]) => size)).size, 'different models').to.equal(1);
    expect(workers.reduce((sum, [, , , answers]) => sum + Number(answers), 0)).to.equal(asked);
    expect(asked).to.be.above(50);
    // Guesses would be right for a seventh of them.
    expect(right / asked).to.be.within(0.6, 1);
  });

  it('word-counts adds up what all workers have counted', async () => {
    await mkdir(join(folder, 'inner'));
    for (let i = 0; i < 40; i++) await writeFile(join(folder, `${i}.md`), `To be, or not to be: ${i}`);
    await writeFile(join(folder, 'inner', 'other.md'), 'Not `that`.');
    await writeFile(join(folder, 'not.txt'), 'never');

    const text = await output('word-counts', folder);

    expect(text).to.match(/^41 texts have 242 words, 5 different ones\.$/m);
    // Who gets which text is a matter of who is free; one worker may have had all, or only the other text.
    expect(text).to.match(/^Worker \d has seen [45] different words\.$/m);
    const [, counts] = text.split('The most frequent:\n');
    const rows = counts?.split('\n').map((row) => row.trim());
    expect(rows).to.deep.equal(['80  be', '80  to', '41  not', '40  or', '1  that', '']);
  });

  describe('image-filter', () => {
    const edges = /^44478 of 32000000 pixels \(32 MB\) are edges, found in [\d.]+ s by (\w+)\.$/m;

    it('finds the edges with threads that read the same memory', async () => {
      const text = await output('image-filter', 'threading');
      expect(text).to.match(/^\d threads? reads? the same memory\.$/m);
      expect(edges.exec(text)?.[1]).to.equal('threading');
      // The upper edge of the largest disc, and the middle of the picture, where its sides are.
      expect(text).to.match(/^ {17}#{16} +#{12}$/m);
      expect(text).to.match(/^ {10}## {26}##/m);
    });

    it('finds them by fork, and no worker has a copy of the picture', async function () {
      if (!availableStartMethods().includes('fork')) return this.skip();
      const text = await output('image-filter');
      const own = [...text.matchAll(/^Worker \d has the picture, and began with (\d+) MB of its own\.$/gm)];
      expect(edges.exec(text)?.[1]).to.equal('fork');
      expect(own.length).to.be.within(1, 4);
      for (const [line, megabytes] of own) expect(Number(megabytes), line).to.be.below(16);
    });
  });

  it('search-box gives up old searches, answers the last one, and keeps the workers', async () => {
    const text = await output('search-box');
    const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, query]) => query as string);
    const queries = all(/^"(\w+)" is searched for$/gm);
    const givenUp = all(/^"(\w+)" is given up$/gm);
    const answered = all(/^"(\w+)" is near to /gm);

    expect(queries).to.deep.equal(['obse', 'obsev', 'obseva', 'obsevab', 'obsevabe', 'obsevabel']);
    expect([...givenUp, ...answered]).to.have.members(queries);
    expect(givenUp).to.not.be.empty;
    expect(answered.at(-1)).to.equal('obsevabel');
    expect(text).to.match(/^"obsevabel" is near to observable \(/m);
    expect(text).to.match(/^Workers that were killed: 0\.$/m);
  });

  it('large-file reads every line in less memory than the file has', async () => {
    // Without a limit, garbage grows to 50 MB, and with Node 24 to 200, however large the file is.
    const size = 100;
    const flags = ['--max-semi-space-size=2', '--max-old-space-size=32'];
    const text = outputOf(await runWith(flags, 'large-file', String(size)));
    const file = /^The file has \d+ MB in (\d+) lines\.$/m.exec(text);
    const result = /^(\d+) lines in [\d.]+ s: (\d+) failed, the slowest took 399 ms\.$/m.exec(text);
    const peak = /^Peak memory was \d+ MB, workers included: (\d+) MB more than before reading\.$/m.exec(text);

    expect(result?.[1]).to.equal(file?.[1]);
    expect(Number(result?.[2])).to.equal(Number(file?.[1]) / 100);
    // All lines as strings would be more than the file.
    expect(Number(peak?.[1])).to.be.below(size);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('large-file says what it expects', async () => {
    const { exitCode, stderr } = await run('large-file', 'huge');
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('Give the size in megabytes, not "huge".');
  });
}
