// The demo, as a user runs it: on a folder that the test has made.
import { spawn, type ChildProcess } from 'node:child_process';
import { readlinkSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { canSeeProcesses, childrenOf, cpuTicks, isAlive } from './support/processes.js';

// From build/test, where the tests are run.
const program = fileURLToPath(new URL('../../docs/examples/compress-folder.mjs', import.meta.url));

describe('the demo', () => {
  let folder: string;
  let running: ChildProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'demo-'));
  });

  afterEach(async () => {
    running?.kill('SIGKILL');
    running = undefined;
    await rm(folder, { recursive: true });
  });

  function start(...args: string[]): ChildProcess & { output: string } {
    const child = Object.assign(spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }), {
      output: '',
    });
    running = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        child.output += text;
      });
    }
    return child;
  }

  async function run(...args: string[]): Promise<{ exitCode: number; output: string }> {
    const child = start(...args);
    const [exitCode] = (await once(child, 'close')) as [number];
    return { exitCode, output: child.output };
  }

  it('compresses every JavaScript file below a folder, and nothing else', async () => {
    await mkdir(join(folder, 'inner'));
    const constant = (name: string, length: number): string => `export const ${name} = '${'a'.repeat(length)}';\n`;
    await writeFile(join(folder, 'repeated.js'), constant('repeated', 5000));
    await writeFile(join(folder, 'inner', 'short.mjs'), 'f();');
    await writeFile(join(folder, 'inner', 'middle.cjs'), constant('middle', 500));
    await writeFile(join(folder, 'empty.js'), '');
    await writeFile(join(folder, 'not.json'), '{}');

    const { exitCode, output } = await run(folder);

    expect(exitCode).to.equal(0);
    expect(output).to.match(/^Compressing 3 files, 5\.6 kB, with \d+ workers:$/m);
    expect(output).to.match(/^100\.0%  3 of 3 files, /m);
    const [best, worst] = [/^best .*\n(.*)/m, /^worst .*\n(.*)/m].map((section) => section.exec(output)?.[1]);
    expect(best).to.match(/^repeated\.js +5\.0 kB +\d\.\d% +\d\.\d%$/);
    expect(worst).to.match(/^inner\/short\.mjs +4 B +\d{3}\.\d% +\d{3}\.\d%$/);
    expect(output).to.match(/^It took [\d.]+ s with \d+ workers\./m);
    expect(output).to.match(/^One takes [\d.]+ s \(measured on all files\): [\d.]+ times as long\.$/m);
    expect(output).to.not.match(/not\.json|empty\.js|\r|NaN/);
  });

  it('says from how many files it has estimated what one worker takes', async () => {
    for (let i = 0; i < 10; i++) await writeFile(join(folder, `${i}.js`), `f(${i});`);
    expect((await run(folder)).output).to.match(/^One takes .* \(estimated from 2 of the files\)/m);
  });

  it('says so when there is nothing to compress', async () => {
    const { exitCode, output } = await run(folder);
    expect(output).to.equal(`There are no JavaScript files below ${folder}.\n`);
    expect(exitCode).to.equal(0);
  });

  it('fails with a message when the folder does not exist or is a file', async () => {
    const missing = join(folder, 'missing');
    expect(await run(missing)).to.deep.equal({ exitCode: 1, output: `${missing} does not exist.\n` });
    const file = join(folder, 'file.js');
    await writeFile(file, 'f();');
    expect(await run(file)).to.deep.equal({ exitCode: 1, output: `${file} is not a folder.\n` });
    expect(await run(folder, 'other')).to.deep.equal({
      exitCode: 1,
      output: 'Give one folder; "other" is one too many.\n',
    });
  });

  const unseen = canSeeProcesses ? '' : ' (skipped: without /proc, the children of a process cannot be listed)';
  const title = 'ends at once on Ctrl-C, and leaves no worker behind';
  (canSeeProcesses ? it : it.skip)(title + unseen, async () => {
    // Text that takes minutes, so that nothing but Ctrl-C can end it.
    const words = Array.from({ length: 4_000_000 }, (_, i) => ((i * 2654435761) >>> 7).toString(36)).join(' ');
    for (const name of ['a.js', 'b.js']) await writeFile(join(folder, name), words);
    const child = start(folder);
    const children = await busyChildren(child);
    const workers = children.filter(isNode);
    expect(workers).to.have.length.of.at.least(1);

    const asked = performance.now();
    child.kill('SIGINT');
    const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null];

    expect({ exitCode, signal }).to.deep.equal({ exitCode: 130, signal: null });
    expect(performance.now() - asked).to.be.below(5000);
    expect(child.output).to.match(/Stopped\.\n$/);
    expect(workers.filter(isAlive)).to.deep.equal([]);
    // Nor the guard of the workers, which hears of the program's end only when that has come.
    while (children.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

/** A program's child processes, as soon as one of them has computed for a second: it is in a compression then. */
async function busyChildren(program: ChildProcess): Promise<number[]> {
  for (;;) {
    if (program.exitCode !== null) throw new Error('The program has ended.');
    const children = childrenOf(program.pid as number);
    if (children.some((child) => cpuTicks(child) > 100)) return children;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isNode(pid: number): boolean {
  return readlinkSync(`/proc/${pid}/exe`) === realpathSync(process.execPath);
}
