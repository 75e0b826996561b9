import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import { runInWindow } from '../window.mjs';

const script = fileURLToPath(new URL('workerpool.worker.mjs', import.meta.url));

export default [
  {
    name: 'workerpool',
    suits: () => true,
    open(nJobs) {
      const pool = workerpool.pool(script, { minWorkers: nJobs, maxWorkers: nJobs, workerType: 'thread' });
      return {
        run: ({ taskName, ...batch }) => runInWindow(batch, (value) => pool.exec(taskName, [value])),
        close: () => pool.terminate(),
      };
    },
  },
];
