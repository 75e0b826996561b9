/**
 * Tasks that a test holds in its hand: each says when it starts and ends only when it is let through. They speak through
 * files, which reach every kind of worker.
 */

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskContext } from 'rxjs-parallel-map';
import { until } from './until.js';

/** The value that {@link passGate} takes. */
export interface Gated {
  readonly dir: string;
  readonly name: string;
  /** Throws an error with this message, once let through. */
  readonly fails?: string;
  /** Ends when nobody wants the result any more. */
  readonly heedsSignal?: boolean;
}

/** The task: gives its name back, once it is let through. */
export const passGate = async (
  { dir, name, fails, heedsSignal = false }: Gated,
  context: TaskContext,
): Promise<string> => {
  const { appendFileSync: append, existsSync: exists } = await import('node:fs');
  context.signal.addEventListener('abort', () => append(`${dir}/log`, `abort ${name}\n`));
  append(`${dir}/log`, `start ${name}\n`);
  while (!exists(`${dir}/${name}.open`) && !exists(`${dir}/all.open`)) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (heedsSignal && context.signal.aborted) break;
  }
  append(`${dir}/log`, `end ${name}\n`);
  if (fails !== undefined) throw new Error(fails);
  return name;
};

/** The task that never ends and never listens, once it has said that it runs. */
export const loopForever = async ({ dir, name }: Gated): Promise<string> => {
  const { appendFileSync: append } = await import('node:fs');
  append(`${dir}/log`, `start ${name}\n`);
  for (;;);
};

export class Gates {
  readonly dir = mkdtempSync(join(tmpdir(), 'gates-'));

  constructor() {
    writeFileSync(join(this.dir, 'log'), '');
  }

  /** A value for the task. */
  value(name: string | number, more: Partial<Gated> = {}): Gated {
    return { dir: this.dir, name: String(name), ...more };
  }

  /** Lets a task through. */
  open(name: string | number): void {
    appendFileSync(join(this.dir, `${name}.open`), '');
  }

  /** Lets all tasks through, those to come too. */
  openAll(): void {
    this.open('all');
  }

  /** What the tasks have said so far: `start a`, `end a`, `abort a`. */
  get log(): string[] {
    return readFileSync(join(this.dir, 'log'), 'utf8').split('\n').filter(Boolean);
  }

  /** The names of the tasks that have started, in the order of the alphabet. */
  get started(): string[] {
    return this.log
      .filter((line) => line.startsWith('start '))
      .map((line) => line.slice('start '.length))
      .sort();
  }

  /** Resolves when these tasks have started. */
  async haveStarted(...names: (string | number)[]): Promise<void> {
    for (const name of names) await this.hasSaid(`start ${name}`);
  }

  async hasSaid(line: string): Promise<void> {
    await until(() => this.log.includes(line), line);
  }

  remove(): void {
    if (existsSync(this.dir)) rmSync(this.dir, { recursive: true, force: true });
  }
}

/** For a suite: gates of its own for each test. */
export function useGates(): () => Gates {
  let gates: Gates | undefined;
  beforeEach(() => {
    gates = new Gates();
  });
  afterEach(() => gates?.remove());
  return () => gates as Gates;
}
