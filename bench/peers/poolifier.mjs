import { fileURLToPath } from 'node:url';
import { FixedThreadPool } from 'poolifier';
import { runInWindow } from '../window.mjs';

const script = fileURLToPath(new URL('poolifier.worker.mjs', import.meta.url));

export default [
  {
    name: 'poolifier',
    suits: () => true,
    open(nJobs) {
      // Its task queue (enableTasksQueue) made no difference here.
      const pool = new FixedThreadPool(nJobs, script, { errorHandler: (error) => console.error(error) });
      return {
        run: ({ taskName, ...batch }) => runInWindow(batch, (value) => pool.execute(value, taskName)),
        close: () => pool.destroy(),
      };
    },
  },
];
