/** Where scripts of the model tests are played: on real workers, with tasks that leave word in files. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModuleTask, StartMethodName, WorkerPool } from 'rxjs-parallel-map';
import type behave from '../../tasks/behave.js';
import type give from '../../tasks/give.js';
import { moduleTask, WorkerPool as RealPool } from '../library.js';
import { startMethods } from '../startMethods.js';

/** What a pool can be told while scripts are played on it. */
export type PoolEnd = 'join' | 'terminate';

export interface Tasks {
  readonly behave: ModuleTask<typeof behave>;
  readonly move: ModuleTask<typeof behave>;
  readonly give: ModuleTask<typeof give>;
}

export interface Place {
  /** What its workers are, for messages. */
  readonly title: string;
  readonly nJobs: number;
  /** Whether what is transferred really moves. */
  readonly sharesMemory: boolean;
  readonly tasks: Tasks;
  /** A pool that others use too. */
  readonly pool?: WorkerPool | undefined;
  /** Which ends that pool has been told, so far. */
  readonly ends?: ReadonlySet<PoolEnd>;
  /** The options of an operator for workers of its own, or for those of the pool. */
  readonly workers: { readonly pool: WorkerPool } | { readonly nJobs: number; readonly startMethod: StartMethodName };
  /** Without `keepAlive` a pool is gone with its last call: there is nothing to end. */
  openPool(): WorkerPool;
  /** Makes a folder in which tasks can leave word. */
  makeFolder(): string;
  /** What tasks have left under a name. */
  linesOf(folder: string, name: string): string[];
}

const tasks: Tasks = {
  behave: moduleTask<typeof behave>(new URL('../../tasks/behave.js', import.meta.url)),
  move: moduleTask<typeof behave>(new URL('../../tasks/move.js', import.meta.url)),
  give: moduleTask<typeof give>(new URL('../../tasks/give.js', import.meta.url)),
};

/** What tasks leave on disk. */
const folders = mkdtempSync(join(tmpdir(), 'model-'));

/** Removes that, when no worker is left: on a pool that goes on, a task may write after its script's end. */
export function removeFolders(): void {
  rmSync(folders, { recursive: true });
}

/** Real workers, of a pool that others use too, or of pools of their own. */
export function realPlace(
  startMethod: StartMethodName,
  nJobs: number,
  pool?: WorkerPool,
  ends?: ReadonlySet<PoolEnd>,
): Place {
  return {
    title: `${nJobs} × ${startMethod}`,
    nJobs,
    sharesMemory: startMethods.some(({ name, sharesMemory }) => name === startMethod && sharesMemory),
    tasks,
    pool,
    ...(ends === undefined ? {} : { ends }),
    workers: pool === undefined ? { nJobs, startMethod } : { pool },
    openPool: () => pool ?? new RealPool({ nJobs, startMethod }),
    makeFolder: () => mkdtempSync(join(folders, 'script-')),
    linesOf(folder, name) {
      try {
        return readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        return []; // nobody has
      }
    },
  };
}
