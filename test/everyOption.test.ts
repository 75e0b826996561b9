// Every option at every place that takes options: a wrong value, and an option that belongs elsewhere, are refused at once.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parallelFrom, parallelMap, parallelMergeMap, WorkerPool } from './support/library.js';
import { createPool, endPools } from './support/pools.js';
import { rejection, thrownBy } from './support/rejection.js';
import { same } from './support/tasks.js';

type Where = 'pool' | 'share' | 'call' | 'operator' | 'source' | 'map';

/** Of each option where it belongs, something that it cannot be, and how the error begins to say what it can be. */
const options: Record<string, [where: Where, wrong: unknown, allowed: string]> = {
  nJobs: ['pool', 0, 'a positive integer'],
  startMethod: [
    'pool',
    'thread',
    "'threading', 'spawn', 'forkserver', 'fork' or 'inline', or a start method of your own",
  ],
  daemon: ['pool', 'yes', 'true or false'],
  keepAlive: ['pool', 1, 'true or false'],
  cpuIds: ['pool', 'all', 'an array'],
  orderTasks: ['pool', 1, 'true or false'],
  insights: ['pool', 'yes', 'true'],
  startTimeout: ['pool', 0, 'a'],
  env: ['pool', 5, 'an object'],
  argv: ['pool', 'a b', 'an array'],
  execArgv: ['pool', '--no-warnings', 'an array'],
  resourceLimits: ['pool', 64, 'an object'],
  name: ['pool', 5, 'a'],
  chunkSize: ['share', 0, 'a positive integer'],
  nSplits: ['share', 1.5, 'a positive integer'],
  maxTasksActive: ['share', NaN, 'a positive integer'],
  tasksPerWorker: ['share', -1, 'a positive integer'],
  transferInput: ['share', [], 'a function'],
  progressBar: ['share', 'yes', 'true'],
  signal: ['call', new AbortController(), 'an AbortSignal'],
  taskTimeout: ['call', -1, 'a'],
  workerInit: ['call', 'init', 'a function'],
  workerExit: ['call', {}, 'a function'],
  workerInitTimeout: ['call', '5', 'a'],
  workerExitTimeout: ['call', NaN, 'a'],
  workerLifespan: ['call', 1.5, 'a positive integer'],
  workerDeathRetries: ['call', -1, 'a'],
  settle: ['call', 1, 'true or false'],
  cancelTimeout: ['call', -1, 'a'],
  captures: ['call', 5, 'an object'],
  setup: ['call', 1, 'true or false'],
  classes: ['call', [{}], 'an array of classes'],
  onProgress: ['call', console, 'a function'],
  concatenate: ['map', 'yes', 'true or false'],
  ordered: ['source', 'yes', 'true or false'],
  pool: ['source', {}, 'a WorkerPool'],
  onExitResults: ['source', 'yes', 'a function'],
  onInsights: ['source', 'yes', 'a function'],
  bufferSize: ['operator', -1, 'a'],
  overflow: ['operator', 'drop', "'error', 'drop-oldest' or 'drop-newest'"],
};

const untouched: Iterable<number> = {
  [Symbol.iterator]: () => {
    throw new Error('The input was read.');
  },
};
type AnyPool = Record<string, (...args: unknown[]) => unknown>;
const makers = { parallelMap, parallelMergeMap } as unknown as Record<string, (...args: unknown[]) => unknown>;
const operator = (name: string) => (wrong: object) => thrownBy(() => makers[name]?.(same, wrong));
const call = (method: string, input: unknown) => (wrong: object) =>
  rejection(Promise.resolve((createPool() as unknown as AnyPool)[method]?.(same, input, wrong)));
const loop = (method: string) => (wrong: object) =>
  thrownBy(() => (createPool() as unknown as AnyPool)[method]?.(same, untouched, wrong));

const places: Record<string, { refuse: (wrong: object) => Error | Promise<Error>; takes: Where[] }> = {
  parallelMap: { refuse: operator('parallelMap'), takes: ['pool', 'share', 'call', 'source', 'operator'] },
  parallelMergeMap: { refuse: operator('parallelMergeMap'), takes: ['pool', 'share', 'call', 'source', 'operator'] },
  parallelFrom: {
    refuse: (wrong) => thrownBy(() => parallelFrom(untouched, same, wrong)),
    takes: ['pool', 'share', 'call', 'source'],
  },
  WorkerPool: { refuse: (wrong) => thrownBy(() => new WorkerPool(wrong)), takes: ['pool'] },
  map: { refuse: call('map', untouched), takes: ['share', 'call', 'map'] },
  mapUnordered: { refuse: call('mapUnordered', untouched), takes: ['share', 'call'] },
  imap: { refuse: loop('imap'), takes: ['share', 'call'] },
  imapUnordered: { refuse: loop('imapUnordered'), takes: ['share', 'call'] },
  apply: { refuse: call('apply', []), takes: ['call'] },
};

describe('every option', () => {
  afterEach(endPools);

  it('is here', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const table = /^\| option .*\n(?:\|.*\n)+/m.exec(readme)?.[0] ?? '';
    const named = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    // Anything may be shared that can be sent; `concatenate` is of one method only.
    expect(Object.keys(options)).to.have.members([...named.filter((name) => name !== 'sharedObjects'), 'concatenate']);
  });

  for (const [place, { refuse, takes }] of Object.entries(places)) {
    it(`is checked by ${place} before anything is read or started`, async () => {
      for (const [name, [where, wrong, allowed]] of Object.entries(options)) {
        const error = await refuse({ [name]: wrong });
        expect(error, name).to.satisfy((e: unknown) => e instanceof TypeError || e instanceof RangeError);
        if (takes.includes(where)) {
          expect(error.message, name).to.satisfy((text: string) =>
            text.startsWith(`${place}: option "${name}" must be ${allowed}`),
          );
          expect(error.message, name).to.match(/, got .+[.?]$/);
        } else {
          expect(error.message, name).to.satisfy((text: string) => text.startsWith(`${place}: option "${name}" `));
          expect(error, name).to.be.instanceOf(TypeError);
        }
      }
    });
  }
});
