/** Where scripts of the model tests are played in virtual time, with tasks that leave word in memory. */

import { WorkerPool } from '../library.js';
import { resolvePoolOptions } from '../../../src/options.js';
import type { AnyTask } from '../../../src/taskTypes.js';
import { Scheduler } from '../../../src/internal/core/pool/Scheduler.js';
import { nodePlatform } from '../../../src/internal/node/nodePlatform.js';
import { createObserver } from '../../../src/internal/observe/createObserver.js';
import { poolBrand, version } from '../../../src/internal/options/poolBrand.js';
import { setClasses, type PortableFunction } from '../../../src/internal/protocol/portable.js';
import behave from '../../tasks/behave.js';
import give from '../../tasks/give.js';
import move from '../../tasks/move.js';
import { setWorld } from '../../tasks/world.js';
import type { Place, PoolEnd, Tasks } from '../model/place.js';
import { simulated, WorkerActor, WorkerIsGone, type Chance } from './SimulatedWorker.js';
import type { VirtualTime } from './VirtualTime.js';

/** Lines by folder and name. */
const notes = new Map<string, string[]>();
let folders = 0;

/** Has tasks live in virtual time. */
export function simulateWorld(time: VirtualTime): void {
  setWorld({
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    spin: (ms) => time.spend(ms),
    exit(code) {
      if (time.actor instanceof WorkerActor) return time.actor.exit(code);
      throw new WorkerIsGone();
    },
    note(folder, name, line) {
      const key = `${folder}/${name}`;
      notes.set(key, [...(notes.get(key) ?? []), line]);
    },
    leaveMark(folder, name) {
      const key = `${folder}/${name}`;
      if (notes.has(key)) return false;
      notes.set(key, []);
      return true;
    },
  });
}

/** Its classes are those of this thread. */
function portableOf(task: AnyTask, classes: readonly Function[] = []): PortableFunction {
  const fn = task as (...args: never[]) => unknown;
  setClasses(fn, classes);
  return setClasses({ kind: 'local', name: fn.name, fn, imports: false }, classes);
}

/** A pool of simulated workers. */
export function simulatedPool(time: VirtualTime, chance: Chance, options: object): WorkerPool {
  const settings = resolvePoolOptions(options, 'WorkerPool');
  const scheduler = new Scheduler(settings, {
    platform: nodePlatform,
    startMethod: simulated(time, chance),
    observer: createObserver('simulated', settings.insights && settings.nJobs),
    shared: settings.sharedObjects === undefined ? undefined : { local: settings.sharedObjects, imports: false },
    makePortable: (functions, { classes }) => functions.map((fn) => fn && portableOf(fn, classes)) as never,
  });
  // One that would have threads, if it were ever asked for any.
  return Object.assign(new WorkerPool(), { [poolBrand]: { version, runner: scheduler } });
}

export function simulatedPlace(
  time: VirtualTime,
  chance: Chance,
  nJobs: number,
  pool?: WorkerPool,
  ends?: ReadonlySet<PoolEnd>,
): Place {
  const open = (): WorkerPool => pool ?? simulatedPool(time, chance, { nJobs });
  return {
    title: `${nJobs} simulated workers`,
    nJobs,
    sharesMemory: true,
    // The functions themselves: no module is imported, which would take real time.
    tasks: { behave, move, give } as unknown as Tasks,
    pool,
    ...(ends === undefined ? {} : { ends }),
    get workers() {
      return { pool: open() };
    },
    openPool: open,
    makeFolder: () => `folder-${folders++}`,
    linesOf: (folder, name) => notes.get(`${folder}/${name}`) ?? [],
  };
}

/** What tasks have left is not wanted any more. */
export function forgetNotes(): void {
  notes.clear();
}
