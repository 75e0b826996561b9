// parallelMap with each start method: on a pool that is up, the same with one value per message, and with a pool of its own
// that starts and ends inside the time that is measured.

import { from, lastValueFrom, reduce } from 'rxjs';
import { parallelMap, WorkerPool } from 'rxjs-parallel-map';

const startMethods = ['threading', 'spawn'];

const run = ({ values, task, toNumber }, options) =>
  lastValueFrom(
    from(values).pipe(
      parallelMap(task, options),
      reduce((sum, result) => sum + toNumber(result), 0),
    ),
  );

const warm = (name, startMethod, options, suits = () => true) => ({
  name,
  suits,
  open(nJobs) {
    const pool = new WorkerPool({ nJobs, startMethod, keepAlive: true });
    return {
      run: (batch) => run(batch, { pool, ...options }),
      close: () => pool.terminate(),
    };
  },
});

const cold = (name, startMethod) => ({
  name,
  suits: () => true,
  isCold: true,
  open: (nJobs) => ({
    run: (batch) => run(batch, { nJobs, startMethod }),
    close: () => undefined,
  }),
});

/** The names that the goals are about. */
export const adaptive = 'parallelMap';
export const single = 'parallelMap, chunkSize: 1';

const nameOf = (base, startMethod) => (startMethod === startMethods[0] ? base : `${base} (${startMethod})`);

export default [
  ...startMethods.map((startMethod) => warm(nameOf(adaptive, startMethod), startMethod, {})),
  ...startMethods.map((startMethod) =>
    warm(nameOf(single, startMethod), startMethod, { chunkSize: 1 }, ({ isSmall }) => isSmall),
  ),
  ...startMethods.map((startMethod) => cold(nameOf('parallelMap, cold', startMethod), startMethod)),
];
