/** What init functions, tasks and exit functions write down, in whichever worker they run, and a test reads. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.js';

export class WorkerLog {
  /** The file: functions append lines to it. */
  readonly file: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'worker-log-'));

  constructor() {
    this.file = join(this.#folder, 'log');
    writeFileSync(this.file, '');
  }

  get lines(): string[] {
    return readFileSync(this.file, 'utf8').split('\n').filter(Boolean);
  }

  /** How many lines are this one. */
  count(line: string): number {
    return this.lines.filter((each) => each === line).length;
  }

  async has(line: string): Promise<void> {
    await until(() => this.lines.includes(line), line);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** For a suite: a log of its own for each test. */
export function useWorkerLog(): () => WorkerLog {
  let log: WorkerLog | undefined;
  beforeEach(() => {
    log = new WorkerLog();
  });
  afterEach(() => log?.remove());
  return () => log as WorkerLog;
}
